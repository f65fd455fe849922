package enginetest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/filter"
)

// reading: Get and Count.
func (s *suite) reading(t *testing.T) {
	ctx := t.Context()
	c := s.create(t, vecwire.Schema{Dim: 3, Fields: allTypes()})
	g := newGenerator(31, c.Schema())
	m := newModel(c.Schema(), g.records(50)...)
	require.NoError(t, c.Upsert(ctx, m.all()...))

	for _, tt := range []struct {
		what      string
		ids, want []string
	}{
		{"nothing asked for", nil, []string{}},
		{"one", []string{"0007"}, []string{"0007"}},
		{"the order of the IDs asked for", []string{"0031", "0002", "0017"}, []string{"0031", "0002", "0017"}},
		{"missing ones are left out", []string{"0031", "nope", "0002", "7"}, []string{"0031", "0002"}},
		{"only missing ones", []string{"nope"}, []string{}},
		{"the same twice comes once", []string{"0005", "0001", "0005"}, []string{"0005", "0001"}},
		{"IDs that no record can have", []string{"", "a\x00", "\xff", "0003"}, []string{"0003"}},
	} {
		run(t, "Get/"+tt.what, func(t *testing.T) {
			got, err := c.Get(ctx, tt.ids...)
			require.NoError(t, err)
			require.Equal(t, tt.want, idsOf(got))
			for _, r := range got {
				expectRecord(t, m.records[r.ID], r, payload|vector)
			}
		})
	}

	run(t, "Count", func(t *testing.T) {
		for range s.sample(20) {
			f := g.filter(2)
			n, err := c.Count(ctx, f)
			require.NoError(t, err)
			require.Equal(t, len(m.ids(f)), n, "%s", f)
		}
	})
	run(t, "Count of nothing", func(t *testing.T) {
		n, err := c.Count(ctx, filter.Or())
		require.NoError(t, err)
		require.Zero(t, n)
	})
}

// deleting: Delete and DeleteWhere say how many records there were.
func (s *suite) deleting(t *testing.T) {
	ctx := t.Context()
	c := s.create(t, vecwire.Schema{Dim: 3, Fields: allTypes()})
	g := newGenerator(32, c.Schema())
	all := g.records(50)
	m := newModel(c.Schema(), all...)
	require.NoError(t, c.Upsert(ctx, all...))

	for _, tt := range []struct {
		what string
		ids  []string
		want int
	}{
		{"nothing", nil, 0},
		{"a missing one", []string{"nope"}, 0},
		{"one", []string{"0007"}, 1},
		{"one that is gone", []string{"0007"}, 0},
		{"some of which are there", []string{"0001", "nope", "0002", "0007"}, 2},
		{"the same twice", []string{"0003", "0003"}, 1},
		{"IDs that no record can have", []string{"", "\x00", "\xff"}, 0},
	} {
		run(t, "Delete/"+tt.what, func(t *testing.T) {
			n, err := c.Delete(ctx, tt.ids...)
			require.NoError(t, err)
			require.Equal(t, tt.want, n)
			for _, id := range tt.ids {
				delete(m.records, id)
			}
			m.expectAll(t, c)
		})
	}
	m.expectSearch(t, c, vecwire.Query{Vector: g.vector(), K: 100})

	run(t, "DeleteWhere", func(t *testing.T) {
		for range s.sample(15) {
			f := g.filter(1)
			gone := m.ids(f)
			n, err := c.DeleteWhere(ctx, f)
			require.NoError(t, err)
			require.Equal(t, len(gone), n, "%s", f)
			for _, id := range gone {
				delete(m.records, id)
			}
			require.Equal(t, m.ids(filter.Filter{}), idsOf(collect(t, c, vecwire.Scan{})), "what is left after %s", f)
			m.expectSearch(t, c, vecwire.Query{Vector: g.vector(), K: 100})
			if len(m.records) < 25 {
				require.NoError(t, c.Upsert(ctx, all...))
				m.upsert(all...)
			}
		}
	})
	run(t, "DeleteWhere nothing matches", func(t *testing.T) {
		n, err := c.DeleteWhere(ctx, filter.Or())
		require.NoError(t, err)
		require.Zero(t, n)
	})
	run(t, "DeleteWhere of the zero filter removes all", func(t *testing.T) {
		n, err := c.DeleteWhere(ctx, filter.Filter{})
		require.NoError(t, err)
		require.Equal(t, len(m.records), n)
		newModel(c.Schema()).expectAll(t, c)
		newModel(c.Schema()).expectSearch(t, c, vecwire.Query{Vector: g.vector()})
	})
}
