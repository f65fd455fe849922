package local

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/internal/engine"
)

// BenchmarkSelf says after how many searches an index has repaid the time of one
// processor that it took to build: scan-us and walk-us are what a search takes without and
// with it, link-us is what each record took.
func BenchmarkSelf(b *testing.B) {
	for _, shape := range []struct{ dim, n int }{
		{128, 8 << 10}, {128, 32 << 10}, {128, 128 << 10},
		{384, 8 << 10}, {384, 32 << 10}, {384, 128 << 10},
		{1536, 8 << 10}, {1536, 32 << 10},
	} {
		b.Run(fmt.Sprint(shape.n, "x", shape.dim), func(b *testing.B) {
			for b.Loop() {
				benchSelf(b, shape.dim, shape.n)
			}
			b.ReportMetric(0, "ns/op")
		})
	}
}

func benchSelf(b *testing.B, dim, n int) {
	ctx := b.Context()
	e, err := Open(ctx, Options{Logger: slog.New(slog.DiscardHandler)})
	require.NoError(b, err)
	defer e.Close()
	schema := engine.Schema{Name: "docs", Dim: dim, Fields: []engine.Field{}}
	c, err := e.Create(ctx, schema)
	require.NoError(b, err)
	vector := latent(dim)
	for from := 0; from < n; from += 1024 {
		records := make([]engine.Record, 1024)
		for i := range records {
			records[i] = engine.Record{ID: fmt.Sprint(from + i), Vector: engine.Vector{F32: vector()}}
		}
		require.NoError(b, c.Upsert(ctx, records))
	}
	const searches = 300
	middle := func(exact bool) float64 {
		var took []float64
		for range searches {
			s := []engine.Search{{Vector: engine.Vector{F32: vector()}, K: 10, Exact: exact}}
			begun := time.Now()
			_, err := c.Search(ctx, s)
			require.NoError(b, err)
			took = append(took, float64(time.Since(begun).Nanoseconds())/1e3)
		}
		slices.Sort(took)
		return took[searches/2]
	}
	middle(true)
	scan := middle(true)
	begun := time.Now()
	require.NoError(b, c.BuildIndex(ctx, engine.IndexPlan{Workers: 1}))
	link := float64(time.Since(begun).Nanoseconds()) / 1e3 / float64(n)
	middle(false)
	walk := middle(false)
	b.ReportMetric(scan, "scan-us")
	b.ReportMetric(walk, "walk-us")
	b.ReportMetric(link, "link-us")
	b.ReportMetric(link*float64(n)/(scan-walk), "searches")
}

// latent returns vectors that lie near a space of 32 dimensions, as those of models do.
func latent(dim int) func() []float32 {
	rng := rand.New(rand.NewPCG(1, 1))
	var base [32][]float32
	for i := range base {
		base[i] = make([]float32, dim)
		for j := range base[i] {
			base[i][j] = float32(rng.NormFloat64())
		}
	}
	return func() []float32 {
		v := make([]float32, dim)
		for j := range v {
			v[j] = 0.3 * float32(rng.NormFloat64())
		}
		for i := range base {
			x := float32(rng.NormFloat64())
			for j, y := range base[i] {
				v[j] += x * y
			}
		}
		return v
	}
}
