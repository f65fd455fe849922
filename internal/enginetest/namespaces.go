package enginetest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/filter"
)

// namespaces: what belongs to one tenant is out of reach of the others, whatever
// is done.
func (s *suite) namespaces(t *testing.T) {
	ctx := t.Context()
	fields := []vecwire.Field{{Name: "s"}, {Name: vecwire.NamespaceField, Index: true}, {Name: "i", Type: vecwire.Int}}
	c := s.create(t, vecwire.Schema{Dim: 4, Fields: fields})
	own := c.Schema()
	own.Fields = slices.Delete(slices.Clone(fields), 1, 2)
	g := newGenerator(70, own)

	names := []string{"acme", "acme2", "ACME", "a.c_m@e-"}
	var models []*model
	var parts []*vecwire.Collection
	for _, name := range names {
		n, err := c.Namespace(name)
		require.NoError(t, err)
		require.Equal(t, own, n.Schema())
		parts = append(parts, n)
		models = append(models, newModel(n.Schema()))
	}
	ids := func() string {
		return []string{"1", "2", "3", "acme/1", "/", "acme", "ACME/2", "10", "007", "ä"}[g.IntN(10)]
	}
	idFilter := func() filter.Filter {
		return []filter.Filter{
			filter.Eq("id", ids()), filter.Ne("id", ids()), filter.Gt("id", ids()), filter.Ge("id", ids()), filter.Lt("id", ids()),
			filter.Le("id", ids()), filter.In("id", ids(), ids()), filter.NotIn("id", ids(), ids()), filter.Between("id", ids(), ids()),
			filter.Prefix("id", "ac"), filter.IsNull("id"), filter.Not(filter.Eq("id", ids())),
		}[g.IntN(12)]
	}
	some := func() filter.Filter {
		switch g.IntN(3) {
		case 0:
			return filter.Filter{}
		case 1:
			return filter.Or(g.filter(1), idFilter())
		}
		return filter.And(g.filter(1), idFilter())
	}
	for range s.sample(120) + 20 {
		at := g.IntN(len(parts))
		n, m := parts[at], models[at]
		switch g.IntN(6) {
		case 0, 1:
			var records []vecwire.Record
			for range 3 {
				records = append(records, g.record(ids()))
			}
			require.NoError(t, n.Upsert(ctx, records...))
			m.upsert(records...)
		case 2:
			records := []vecwire.Record{g.record(ids())}
			_, err := n.Ingest(ctx, input(records...), vecwire.IngestOptions{})
			require.NoError(t, err)
			m.upsert(records...)
		case 3:
			id := ids()
			removed, err := n.Delete(ctx, id)
			require.NoError(t, err)
			_, was := m.records[id]
			require.Equal(t, was, removed == 1)
			delete(m.records, id)
		case 4:
			f := filter.And(some(), idFilter())
			gone := m.ids(f)
			removed, err := n.DeleteWhere(ctx, f)
			require.NoError(t, err)
			require.Equal(t, len(gone), removed)
			for _, id := range gone {
				delete(m.records, id)
			}
		case 5:
			q := g.query()
			q.Filter = some()
			m.expectSearch(t, n, q)
			f := some()
			count, err := n.Count(ctx, f)
			require.NoError(t, err)
			require.Equal(t, len(m.ids(f)), count, "%s", f)
			id := ids()
			found, err := n.Get(ctx, id)
			require.NoError(t, err)
			if want, ok := m.records[id]; ok {
				expectRecords(t, []vecwire.Record{want}, found, payload|vector)
			} else {
				require.Empty(t, found)
			}
		}
	}
	total := 0
	for i, n := range parts {
		models[i].expectAll(t, n)
		total += len(models[i].records)
		after := ids()
		var want []string
		for _, id := range models[i].ids(filter.Filter{}) {
			if id > after {
				want = append(want, id)
			}
		}
		require.Equal(t, want, idsOrNil(collect(t, n, vecwire.Scan{After: after})))
	}
	for _, r := range collect(t, c, vecwire.Scan{}) {
		require.True(t, strings.HasPrefix(r.ID, r.Fields[vecwire.NamespaceField].(string)+"/"), r.ID)
		total--
	}
	require.Zero(t, total, "the collection holds the namespaces' records and no others")

	run(t, "emptied", func(t *testing.T) {
		require.NoError(t, parts[0].Upsert(ctx, g.record("x")))
		_, err := parts[0].DeleteWhere(ctx, filter.Filter{})
		require.NoError(t, err)
		newModel(own).expectAll(t, parts[0])
		models[1].expectAll(t, parts[1])
	})
	run(t, "in a transaction", func(t *testing.T) {
		if !s.caps.Transactions {
			t.Skip("no transactions on this engine")
		}
		r := g.record("tx")
		require.NoError(t, s.db.Tx(ctx, func(ctx context.Context) error {
			return parts[1].Upsert(ctx, r)
		}))
		models[1].upsert(r)
		models[1].expectAll(t, parts[1])
	})
	run(t, "Insert", func(t *testing.T) {
		err := parts[2].Insert(ctx, g.record("inserted"))
		if !s.caps.Insert {
			require.ErrorIs(t, err, vecwire.ErrUnsupported)
			return
		}
		require.NoError(t, err)
		require.ErrorIs(t, parts[2].Insert(ctx, g.record("inserted")), vecwire.ErrExists)
		require.NoError(t, parts[3].Insert(ctx, g.record("inserted")))
	})
	run(t, "refused", func(t *testing.T) {
		for _, name := range []string{"", "a/b", "a b", "é", "-a", strings.Repeat("x", 101)} {
			_, err := c.Namespace(name)
			var value *vecwire.ValueError
			require.ErrorAs(t, err, &value, "%q", name)
		}
		_, err := parts[0].Namespace("x")
		require.Error(t, err)
		_, err = s.create(t, vecwire.Schema{Dim: 2}).Namespace("x")
		var schema *vecwire.SchemaError
		require.ErrorAs(t, err, &schema)
		_, err = parts[1].Count(ctx, filter.Contains("id", "a"))
		var bad *vecwire.FilterError
		require.ErrorAs(t, err, &bad)
		err = parts[1].Upsert(ctx, vecwire.Record{ID: "x", Vector: []float32{1, 2, 3, 4}, Fields: vecwire.Fields{vecwire.NamespaceField: "acme"}})
		require.ErrorAs(t, err, &schema, "a namespace's records have no such field")
		err = parts[1].Upsert(ctx, vecwire.Record{ID: strings.Repeat("x", s.caps.MaxIDBytes), Vector: []float32{1, 2, 3, 4}})
		var value *vecwire.ValueError
		require.ErrorAs(t, err, &value)
		require.Contains(t, value.Want, fmt.Sprint(s.caps.MaxIDBytes-len("acme2/")))
	})
	run(t, "indexes", func(t *testing.T) {
		err := parts[1].BuildIndex(ctx, vecwire.IndexOptions{})
		if !s.caps.PartialIndexes {
			require.ErrorIs(t, err, vecwire.ErrUnsupported)
			return
		}
		require.NoError(t, err)
		later := filter.Ge("id", "b")
		require.NoError(t, parts[1].BuildIndex(ctx, vecwire.IndexOptions{Where: later}))
		own, err := parts[1].Indexes(ctx)
		require.NoError(t, err)
		require.Len(t, own, 2)
		require.ElementsMatch(t, []string{"", later.String()}, []string{own[0].Where, own[1].Where})
		others, err := parts[2].Indexes(ctx)
		require.NoError(t, err)
		require.Empty(t, others)
		require.ErrorIs(t, parts[2].DropIndex(ctx, own[0].Name), vecwire.ErrNotFound)
		all, err := c.Indexes(ctx)
		require.NoError(t, err)
		require.Len(t, all, 2)
		for _, name := range []string{own[0].Name, own[1].Name} {
			require.NoError(t, parts[1].DropIndex(ctx, name))
		}
	})
}

func idsOrNil(records []vecwire.Record) []string {
	if len(records) == 0 {
		return nil
	}
	return idsOf(records)
}
