package enginetest

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/filter"
)

// distributed: collections are spread as their schemas say, or refused.
func (s *suite) distributed(t *testing.T) {
	ctx := t.Context()
	fields := []vecwire.Field{{Name: vecwire.NamespaceField, Index: true}, {Name: "n", Type: vecwire.Int}}
	for _, how := range []vecwire.Distribution{vecwire.ByID, vecwire.ByNamespace} {
		run(t, how.String(), func(t *testing.T) {
			schema := vecwire.Schema{Name: s.name(), Dim: 2, Distributed: how, Fields: fields}
			if !s.caps.Distributed {
				_, err := s.db.CreateCollection(ctx, schema)
				require.ErrorIs(t, err, vecwire.ErrUnsupported)
				require.ErrorContains(t, err, s.caps.Engine)
				_, err = s.db.OpenCollection(ctx, schema.Name)
				require.ErrorIs(t, err, vecwire.ErrNotFound, "it was made all the same")
				return
			}
			c := s.create(t, schema)
			require.Equal(t, how, c.Schema().Distributed)
			opened, err := s.db.OpenCollection(ctx, schema.Name)
			require.NoError(t, err)
			require.Equal(t, schema, opened.Schema())
			_, err = s.db.EnsureCollection(ctx, schema)
			require.NoError(t, err)
			other := schema
			other.Distributed = vecwire.ByID + vecwire.ByNamespace - how
			_, err = s.db.EnsureCollection(ctx, other)
			var wrong *vecwire.SchemaError
			require.ErrorAs(t, err, &wrong)
			s.tenants(t, c)
		})
	}
	if !s.caps.Distributed {
		return
	}
	run(t, "refused", func(t *testing.T) {
		var wrong *vecwire.SchemaError
		_, err := s.db.CreateCollection(ctx, vecwire.Schema{Name: s.name(), Dim: 2, Distributed: vecwire.ByNamespace})
		require.ErrorAs(t, err, &wrong)
		require.Equal(t, vecwire.NamespaceField, wrong.Field)
		_, err = s.db.CreateCollection(ctx, vecwire.Schema{Name: s.name(), Dim: 2, Distributed: vecwire.ByNamespace + 1})
		require.ErrorAs(t, err, &wrong)

		c := s.create(t, vecwire.Schema{Dim: 2, Distributed: vecwire.ByNamespace, Fields: fields})
		kept := vecwire.Record{ID: "a/1", Vector: []float32{1, 0}, Fields: vecwire.Fields{vecwire.NamespaceField: "a"}}
		require.NoError(t, c.Upsert(ctx, kept))
		var bad *vecwire.ValueError
		for _, r := range []vecwire.Record{
			{ID: "a/2", Vector: []float32{1, 0}},
			{ID: "2", Vector: []float32{1, 0}, Fields: vecwire.Fields{vecwire.NamespaceField: "a"}},
			{ID: "b/2", Vector: []float32{1, 0}, Fields: vecwire.Fields{vecwire.NamespaceField: "a"}},
		} {
			require.ErrorAs(t, c.Upsert(ctx, kept, r), &bad, r.ID)
			require.Equal(t, vecwire.NamespaceField, bad.Field)
			require.ErrorAs(t, c.Insert(ctx, r), &bad, r.ID)
		}
		_, err = c.UpdateWhere(ctx, filter.Filter{}, vecwire.Fields{vecwire.NamespaceField: "b"})
		require.ErrorAs(t, err, &bad)
		require.ErrorAs(t, c.Update(ctx, vecwire.Change{ID: "a/1", Set: vecwire.Fields{vecwire.NamespaceField: "b"}}), &bad)
		require.ErrorAs(t, s.db.AlterCollection(ctx, c.Schema().Name, vecwire.Alter{DropFields: []string{vecwire.NamespaceField}}), &wrong)
		n, err := c.Count(ctx, filter.Filter{})
		require.NoError(t, err)
		require.Equal(t, 1, n)
	})
}

// tenants has three tenants write the same IDs, and looks at each and at all.
func (s *suite) tenants(t *testing.T, c *vecwire.Collection) {
	ctx := t.Context()
	record := func(i, n int) vecwire.Record {
		return vecwire.Record{ID: fmt.Sprint(i), Vector: []float32{float32(i), 1}, Fields: vecwire.Fields{"n": n}}
	}
	names := []string{"a", "b", "c"}
	for at, name := range names {
		part, err := c.Namespace(name)
		require.NoError(t, err)
		var records []vecwire.Record
		for i := range 40 {
			records = append(records, record(i, at))
		}
		require.NoError(t, part.Insert(ctx, records[:20]...))
		require.ErrorIs(t, part.Insert(ctx, records[0]), vecwire.ErrExists)
		require.NoError(t, part.Upsert(ctx, records...))
		report, err := part.Ingest(ctx, func(yield func(vecwire.Record, error) bool) {
			for _, r := range append(records[30:40:40], record(40, at)) {
				if !yield(r, nil) {
					return
				}
			}
		}, vecwire.IngestOptions{})
		require.NoError(t, err)
		require.Equal(t, [3]int64{1, 0, 10}, [3]int64{report.Inserted, report.Updated, report.Unchanged})
		require.NoError(t, part.Update(ctx, vecwire.Change{ID: "5", Set: vecwire.Fields{"n": 100}}))
		n, err := part.Delete(ctx, "39", "40", "none")
		require.NoError(t, err)
		require.Equal(t, 2, n)
	}
	require.NoError(t, c.BuildIndex(ctx, vecwire.IndexOptions{}))
	for _, name := range names {
		part, err := c.Namespace(name)
		require.NoError(t, err)
		got, err := part.Get(ctx, "5", "39", "7")
		require.NoError(t, err)
		require.Len(t, got, 2)
		n, err := part.Count(ctx, filter.Gt("n", 99))
		require.NoError(t, err)
		require.Equal(t, 1, n)
		hits, err := part.Search(ctx, vecwire.Query{Vector: []float32{38, 1}, K: 39})
		require.NoError(t, err)
		require.Len(t, hits, 39, "all of the tenant's, and nobody else's")
	}
	got, err := c.Get(ctx, "a/5", "b/5", "c/39")
	require.NoError(t, err)
	require.Len(t, got, 2, "the whole collection reads what is in several places")
	n, err := c.DeleteWhere(ctx, filter.Eq(vecwire.NamespaceField, "b"))
	require.NoError(t, err)
	require.Equal(t, 39, n)
	n, err = c.Count(ctx, filter.Filter{})
	require.NoError(t, err)
	require.Equal(t, 78, n)
}
