package local

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/internal/engine"
	"github.com/vecwire/vecwire/internal/pair"
)

const (
	memoryVariable = "VECWIRE_TEST_MEMORY"     // a process that measures itself has the store's path here
	keptVariable   = "VECWIRE_TEST_MEMORY_DIR" // where BenchmarkMemory keeps its stores from run to run
)

// memoryShapes are the collections that BenchmarkMemory measures.
var memoryShapes = []struct {
	rows, dim int
	element   codec.Element
}{{1_000_000, 128, codec.FLOAT}, {200_000, 384, codec.FLOAT}, {100_000, 1536, codec.FLOAT}, {100_000, 384, codec.DOUBLE}}

// memoryOf is what a fresh process measures that opens a store, makes 1,000 searches and
// closes it.
type memoryOf struct {
	AnonMB, FileMB, PssMB float64 // as /proc says
	OpenMS                float64 // until the first answer
	SearchUS              float64 // the mean of the others
	CloseMS               float64
}

// BenchmarkMemoryOfTen measures what ten processes take that have one store open, and
// one.
func BenchmarkMemoryOfTen(b *testing.B) {
	dir := os.Getenv(keptVariable)
	if dir == "" {
		b.Skip("it takes a store that BenchmarkMemory has left in ", keptVariable)
	}
	path := filepath.Join(dir, "200000x384.db")
	for b.Loop() {
		b.ReportMetric(0, "ns/op")
		for _, n := range []int{1, 10} {
			total := memoryOf{}
			for _, m := range measureMemory(b, path, n) {
				total.AnonMB, total.PssMB = total.AnonMB+m.AnonMB, total.PssMB+m.PssMB
			}
			b.ReportMetric(total.AnonMB, fmt.Sprint(n, "-anon-MB"))
			b.ReportMetric(total.PssMB, fmt.Sprint(n, "-pss-MB"))
		}
	}
}

// BenchmarkMemory measures what memory a fresh process takes that opens a store and
// searches, how fast it opens and closes it, and what the store takes on the disk.
func BenchmarkMemory(b *testing.B) {
	dir := os.Getenv(keptVariable)
	if dir == "" {
		dir = b.TempDir()
	}
	for _, shape := range memoryShapes {
		for _, indexed := range []bool{true, false} {
			name := fmt.Sprintf("%dx%d", shape.rows, shape.dim)
			if shape.element == codec.DOUBLE {
				name += "-double"
			}
			if !indexed {
				name += "-flat"
			}
			b.Run(name, func(b *testing.B) {
				if testing.Short() {
					b.Skip("stores of this size take minutes to make")
				}
				path := filepath.Join(dir, name+".db")
				if _, err := os.Stat(path); err != nil {
					schema := engine.Schema{Name: "docs", Element: shape.element, Dim: shape.dim, Metric: codec.L2, Index: engine.NoIndex}
					makeMemoryStore(b, path, schema, shape.rows, indexed)
				}
				for b.Loop() {
					m := measureMemory(b, path, 1)[0]
					b.ReportMetric(0, "ns/op")
					b.ReportMetric(m.AnonMB, "anon-MB")
					b.ReportMetric(m.FileMB, "file-MB")
					b.ReportMetric(m.OpenMS, "open-ms")
					b.ReportMetric(m.SearchUS, "search-us")
					b.ReportMetric(m.CloseMS, "close-ms")
					b.ReportMetric(diskOf(b, path)/float64(shape.rows*shape.dim*shape.element.Size()), "disk/raw")
				}
			})
		}
	}
}

// makeMemoryStore makes a store of one collection of clustered vectors, and leaves it
// alone until its snapshot is written.
func makeMemoryStore(b *testing.B, path string, schema engine.Schema, rows int, indexed bool) {
	s := openFresh(b, path+".made")
	c, err := s.Create(context.Background(), schema)
	require.NoError(b, err)
	vector := planeVectors(1, schema)
	var records []engine.Record
	for i := range rows {
		records = append(records, engine.Record{ID: fmt.Sprintf("record-%d", i), Vector: vector()})
		if len(records) == 4096 || i == rows-1 {
			require.NoError(b, c.Insert(context.Background(), records))
			records = records[:0]
		}
	}
	if indexed { // how good the links are does not matter here
		require.NoError(b, c.BuildIndex(context.Background(), engine.IndexPlan{M: 16, EfConstruction: 32}))
	}
	require.NoError(b, s.Close())
	files, err := filepath.Glob(path + ".made*")
	require.NoError(b, err)
	for _, f := range files {
		require.NoError(b, os.Rename(f, strings.Replace(f, ".made", "", 1)))
	}
}

