package enginetest

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/filter"
)

// stream: All gives every record once, in the order of the IDs.
func (s *suite) stream(t *testing.T) {
	ctx := t.Context()
	c := s.create(t, vecwire.Schema{Dim: 2, Fields: []vecwire.Field{{Name: "i", Type: vecwire.Int}, {Name: "s"}}})
	g := newGenerator(111, c.Schema())
	m := newModel(c.Schema(), g.records(1300)...) // several pages
	for _, id := range []string{"B", "a", "A", "é", "日", "😀", "\uffff", " ", "~", "10", "9", "a b", "a\n", "a!"} {
		m.upsert(g.record(id))
	}
	all := m.all()
	require.NoError(t, c.Upsert(ctx, all...))

	run(t, "every record, in the order of the IDs", func(t *testing.T) {
		expectRecords(t, all, collect(t, c, vecwire.Scan{}), payload)
	})
	run(t, "with vectors", func(t *testing.T) {
		expectRecords(t, all, collect(t, c, vecwire.Scan{Vectors: true}), payload|vector)
	})
	run(t, "from an ID on", func(t *testing.T) {
		for _, after := range []string{"", " ", "0000", "0511", "0512x", "1299", "9", "A", "a", "z", "é", "\uffff", "😀", "\U0010ffff"} {
			var want []vecwire.Record
			for _, r := range all {
				if r.ID > after {
					want = append(want, r)
				}
			}
			expectRecords(t, want, collect(t, c, vecwire.Scan{After: after}), payload)
		}
	})
	run(t, "from an ID on, with a filter", func(t *testing.T) {
		f := filter.Gt("i", 0)
		var want []vecwire.Record
		for _, id := range m.ids(f) {
			if id > "0300" {
				want = append(want, m.records[id])
			}
		}
		expectRecords(t, want, collect(t, c, vecwire.Scan{Filter: f, After: "0300", Vectors: true}), payload|vector)
	})
	run(t, "stopped early", func(t *testing.T) {
		n := 0
		for _, err := range c.All(ctx, vecwire.Scan{}) {
			require.NoError(t, err)
			if n++; n == 3 {
				break
			}
		}
		require.Equal(t, 3, n)
	})
	run(t, "the stream may be read twice", func(t *testing.T) {
		stream := c.All(ctx, vecwire.Scan{After: "1290"})
		for range 2 {
			var got []vecwire.Record
			for r, err := range stream {
				require.NoError(t, err)
				got = append(got, r)
			}
			expectRecords(t, all[len(all)-len(got):], got, payload)
			require.Greater(t, got[0].ID, "1290")
		}
	})
	run(t, "an error ends the stream", func(t *testing.T) {
		cancelled, cancel := context.WithCancel(ctx)
		defer cancel()
		n, failed := 0, error(nil)
		for _, err := range c.All(cancelled, vecwire.Scan{}) {
			require.NoError(t, failed, "something came after an error")
			if failed = err; err == nil {
				n++
			}
			cancel()
		}
		require.ErrorIs(t, failed, context.Canceled)
		require.Less(t, n, len(all))
	})
	run(t, "other calls inside the loop", func(t *testing.T) {
		seen := map[string]int{}
		for r, err := range c.All(ctx, vecwire.Scan{}) {
			require.NoError(t, err)
			seen[r.ID]++
			if len(seen)%200 != 1 { // not on each of them: some engines take their time
				continue
			}
			_, err = c.Search(ctx, vecwire.Query{Vector: g.vector()})
			require.NoError(t, err)
			require.NoError(t, c.Upsert(ctx, vecwire.Record{ID: r.ID, Vector: []float32{1, 1}}))
			_, err = c.Delete(ctx, r.ID)
			require.NoError(t, err)
		}
		for _, r := range all {
			require.Equal(t, 1, seen[r.ID], "how often %q came", r.ID)
		}
	})
}
