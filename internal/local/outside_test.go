package local

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/internal/engine"
)

// Tests have small collections, and their vectors outside all the same: those of the processes
// that tests start, too.
func init() { outsideFrom = 1 }

// outsiders returns how many vectors a collection reads from the file.
func outsiders(c engine.Collection) int64 {
	lc := c.(*collection)
	lc.mu.RLock()
	defer lc.mu.RUnlock()
	if lc.outside == nil || lc.index.mapsVectors() {
		return 0
	}
	vectors, _, _ := lc.index.taken()
	return vectors.Mapped / int64(lc.outside.size)
}

// A collection whose vectors are read from the file answers as the rows do, whoever writes them,
// moves them by a checkpoint, or writes the file again.
func TestOutsideModel(t *testing.T) {
	for _, of := range []struct {
		element codec.Element
		dim     int
		metric  codec.Metric
		page    int // size
	}{
		{codec.FLOAT, 16, codec.L2, 4096}, {codec.FLOAT, 384, codec.Cosine, 8192}, {codec.FLOAT, 1200, codec.L2, 4096},
		{codec.FLOAT, 3000, codec.Dot, 8192}, {codec.FLOAT, 5000, codec.L2, 16384},
		{codec.DOUBLE, 16, codec.Cosine, 8192}, {codec.DOUBLE, 192, codec.L2, 4096}, {codec.DOUBLE, 600, codec.Cosine, 4096}, {codec.DOUBLE, 1500, codec.Dot, 8192},
	} {
		t.Run(fmt.Sprint(of.element, of.metric, of.dim), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(uint64(of.dim), 1))
			path := filepath.Join(t.TempDir(), "test.db")
			require.NoError(t, openStore(t, path).Close())
			require.NoError(t, setPageSize(t.Context(), path, of.page))
			stores := []*store{openStore(t, path), openStore(t, path)}
			in := []engine.Collection{create(t, stores[0], engine.Schema{Name: "docs", Element: of.element, Dim: of.dim, Metric: of.metric, Index: engine.NoIndex}), nil}
			in[1] = open(t, stores[1], "docs")
			reader, err := openReading(t, path).Open(t.Context(), "docs")
			require.NoError(t, err)
			record := func() engine.Record {
				v := vectorOf(in[0].Schema(), func() float64 { return rng.NormFloat64() * 2 })
				return engine.Record{ID: fmt.Sprint(rng.IntN(300)), Vector: v, Text: strings.Repeat("x", rng.IntN(300))}
			}
			read := int64(0)
			for step := range 45 {
				i := rng.IntN(2)
				s, c := stores[i], in[i]
				switch rng.IntN(9) {
				case 0, 1, 2:
					var records []engine.Record
					seen := map[string]bool{}
					for range 1 + rng.IntN(40) {
						if r := record(); !seen[r.ID] {
							records, seen[r.ID] = append(records, r), true
						}
					}
					require.NoError(t, c.Upsert(t.Context(), records))
				case 3:
					_, err := c.Delete(t.Context(), []string{record().ID, record().ID, record().ID})
					require.NoError(t, err)
				case 4:
					_, err := s.write.ExecContext(t.Context(), "PRAGMA wal_checkpoint(PASSIVE)")
					require.NoError(t, err)
				case 5:
					require.NoError(t, s.Compact(t.Context()))
				case 6:
					if step%3 == 0 {
						require.NoError(t, s.Close())
						stores[i] = openStore(t, path)
						in[i] = open(t, stores[i], "docs")
					}
				default:
					n, err := c.Size(t.Context())
					require.NoError(t, err)
					if n > 0 {
						saveNow(t, c)
						read += outsiders(c)
					}
				}
				for _, c := range append(in, reader) {
					requireScores(t, c, record().Vector)
				}
			}
			require.Greater(t, read, int64(100))
			require.Empty(t, checked(t, stores[0]).Problems)
			requireCopies(t, stores[0], record().Vector)
		})
	}
}

