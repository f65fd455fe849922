package enginetest

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/filter"
)

// searchMany: searches in one call find what each finds alone, whichever filters,
// namespaces and named vectors they have, also inside a transaction.
func (s *suite) searchMany(t *testing.T) {
	ctx := t.Context()
	schema := namedSchema()
	schema.Fields = append(schema.Fields, vecwire.Field{Name: vecwire.NamespaceField, Index: true})
	if !s.caps.Vectors {
		schema.Vectors = nil
	}
	whole := s.create(t, schema)
	records := namedRecords(s.sample(200) + 100)
	tenant, err := whole.Namespace("a")
	require.NoError(t, err)
	for i := range records {
		if !s.caps.Vectors {
			records[i].Vectors = nil
		}
	}
	require.NoError(t, tenant.Upsert(ctx, records...))
	for i := range records {
		records[i].Fields[vecwire.NamespaceField] = "b"
	}
	require.NoError(t, whole.Upsert(ctx, records...))

	var queries []vecwire.Query
	for i := range 40 {
		q := vecwire.Query{Vector: []float32{1, float32(i), -2}, K: i%7 + 1, Exact: true, IDsOnly: i%2 == 0}
		switch i % 5 {
		case 1:
			q.Filter = filter.Lt("n", 50)
		case 2:
			q.Filter = filter.And(filter.Ge("n", i), filter.Lt("n", 3*i))
		case 3:
			q.Filter = filter.Lt("n", 50)
			q.Offset = 2
		case 4:
			if s.caps.Vectors {
				q.In, q.Vector = "image", []float32{1, float32(i)}
			}
		}
		queries = append(queries, q)
	}
	check := func(t *testing.T, ctx context.Context) {
		for name, c := range map[string]*vecwire.Collection{"all": whole, "namespace": tenant} {
			results, err := c.SearchMany(ctx, queries)
			require.NoError(t, err)
			require.Len(t, results, len(queries))
			for i, q := range queries {
				alone, err := c.Search(ctx, q)
				require.NoError(t, err)
				require.Equal(t, alone, results[i].Hits, "%s, query %d", name, i)
			}
		}
	}
	run(t, "outside", func(t *testing.T) { check(t, ctx) })
	if !s.caps.Transactions {
		return
	}
	run(t, "in a transaction", func(t *testing.T) {
		require.NoError(t, s.db.Tx(ctx, func(ctx context.Context) error {
			r := records[0]
			r.Vector = []float32{1, 9, -2}
			require.NoError(t, tenant.Upsert(ctx, vecwire.Record{ID: "new", Vector: r.Vector, Fields: vecwire.Fields{"n": 1}}))
			require.NoError(t, whole.Upsert(ctx, r))
			_, err := tenant.Delete(ctx, records[1].ID)
			require.NoError(t, err)
			check(t, ctx)
			return nil
		}))
	})
}
