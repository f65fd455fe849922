package pgvector

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/internal/engine"
	"github.com/vecwire/vecwire/internal/wire"
	"github.com/vecwire/vecwire/internal/wire/wiretest"
)

// TestSearchAll asks for all records by numbers so large that nothing may be added
// to them, without an index and with each kind.
func TestSearchAll(t *testing.T) {
	e := openDatabase(t, wire.Options{})
	for _, element := range []codec.Element{codec.FLOAT, codec.DOUBLE} {
		c := create(t, e, engine.Schema{Name: "all_" + element.String(), Dim: 4, Element: element, Fields: wiretest.Buckets})
		const n = 300
		records := wiretest.Records("r", n, 4, element)
		require.NoError(t, c.Insert(t.Context(), records))
		search := func(what string) {
			t.Helper()
			for _, k := range []int{math.MaxInt, math.MaxInt - 1, math.MaxInt / 2, math.MaxInt32, n + 1} {
				for _, s := range []engine.Search{
					{K: k}, {K: k, Exact: true}, {K: k, Effort: math.MaxInt},
					{K: k, Vectors: true, Rescore: true}, {K: k, Vectors: true, Rescore: true, Candidates: math.MaxInt},
				} {
					s.Vector = records[0].Vector
					require.Len(t, searchOne(t, c, s).Hits, n, "%s, %d", what, k)
				}
			}
		}
		search("no index")
		for _, compress := range []engine.Compress{engine.NoCompression, engine.HalfPrecision, engine.Bits} {
			require.NoError(t, c.BuildIndex(t.Context(), engine.IndexPlan{Compress: compress, MemoryBytes: math.MaxInt64, Workers: math.MaxInt}))
			search(compress.String())
		}
	}
}
