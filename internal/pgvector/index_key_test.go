package pgvector

import (
	"fmt"
	"math"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
	"github.com/vecwire/vecwire/internal/wire"
	"github.com/vecwire/vecwire/internal/wire/wiretest"
)

// classOf asks the catalog for the class of an index's operators.
func classOf(t testing.TB, c *collection, index string) (class string) {
	t.Helper()
	require.NoError(t, c.db.With(t.Context(), func(conn *pgx.Conn) error {
		return conn.QueryRow(t.Context(), `SELECT o.opcname::text FROM pg_index x JOIN pg_opclass o ON o.oid = x.indclass[0]
			WHERE x.indexrelid = $1::text::regclass`, c.beside(index)).Scan(&class)
	}))
	return class
}

// runSQL runs statements beside the engine.
func runSQL(t testing.TB, e *database, statements ...string) {
	t.Helper()
	for _, statement := range statements {
		require.NoError(t, e.With(t.Context(), func(conn *pgx.Conn) error {
			_, err := conn.Exec(t.Context(), statement)
			return err
		}), statement)
	}
}

// requireUses requires that the server answers a search through the index of a name.
func requireUses(t testing.TB, c *collection, s engine.Search, name string) *vectorIndex {
	t.Helper()
	found, err := c.usable(t.Context())
	require.NoError(t, err)
	index := found.whole
	require.NotNil(t, index)
	sql, args := c.indexSQL(s, index)
	require.Contains(t, explain(t, c, "SET LOCAL enable_seqscan = off", sql, args), "Index Scan using "+name)
	return index
}

func searchOne(t testing.TB, c engine.Collection, s engine.Search) engine.Result {
	t.Helper()
	r, err := c.Search(t.Context(), []engine.Search{s})
	require.NoError(t, err)
	return r[0]
}

