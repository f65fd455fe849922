package enginetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/expiry"
)

// caches: a collection with MaxRecords has never more after a commit, and what was not
// used for the longest time goes first.
func (s *suite) caches(t *testing.T) {
	schema := vecwire.Schema{Dim: 2, Metric: vecwire.Dot, MaxRecords: 3, Fields: []vecwire.Field{
		{Name: vecwire.SourceField, Index: true}, {Name: "n", Type: vecwire.Int, Index: true}, {Name: vecwire.NamespaceField, Index: true},
	}}
	if !s.caps.MaxRecords {
		schema.Name = s.name()
		_, err := s.db.CreateCollection(t.Context(), schema)
		require.ErrorIs(t, err, vecwire.ErrUnsupported)
		require.ErrorContains(t, err, s.caps.Engine)
		require.ErrorContains(t, err, "MaxRecords")
		return
	}
	record := func(id string) vecwire.Record {
		return vecwire.Record{ID: id, Vector: []float32{1, float32(id[0])}, Text: "text " + id, Fields: vecwire.Fields{"n": int(id[0])}}
	}
	records := func(ids string) (out []vecwire.Record) {
		for _, id := range strings.Fields(ids) {
			out = append(out, record(id))
		}
		return out
	}
	// has expects the IDs, and uses nothing.
	has := func(t *testing.T, c *vecwire.Collection, want string) {
		t.Helper()
		var got []string
		for r, err := range c.All(t.Context(), vecwire.Scan{}) {
			require.NoError(t, err)
			got = append(got, r.ID)
		}
		require.Equal(t, want, strings.Join(got, " "))
		n, err := c.Count(t.Context(), filter.Filter{})
		require.NoError(t, err)
		require.Len(t, got, n)
	}
	fill := func(t *testing.T, ids string) *vecwire.Collection {
		t.Helper()
		c := s.create(t, schema)
		require.NoError(t, c.Upsert(t.Context(), records(ids)...))
		return c
	}
	get := func(t *testing.T, c *vecwire.Collection, ids ...string) {
		t.Helper()
		found, err := c.Get(t.Context(), ids...)
		require.NoError(t, err)
		require.Len(t, found, len(ids))
	}

	run(t, "the least recently used goes", func(t *testing.T) {
		c := fill(t, "c b a") // in this order
		require.Equal(t, 3, c.Schema().MaxRecords)
		require.NoError(t, c.Upsert(t.Context(), record("d")))
		has(t, c, "a b d")
		get(t, c, "b")
		require.NoError(t, c.Upsert(t.Context(), record("e")))
		has(t, c, "b d e")
		hits, err := c.Search(t.Context(), vecwire.Query{Vector: []float32{0, -1}, K: 1, Exact: true, IDsOnly: true})
		require.NoError(t, err)
		require.Equal(t, []string{"b"}, hitIDs(hits))
		require.NoError(t, c.Upsert(t.Context(), records("f g")...))
		has(t, c, "b f g")
		require.NoError(t, c.Upsert(t.Context(), record("b")), "a record that is there needs no room")
		has(t, c, "b f g")
		require.NoError(t, c.Upsert(t.Context(), record("h")))
		has(t, c, "b g h")
		for h, err := range c.SearchAll(t.Context(), vecwire.Query{Vector: []float32{0, -1}, Exact: true}) {
			require.NoError(t, err)
			require.Equal(t, "b", h.ID)
			break
		}
		require.NoError(t, c.Update(t.Context(), vecwire.Change{ID: "g", Set: vecwire.Fields{"n": 1}}))
		require.NoError(t, c.Upsert(t.Context(), records("i")...))
		has(t, c, "b g i")
		get(t, c, "i")
		get(t, c, "g")
		get(t, c, "b")
		require.NoError(t, c.Upsert(t.Context(), records("x y")...))
		has(t, c, "b x y")
	})
	run(t, "every verb that stores", func(t *testing.T) {
		c := fill(t, "a b c")
		if s.caps.Insert {
			require.ErrorIs(t, c.Insert(t.Context(), records("d c")...), vecwire.ErrExists)
			has(t, c, "a b c")
			require.NoError(t, c.Insert(t.Context(), record("d")))
			has(t, c, "b c d")
		}
		report, err := c.Ingest(t.Context(), input(records("k l m n o")...), vecwire.IngestOptions{Workers: 1, Ordered: true})
		require.NoError(t, err)
		require.EqualValues(t, 5, report.Inserted)
		has(t, c, "m n o")
		for _, r := range records("o n m") {
			report, err = c.Ingest(t.Context(), input(r), vecwire.IngestOptions{})
			require.NoError(t, err)
			require.EqualValues(t, 1, report.Unchanged)
		}
		_, err = c.ReplaceSource(t.Context(), "s", records("p q")...)
		require.NoError(t, err)
		has(t, c, "m p q")
		get(t, c, "m")
		// What stays of the source stays, and what goes of it makes room first.
		_, err = c.ReplaceSource(t.Context(), "s", records("p r")...)
		require.NoError(t, err)
		has(t, c, "m p r")
		_, err = c.ReplaceSource(t.Context(), "s", records("p r t")...)
		require.NoError(t, err)
		has(t, c, "p r t")
		_, err = c.Delete(t.Context(), "p")
		require.NoError(t, err)
		_, err = c.UpdateWhere(t.Context(), filter.Filter{}, vecwire.Fields{"n": 7})
		require.NoError(t, err)
		require.NoError(t, c.Upsert(t.Context(), record("u")))
		has(t, c, "r t u")
	})
	run(t, "what is kept beside the records is not shown", func(t *testing.T) {
		c := fill(t, "a b c")
		require.Len(t, c.Schema().Fields, 3)
		all, err := s.db.Collections(t.Context())
		require.NoError(t, err)
		at := slices.IndexFunc(all, func(is vecwire.Schema) bool { return is.Name == c.Schema().Name })
		require.Equal(t, c.Schema(), all[at])
		got, err := c.Get(t.Context(), "a")
		require.NoError(t, err)
		require.Equal(t, vecwire.Fields{"n": int64('a')}, got[0].Fields)
		hits, err := c.Search(t.Context(), vecwire.Query{Vector: []float32{0, 1}, Exact: true})
		require.NoError(t, err)
		require.Equal(t, vecwire.Fields{"n": int64('c')}, hits[0].Fields)
		for r, err := range c.All(t.Context(), vecwire.Scan{OrderBy: "n", Limit: 1}) {
			require.NoError(t, err)
			require.Equal(t, vecwire.Fields{"n": int64('a')}, r.Fields)
		}
		const hidden = "vecwire_used"
		_, err = c.Count(t.Context(), filter.Gt(hidden, 0))
		require.Error(t, err)
		_, err = c.Facet(t.Context(), hidden, vecwire.FacetOptions{})
		require.Error(t, err)
		require.Error(t, c.Update(t.Context(), vecwire.Change{ID: "a", Set: vecwire.Fields{hidden: 1}}))
		for _, err := range c.All(t.Context(), vecwire.Scan{OrderBy: hidden}) {
			require.Error(t, err)
		}
		r := record("a")
		r.Fields[hidden] = 1
		require.Error(t, c.Upsert(t.Context(), r))
		require.Error(t, s.db.AlterCollection(t.Context(), c.Schema().Name, vecwire.Alter{DropFields: []string{hidden}}))
	})
	run(t, "more than there may be", func(t *testing.T) {
		c := fill(t, "a b")
		stores := map[string]func() error{
			"Upsert":        func() error { return c.Upsert(t.Context(), records("c d e f")...) },
			"ReplaceSource": func() error { _, err := c.ReplaceSource(t.Context(), "s", records("c d e f")...); return err },
		}
		if s.caps.Insert {
			stores["Insert"] = func() error { return c.Insert(t.Context(), records("c d e f")...) }
		}
		for verb, store := range stores {
			var bad *vecwire.ValueError
			require.ErrorAs(t, store(), &bad, verb)
			require.Equal(t, "MaxRecords", bad.Field)
			require.Contains(t, bad.Want, "3")
			require.Contains(t, bad.Got, "4")
		}
		has(t, c, "a b")
		_, err := s.db.CreateCollection(t.Context(), vecwire.Schema{Name: s.name(), Dim: 2, MaxRecords: -1})
		require.ErrorAs(t, err, new(*vecwire.SchemaError))
	})
	run(t, "transactions", func(t *testing.T) {
		c := fill(t, "a b c")
		undone := errors.New("undone")
		require.ErrorIs(t, s.db.Tx(t.Context(), func(ctx context.Context) error {
			return errors.Join(c.Upsert(ctx, record("d")), undone)
		}), undone)
		has(t, c, "a b c")
		require.NoError(t, s.db.Tx(t.Context(), func(ctx context.Context) error {
			if _, err := c.Get(ctx, "a"); err != nil {
				return err
			}
			for _, id := range []string{"d", "e"} {
				if err := c.Upsert(ctx, record(id)); err != nil {
					return err
				}
				if n, err := c.Count(ctx, filter.Filter{}); err != nil || n != 3 {
					return fmt.Errorf("%d, %w", n, err)
				}
			}
			return nil
		}))
		has(t, c, "a d e")
	})
	run(t, "what was deleted, or undone, leaves room", func(t *testing.T) {
		c := fill(t, "a b c")
		_, err := c.Delete(t.Context(), "b", "missing")
		require.NoError(t, err)
		require.NoError(t, c.Upsert(t.Context(), records("c d")...))
		has(t, c, "a c d")
		_, err = c.DeleteWhere(t.Context(), filter.Ge("n", int('c')))
		require.NoError(t, err)
		undone := errors.New("undone")
		require.ErrorIs(t, s.db.Tx(t.Context(), func(ctx context.Context) error {
			_, err := c.Delete(ctx, "a")
			return errors.Join(err, c.Upsert(ctx, records("x y z")...), undone)
		}), undone)
		require.NoError(t, c.Upsert(t.Context(), records("e f")...))
		has(t, c, "a e f")
		require.NoError(t, c.Upsert(t.Context(), record("g")))
		has(t, c, "e f g")
	})
	run(t, "namespaces", func(t *testing.T) {
		c := s.create(t, schema)
		x, err := c.Namespace("x")
		require.NoError(t, err)
		y, err := c.Namespace("y")
		require.NoError(t, err)
		require.NoError(t, x.Upsert(t.Context(), records("a b")...))
		require.NoError(t, y.Upsert(t.Context(), record("a")))
		get(t, x, "a")
		require.NoError(t, y.Upsert(t.Context(), record("b")))
		has(t, c, "x/a y/a y/b")
		has(t, x, "a")
	})
	run(t, "what has expired goes first", func(t *testing.T) {
		timed := schema
		timed.Fields = append(slices.Clone(schema.Fields), vecwire.Field{Name: "until", Type: vecwire.Time, Expires: true})
		c := s.create(t, timed)
		now := time.Now().Add(time.Hour)
		r := record("b")
		r.Fields["until"] = now
		require.NoError(t, c.Upsert(t.Context(), record("a"), r, record("c")))
		require.NoError(t, c.Upsert(expiry.At(t.Context(), now), record("d")))
		has(t, c, "a c d")
	})
	run(t, "altered", func(t *testing.T) {
		c := fill(t, "c b a")
		name := c.Schema().Name
		alter := func(a vecwire.Alter) {
			t.Helper()
			require.NoError(t, s.db.AlterCollection(t.Context(), name, a))
		}
		two, none := 2, 0
		get(t, c, "c")
		alter(vecwire.Alter{MaxRecords: &two, AddFields: []vecwire.Field{{Name: "more"}}, DropFields: []string{"n"}})
		has(t, c, "a c")
		require.Equal(t, 2, c.Schema().MaxRecords)
		require.Len(t, c.Schema().Fields, 3)
		plain := func(ids string) (out []vecwire.Record) {
			for _, r := range records(ids) {
				r.Fields = vecwire.Fields{"more": "m"}
				out = append(out, r)
			}
			return out
		}
		get(t, c, "a")
		alter(vecwire.Alter{Rename: s.name() + "x"})
		name = c.Schema().Name
		require.NoError(t, c.Upsert(t.Context(), plain("d")...))
		has(t, c, "a d")
		alter(vecwire.Alter{MaxRecords: &none})
		require.Zero(t, c.Schema().MaxRecords)
		require.NoError(t, c.Upsert(t.Context(), plain("e f g")...))
		has(t, c, "a d e f g")
		again, err := s.db.OpenCollection(t.Context(), name)
		require.NoError(t, err)
		require.Equal(t, c.Schema(), again.Schema())
		alter(vecwire.Alter{MaxRecords: &two})
		has(t, c, "f g")
		get(t, c, "f")
		require.NoError(t, c.Upsert(t.Context(), plain("h")...))
		has(t, c, "f h")
		less := -1
		require.ErrorAs(t, s.db.AlterCollection(t.Context(), name, vecwire.Alter{MaxRecords: &less}), new(*vecwire.SchemaError))

		want := c.Schema()
		_, err = s.db.EnsureCollection(t.Context(), want)
		require.NoError(t, err)
		want.MaxRecords = 5
		_, err = s.db.EnsureCollection(t.Context(), want)
		require.ErrorAs(t, err, new(*vecwire.SchemaError))
		require.ErrorContains(t, err, "MaxRecords is 2, want 5")
		require.ErrorContains(t, err, "AlterCollection")
	})
	run(t, "reembed", func(t *testing.T) {
		modelled := schema
		modelled.Model = "old"
		c := s.create(t, modelled)
		require.NoError(t, c.Upsert(t.Context(), records("a b c")...))
		c, _, err := s.db.Reembed(t.Context(), c.Schema().Name, newCounting("new", 2), vecwire.ReembedOptions{})
		require.NoError(t, err)
		require.Equal(t, 3, c.Schema().MaxRecords)
		has(t, c, "a b c")
		get(t, c, "a")
		require.NoError(t, c.Upsert(t.Context(), record("d")))
		has(t, c, "a c d")
	})
	run(t, "named vectors", func(t *testing.T) {
		if !s.caps.Vectors {
			t.Skip("the engine has no named vectors")
		}
		named := schema
		named.Vectors = []vecwire.VectorField{{Name: "other", Dim: 2, Metric: vecwire.Dot}}
		c := s.create(t, named)
		for _, r := range records("a b c d") {
			r.Vectors = map[string][]float32{"other": r.Vector}
			require.NoError(t, c.Upsert(t.Context(), r))
		}
		hits, err := c.Search(t.Context(), vecwire.Query{In: "other", Vector: []float32{0, -1}, Exact: true, K: 1})
		require.NoError(t, err)
		require.Equal(t, []string{"b"}, hitIDs(hits))
		require.NoError(t, c.Upsert(t.Context(), record("e")))
		has(t, c, "b d e")
	})
	run(t, "a mirror", func(t *testing.T) {
		c := fill(t, "a b c")
		m, err := c.Mirror(t.Context(), vecwire.MirrorOptions{})
		require.NoError(t, err)
		defer m.Close()
		hits, err := m.Search(t.Context(), vecwire.Query{Vector: []float32{0, -1}, K: 1})
		require.NoError(t, err)
		require.Equal(t, []string{"a"}, hitIDs(hits))
		require.NoError(t, m.Upsert(t.Context(), record("d")))
		has(t, c, "a c d")
	})
	run(t, "many writers", func(t *testing.T) {
		few := schema
		few.MaxRecords = 10
		c := s.create(t, few)
		handles := []*vecwire.Collection{c}
		open := func(db *vecwire.DB) {
			h, err := db.OpenCollection(t.Context(), c.Schema().Name)
			require.NoError(t, err)
			handles = append(handles, h)
		}
		open(s.db)
		if s.target.Shared {
			other := s.target.Open(t)
			defer other.Close()
			open(other)
		}
		group, ctx := errgroup.WithContext(t.Context())
		for w, c := range handles {
			group.Go(func() error {
				for i := range s.sample(40) {
					some := records(fmt.Sprintf("a%d-%d b%d-%d c%d-%d", w, i, w, i, w, i))
					if err := c.Upsert(ctx, some...); err != nil {
						return err
					}
					if _, err := c.Get(ctx, some[i%3].ID); err != nil {
						return err
					}
				}
				return nil
			})
			group.Go(func() error {
				for range s.sample(40) {
					if n, err := c.Count(ctx, filter.Filter{}); err != nil || n > 10 {
						return fmt.Errorf("%d records, %w", n, err)
					}
				}
				return nil
			})
		}
		require.NoError(t, group.Wait())
		n, err := c.Count(t.Context(), filter.Filter{})
		require.NoError(t, err)
		require.Equal(t, 10, n)
	})
	run(t, "many uses", func(t *testing.T) {
		large := schema
		large.MaxRecords = 1000
		c := s.create(t, large)
		var all []vecwire.Record
		var ids []string
		for i := range large.MaxRecords {
			r := record("r")
			r.ID = fmt.Sprintf("%04d", i)
			all, ids = append(all, r), append(ids, r.ID)
		}
		require.NoError(t, c.Upsert(t.Context(), all...))
		get(t, c, ids[:400]...)
		get(t, c, ids[399])
		for i := range 600 {
			all[i].ID = fmt.Sprintf("new%d", i)
		}
		require.NoError(t, c.Upsert(t.Context(), all[:600]...))
		found, err := c.Get(t.Context(), ids...)
		require.NoError(t, err)
		require.Equal(t, ids[:400], idsOf(found))
	})
	run(t, "what was used is known after it was closed", func(t *testing.T) {
		c := fill(t, "a b c")
		get(t, c, "a")
		require.NoError(t, c.Close())
		c, err := s.db.OpenCollection(t.Context(), c.Schema().Name)
		require.NoError(t, err)
		require.Equal(t, 3, c.Schema().MaxRecords)
		require.NoError(t, c.Upsert(t.Context(), record("d")))
		has(t, c, "a c d")
		if !s.target.Shared {
			return
		}
		other := s.target.Open(t)
		there, err := other.OpenCollection(t.Context(), c.Schema().Name)
		require.NoError(t, err)
		get(t, there, "a")
		get(t, there, "c")
		require.NoError(t, other.Close())
		require.NoError(t, c.Upsert(t.Context(), record("e")))
		has(t, c, "a c e")
	})
}
