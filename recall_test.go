package vecwire

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/internal/engine"
)

// lossy answers like an index that loses a hit of every answer below an effort, and
// like an engine that looks at all records from there on.
type lossy struct {
	engine.Collection
	scans int
}

func (l *lossy) Search(ctx context.Context, searches []engine.Search) ([]engine.Result, error) {
	results, err := l.Collection.Search(ctx, searches)
	for i, s := range searches {
		if n := len(results[i].Hits); !s.Exact && s.Effort < l.scans && n > 0 {
			results[i].Exact, results[i].Hits = false, results[i].Hits[:n-1]
		}
	}
	return results, err
}

// newLossy returns a collection of records, and what stands between it and its engine.
func newLossy(t *testing.T, records int) (*Collection, *lossy) {
	c := newDocs(t, Schema{Dim: 2, Metric: L2})
	for i := range records {
		require.NoError(t, c.Upsert(t.Context(), Record{ID: fmt.Sprint(i), Vector: []float32{float32(i), float32(i * i % 7)}}))
	}
	l := &lossy{Collection: c.engine}
	c.over(l)
	return c, l
}

// TestPerfectRecallIsOne measures with every number of queries whose parts do not add
// up to 1.
func TestPerfectRecallIsOne(t *testing.T) {
	c, _ := newLossy(t, 150)
	for n := 1; n <= 150; n++ {
		report, err := c.Recall(t.Context(), RecallOptions{Sample: n})
		require.NoError(t, err)
		require.Equal(t, 1.0, report.Mean, "of %d queries", n)
	}
}

// TestTuneReachesPerfectRecall tunes where only the efforts that choose the scan are
// enough.
func TestTuneReachesPerfectRecall(t *testing.T) {
	c, l := newLossy(t, 150)
	l.scans = 101
	report, err := c.Tune(t.Context(), TuneOptions{Recall: 1, Measure: RecallOptions{Sample: 49}})
	require.NoError(t, err)
	require.Equal(t, 1.0, report.Recall)
	require.GreaterOrEqual(t, report.Effort, 101)
	require.LessOrEqual(t, report.Effort, 101+101/8)
}

// TestRecallNamesRecords loses the last hit of each answer, and reads in the report which
// records are found badly.
func TestRecallNamesRecords(t *testing.T) {
	c, l := newLossy(t, 150)
	l.scans = 1
	report, err := c.Recall(t.Context(), RecallOptions{Sample: 20, K: 4})
	require.NoError(t, err)
	require.Equal(t, 0.75, report.Mean)
	require.Equal(t, 20, report.Approximate)
	require.Len(t, report.Worst, 10)
	for _, q := range report.Worst {
		found, err := c.Get(t.Context(), q.ID)
		require.NoError(t, err)
		require.Len(t, found, 1)
		require.Equal(t, QueryRecall{ID: q.ID, Recall: 0.75}, q)
	}
	for _, g := range report.Groups {
		require.GreaterOrEqual(t, g.Queries, 2)
		require.Equal(t, 0.75, g.Mean)
	}

	report, err = c.Recall(t.Context(), RecallOptions{IDs: []string{"7", "none", "3"}, K: 4})
	require.NoError(t, err)
	require.Equal(t, []QueryRecall{{ID: "7", Recall: 0.75}, {ID: "3", Recall: 0.75}}, report.Worst)
	report, err = c.Recall(t.Context(), RecallOptions{Queries: [][]float32{{1, 2}, {3, 4}}, K: 4})
	require.NoError(t, err)
	require.Equal(t, []QueryRecall{{Recall: 0.75}, {Query: 1, Recall: 0.75}}, report.Worst)
	for _, o := range []RecallOptions{{Queries: [][]float32{}}, {IDs: []string{}}, {IDs: []string{"none"}}} {
		report, err = c.Recall(t.Context(), o)
		require.NoError(t, err)
		require.Equal(t, RecallReport{}, report)
	}
}