func TestCompressedIndex(t *testing.T) {
	e := openDatabase(t, wire.Options{})
	for _, test := range []struct {
		name     string
		element  codec.Element
		metric   codec.Metric
		dim      int
		compress engine.Compress
		class    string
	}{
		{"half_cosine", codec.FLOAT, codec.Cosine, 64, engine.HalfPrecision, "halfvec_cosine_ops"},
		{"half_dot", codec.FLOAT, codec.Dot, 64, engine.HalfPrecision, "halfvec_ip_ops"},
		{"half_l2", codec.FLOAT, codec.L2, 64, engine.HalfPrecision, "halfvec_l2_ops"},
		{"half_double", codec.DOUBLE, codec.L2, 64, engine.HalfPrecision, "halfvec_l2_ops"},
		{"bits_cosine", codec.FLOAT, codec.Cosine, 64, engine.Bits, "bit_hamming_ops"},
		{"bits_dot", codec.FLOAT, codec.Dot, 65, engine.Bits, "bit_hamming_ops"},
		{"bits_double", codec.DOUBLE, codec.Cosine, 64, engine.Bits, "bit_hamming_ops"},
		{"bits_wide", codec.FLOAT, codec.Cosine, 4_001, engine.Bits, "bit_hamming_ops"},
	} {
		t.Run(test.name, func(t *testing.T) {
			const n = 300
			c := create(t, e, engine.Schema{Name: test.name, Dim: test.dim, Element: test.element, Metric: test.metric, Fields: wiretest.Buckets})
			records := wiretest.Records("r", n, test.dim, test.element)
			require.NoError(t, c.Upsert(t.Context(), records))
			require.NoError(t, c.BuildIndex(t.Context(), engine.IndexPlan{Compress: test.compress}))
			name := "vecwire_" + test.name + "_hnsw"
			indexes, err := c.Indexes(t.Context())
			require.NoError(t, err)
			require.Len(t, indexes, 1)
			require.Positive(t, indexes[0].Bytes)
			indexes[0].Bytes = 0
			require.Equal(t, engine.Index{Name: name, Kind: "hnsw", M: 16, EfConstruction: 64, Compress: test.compress, Valid: true}, indexes[0])
			require.Equal(t, test.class, classOf(t, c, name))

			s := engine.Search{Vector: records[7].Vector, K: 10, Payload: true}
			requireUses(t, c, s, name)
			exact := s
			exact.Exact = true
			want := searchOne(t, c, exact)
			scores := map[string]float64{}
			for _, h := range searchOne(t, c, engine.Search{Vector: s.Vector, K: n, Exact: true}).Hits {
				scores[h.ID] = h.Score
			}

			got := searchOne(t, c, s)
			require.False(t, got.Exact)
			require.Equal(t, "hnsw "+test.compress.String(), got.Plan.Index)
			require.Len(t, got.Hits, 10)
			require.Equal(t, want.Hits[0].ID, got.Hits[0].ID)
			for i, h := range got.Hits {
				require.InDelta(t, scores[h.ID], h.Score, 1e-6, "scored by the vectors themselves")
				require.Len(t, h.Fields, 1)
				require.Equal(t, engine.Vector{}, h.Vector)
				if i > 0 {
					require.GreaterOrEqual(t, got.Hits[i-1].Score, h.Score)
				}
			}

			// Candidates for the caller to compare.
			rescored := s
			rescored.Rescore, rescored.Vectors = true, true
			requireUses(t, c, rescored, name)
			for _, candidates := range []int{0, 5, 100} {
				rescored.Candidates = candidates
				got := searchOne(t, c, rescored)
				require.False(t, got.Exact)
				require.GreaterOrEqual(t, len(got.Hits), 10)
				if candidates > 0 {
					require.Len(t, got.Hits, max(10, candidates))
				}
				for _, h := range got.Hits {
					require.Len(t, h.Vector.F32, map[codec.Element]int{codec.FLOAT: test.dim}[test.element])
					require.Len(t, h.Vector.F64, map[codec.Element]int{codec.DOUBLE: test.dim}[test.element])
				}
			}

			// Never short, whatever the filter leaves and whatever is asked for.
			for _, filtered := range []struct {
				k, want int
				f       filter.Filter
			}{
				{10, 10, filter.Lt("bucket", int64(20))}, {10, 3, filter.Lt("bucket", int64(3))},
				{200, 200, filter.Filter{}}, {2 * n, n, filter.Filter{}},
			} {
				for _, rescore := range []bool{false, true} {
					got := searchOne(t, c, engine.Search{Vector: s.Vector, K: filtered.k, Filter: filtered.f, Vectors: rescore, Rescore: rescore})
					require.GreaterOrEqual(t, len(got.Hits), filtered.want)
				}
			}
		})
	}
}

func TestCompressedIndexRefused(t *testing.T) {
	e := openDatabase(t, wire.Options{})
	l2 := create(t, e, engine.Schema{Name: "l2", Dim: 8, Metric: codec.L2})
	err := l2.BuildIndex(t.Context(), engine.IndexPlan{Compress: engine.Bits})
	require.ErrorIs(t, err, engine.ErrUnsupported)
	require.ErrorContains(t, err, "bits for the metric L2 by the postgres engine")

	wide := create(t, e, engine.Schema{Name: "wide", Dim: 4_001})
	err = wide.BuildIndex(t.Context(), engine.IndexPlan{Compress: engine.HalfPrecision})
	require.ErrorIs(t, err, engine.ErrUnsupported)
	require.ErrorContains(t, err, "compress it to Bits")
	wide = create(t, e, engine.Schema{Name: "wide_l2", Dim: 4_001, Metric: codec.L2})
	err = wide.BuildIndex(t.Context(), engine.IndexPlan{})
	require.ErrorIs(t, err, engine.ErrUnsupported)
	require.NotContains(t, err.Error(), "Bits")

	for _, compress := range []engine.Compress{engine.HalfPrecision, engine.Bits} {
		_, err = create(t, e, engine.Schema{Name: "old_" + compress.String(), Dim: 8}).keyFor(engine.IndexPlan{Compress: compress}, extension{version: "0.6.2"})
		require.ErrorIs(t, err, engine.ErrUnsupported)
		require.ErrorContains(t, err, "0.7.0")
	}
}