// requireCopies compares what is read of copies of a store, in all ways to copy one.
func requireCopies(t *testing.T, s *store, q engine.Vector) {
	t.Helper()
	dir := t.TempDir()
	backup, salvaged := filepath.Join(dir, "backup.db"), filepath.Join(dir, "salvaged.db")
	require.NoError(t, s.Backup(t.Context(), backup, nil))
	report, err := s.Salvage(t.Context(), salvaged)
	require.NoError(t, err)
	require.Empty(t, report.Problems)
	for _, path := range []string{backup, salvaged} {
		copied := openStore(t, path)
		c := open(t, copied, "docs")
		requireScores(t, c, q)
		saveNow(t, c)
		require.Positive(t, outsiders(c))
		requireScores(t, c, q)
		require.Empty(t, checked(t, copied).Problems)
		require.NoError(t, copied.Close())
		files, err := Open(t.Context(), Options{Path: filepath.Base(path), FS: os.DirFS(dir), Logger: slog.New(slog.DiscardHandler)})
		require.NoError(t, err)
		c, err = files.Open(t.Context(), "docs")
		require.NoError(t, err)
		requireScores(t, c, q)
		require.NoError(t, files.Close())
	}
}

// A snapshot that has vectors, as those had before their places took their place, is read, and
// the next one has places: of a collection whose vectors have two elements, one after the other,
// too.
func TestOutsideAfterSnapshotsWithVectors(t *testing.T) {
	for _, metric := range []codec.Metric{codec.Cosine, codec.L2} {
		t.Run(metric.String(), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(3, uint64(metric)))
			path := filepath.Join(t.TempDir(), "test.db")
			s := openStore(t, path)
			t.Cleanup(s.pages.close)
			s.pages = nil // where it is not mapped, snapshots have vectors
			elements := []codec.Element{codec.FLOAT, codec.DOUBLE}
			some := func(schema engine.Schema, from, to int) (records []engine.Record) {
				for i := from; i < to; i++ {
					records = append(records, engine.Record{ID: fmt.Sprint(i), Vector: vectorOf(schema, rng.NormFloat64)})
				}
				return records
			}
			for _, element := range elements {
				schema := engine.Schema{Name: element.String(), Element: element, Dim: 200, Metric: metric, Index: engine.NoIndex}
				c := create(t, s, schema)
				require.NoError(t, c.Upsert(t.Context(), some(schema, 0, 1200)))
				require.NoError(t, c.BuildIndex(t.Context(), engine.IndexPlan{M: 6, EfConstruction: 24}))
				saveNow(t, c)
			}
			require.NoError(t, s.Close())
			s = openStore(t, path)
			for _, element := range elements {
				c := open(t, s, element.String())
				q := some(c.Schema(), 0, 1)[0].Vector
				require.NotEmpty(t, c.(*collection).loadedFrom)
				requireScores(t, c, q)
				before := sizeOf(t, s.snapshotPath(c.(*collection).saved.tag))
				require.NoError(t, c.Upsert(t.Context(), some(c.Schema(), 1000, 1210)))
				saveNow(t, c)
				require.EqualValues(t, 1210, outsiders(c))
				require.Less(t, sizeOf(t, s.snapshotPath(c.(*collection).saved.tag)), before-1000*200*int64(element.Size()))
				requireScores(t, c, q)
			}
			settle := func(context.Context, engine.Collection, engine.Collection) error { return nil }
			require.NoError(t, s.Swap(t.Context(), engine.Swap{Name: "FLOAT", Next: "DOUBLE", Old: "was", Settle: settle}))
			for range 2 {
				for name, element := range map[string]codec.Element{"FLOAT": codec.DOUBLE, "was": codec.FLOAT} {
					c := open(t, s, name)
					require.Equal(t, element, c.Schema().Element)
					require.EqualValues(t, 1210, outsiders(c))
					requireScores(t, c, some(c.Schema(), 0, 1)[0].Vector)
				}
				require.Empty(t, checked(t, s).Problems)
				require.NoError(t, s.Close())
				s = openStore(t, path)
			}
		})
	}
}

