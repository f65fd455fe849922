package enginetest

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/filter"
)

// sizes: small and large dimensions, batches and schemas.
func (s *suite) sizes(t *testing.T) {
	ctx := t.Context()
	fields := make([]vecwire.Field, 20)
	for i := range fields {
		fields[i] = vecwire.Field{Name: fmt.Sprintf("field_%d", i), Type: vecwire.FieldType(i % 6), Index: i%5 == 0}
	}
	for _, tt := range []struct {
		what    string
		schema  vecwire.Schema
		records int
	}{
		{"one dimension", vecwire.Schema{Dim: 1}, 20},
		{"one dimension, dot", vecwire.Schema{Dim: 1, Metric: vecwire.Dot}, 20},
		{"2,000 dimensions", vecwire.Schema{Dim: min(2000, s.caps.MaxDim)}, 30},
		{"20 fields", vecwire.Schema{Dim: 3, Fields: fields}, 100},
		{"no fields", vecwire.Schema{Dim: 3}, 100},
		{"one record", vecwire.Schema{Dim: 3, Fields: allTypes()}, 1},
		{"2,000 records in one batch", vecwire.Schema{Dim: 8, Fields: allTypes()}, s.sample(2000)},
	} {
		run(t, tt.what, func(t *testing.T) {
			c := s.create(t, tt.schema)
			g := newGenerator(121, c.Schema())
			m := newModel(c.Schema(), g.records(tt.records)...)
			require.NoError(t, c.Upsert(ctx, m.all()...))
			m.expectAll(t, c)
			for range 3 {
				m.expectSearch(t, c, vecwire.Query{Vector: g.vector(), K: 25})
			}
			got, err := c.Get(ctx, idsOf(m.all())...)
			require.NoError(t, err)
			expectRecords(t, m.all(), got, payload|vector)
			n, err := c.Delete(ctx, idsOf(m.all())...)
			require.NoError(t, err)
			require.Equal(t, tt.records, n)
			n, err = c.Count(ctx, filter.Filter{})
			require.NoError(t, err)
			require.Zero(t, n)
		})
	}
	run(t, "the most dimensions", func(t *testing.T) {
		c := s.create(t, vecwire.Schema{Dim: s.caps.MaxDim})
		g := newGenerator(122, c.Schema())
		m := newModel(c.Schema(), g.records(2)...)
		require.NoError(t, c.Upsert(ctx, m.all()...))
		m.expectSearch(t, c, vecwire.Query{Vector: g.vector(), Vectors: true})
	})
}
