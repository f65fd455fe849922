package pgvector

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/internal/engine"
	"github.com/vecwire/vecwire/internal/wire"
	"github.com/vecwire/vecwire/internal/wire/wiretest"
)

// descending returns a vector whose elements become smaller, as those of models do whose
// vectors can be cut off.
func descending(random *rand.Rand, dim int, element codec.Element) engine.Vector {
	v := make([]float64, dim)
	for i := range v {
		v[i] = random.NormFloat64() * math.Pow(0.9, float64(i))
	}
	if element == codec.DOUBLE {
		return engine.Vector{F64: v}
	}
	single := make([]float32, dim)
	for i, x := range v {
		single[i] = float32(x)
	}
	return engine.Vector{F32: single}
}

// TestPrefixIndex finds by the first of the dimensions what is the nearest by all.
func TestPrefixIndex(t *testing.T) {
	e := openDatabase(t, wire.Options{})
	const dim, dims, n, queries, k = 96, 24, 3_000, 20, 10
	for _, test := range []struct {
		name     string
		element  codec.Element
		metric   codec.Metric
		compress engine.Compress
		least    float64
		index    string
	}{
		{"cosine", codec.FLOAT, codec.Cosine, engine.NoCompression, 0.95, "hnsw dims=24"},
		{"dot", codec.FLOAT, codec.Dot, engine.NoCompression, 0.9, "hnsw dims=24"},
		{"l2", codec.FLOAT, codec.L2, engine.NoCompression, 0.95, "hnsw dims=24"},
		{"half", codec.FLOAT, codec.L2, engine.HalfPrecision, 0.95, "hnsw half dims=24"},
		{"bits", codec.FLOAT, codec.Cosine, engine.Bits, 0.3, "hnsw bits dims=24"},
		{"doubles", codec.DOUBLE, codec.L2, engine.NoCompression, 0.95, "hnsw dims=24"},
		{"double_bits", codec.DOUBLE, codec.Cosine, engine.Bits, 0.3, "hnsw bits dims=24"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := create(t, e, engine.Schema{Name: "prefix_" + test.name, Dim: dim, Element: test.element, Metric: test.metric, Fields: wiretest.Buckets})
			random := rand.New(rand.NewPCG(19, 19))
			records := wiretest.Records("r", n, dim, test.element)
			for i := range records {
				records[i].Vector = descending(random, dim, test.element)
			}
			require.NoError(t, c.Insert(t.Context(), records))
			require.NoError(t, c.BuildIndex(t.Context(), engine.IndexPlan{Dims: dims, Compress: test.compress}))
			requireUses(t, c, engine.Search{Vector: records[0].Vector, K: k}, "vecwire_prefix_"+test.name+"_hnsw")
			found, err := c.Indexes(t.Context())
			require.NoError(t, err)
			require.Equal(t, dims, found[0].Dims)
			good := 0
			for range queries {
				s := engine.Search{Vector: descending(random, dim, test.element), K: k, Exact: true}
				want := searchOne(t, c, s)
				s.Exact = false
				got := searchOne(t, c, s)
				require.Equal(t, test.index, got.Plan.Index)
				score := map[string]float64{}
				for _, h := range want.Hits {
					score[h.ID] = h.Score
				}
				for _, h := range got.Hits {
					if whole, ok := score[h.ID]; ok {
						good++
						require.InDelta(t, whole, h.Score, 1e-5, "by the whole vector")
					}
				}
			}
			require.GreaterOrEqual(t, float64(good)/(queries*k), test.least)
			t.Logf("recall %.3f", float64(good)/(queries*k))
		})
	}
	t.Run("halfvec", func(t *testing.T) {
		runSQL(t, e, `CREATE TABLE halves (id int PRIMARY KEY, v halfvec(8))`,
			`INSERT INTO halves SELECT i, ARRAY[sin(i), cos(i), sin(i*7), cos(i*7), 0.1, 0.2, 0.1, 0]::real[]::halfvec FROM generate_series(1, 300) i`)
		c, err := e.Attach(t.Context(), engine.Attach{Table: "halves", Schema: engine.Schema{Metric: codec.L2}})
		require.NoError(t, err)
		halves := c.(*collection)
		require.NoError(t, halves.BuildIndex(t.Context(), engine.IndexPlan{Dims: 4}))
		s := engine.Search{Vector: engine.Vector{F32: []float32{float32(math.Sin(5)), float32(math.Cos(5)), float32(math.Sin(35)), float32(math.Cos(35)), 0, 0, 0, 0}}, K: 3}
		requireUses(t, halves, s, "vecwire_halves_hnsw")
		require.Equal(t, "5", searchOne(t, halves, s).Hits[0].ID)
	})
	t.Run("more dimensions than an index can have", func(t *testing.T) {
		c := create(t, e, engine.Schema{Name: "wide", Dim: 4_500, Metric: codec.L2})
		require.ErrorContains(t, c.BuildIndex(t.Context(), engine.IndexPlan{}), "IndexOptions.Dims")
		require.NoError(t, c.BuildIndex(t.Context(), engine.IndexPlan{Dims: 500}))
	})
	t.Run("other methods", func(t *testing.T) {
		c := create(t, e, engine.Schema{Name: "methods", Dim: 8})
		for _, method := range []string{diskann, vchordrq} {
			require.ErrorIs(t, c.BuildIndex(t.Context(), engine.IndexPlan{Method: method, Dims: 4}), engine.ErrUnsupported)
		}
	})
}