// requireScores compares the scores of a search for all records with those of the rows.
func requireScores(t testing.TB, c engine.Collection, q engine.Vector) {
	t.Helper()
	rows := all(t, t.Context(), c)
	scores := scoresOfAll(t, c, q, len(rows))
	within, schema := 1e-12, c.Schema()
	if schema.Metric == codec.Cosine && schema.Element == codec.FLOAT {
		within = 1e-8 // of normalised vectors
	}
	for _, r := range rows {
		want := scoreOf(schema.Metric, q, r.Vector)
		require.InDelta(t, want, scores[r.ID], within*max(1, math.Abs(want)), r.ID)
	}
}

// vectorOf returns a vector for a collection, of the elements that next returns.
func vectorOf(s engine.Schema, next func() float64) (v engine.Vector) {
	for range s.Dim {
		if x := next(); s.Element == codec.DOUBLE {
			v.F64 = append(v.F64, x)
		} else {
			v.F32 = append(v.F32, float32(x))
		}
	}
	return v
}

// elements returns those of a vector.
func elements(v engine.Vector) []float64 {
	if v.F64 != nil {
		return v.F64
	}
	return doubles(v.F32).F64
}

func scoreOf(m codec.Metric, of, to engine.Vector) float64 {
	q, x := elements(of), elements(to)
	var dot, qq, xx, d float64
	for i, a := range q {
		b := x[i]
		dot, qq, xx, d = dot+a*b, qq+a*a, xx+b*b, d+(a-b)*(a-b)
	}
	switch m {
	case codec.L2:
		return -math.Sqrt(d)
	case codec.Dot:
		return dot
	}
	return dot / math.Sqrt(qq*xx)
}

// Searches beside a process that writes, checkpoints and compacts find each record with the score of
// the vector that it has.
func TestOutsideWhileOthersWrite(t *testing.T) {
	for _, element := range []codec.Element{codec.FLOAT, codec.DOUBLE} {
		t.Run(element.String(), func(t *testing.T) {
			outsideWhileOthersWrite(t, engine.Schema{Name: "docs", Element: element, Dim: 96, Metric: codec.L2, Index: engine.NoIndex})
		})
	}
}

func outsideWhileOthersWrite(t *testing.T, schema engine.Schema) {
	const records = 2000
	path := filepath.Join(t.TempDir(), "test.db")
	writer, reader := openStore(t, path), openStore(t, path)
	c := create(t, writer, schema)
	vector := func(seed uint64) engine.Vector { return vectorOf(schema, rand.New(rand.NewPCG(seed, 9)).NormFloat64) }
	var some []engine.Record
	for i := range records {
		some = append(some, engine.Record{ID: fmt.Sprint(i), Vector: vector(uint64(i))})
	}
	require.NoError(t, c.Upsert(t.Context(), some))
	require.NoError(t, c.BuildIndex(t.Context(), engine.IndexPlan{M: 8, EfConstruction: 40}))
	in := open(t, reader, "docs")
	require.Positive(t, outsiders(in))
	var done atomic.Bool
	group, ctx := errgroup.WithContext(context.Background())
	for worker := range 2 {
		group.Go(func() error {
			for i := uint64(0); !done.Load() && ctx.Err() == nil; i++ {
				q := vector(1<<40 + i)
				found, err := in.Search(ctx, []engine.Search{{Vector: q, K: 10, Vectors: true, Exact: worker == 0}})
				if err != nil {
					return err
				}
				for _, h := range found[0].Hits {
					if want := scoreOf(codec.L2, q, h.Vector); math.Abs(want-h.Score) > 1e-12 {
						return fmt.Errorf("record %s has the score %v, want %v", h.ID, h.Score, want)
					}
				}
			}
			return nil
		})
	}
	rng := rand.New(rand.NewPCG(4, 4))
	for i := range 60 {
		at := rng.IntN(records)
		var some []engine.Record
		for j := at; j < min(at+50, records); j++ {
			some = append(some, engine.Record{ID: fmt.Sprint(j), Vector: vector(rng.Uint64()), Text: strings.Repeat("y", rng.IntN(900))})
		}
		require.NoError(t, c.Upsert(t.Context(), some))
		switch i % 10 {
		case 3, 6:
			_, err := writer.write.ExecContext(t.Context(), "PRAGMA wal_checkpoint(PASSIVE)")
			require.NoError(t, err)
		case 8:
			_, err := c.Delete(t.Context(), []string{some[0].ID, some[len(some)-1].ID})
			require.NoError(t, err)
		case 9:
			require.NoError(t, writer.Compact(t.Context()))
		}
	}
	done.Store(true)
	require.NoError(t, group.Wait())
	for _, c := range []engine.Collection{c, in} {
		requireScores(t, c, vector(77))
	}
	for _, s := range []*store{writer, reader} {
		report, err := s.Check(t.Context())
		require.NoError(t, err)
		require.Empty(t, report.Problems)
	}
}

