package pgvector

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
	"github.com/vecwire/vecwire/internal/wire"
	"github.com/vecwire/vecwire/internal/wire/wiretest"
)

// TestPartialIndexConditions makes an index of the records that pass a filter, for all
// that a filter can ask, and requires that the server itself uses it.
func TestPartialIndexConditions(t *testing.T) {
	e := openDatabase(t, wire.Options{})
	c := create(t, e, engine.Schema{Name: "parts", Dim: 4, FullText: engine.English, Fields: []engine.Field{
		{Name: "s", Type: filter.String}, {Name: "n", Type: filter.Int}, {Name: "x", Type: filter.Float}, {Name: "b", Type: filter.Bool},
		{Name: "at", Type: filter.Time}, {Name: "raw", Type: filter.Bytes}, {Name: "tags", Type: filter.Strings}, {Name: "ns", Type: filter.Ints},
		{Name: "meta", Type: filter.JSON, Paths: []string{"a.b"}},
	}})
	const odd = `it's "{b\$1,}` + "\n$2"
	at := time.Date(2026, 11, 30, 8, 0, 0, 123_456_000, time.FixedZone("", 3600))
	records := wiretest.Records("r", 200, 4, codec.FLOAT)
	for i := range records {
		meta := map[string]any{"a": map[string]any{"b": odd}, "k'": 1.5}
		records[i].Text = "a cat sat on the mat"
		records[i].Fields = []any{odd, int64(7), 0.1, true, at, []byte{0, 255, '\''}, []string{odd, "t"}, []int64{-1, 2}, meta}
		if i%2 == 1 {
			records[i].Text = "dogs"
			records[i].Fields = make([]any, 9)
		}
	}
	require.NoError(t, c.Insert(t.Context(), records))
	also := filter.Ge("id", "r")
	for _, f := range []filter.Filter{
		filter.Eq("s", odd), filter.Eq("s", strings.Repeat("long", 700)+odd), filter.Ne("s", "t"), filter.In("s", odd, "other"), filter.NotIn("s", "a", `\`),
		filter.Prefix("s", "it's"), filter.Contains("s", `\$1`), filter.Like("s", `IT_S%`), filter.Eq("id", "r000002"), filter.Contains("text", "cat"), filter.Words("text", "sat cats"),
		filter.Eq("n", 7), filter.Between("n", -5, 7), filter.In("n", 7, 9), filter.Gt("x", 0.05), filter.Eq("x", 0.1), filter.In("x", 0.1, 1e300), filter.Eq("b", true), filter.In("b", true),
		filter.Eq("at", at), filter.Le("at", at), filter.In("at", at, time.Unix(0, 0)), filter.Eq("raw", []byte{0, 255, '\''}), filter.In("raw", []byte{0, 255, '\''}),
		filter.ContainsAny("tags", odd), filter.ContainsAll("ns", -1, 2), filter.Eq("meta.a.b", odd), filter.In("meta.a.b", odd, "1"), filter.Ge("meta.k'", 1.5), filter.Prefix("meta.a.b", "it"),
		filter.Not(filter.IsNull("s")), filter.Not(filter.Or(filter.Eq("n", 8), filter.IsNull("n"))), filter.Or(filter.Eq("n", 7), filter.Eq("s", "q")),
	} {
		t.Run(f.String(), func(t *testing.T) {
			f, err := f.Check(c.typeOf)
			require.NoError(t, err)
			also, err := also.Check(c.typeOf)
			require.NoError(t, err)
			require.NoError(t, c.BuildIndex(t.Context(), engine.IndexPlan{Where: f}))
			found, err := c.Indexes(t.Context())
			require.NoError(t, err)
			require.Len(t, found, 1)
			require.True(t, f.Equal(found[0].Where), "%s, not %s", f, found[0].Where)
			s := engine.Search{Vector: records[4].Vector, K: 1, Filter: filter.And(also, f)}
			there, err := c.usable(t.Context())
			require.NoError(t, err)
			index, narrowed := there.pick(s)
			require.NotNil(t, index)
			require.True(t, also.Equal(narrowed.Filter))
			sql, args := c.indexSQL(narrowed, index)
			require.Contains(t, explain(t, c, "SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off; SET LOCAL enable_bitmapscan = off", sql, args), "Index Scan using "+found[0].Name)
			s.Exact = true
			want := searchOne(t, c, s).Hits
			s.Exact = false
			got := searchOne(t, c, s)
			require.Equal(t, ids(want), ids(got.Hits))
			if len(want) == 1 {
				require.Equal(t, "hnsw partial", got.Plan.Index)
				require.Contains(t, got.Plan.Why, "of the records where "+f.String())
			}
			_, other := there.pick(engine.Search{Filter: filter.Not(f)})
			require.True(t, other.Filter.Equal(filter.Not(f)))
			require.NoError(t, c.DropIndex(t.Context(), found[0].Name))
		})
	}
	t.Run("the order of conditions", func(t *testing.T) {
		a, err := filter.And(filter.Eq("n", 7), filter.Eq("b", true)).Check(c.typeOf)
		require.NoError(t, err)
		b, err := filter.And(filter.Eq("b", true), filter.Eq("n", 7)).Check(c.typeOf)
		require.NoError(t, err)
		require.NoError(t, c.BuildIndex(t.Context(), engine.IndexPlan{Where: a}))
		require.NoError(t, c.BuildIndex(t.Context(), engine.IndexPlan{Where: b}))
		found, err := c.Indexes(t.Context())
		require.NoError(t, err)
		require.Len(t, found, 1)
		runSQL(t, e, "COMMENT ON INDEX "+c.beside(found[0].Name)+" IS 'vecwire: where n = 8'")
		c.forget()
		r := searchOne(t, c, engine.Search{Vector: records[0].Vector, K: 1, Filter: a})
		require.Empty(t, r.Plan.Index, "a comment that does not belong to the name is not believed")
		require.Contains(t, r.Plan.Why, "does not hold all records")
		require.NoError(t, c.BuildIndex(t.Context(), engine.IndexPlan{Where: a}), "writes it again")
		require.Equal(t, "hnsw partial", searchOne(t, c, engine.Search{Vector: records[0].Vector, K: 1, Filter: a}).Plan.Index)
	})
}

func ids(hits []engine.Hit) (all []string) {
	for _, h := range hits {
		all = append(all, h.ID)
	}
	return all
}
