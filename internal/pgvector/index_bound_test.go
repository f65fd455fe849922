package pgvector

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
	"github.com/vecwire/vecwire/internal/wire"
	"github.com/vecwire/vecwire/internal/wire/wiretest"
)

// TestFilteredScanBound says how many records a filtered search through a graph may
// look at.
func TestFilteredScanBound(t *testing.T) {
	some := filter.Lt("bucket", int64(5))
	for _, test := range []struct {
		name  string
		index vectorIndex
		s     engine.Search
		want  int
	}{
		{"no filter", vectorIndex{kind: "hnsw"}, engine.Search{K: 10}, 0},
		{"ivfflat", vectorIndex{kind: "ivfflat"}, engine.Search{K: 10, Filter: some}, 0},
		{"size not known", vectorIndex{kind: "hnsw", records: -1}, engine.Search{K: 10, Filter: some}, leastScan},
		{"on shards", vectorIndex{kind: "hnsw", records: 8, shards: 3}, engine.Search{K: 10, Filter: some}, leastScan},
		{"small", vectorIndex{kind: "hnsw", records: 1_000}, engine.Search{K: 10, Filter: some}, 50 * defaultEf},
		{"large", vectorIndex{kind: "hnsw", records: 1_000_000}, engine.Search{K: 10, Filter: some}, 25_000},
		{"larger", vectorIndex{kind: "hnsw", records: 1 << 40}, engine.Search{K: 10, Filter: some}, maxScan},
		{"much effort", vectorIndex{kind: "hnsw", records: 1_000_000}, engine.Search{K: 10, Filter: some, Effort: 1_000}, 50_000},
	} {
		require.Equal(t, test.want, test.index.budget(test.s), test.name)
	}

	index := vectorIndex{kind: "hnsw", records: 1 << 40}
	require.Equal(t, []setting{
		{"hnsw.ef_search", "100"}, {"hnsw.iterative_scan", "relaxed_order"},
		{"hnsw.max_scan_tuples", "200000"}, {"hnsw.scan_mem_multiplier", "916"},
	}, index.settings(engine.Search{K: 10, Filter: some}, extension{version: "0.8.0"}))
	require.Len(t, index.settings(engine.Search{K: 10, Filter: some}, extension{version: "0.7.4"}), 1)
	require.Empty(t, index.bounds(engine.Search{K: 10, Filter: some}, extension{version: "0.7.4"}))

	// The server takes them, whatever it is set to itself.
	e := openDatabase(t, wire.Options{})
	c := create(t, e, engine.Schema{Name: "bound", Dim: 8, Fields: wiretest.Buckets})
	records := wiretest.Records("r", 9_000, 8, codec.FLOAT)
	require.NoError(t, c.Insert(t.Context(), records))
	require.NoError(t, c.BuildIndex(t.Context(), engine.IndexPlan{M: 8, EfConstruction: 32}))
	runSQL(t, e, "SET hnsw.max_scan_tuples = 1", "SET hnsw.scan_mem_multiplier = 1", "SET work_mem = '64kB'")
	for _, test := range []struct {
		f     filter.Filter
		exact bool
	}{{filter.Lt("bucket", int64(1_000)), false}, {filter.Eq("bucket", int64(77)), true}} {
		s := engine.Search{Vector: records[5].Vector, K: 10, Filter: test.f}
		got, err := c.Search(t.Context(), []engine.Search{s})
		require.NoError(t, err)
		require.Equal(t, test.exact, got[0].Exact)
		require.Contains(t, got[0].Plan.Why, "looking at up to 5000 records")
	}
}
