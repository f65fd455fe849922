package local

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/internal/engine"
	"github.com/vecwire/vecwire/internal/pair"
)

// BenchmarkBesideWriter measures searches of one goroutine, alone and beside one that
// stores a record in each commit, in turns of a quarter of a second: half of them, and 99
// of 100, take no longer than is reported.
func BenchmarkBesideWriter(b *testing.B) {
	const rows, dim, turn = 20_000, 128, 250 * time.Millisecond
	s := openStore(b, b.TempDir()+"/beside.db")
	c := create(b, s, engine.Schema{Name: "docs", Dim: dim, Metric: codec.L2, Index: engine.NoIndex})
	vector := pair.Vectors(1, dim)
	record := func(i int) engine.Record {
		return engine.Record{ID: fmt.Sprint("record-", i), Vector: engine.Vector{F32: vector()}, Text: "a text"}
	}
	var records []engine.Record
	for i := range rows {
		records = append(records, record(i))
	}
	require.NoError(b, c.Upsert(b.Context(), records))
	require.NoError(b, c.BuildIndex(b.Context(), engine.IndexPlan{M: 16, EfConstruction: 64}))

	var writing atomic.Bool
	var commits atomic.Int64
	ctx, cancel := context.WithCancel(b.Context())
	done := make(chan error)
	go func() {
		for i := 0; ctx.Err() == nil; {
			if !writing.Load() {
				time.Sleep(time.Millisecond)
				continue
			}
			if err := c.Upsert(context.Background(), records[i%rows:i%rows+1]); err != nil {
				done <- err
				return
			}
			commits.Add(1)
			i++
		}
		done <- nil
	}()
	var took [2][]time.Duration
	var beside time.Duration
	query := pair.Vectors(2, dim)
	for b.Loop() {
		for side := range took {
			writing.Store(side == 1)
			begun := time.Now()
			for time.Since(begun) < turn {
				q := engine.Search{Vector: engine.Vector{F32: query()}, K: 10, Payload: true}
				at := time.Now()
				_, err := c.Search(b.Context(), []engine.Search{q})
				require.NoError(b, err)
				took[side] = append(took[side], time.Since(at))
			}
			if side == 1 {
				beside += time.Since(begun)
			}
		}
	}
	cancel()
	require.NoError(b, <-done)
	b.ReportMetric(0, "ns/op")
	for side, name := range []string{"alone", "beside"} {
		slices.Sort(took[side])
		at := func(share float64) float64 {
			return float64(took[side][int(share*float64(len(took[side])-1))].Nanoseconds()) / 1000
		}
		b.ReportMetric(at(.5), name+"-p50-us")
		b.ReportMetric(at(.99), name+"-p99-us")
		b.ReportMetric(float64(len(took[side])), name+"-searches")
	}
	b.ReportMetric(float64(commits.Load())/beside.Seconds(), "commits/s")
}