// TestCandidates: how many records are asked of an index, and with which
// ef_search.
func TestCandidates(t *testing.T) {
	itself := &vectorIndex{kind: "hnsw"}
	half := &vectorIndex{kind: "hnsw", indexKey: indexKey{copies: true, compress: engine.HalfPrecision}}
	bits := &vectorIndex{kind: "hnsw", indexKey: indexKey{copies: true, compress: engine.Bits}}
	for _, test := range []struct {
		index            *vectorIndex
		s                engine.Search
		candidates, want int
	}{
		{itself, engine.Search{K: 10}, 18, 100},
		{itself, engine.Search{K: 100, Effort: 50}, 108, 50},
		{half, engine.Search{K: 10}, 72, 100},
		{half, engine.Search{K: 100}, 432, 216},
		{half, engine.Search{K: 50, Rescore: true}, 58, 116},
		{half, engine.Search{K: 200, Rescore: true, Candidates: 200}, 200, 416},
		{bits, engine.Search{K: 10}, 288, 288},
		{bits, engine.Search{K: 100}, 1_000, 1_000},
		{bits, engine.Search{K: 1_000}, 4_032, 1_000},
		{bits, engine.Search{K: 10, Effort: 5}, 18, 5},
		{bits, engine.Search{K: 10, Effort: 400}, 400, 400},
		{bits, engine.Search{K: 10, Effort: 5_000}, 1_000, 1_000},
		{bits, engine.Search{K: 50, Rescore: true}, 232, 232},
		{bits, engine.Search{K: 2_000, Rescore: true}, 2_008, 1_000},
		{bits, engine.Search{K: 200, Rescore: true, Candidates: 200}, 200, 200},
		{bits, engine.Search{K: 800, Rescore: true, Candidates: 200}, 800, 800}, // looking further, for groups
	} {
		require.Equal(t, test.candidates, test.index.candidates(test.s), "%s %+v", test.index, test.s)
		require.Equal(t, test.want, test.index.effort(test.s), "%s %+v", test.index, test.s)
	}
}

func TestExtensionAtLeast(t *testing.T) {
	for _, test := range []struct {
		version string
		want    bool
	}{{"", false}, {"0.6.2", false}, {"0.7", true}, {"0.7.0", true}, {"0.10.1", true}, {"1.0", true}} {
		require.Equal(t, test.want, extension{version: test.version}.atLeast(0, 7), test.version)
	}
}

// TestCompressedIndexReplaced builds one index in place of another, and
// takes up what was interrupted on the way.
func TestCompressedIndexReplaced(t *testing.T) {
	e := openDatabase(t, wire.Options{})
	c := create(t, e, engine.Schema{Name: "turns", Dim: 16, Fields: wiretest.Buckets})
	records := wiretest.Records("r", 200, 16, codec.FLOAT)
	require.NoError(t, c.Upsert(t.Context(), records))
	const name = "vecwire_turns_hnsw"
	only := func(want engine.Compress, class string) {
		t.Helper()
		indexes, err := c.Indexes(t.Context())
		require.NoError(t, err)
		require.Len(t, indexes, 1)
		require.Equal(t, name, indexes[0].Name)
		require.Equal(t, want, indexes[0].Compress)
		require.True(t, indexes[0].Valid)
		require.Equal(t, class, classOf(t, c, name))
		require.Equal(t, want, requireUses(t, c, engine.Search{Vector: records[0].Vector, K: 5}, name).compress)
	}
	build := func(compress engine.Compress) {
		t.Helper()
		require.NoError(t, c.BuildIndex(t.Context(), engine.IndexPlan{Compress: compress}))
	}
	oid := func() (oid int64) {
		require.NoError(t, e.With(t.Context(), func(conn *pgx.Conn) error {
			return conn.QueryRow(t.Context(), `SELECT $1::text::regclass::oid::int8`, name).Scan(&oid)
		}))
		return oid
	}
	build(engine.NoCompression)
	only(engine.NoCompression, "vector_cosine_ops")
	build(engine.Bits)
	only(engine.Bits, "bit_hamming_ops")
	first := oid()
	build(engine.Bits)
	require.Equal(t, first, oid(), "the same again is no work")
	build(engine.HalfPrecision)
	only(engine.HalfPrecision, "halfvec_cosine_ops")
	build(engine.NoCompression)
	only(engine.NoCompression, "vector_cosine_ops")

	t.Run("interrupted before the old one was dropped", func(t *testing.T) {
		runSQL(t, e, "CREATE INDEX "+name+"_new ON turns USING hnsw ((binary_quantize(vector)::bit(16)) bit_hamming_ops) WITH (m = 16, ef_construction = 64)")
		build(engine.Bits)
		only(engine.Bits, "bit_hamming_ops")
	})
	t.Run("interrupted, and something else wanted", func(t *testing.T) {
		runSQL(t, e, "CREATE INDEX "+name+"_new ON turns USING hnsw (vector vector_cosine_ops)")
		build(engine.HalfPrecision)
		only(engine.HalfPrecision, "halfvec_cosine_ops")
	})
	t.Run("interrupted after the old one was dropped", func(t *testing.T) {
		runSQL(t, e, "ALTER INDEX "+name+" RENAME TO "+name+"_new")
		build(engine.Bits)
		only(engine.Bits, "bit_hamming_ops")
	})
	t.Run("invalid", func(t *testing.T) {
		runSQL(t, e, "UPDATE pg_index SET indisvalid = false WHERE indexrelid = '"+name+"'::regclass")
		c.forget()
		require.True(t, searchOne(t, c, engine.Search{Vector: records[0].Vector, K: 5}).Exact)
		build(engine.Bits)
		only(engine.Bits, "bit_hamming_ops")
	})
}

