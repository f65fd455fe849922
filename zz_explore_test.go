package vecwire_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"testing"
	"time"
	"slices"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/internal/testenv"
)

func TestExplore(t *testing.T) {
	db, err := vecwire.Open(t.Context(), testenv.Postgres(t))
	require.NoError(t, err)
	defer db.Close()
	r := rand.New(rand.NewPCG(1, 2))
	clusters := func(n, dim, k int, spread float64) [][]float32 {
		centres := make([][]float64, k)
		for i := range centres {
			for range dim {
				centres[i] = append(centres[i], r.NormFloat64())
			}
		}
		out := make([][]float32, n)
		for i := range out {
			for _, x := range centres[r.IntN(k)] {
				out[i] = append(out[i], float32(x+spread*r.NormFloat64()))
			}
		}
		return out
	}
	sift := func(n int) [][]float32 {
		f, _ := os.Open("../shared/data/sift100k_base.bvecs")
		defer f.Close()
		var out [][]float32
		for v, err := range codec.ReadBvecs(f) {
			require.NoError(t, err)
			if out = append(out, slices.Clone(v)); len(out) == n {
				break
			}
		}
		return out
	}
	raw := sift(20000)
	centred := make([][]float32, len(raw))
	mean := make([]float64, 128)
	for _, v := range raw {
		for j, x := range v {
			mean[j] += float64(x) / float64(len(raw))
		}
	}
	for i, v := range raw {
		for j, x := range v {
			centred[i] = append(centred[i], x-float32(mean[j]))
		}
	}
	for _, set := range []struct {
		name string
		v    [][]float32
	}{{"sift", raw}, {"centred", centred}, {"c128", clusters(5000, 128, 50, 0.7)}, {"c512", clusters(5000, 512, 50, 0.7)}, {"g128", clusters(5000,128,1,1)}} {
		c, err := db.CreateCollection(t.Context(), vecwire.Schema{Name: set.name, Dim: len(set.v[0])})
		require.NoError(t, err)
		var rs []vecwire.Record
		for i, v := range set.v[200:] {
			rs = append(rs, vecwire.Record{ID: fmt.Sprint(i), Vector: v})
		}
		require.NoError(t, c.Insert(t.Context(), rs...))
		for _, compress := range []vecwire.Compress{vecwire.NoCompression, vecwire.HalfPrecision, vecwire.Bits} {
			begun := time.Now()
			require.NoError(t, c.BuildIndex(t.Context(), vecwire.IndexOptions{Compress: compress, MemoryBytes: 256 << 20, Workers: 1}))
			took := time.Since(begun)
			x, _ := c.Indexes(t.Context())
			line := fmt.Sprintf("%s %s built %s bytes %d:", set.name, compress, took.Round(time.Millisecond), x[0].Bytes)
			for _, o := range []vecwire.RecallOptions{{}, {Rerank: true}, {Rerank: true, Candidates: 20}, {Rerank: true, Candidates: 100}, {Rerank: true, Candidates: 500}, {Effort: 50}, {Effort: 200}, {Effort: 1000}} {
				o.Queries = set.v[:200]
				rep, err := c.Recall(t.Context(), o)
				require.NoError(t, err)
				line += fmt.Sprintf("  [R%v C%d E%d] %.3f %s a%d", o.Rerank, o.Candidates, o.Effort, rep.Mean, rep.Index.P50.Round(10*time.Microsecond), rep.Approximate)
			}
			t.Log(line)
		}
	}
}
