package enginetest

import (
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/filter"
)

// upkeep: Check finds nothing wrong in what the other cases leave, and Compact changes no
// answer; or both say that the engine has none of that.
func (s *suite) upkeep(t *testing.T) {
	ctx := t.Context()
	c := s.create(t, vecwire.Schema{Dim: 3, Fields: allTypes()})
	g := newGenerator(171, c.Schema())
	m := newModel(c.Schema(), g.records(s.sample(300))...)
	require.NoError(t, c.Upsert(ctx, m.all()...))
	report, err := s.db.Check(ctx)
	if s.caps.Engine != "embedded" {
		require.ErrorIs(t, err, vecwire.ErrUnsupported)
		require.ErrorContains(t, err, s.caps.Engine)
		_, err = s.db.Salvage(ctx, filepath.Join(t.TempDir(), "salvaged.db"))
		require.ErrorIs(t, err, vecwire.ErrUnsupported)
		require.ErrorContains(t, err, s.caps.Engine)
		err = s.db.Compact(ctx)
		require.ErrorIs(t, err, vecwire.ErrUnsupported)
		require.ErrorContains(t, err, s.caps.Engine)
		return
	}
	require.NoError(t, err)
	require.Nil(t, report.Problems)
	require.Zero(t, report.Total)
	n, err := c.Count(ctx, filter.Filter{})
	require.NoError(t, err)
	require.True(t, slices.Contains(report.Collections, vecwire.CheckedCollection{Name: c.Schema().Name, Records: n}), "%v", report.Collections)

	var ids []string
	for i, r := range m.all() {
		if i%10 > 0 {
			ids = append(ids, r.ID)
		}
	}
	_, err = c.Delete(ctx, ids...)
	require.NoError(t, err)
	answers := func() string {
		hits, err := c.Search(ctx, vecwire.Query{Vector: []float32{1, 2, 3}, K: n})
		require.NoError(t, err)
		text := fmt.Sprint(hits)
		for r, err := range c.All(ctx, vecwire.Scan{}) {
			require.NoError(t, err)
			text += fmt.Sprint(r)
		}
		return text
	}
	before := answers()
	require.NoError(t, s.db.Compact(ctx))
	require.Equal(t, before, answers())
	report, err = s.db.Check(ctx)
	require.NoError(t, err)
	require.Nil(t, report.Problems)

	// Each of several collections is looked at, and not one of them again and again.
	other := s.create(t, vecwire.Schema{Dim: 1})
	require.NoError(t, other.Upsert(ctx, vecwire.Record{ID: "1", Vector: []float32{1}}))
	report, err = s.db.Check(ctx)
	require.NoError(t, err)
	require.True(t, slices.Contains(report.Collections, vecwire.CheckedCollection{Name: other.Schema().Name, Records: 1}), "%v", report.Collections)

	// Of a sound store all is salvaged.
	path := filepath.Join(t.TempDir(), "salvaged.db")
	saved, err := s.db.Salvage(ctx, path)
	require.NoError(t, err)
	require.Equal(t, report, saved)
	db, err := vecwire.Open(ctx, path)
	require.NoError(t, err)
	defer db.Close()
	there, err := db.OpenCollection(ctx, c.Schema().Name)
	require.NoError(t, err)
	require.Equal(t, c.Schema(), there.Schema())
	require.Equal(t, collect(t, c, vecwire.Scan{Vectors: true}), collect(t, there, vecwire.Scan{Vectors: true}))
}