// planeVectors is pair.Vectors for a collection.
func planeVectors(seed uint64, s engine.Schema) func() engine.Vector {
	next := pair.Vectors(seed, s.Dim)
	return func() engine.Vector {
		v := next()
		if s.Element == codec.DOUBLE {
			return doubles(v)
		}
		return engine.Vector{F32: v}
	}
}

func diskOf(b *testing.B, path string) (bytes float64) {
	files, err := filepath.Glob(path + "*")
	require.NoError(b, err)
	for _, f := range files {
		info, err := os.Stat(f)
		require.NoError(b, err)
		bytes += float64(info.Size())
	}
	return bytes
}

// measureMemory has n processes measure themselves. Their memory is what they take when
// all have searched, and none is closed.
func measureMemory(b *testing.B, path string, n int) (all []memoryOf) {
	b.Helper()
	type process struct {
		cmd *exec.Cmd
		in  io.WriteCloser
		out *json.Decoder
	}
	var started []process
	for range n {
		p := process{cmd: exec.Command(os.Args[0])}
		p.cmd.Env = append(os.Environ(), memoryVariable+"="+path)
		p.cmd.Stderr = os.Stderr
		var err error
		p.in, err = p.cmd.StdinPipe()
		require.NoError(b, err)
		out, err := p.cmd.StdoutPipe()
		require.NoError(b, err)
		p.out = json.NewDecoder(out)
		require.NoError(b, p.cmd.Start())
		started = append(started, p)
	}
	all = make([]memoryOf, n)
	for range 3 { // searched, measured, closed
		for i, p := range started {
			require.NoError(b, p.out.Decode(&all[i]))
		}
		for _, p := range started {
			_, err := p.in.Write([]byte{0})
			require.NoError(b, err)
		}
	}
	for _, p := range started {
		require.NoError(b, p.cmd.Wait())
	}
	return all
}

// measureSelf is a process that measures itself. It goes on with each byte that it gets.
func measureSelf(path string) error {
	ctx := context.Background()
	ms := func(from time.Time) float64 { return float64(time.Since(from).Microseconds()) / 1000 }
	var m memoryOf
	begun := time.Now()
	s, err := Open(ctx, Options{Path: path, Logger: slog.Default()})
	if err != nil {
		return err
	}
	c, err := s.Open(ctx, "docs")
	if err != nil {
		return err
	}
	opened := time.Since(begun)
	vector := planeVectors(2, c.Schema())
	var took []time.Duration
	for i := range 1000 {
		q := vector()
		at := time.Now()
		found, err := c.Search(ctx, []engine.Search{{Vector: q, K: 10, Payload: true}})
		if err != nil || len(found[0].Hits) != 10 {
			return fmt.Errorf("found %d: %w", len(found[0].Hits), err)
		}
		if i == 0 {
			m.OpenMS = ms(at.Add(-opened))
		} else {
			took = append(took, time.Since(at))
		}
	}
	slices.Sort(took)
	m.SearchUS = float64(took[len(took)/2].Nanoseconds()) / 1000
	say := func() error {
		if err := json.NewEncoder(os.Stdout).Encode(m); err != nil {
			return err
		}
		_, err := os.Stdin.Read(make([]byte, 1))
		return err
	}
	if err := say(); err != nil {
		return err
	}
	m.AnonMB, m.FileMB = proc("status", "RssAnon"), proc("status", "RssFile")
	m.PssMB = proc("smaps_rollup", "Pss")
	if err := say(); err != nil {
		return err
	}
	at := time.Now()
	err = s.Close()
	m.CloseMS = ms(at)
	return errors.Join(err, say())
}

// proc reads a figure of this process in kB, and returns it in MB.
func proc(file, name string) float64 {
	text, _ := os.ReadFile("/proc/self/" + file)
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, name+":"); ok {
			kb, _ := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			return kb / 1000
		}
	}
	return 0
}
