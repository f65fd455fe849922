package enginetest

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/filter"
)

// recall: what an approximate index leaves out is measured.
func (s *suite) recall(t *testing.T) {
	ctx := t.Context()
	c := s.create(t, vecwire.Schema{Dim: 8, Metric: vecwire.Dot, Fields: []vecwire.Field{{Name: "n", Type: vecwire.Int}}})
	report, err := c.Recall(ctx, vecwire.RecallOptions{})
	require.NoError(t, err)
	require.Equal(t, vecwire.RecallReport{}, report, "of an empty collection")

	g := newGenerator(80, c.Schema())
	records := g.records(s.sample(2000) + 50)
	for i := range records {
		records[i].Fields = vecwire.Fields{"n": i}
	}
	require.NoError(t, c.Upsert(ctx, records...))
	measure := func(o vecwire.RecallOptions) vecwire.RecallReport {
		t.Helper()
		report, err := c.Recall(ctx, o)
		require.NoError(t, err)
		total := 0
		for _, n := range report.Histogram {
			total += n
		}
		require.Equal(t, report.Queries, total)
		require.LessOrEqual(t, report.Min, report.Mean)
		share := 0.0
		for i, g := range report.Groups {
			require.Positive(t, g.Queries)
			require.LessOrEqual(t, g.Min, g.Mean)
			require.True(t, i == 0 || report.Groups[i-1].Mean <= g.Mean, "the worst group comes first")
			require.Equal(t, o.Queries == nil, g.ID != "")
			share += g.Share
		}
		if report.Approximate > 0 {
			require.InDelta(t, 1, share, 1e-9)
		}
		for _, q := range report.Worst {
			require.Less(t, q.Recall, 1.0)
			require.Equal(t, o.Queries == nil, q.ID != "")
		}
		require.Positive(t, report.Exact.P50)
		require.LessOrEqual(t, report.Index.P50, report.Index.P99)
		return report
	}
	report = measure(vecwire.RecallOptions{Sample: 20})
	require.Equal(t, 20, report.Queries)
	require.Equal(t, 1.0, report.Min, "without an index")
	require.Equal(t, 1.0, report.Mean)
	require.Empty(t, report.Groups)
	require.Empty(t, report.Worst)
	require.Zero(t, report.Approximate)
	require.Equal(t, 20, report.Histogram[10])
	report = measure(vecwire.RecallOptions{Queries: [][]float32{g.vector(), g.vector()}, K: 3, Filter: filter.Lt("n", 5)})
	require.Equal(t, 2, report.Queries)
	last := []string{records[len(records)-1].ID, records[len(records)-2].ID, "none"}
	report = measure(vecwire.RecallOptions{IDs: last})
	require.Equal(t, 2, report.Queries)
	require.Equal(t, 1.0, report.Mean)
	var value *vecwire.ValueError
	for _, o := range []vecwire.RecallOptions{{Sample: -1}, {IDs: last, Queries: [][]float32{g.vector()}}, {K: -1}, {Effort: -1}} {
		_, err = c.Recall(ctx, o)
		require.Error(t, err)
		if o.K == 0 && o.Effort == 0 {
			require.ErrorAs(t, err, &value)
		}
	}
	s.tune(t, c)
	if !s.caps.Indexes {
		return
	}
	require.ErrorAs(t, c.BuildIndex(ctx, vecwire.IndexOptions{Compress: vecwire.Bits + 1}), &value)
	for _, compress := range []vecwire.Compress{vecwire.HalfPrecision, vecwire.Bits} {
		err := c.BuildIndex(ctx, vecwire.IndexOptions{Compress: compress})
		if !s.caps.CompressedIndexes {
			require.ErrorIs(t, err, vecwire.ErrUnsupported)
			require.ErrorContains(t, err, s.caps.Engine)
			continue
		}
		require.NoError(t, err)
		require.Greater(t, measure(vecwire.RecallOptions{Sample: 20, Rescore: true}).Mean, 0.1)
	}
	s.otherIndexes(t, c)
	require.NoError(t, c.BuildIndex(ctx, vecwire.IndexOptions{}))
	require.Greater(t, measure(vecwire.RecallOptions{Sample: 20}).Mean, 0.5)
	s.tune(t, c)
	_, err = c.Recall(ctx, vecwire.RecallOptions{Queries: [][]float32{{1}}})
	var dim *vecwire.DimensionError
	require.ErrorAs(t, err, &dim)
}

// tune finds an effort, if the engine has one, for a collection with an index or
// without.
func (s *suite) tune(t *testing.T, c *vecwire.Collection) {
	t.Helper()
	ctx := t.Context()
	v := make([]float32, 8)
	v[0] = 1
	search := func(c *vecwire.Collection, effort int) (vecwire.Plan, error) {
		t.Helper()
		results, err := c.SearchMany(ctx, []vecwire.Query{{Vector: v, Effort: effort}})
		if err != nil {
			return vecwire.Plan{}, err
		}
		require.NotEmpty(t, results[0].Plan.Path)
		require.NotEmpty(t, results[0].Plan.Why)
		if results[0].Plan.Index == "" {
			require.True(t, results[0].Exact)
		}
		return results[0].Plan, nil
	}
	if !s.caps.Effort {
		_, err := c.Tune(ctx, vecwire.TuneOptions{})
		require.ErrorIs(t, err, vecwire.ErrUnsupported)
		_, err = search(c, 50)
		require.ErrorIs(t, err, vecwire.ErrUnsupported)
		_, err = search(c, 0)
		require.NoError(t, err)
		return
	}
	_, err := search(c, -1)
	require.Error(t, err)
	report, err := c.Tune(ctx, vecwire.TuneOptions{Recall: 0.8, Measure: vecwire.RecallOptions{Sample: 10}})
	plan, searchErr := search(c, 0)
	require.NoError(t, searchErr)
	if plan.Index == "" { // none was built, or none was needed
		require.ErrorContains(t, err, "BuildIndex")
		return
	}
	require.NoError(t, err)
	require.GreaterOrEqual(t, report.Recall, 0.8)
	require.True(t, slices.IsSortedFunc(report.Tried, func(a, b vecwire.TuneStep) int { return a.Effort - b.Effort }))
	require.Equal(t, report.Effort, plan.Effort)
	again, err := s.db.OpenCollection(ctx, c.Schema().Name)
	require.NoError(t, err)
	plan, err = search(again, 0)
	require.NoError(t, err)
	require.Equal(t, report.Effort, plan.Effort, "what was found is kept")
	plan, err = search(again, 77)
	require.NoError(t, err)
	if plan.Index != "" { // the engine may find so many candidates more work than all records
		require.Equal(t, 77, plan.Effort)
	}
	_, err = c.Tune(ctx, vecwire.TuneOptions{Recall: 2})
	var value *vecwire.ValueError
	require.ErrorAs(t, err, &value)
}
