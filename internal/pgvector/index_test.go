package pgvector

import (
	"context"
	"log/slog"
	"math"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
	"github.com/vecwire/vecwire/internal/testenv"
	"github.com/vecwire/vecwire/internal/wire"
	"github.com/vecwire/vecwire/internal/wire/wiretest"
)

// open opens a database of its own for the test.
func openDatabase(t testing.TB, o wire.Options) *database {
	t.Helper()
	if o.URL == "" {
		o.URL = testenv.Postgres(t)
	}
	e, err := Open(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(func() { _ = e.Close() })
	return e.(*database)
}

func create(t testing.TB, e *database, s engine.Schema) *collection {
	t.Helper()
	c, err := e.Create(t.Context(), s)
	require.NoError(t, err)
	return c.(*collection)
}

// explain returns the server's plan for a statement, with the settings that an
// index needs.
func explain(t testing.TB, c *collection, settings, sql string, args []any) string {
	t.Helper()
	var plan []string
	require.NoError(t, c.db.With(t.Context(), func(conn *pgx.Conn) error {
		return pgx.BeginFunc(t.Context(), conn, func(tx pgx.Tx) error {
			if _, err := tx.Exec(t.Context(), settings); err != nil {
				return err
			}
			rows, err := tx.Query(t.Context(), "EXPLAIN "+sql, append([]any{pgx.QueryExecModeSimpleProtocol}, args...)...)
			if err != nil {
				return err
			}
			plan, err = pgx.CollectRows(rows, pgx.RowTo[string])
			return err
		})
	}))
	return strings.Join(plan, "\n")
}

// counter counts the log's records that contain a text.
type counter struct {
	slog.Handler
	text string
	n    *atomic.Int64
}

func (c counter) Enabled(context.Context, slog.Level) bool { return true }

func (c counter) Handle(_ context.Context, r slog.Record) error {
	if strings.Contains(r.Message, c.text) {
		c.n.Add(1)
	}
	return nil
}

func TestIndex(t *testing.T) {
	const dim, n = 16, 100_000
	var advice, memory atomic.Int64
	log := slog.New(slog.NewMultiHandler(counter{slog.DiscardHandler, "build an index", &advice}, counter{slog.DiscardHandler, "maintenance_work_mem", &memory}))
	e := openDatabase(t, wire.Options{Logger: log})
	c := create(t, e, engine.Schema{Name: "many", Dim: dim, Fields: wiretest.Buckets})
	require.NoError(t, c.Insert(t.Context(), wiretest.Records("r", n, dim, codec.FLOAT)))

	random := rand.New(rand.NewPCG(3, 4))
	query := func(k int, f filter.Filter) engine.Search {
		return engine.Search{Vector: wiretest.Vector(random, dim, codec.FLOAT), K: k, Filter: f}
	}
	search := func(t *testing.T, s engine.Search) engine.Result {
		t.Helper()
		r, err := c.Search(t.Context(), []engine.Search{s})
		require.NoError(t, err)
		return r[0]
	}
	// recall compares searches with their exact answers.
	recall := func(t *testing.T, k int, f filter.Filter) float64 {
		found, all := 0, 0
		for range 20 {
			s := query(k, f)
			got := search(t, s)
			s.Exact = true
			want := search(t, s)
			require.True(t, want.Exact)
			require.Len(t, got.Hits, len(want.Hits), "as many hits as there are records")
			ids := map[string]bool{}
			for _, h := range want.Hits {
				ids[h.ID] = true
			}
			for i, h := range got.Hits {
				if ids[h.ID] {
					found++
				}
				if i > 0 {
					require.GreaterOrEqual(t, got.Hits[i-1].Score, h.Score)
				}
			}
			all += len(want.Hits)
		}
		return float64(found) / float64(all)
	}

	t.Run("without an index", func(t *testing.T) {
		for range 3 {
			require.True(t, search(t, query(5, filter.Filter{})).Exact)
		}
		require.EqualValues(t, 1, advice.Load(), "advice is given once")
	})

	t.Run("build", func(t *testing.T) {
		var told atomic.Int64
		var last engine.IndexProgress
		require.NoError(t, c.BuildIndex(t.Context(), engine.IndexPlan{
			M: 8, EfConstruction: 32, MemoryBytes: 256 << 20, Workers: 1,
			Progress: func(p engine.IndexProgress) {
				told.Add(1)
				last = engine.IndexProgress{Phase: p.Phase, Done: max(last.Done, p.Done), Total: max(last.Total, p.Total)}
			},
		}))
		require.Positive(t, told.Load(), "progress was reported")
		require.NotEmpty(t, last.Phase)
		require.Positive(t, last.Total)
		require.Zero(t, memory.Load(), "the memory was enough")

		indexes, err := c.Indexes(t.Context())
		require.NoError(t, err)
		require.Len(t, indexes, 1)
		require.Positive(t, indexes[0].Bytes)
		indexes[0].Bytes = 0
		require.Equal(t, engine.Index{Name: "vecwire_many_hnsw", Kind: "hnsw", M: 8, EfConstruction: 32, Valid: true}, indexes[0])
	})

	t.Run("is used", func(t *testing.T) {
		found, err := c.usable(t.Context())
		index := found.whole
		require.NoError(t, err)
		require.NotNil(t, index)
		settings := setSQL(index.settings(engine.Search{K: 10}, e.extension()))
		sql, args := c.indexSQL(query(10, filter.Filter{}), index)
		require.Contains(t, explain(t, c, settings, sql, args), "Index Scan using vecwire_many_hnsw")
		sql, args = c.indexSQL(query(10, filter.Lt("bucket", int64(5_000))), index)
		require.Contains(t, explain(t, c, settings, sql, args), "Index Scan using vecwire_many_hnsw")
		sql, args = c.exactSQL(query(10, filter.Filter{}))
		require.NotContains(t, explain(t, c, settings, sql, args), "hnsw")
		require.False(t, search(t, query(10, filter.Filter{})).Exact)
	})

	t.Run("recall", func(t *testing.T) {
		require.Greater(t, recall(t, 10, filter.Filter{}), 0.8)
	})
	t.Run("filter of 1 %", func(t *testing.T) {
		require.Greater(t, recall(t, 10, filter.Lt("bucket", int64(100))), 0.5)
		require.Equal(t, 1.0, recall(t, 2000, filter.Lt("bucket", int64(100))), "more than match")
	})
	t.Run("filter of 0.01 %", func(t *testing.T) {
		require.Equal(t, 1.0, recall(t, 10, filter.Eq("bucket", int64(77))), "all that match")
		require.Equal(t, 1.0, recall(t, 50, filter.Eq("bucket", int64(77))), "more than match")
		r := search(t, query(10, filter.Eq("bucket", int64(77))))
		require.Len(t, r.Hits, 10)
	})

	t.Run("too little memory", func(t *testing.T) {
		few := create(t, e, engine.Schema{Name: "few", Dim: dim, Fields: wiretest.Buckets})
		require.NoError(t, few.Insert(t.Context(), wiretest.Records("r", 5_000, dim, codec.FLOAT)))
		require.NoError(t, few.BuildIndex(t.Context(), engine.IndexPlan{MemoryBytes: 1 << 20}))
		require.Positive(t, memory.Load(), "the server's notice is passed on")
	})

	t.Run("drop", func(t *testing.T) {
		require.ErrorIs(t, c.DropIndex(t.Context(), "vecwire_many_pkey"), engine.ErrNotFound)
		require.NoError(t, c.DropIndex(t.Context(), "vecwire_many_hnsw"))
		require.True(t, search(t, query(5, filter.Filter{})).Exact)
	})
}

func TestIndexKinds(t *testing.T) {
	e := openDatabase(t, wire.Options{})
	for _, test := range []struct {
		name    string
		element codec.Element
		metric  codec.Metric
		dim     int
		want    engine.Compress
	}{
		{"cosine", codec.FLOAT, codec.Cosine, 8, engine.NoCompression},
		{"dot", codec.FLOAT, codec.Dot, 8, engine.NoCompression},
		{"l2", codec.FLOAT, codec.L2, 8, engine.NoCompression},
		{"wide", codec.FLOAT, codec.Cosine, 2_001, engine.HalfPrecision},
		{"double", codec.DOUBLE, codec.L2, 8, engine.NoCompression},
		{"wide_double", codec.DOUBLE, codec.Dot, 2_500, engine.HalfPrecision},
	} {
		t.Run(test.name, func(t *testing.T) {
			const n = 300
			c := create(t, e, engine.Schema{Name: test.name, Dim: test.dim, Element: test.element, Metric: test.metric, Fields: wiretest.Buckets})
			records := wiretest.Records("r", n, test.dim, test.element)
			require.NoError(t, c.Upsert(t.Context(), records))
			require.NoError(t, c.BuildIndex(t.Context(), engine.IndexPlan{}))
			found, err := c.usable(t.Context())
			index := found.whole
			require.NoError(t, err)
			require.NotNil(t, index)
			s := engine.Search{Vector: records[7].Vector, K: 10}
			sql, args := c.indexSQL(s, index)
			plan := explain(t, c, "SET LOCAL enable_seqscan = off", sql, args)
			require.Contains(t, plan, "Index Scan using vecwire_"+test.name+"_hnsw")

			got, err := c.Search(t.Context(), []engine.Search{s, {Vector: s.Vector, K: 10, Exact: true}})
			require.NoError(t, err)
			require.False(t, got[0].Exact)
			require.True(t, got[1].Exact)
			require.Len(t, got[0].Hits, 10)
			require.Equal(t, "r000007", got[0].Hits[0].ID)
			for i := range 3 {
				require.InDelta(t, got[1].Hits[i].Score, got[0].Hits[i].Score, 1e-4, "reranked in full precision")
			}
			require.Nil(t, got[0].Hits[0].Vector.F64)
			require.Equal(t, []any{int64(7)}, func() []any {
				r, err := c.Search(t.Context(), []engine.Search{{Vector: s.Vector, K: 1, Payload: true}})
				require.NoError(t, err)
				return r[0].Hits[0].Fields
			}())
			indexes, err := c.Indexes(t.Context())
			require.NoError(t, err)
			require.Equal(t, test.want, indexes[0].Compress)
			require.Equal(t, 16, indexes[0].M)
			require.Equal(t, 64, indexes[0].EfConstruction)

			// The same again is no work, other settings replace it.
			require.NoError(t, c.BuildIndex(t.Context(), engine.IndexPlan{}))
			require.NoError(t, c.BuildIndex(t.Context(), engine.IndexPlan{M: 4, EfConstruction: 16}))
			indexes, err = c.Indexes(t.Context())
			require.NoError(t, err)
			require.Len(t, indexes, 1)
			require.Equal(t, 4, indexes[0].M)
			require.Equal(t, "vecwire_"+test.name+"_hnsw", indexes[0].Name)
		})
	}
}

func TestIndexRefused(t *testing.T) {
	e := openDatabase(t, wire.Options{})
	c := create(t, e, engine.Schema{Name: "widest", Dim: 4_001})
	err := c.BuildIndex(t.Context(), engine.IndexPlan{})
	require.ErrorIs(t, err, engine.ErrUnsupported)
	require.ErrorContains(t, err, "fewer dimensions")
	c = create(t, e, engine.Schema{Name: "narrow", Dim: 3})
	for _, p := range []engine.IndexPlan{{M: 1}, {M: 101}, {EfConstruction: 3}, {EfConstruction: 1001}, {M: 50, EfConstruction: 99}} {
		var bad *codec.ValueError
		require.ErrorAs(t, c.BuildIndex(t.Context(), p), &bad)
	}
}

// TestIndexMemory: what a build may take is bounded by what it can need, since processes that
// build together take all of it.
func TestIndexMemory(t *testing.T) {
	t.Parallel()
	e := openDatabase(t, wire.Options{})
	c := create(t, e, engine.Schema{Name: "memory", Dim: 2, Metric: codec.L2})
	for _, test := range []struct {
		plan engine.IndexPlan
		want string
	}{
		{engine.IndexPlan{MemoryBytes: 1, Method: hnsw, M: 16}, "1MB"},
		{engine.IndexPlan{MemoryBytes: 4 << 20, Method: hnsw, M: 16}, "4MB"},
		{engine.IndexPlan{MemoryBytes: math.MaxInt64, Method: hnsw, M: 16}, "64MB"},
		{engine.IndexPlan{MemoryBytes: math.MaxInt64, Method: ivfflat}, "2147483647kB"},
	} {
		var got string
		require.NoError(t, c.db.With(t.Context(), func(conn *pgx.Conn) error {
			return conn.QueryRow(t.Context(), "SELECT "+c.memorySQL(test.plan)).Scan(&got)
		}))
		require.Equal(t, test.want, got)
	}
	require.NoError(t, c.BuildIndex(t.Context(), engine.IndexPlan{MemoryBytes: math.MaxInt64, M: 16, EfConstruction: 64}))
}

// TestIndexOfQuotedNames: a database may be set to quote all names that it writes.
func TestIndexOfQuotedNames(t *testing.T) {
	t.Parallel()
	url := testenv.Postgres(t)
	e := openDatabase(t, wire.Options{URL: url})
	require.NoError(t, e.With(t.Context(), func(conn *pgx.Conn) error {
		var name string
		if err := conn.QueryRow(t.Context(), "SELECT current_database()").Scan(&name); err != nil {
			return err
		}
		_, err := conn.Exec(t.Context(), "ALTER DATABASE "+quote(name)+" SET quote_all_identifiers = on")
		return err
	}))
	require.NoError(t, e.Close())
	c := create(t, openDatabase(t, wire.Options{URL: url}), engine.Schema{Name: "quoted", Dim: 4, Metric: codec.L2})
	require.NoError(t, c.BuildIndex(t.Context(), engine.IndexPlan{Dims: 2, M: 16, EfConstruction: 64}))
	found, err := c.Indexes(t.Context())
	require.NoError(t, err)
	require.Len(t, found, 1)
	require.Equal(t, 2, found[0].Dims)
}

// TestIndexesWhileDropped: who asks for the indexes while one is dropped gets those that are left.
func TestIndexesWhileDropped(t *testing.T) {
	t.Parallel()
	c := create(t, openDatabase(t, wire.Options{}), engine.Schema{Name: "dropped", Dim: 2, Metric: codec.L2})
	ctx, end := context.WithCancel(t.Context())
	var g errgroup.Group
	for range 2 {
		g.Go(func() error {
			for ctx.Err() == nil {
				if _, err := c.Indexes(t.Context()); err != nil {
					return err
				}
			}
			return nil
		})
	}
	for range 40 {
		if !assert.NoError(t, c.BuildIndex(t.Context(), engine.IndexPlan{M: 2, EfConstruction: 4})) {
			break
		}
		found, err := c.Indexes(t.Context())
		if assert.NoError(t, err) && assert.Len(t, found, 1) {
			assert.NoError(t, c.DropIndex(t.Context(), found[0].Name))
		}
	}
	end()
	require.NoError(t, g.Wait())
}

// TestIndexRepair leaves an index that a build did not finish.
func TestIndexRepair(t *testing.T) {
	e := openDatabase(t, wire.Options{})
	c := create(t, e, engine.Schema{Name: "broken", Dim: 4, Fields: wiretest.Buckets})
	require.NoError(t, c.Upsert(t.Context(), wiretest.Records("r", 100, 4, codec.FLOAT)))
	require.NoError(t, c.BuildIndex(t.Context(), engine.IndexPlan{}))
	require.NoError(t, e.With(t.Context(), func(conn *pgx.Conn) error {
		_, err := conn.Exec(t.Context(), "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'vecwire_broken_hnsw'::regclass")
		return err
	}))
	c.forget()
	r, err := c.Search(t.Context(), []engine.Search{{Vector: engine.Vector{F32: []float32{1, 2, 3, 4}}, K: 3}})
	require.NoError(t, err)
	require.True(t, r[0].Exact, "an invalid index is not searched")
	require.NoError(t, c.BuildIndex(t.Context(), engine.IndexPlan{}))
	indexes, err := c.Indexes(t.Context())
	require.NoError(t, err)
	require.Len(t, indexes, 1)
	require.True(t, indexes[0].Valid)
}

// TestIndexInterrupted ends the context while the index is built.
func TestIndexInterrupted(t *testing.T) {
	e := openDatabase(t, wire.Options{})
	c := create(t, e, engine.Schema{Name: "stopped", Dim: 64, Fields: wiretest.Buckets})
	require.NoError(t, c.Insert(t.Context(), wiretest.Records("r", 20_000, 64, codec.FLOAT)))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	err := c.BuildIndex(ctx, engine.IndexPlan{EfConstruction: 500, Progress: func(engine.IndexProgress) { cancel() }})
	require.ErrorIs(t, err, context.Canceled)
	indexes, err := c.Indexes(t.Context())
	require.NoError(t, err)
	require.Empty(t, indexes, "nothing stays behind")
}

// A range of numbers is read from the index over the numbers of a path, and a value from
// that over all of its values.
func TestPathIndexes(t *testing.T) {
	e := openDatabase(t, wire.Options{URL: testenv.Postgres(t)})
	c := create(t, e, engine.Schema{Name: "docs", Dim: 2, Fields: []engine.Field{{Name: "meta", Type: filter.JSON, Paths: []string{"a.n"}}}})
	for text, want := range map[string]string{
		"meta.a.n > 3": "docs_case_idx", "between(meta.a.n, 3, 4)": "docs_case_idx",
		"meta.a.n == 3": "docs_nullif_idx", `in(meta.a.n, 3, "4")`: "docs_nullif_idx",
	} {
		parsed, err := filter.Parse(text)
		require.NoError(t, err)
		f, err := parsed.Check(c.typeOf)
		require.NoError(t, err)
		sql, args := c.exactSQL(engine.Search{Vector: engine.Vector{F32: []float32{1, 2}}, K: 10, Filter: f})
		require.Contains(t, explain(t, c, "SET LOCAL enable_seqscan = off", sql, args), want, text)
	}
}