// TestCompressedIndexAttached searches and builds indexes over tables of
// others, with the extension in a schema that needs quotes.
func TestCompressedIndexAttached(t *testing.T) {
	e := openDatabase(t, wire.Options{})
	runSQL(t, e, `CREATE SCHEMA "My ext"`, `CREATE EXTENSION vector SCHEMA "My ext"`,
		`CREATE TABLE floats (id bigint PRIMARY KEY, "the Vector" "My ext".vector(24))`,
		`CREATE TABLE halves (id bigint PRIMARY KEY, v "My ext".halfvec(24))`)
	require.NoError(t, e.lookUp(t.Context(), e.With))
	records := wiretest.Records("", 200, 24, codec.FLOAT)
	for i := range records {
		records[i].ID, records[i].Fields = fmt.Sprint(i), nil
	}
	attach := func(t *testing.T, table string, metric codec.Metric) *collection {
		c, err := e.Attach(t.Context(), engine.Attach{Table: table, Schema: engine.Schema{Metric: metric}})
		require.NoError(t, err)
		return c.(*collection)
	}
	for _, table := range []string{"floats", "halves"} {
		require.NoError(t, attach(t, table, codec.Cosine).Upsert(t.Context(), records))
	}
	s := engine.Search{Vector: records[7].Vector, K: 5}

	t.Run("their index of bits", func(t *testing.T) {
		runSQL(t, e, `CREATE INDEX theirs ON floats USING hnsw (("My ext".binary_quantize("the Vector")::bit(24)) "My ext".bit_hamming_ops)`)
		require.Equal(t, engine.Bits, requireUses(t, attach(t, "floats", codec.Dot), s, "theirs").compress)
		c := attach(t, "floats", codec.Cosine)
		require.Equal(t, engine.Bits, requireUses(t, c, s, "theirs").compress)
		require.Equal(t, "7", searchOne(t, c, s).Hits[0].ID)
		found, err := attach(t, "floats", codec.L2).usable(t.Context())
		require.NoError(t, err)
		require.Nil(t, found.whole, "bits hold no lengths")

		// Ours beside it is what was asked for.
		require.NoError(t, c.BuildIndex(t.Context(), engine.IndexPlan{Compress: engine.HalfPrecision}))
		require.Equal(t, engine.HalfPrecision, requireUses(t, c, s, "vecwire_floats_hnsw").compress)
		require.NoError(t, c.BuildIndex(t.Context(), engine.IndexPlan{Compress: engine.Bits}))
		indexes, err := c.Indexes(t.Context())
		require.NoError(t, err)
		require.Len(t, indexes, 1, "theirs is what is wanted")
		require.Equal(t, "theirs", indexes[0].Name)
		require.Equal(t, engine.Bits, requireUses(t, c, s, "theirs").compress)
	})
	t.Run("of other bits", func(t *testing.T) {
		runSQL(t, e, `DROP INDEX theirs`, `CREATE INDEX theirs ON floats USING hnsw (("My ext".binary_quantize("the Vector")::bit(24)) "My ext".bit_jaccard_ops)`,
			`CREATE INDEX shorter ON floats USING hnsw (("My ext".binary_quantize("My ext".subvector("the Vector", 1, 8))::bit(8)) "My ext".bit_hamming_ops)`)
		c := attach(t, "floats", codec.Cosine)
		c.forget()
		require.Equal(t, "hnsw bits dims=8", requireUses(t, c, s, "shorter").String())
		runSQL(t, e, "DROP INDEX shorter", `CREATE INDEX shorter ON floats USING hnsw (("My ext".binary_quantize("My ext".subvector("the Vector", 2, 8))::bit(8)) "My ext".bit_hamming_ops)`)
		c.forget()
		require.True(t, searchOne(t, c, s).Exact, "of other bits, and not the first dimensions")
		runSQL(t, e, `DROP INDEX theirs, shorter`)
	})
	t.Run("halfvec", func(t *testing.T) {
		c := attach(t, "halves", codec.Cosine)
		for _, compress := range []engine.Compress{engine.HalfPrecision, engine.NoCompression} {
			require.NoError(t, c.BuildIndex(t.Context(), engine.IndexPlan{Compress: compress}))
			require.Equal(t, engine.NoCompression, requireUses(t, c, s, "vecwire_halves_hnsw").compress, "over the column as it is")
		}
		require.NoError(t, c.BuildIndex(t.Context(), engine.IndexPlan{Compress: engine.Bits}))
		require.Equal(t, engine.Bits, requireUses(t, c, s, "vecwire_halves_hnsw").compress)
		want := searchOne(t, c, engine.Search{Vector: s.Vector, K: 1, Exact: true}).Hits[0]
		got := searchOne(t, c, s).Hits[0]
		require.Equal(t, want.ID, got.ID)
		require.InDelta(t, want.Score, got.Score, 1e-6)
	})
	t.Run("a vector of zeros", func(t *testing.T) { // has no cosine, but bits
		runSQL(t, e, `INSERT INTO halves SELECT -1, array_fill(0, '{24}')::"My ext".halfvec`)
		r := searchOne(t, attach(t, "halves", codec.Cosine), engine.Search{Vector: s.Vector, K: 201})
		require.Len(t, r.Hits, 201)
		require.True(t, r.Exact)
	})
}