// While a reader keeps a checkpoint from its end, the file has leaves of a table to which no way
// leads: what is found is not lost, and the rest is kept in the snapshot.
func TestOutsideWhileSomebodyReadsForLong(t *testing.T) {
	for _, schema := range []engine.Schema{{Element: codec.FLOAT, Dim: 1500}, {Element: codec.DOUBLE, Dim: 750}} {
		t.Run(schema.Element.String(), func(t *testing.T) { outsideWhileSomebodyReads(t, schema) })
	}
}

func outsideWhileSomebodyReads(t *testing.T, schema engine.Schema) {
	path := filepath.Join(t.TempDir(), "test.db")
	s := openStore(t, path)
	schema.Name, schema.Metric, schema.Index = "docs", codec.L2, engine.NoIndex
	c := create(t, s, schema)
	rng := rand.New(rand.NewPCG(1, 2))
	load := func(from, to int) {
		var records []engine.Record
		for i := from; i < to; i++ {
			records = append(records, engine.Record{ID: fmt.Sprint(i), Vector: vectorOf(schema, rng.NormFloat64)})
		}
		require.NoError(t, c.Upsert(t.Context(), records))
	}
	load(0, 60)
	saveNow(t, c)
	require.EqualValues(t, 60, outsiders(c))
	load(60, 120)
	reader := openStore(t, path)
	_, end, err := reader.pin(t.Context())
	require.NoError(t, err)
	defer end()
	load(70, 120) // these leaves stay in the log, and not the way to them
	saveNow(t, c)
	require.GreaterOrEqual(t, outsiders(c), int64(60))
	requireScores(t, c, all(t, t.Context(), c)[7].Vector)
}

// A log that begins anew has other salts before its counters are 0: what is read in between is
// taken for no state of the file.
func TestOutsideWhileALogBeginsAnew(t *testing.T) {
	var words [34]uint32
	p := &pages{watch: &watch{header: (*header48)(unsafe.Pointer(&words))}}
	words[framesWord], words[saltWord], words[backfillWord], words[attemptedWord] = 9, 5, 9, 9
	before, rests := p.state()
	require.True(t, rests)
	words[framesWord], words[saltWord] = 0, 6
	between, rests := p.state()
	require.False(t, rests)
	require.NotEqual(t, before, between)
	words[backfillWord], words[attemptedWord] = 0, 0
	_, rests = p.state()
	require.True(t, rests)
	words[framesWord], words[backfillWord], words[attemptedWord] = 9, 9, 9
	after, rests := p.state()
	require.True(t, rests)
	require.NotEqual(t, between, after)
	require.NotEqual(t, before, after)
}