// TestHalfPrecisionRange searches with what half precision cannot hold.
func TestHalfPrecisionRange(t *testing.T) {
	e := openDatabase(t, wire.Options{})
	for _, metric := range []codec.Metric{codec.Cosine, codec.Dot, codec.L2} {
		t.Run(metric.String(), func(t *testing.T) {
			c := create(t, e, engine.Schema{Name: "range_" + metric.String(), Dim: 4, Metric: metric, Fields: wiretest.Buckets})
			records := wiretest.Records("r", 100, 4, codec.FLOAT)
			require.NoError(t, c.Upsert(t.Context(), records))
			require.NoError(t, c.BuildIndex(t.Context(), engine.IndexPlan{Compress: engine.HalfPrecision}))
			for _, scale := range []float64{1e6, 1e-9} {
				query := engine.Vector{F32: make([]float32, 4)}
				for i, x := range records[7].Vector.F32 {
					query.F32[i] = float32(scale) * x
				}
				r := searchOne(t, c, engine.Search{Vector: query, K: 5})
				require.Len(t, r.Hits, 5)
				require.Equal(t, scale > 1 && metric != codec.Cosine, r.Exact)
				if metric == codec.Cosine {
					require.Equal(t, "r000007", r.Hits[0].ID)
					require.InDelta(t, 1, r.Hits[0].Score, 1e-6)
				}
			}
			large := records[:1:1]
			large[0].Vector.F32 = []float32{1, 2, 3, math.MaxUint16}
			require.ErrorContains(t, c.Upsert(t.Context(), large), "out of range for type halfvec")
		})
	}
}
