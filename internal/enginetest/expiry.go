package enginetest

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/expiry"
)

// expiry: a record whose time has passed is there for no verb. The clock of a call is
// the one that its context carries.
func (s *suite) expiry(t *testing.T) {
	born := time.Now().Add(time.Hour).UTC().Truncate(time.Microsecond) // ahead of the sweeps in the background
	at := func(minutes int) context.Context {
		return expiry.At(t.Context(), born.Add(time.Duration(minutes)*time.Minute))
	}
	schema := vecwire.Schema{Dim: 2, Metric: vecwire.Dot, Fields: []vecwire.Field{
		{Name: vecwire.SourceField, Index: true}, {Name: vecwire.PartField, Type: vecwire.Int},
		{Name: "n", Type: vecwire.Int, Index: true}, {Name: "until", Type: vecwire.Time, Expires: true}, {Name: vecwire.NamespaceField, Index: true},
	}}
	if s.caps.FullText {
		schema.FullText = vecwire.Words
	}
	// Record i lives for i minutes; those of the thirties never expire.
	record := func(i int) vecwire.Record {
		r := vecwire.Record{ID: fmt.Sprintf("%02d", i), Vector: []float32{1, float32(40 - i)}, Text: fmt.Sprintf("word number%d", i), Fields: vecwire.Fields{"n": i % 4, vecwire.SourceField: "s", vecwire.PartField: i}}
		if i < 30 {
			r.Fields["until"] = born.Add(time.Duration(i) * time.Minute)
		}
		return r
	}
	var all []vecwire.Record
	for i := range 35 {
		all = append(all, record(i))
	}
	fill := func(t *testing.T) *vecwire.Collection {
		t.Helper()
		c := s.create(t, schema)
		require.NoError(t, c.Upsert(at(-1), all...))
		return c
	}
	// alive are the IDs of those that are there after so many minutes.
	alive := func(minutes int, keep func(i int) bool) (ids []string) {
		for i := range 35 {
			if (i > minutes || i >= 30) && (keep == nil || keep(i)) {
				ids = append(ids, fmt.Sprintf("%02d", i))
			}
		}
		return ids
	}
	scan := func(ctx context.Context, c *vecwire.Collection, s vecwire.Scan) (ids []string) {
		t.Helper()
		for r, err := range c.All(ctx, s) {
			require.NoError(t, err)
			ids = append(ids, r.ID)
		}
		return ids
	}
	q := vecwire.Query{Vector: []float32{0, 1}, Exact: true}
	odd := filter.In("n", 1, 3)
	isOdd := func(i int) bool { return i%2 == 1 }

	run(t, "no verb returns it", func(t *testing.T) {
		c := fill(t)
		require.True(t, c.Schema().Fields[3].Expires)
		require.True(t, c.Schema().Fields[3].Index)
		times := []int{-1, 0, 1, 13, 29, 100}
		if s.target.Light {
			times = []int{0, 13}
		}
		for _, minutes := range times {
			ctx, want := at(minutes), alive(minutes, nil)
			got, err := c.Get(ctx, alive(-1, nil)...)
			require.NoError(t, err)
			require.Equal(t, want, idsOf(got))
			n, err := c.Count(ctx, filter.Filter{})
			require.NoError(t, err)
			require.Equal(t, len(want), n)
			n, err = c.Count(ctx, odd)
			require.NoError(t, err)
			require.Len(t, alive(minutes, isOdd), n)
			require.Equal(t, want, scan(ctx, c, vecwire.Scan{}))
			require.Equal(t, alive(minutes, isOdd), scan(ctx, c, vecwire.Scan{Filter: odd, Vectors: true}))
			require.Equal(t, want, scan(ctx, c, vecwire.Scan{OrderBy: "until"}))
			require.Equal(t, want[:min(3, len(want))], scan(ctx, c, vecwire.Scan{Limit: 3}))
			for _, k := range []int{1, 4, 35, 5000} {
				for _, f := range []filter.Filter{{}, odd, filter.Not(odd), filter.Or(odd, filter.Gt("until", born))} {
					for _, idsOnly := range []bool{false, true} {
						q := q
						q.K, q.Filter, q.IDsOnly = k, f, idsOnly
						hits, err := c.Search(ctx, q)
						require.NoError(t, err)
						passing := scan(ctx, c, vecwire.Scan{Filter: f})
						require.Equal(t, passing[:min(k, len(passing))], hitIDs(hits), "K %d after %d minutes", k, minutes)
						for _, h := range hits {
							require.Equal(t, idsOnly, h.Fields == nil)
							require.Equal(t, idsOnly, h.Text == "")
						}
					}
				}
			}
			var streamed []string
			for h, err := range c.SearchAll(ctx, q) {
				require.NoError(t, err)
				streamed = append(streamed, h.ID)
			}
			require.Equal(t, want, streamed)
			if s.caps.Facets {
				counts, err := c.Facet(ctx, "n", vecwire.FacetOptions{})
				require.NoError(t, err)
				total := 0
				for _, c := range counts {
					total += c.Count
				}
				require.Len(t, want, total)
			}
			least, _, err := c.Range(ctx, "n", filter.Eq(vecwire.PartField, 7))
			require.NoError(t, err)
			require.Equal(t, minutes < 7, least != nil)
			groups, err := c.Search(ctx, vecwire.Query{Vector: []float32{0, 1}, Exact: true, GroupBy: "n"})
			require.NoError(t, err)
			require.Equal(t, want[:min(4, len(want))], hitIDs(groups))
			around, err := c.Search(ctx, vecwire.Query{Vector: []float32{0, 1}, Exact: true, K: 1, Around: 50})
			require.NoError(t, err)
			require.Equal(t, want, idsOf(around[0].Passage.Records))
			p, err := c.Source(ctx, "s")
			require.NoError(t, err)
			require.Equal(t, want, idsOf(p.Records))
			results, err := c.SearchMany(ctx, []vecwire.Query{{Vector: []float32{0, 1}, K: 2, Exact: true}, {Vector: []float32{0, 1}, K: 50, Exact: true, IDsOnly: true}, {Vector: []float32{0, -1}, K: 1, Exact: true}})
			require.NoError(t, err)
			require.Equal(t, want[:2], hitIDs(results[0].Hits))
			require.Equal(t, want, hitIDs(results[1].Hits))
			require.Equal(t, want[len(want)-1:], hitIDs(results[2].Hits))
			if s.caps.FullText {
				for _, fusion := range []vecwire.Fusion{{}, {TextOnly: true}, {Syntax: vecwire.Web}} {
					q := vecwire.Query{Text: "word", Fusion: &fusion, K: 100}
					if !fusion.TextOnly {
						q.Vector = []float32{0, 1}
					}
					hits, err := c.Search(ctx, q)
					require.NoError(t, err)
					got := hitIDs(hits)
					slices.Sort(got)
					require.Equal(t, want, got)
				}
			}
		}
		n, err := c.Count(at(-1), filter.Filter{})
		require.NoError(t, err)
		require.Equal(t, 35, n, "looking changes nothing")
	})
	run(t, "no verb changes it", func(t *testing.T) {
		if !s.caps.Update {
			t.Skip("the engine has no Update")
		}
		c := fill(t)
		ctx := at(10)
		err := c.Update(ctx, vecwire.Change{ID: "11", Set: vecwire.Fields{"n": 9}}, vecwire.Change{ID: "10", Set: vecwire.Fields{"until": born.Add(time.Hour)}})
		require.ErrorIs(t, err, vecwire.ErrNotFound)
		require.NoError(t, c.Update(ctx, vecwire.Change{ID: "11", Set: vecwire.Fields{"until": born.Add(50 * time.Minute)}}), "a life is made longer")
		got, err := c.Get(at(40), "10", "11", "12")
		require.NoError(t, err)
		require.Equal(t, []string{"11"}, idsOf(got))
		n, err := c.UpdateWhere(ctx, filter.Filter{}, vecwire.Fields{"until": born.Add(30 * time.Minute)})
		require.NoError(t, err)
		require.Equal(t, 24, n)
		n, err = c.Count(at(29), filter.Filter{})
		require.NoError(t, err)
		require.Equal(t, 24, n)
	})
	run(t, "its ID is free", func(t *testing.T) {
		c := fill(t)
		again := record(3)
		again.Fields["until"], again.Text = born.Add(time.Hour), "again"
		if s.caps.Insert {
			require.ErrorIs(t, c.Insert(at(2), again), vecwire.ErrExists)
			require.NoError(t, c.Insert(at(3), again))
		} else {
			require.NoError(t, c.Upsert(at(3), again))
		}
		got, err := c.Get(at(4), "03")
		require.NoError(t, err)
		require.Equal(t, "again", got[0].Text)
		again.ID, again.Fields["until"] = "04", nil
		require.NoError(t, c.Upsert(at(4), again))
		got, err = c.Get(at(500), "04")
		require.NoError(t, err)
		require.Len(t, got, 1, "it lives again")
		again.ID, again.Fields["until"] = "05", born.Add(-time.Hour)
		require.NoError(t, c.Upsert(at(4), again))
		got, err = c.Get(at(4), "05")
		require.NoError(t, err)
		require.Empty(t, got, "it was dead when it came")

		report, err := c.Ingest(at(10), input(record(8), record(12)), vecwire.IngestOptions{})
		require.NoError(t, err)
		require.EqualValues(t, 1, report.Inserted, "%+v", report)
		require.EqualValues(t, 1, report.Unchanged, "%+v", report)
	})
	run(t, "delete", func(t *testing.T) {
		c := fill(t)
		n, err := c.Delete(at(10), "09", "10", "11", "12", "none")
		require.NoError(t, err)
		require.Equal(t, 2, n)
		n, err = c.DeleteWhere(at(10), odd)
		require.NoError(t, err)
		require.Len(t, alive(12, isOdd), n)
		n, err = c.DeleteWhere(at(10), filter.Filter{})
		require.NoError(t, err)
		require.Len(t, alive(12, func(i int) bool { return !isOdd(i) }), n)
		report, err := c.ReplaceSource(at(20), "s", record(25))
		require.NoError(t, err)
		require.EqualValues(t, 1, report.Inserted)
		require.EqualValues(t, 0, report.Deleted)
	})
	run(t, "sweep", func(t *testing.T) {
		c := fill(t)
		for i, want := range []int{11, 0, 19} {
			n, err := c.DeleteExpired(at([]int{10, 10, 300}[i]))
			require.NoError(t, err)
			require.Equal(t, want, n)
		}
		n, err := c.Count(at(-1), filter.Filter{})
		require.NoError(t, err)
		require.Equal(t, 5, n)
		var many []vecwire.Record
		for i := range s.sample(1500) {
			r := record(1)
			r.ID = fmt.Sprintf("m%d", i)
			many = append(many, r)
		}
		require.NoError(t, c.Upsert(at(-1), many...))
		n, err = c.DeleteExpired(at(1))
		require.NoError(t, err)
		require.Len(t, many, n)
	})
	run(t, "namespaces", func(t *testing.T) {
		c := s.create(t, schema)
		x, err := c.Namespace("x")
		require.NoError(t, err)
		y, err := c.Namespace("y")
		require.NoError(t, err)
		require.NoError(t, x.Upsert(at(-1), all...))
		require.NoError(t, y.Upsert(at(-1), all...))
		require.Equal(t, alive(20, nil), scan(at(20), x, vecwire.Scan{}))
		hits, err := x.Search(at(20), vecwire.Query{Vector: []float32{0, 1}, Exact: true, K: 50})
		require.NoError(t, err)
		require.Equal(t, alive(20, nil), hitIDs(hits))
		n, err := x.DeleteExpired(at(20))
		require.NoError(t, err)
		require.Equal(t, 21, n)
		n, err = y.Count(at(-1), filter.Filter{})
		require.NoError(t, err)
		require.Equal(t, 35, n)
	})
	run(t, "mirror", func(t *testing.T) {
		c := fill(t)
		m, err := c.Mirror(at(5), vecwire.MirrorOptions{})
		require.NoError(t, err)
		defer m.Close()
		require.Equal(t, 29, m.Stats().Records)
		for _, minutes := range []int{5, 6, 25} {
			for _, idsOnly := range []bool{false, true} {
				for _, k := range []int{3, 40} {
					hits, err := m.Search(at(minutes), vecwire.Query{Vector: []float32{0, 1}, Exact: true, K: k, IDsOnly: idsOnly})
					require.NoError(t, err)
					want := alive(minutes, nil)
					require.Equal(t, want[:min(k, len(want))], hitIDs(hits))
				}
			}
			got, err := m.Get(at(minutes), "05", "06", "07")
			require.NoError(t, err)
			require.ElementsMatch(t, alive(minutes, func(i int) bool { return i >= 5 && i <= 7 }), idsOf(got))
		}
		again := record(3)
		again.Fields["until"] = born.Add(2 * time.Hour)
		require.NoError(t, m.Upsert(at(25), again))
		hits, err := m.Search(at(25), vecwire.Query{Vector: []float32{0, 1}, Exact: true, K: 1, IDsOnly: true})
		require.NoError(t, err)
		require.Equal(t, []string{"03"}, hitIDs(hits))
		require.NoError(t, m.Refresh(at(25)))
		require.Equal(t, 10, m.Stats().Records)
		n, err := m.DeleteExpired(at(29))
		require.NoError(t, err)
		require.Equal(t, 29, n, "all but 03, which lives again, and those that never expire")
	})
	run(t, "transactions", func(t *testing.T) {
		if !s.caps.Transactions {
			t.Skip("the engine has no transactions")
		}
		c := fill(t)
		require.NoError(t, s.db.Tx(at(10), func(ctx context.Context) error {
			if n, err := c.Count(ctx, filter.Filter{}); err != nil || n != 24 {
				return fmt.Errorf("%d, %w", n, err)
			}
			r := record(7)
			r.Fields["until"] = nil
			if err := c.Upsert(ctx, r); err != nil {
				return err
			}
			hits, err := c.Search(ctx, vecwire.Query{Vector: []float32{0, 1}, Exact: true, K: 1})
			if err != nil || hits[0].ID != "07" {
				return fmt.Errorf("%v, %w", hits, err)
			}
			return nil
		}))
	})
	run(t, "an index", func(t *testing.T) {
		if !s.caps.Indexes {
			t.Skip("the engine has no indexes")
		}
		c := fill(t)
		require.NoError(t, c.BuildIndex(at(0), vecwire.IndexOptions{}))
		hits, err := c.Search(at(20), vecwire.Query{Vector: []float32{0, 1}, K: 5})
		require.NoError(t, err)
		require.Equal(t, alive(20, nil)[:5], hitIDs(hits))
	})
	run(t, "named vectors", func(t *testing.T) {
		if !s.caps.Vectors {
			t.Skip("the engine has no named vectors")
		}
		named := schema
		named.Vectors = []vecwire.VectorField{{Name: "other", Dim: 2, Metric: vecwire.Dot}}
		c := s.create(t, named)
		for i := range 35 {
			r := record(i)
			r.Vectors = map[string][]float32{"other": {1, float32(i)}}
			require.NoError(t, c.Upsert(at(-1), r))
		}
		in, err := c.In("other")
		require.NoError(t, err)
		for _, q := range []vecwire.Query{{IDsOnly: true}, {Filter: odd}, {K: 5000}} {
			q.Vector, q.Exact = []float32{0, -1}, true // those that die first are the nearest
			hits, err := in.Search(at(10), q)
			require.NoError(t, err)
			want := scan(at(10), c, vecwire.Scan{Filter: q.Filter})
			require.Equal(t, want[:min(max(q.K, 10), len(want))], hitIDs(hits))
		}
		n, err := c.DeleteExpired(at(10))
		require.NoError(t, err)
		require.Equal(t, 11, n)
		n, err = in.Count(at(-1), filter.Filter{})
		require.NoError(t, err)
		require.Equal(t, 24, n)
	})
	run(t, "altered", func(t *testing.T) {
		if !s.caps.Alter {
			t.Skip("the engine cannot alter collections")
		}
		plain := schema
		plain.Fields = slices.Clone(schema.Fields)
		plain.Fields[3].Expires = false
		c := s.create(t, plain)
		require.NoError(t, c.Upsert(at(-1), all...))
		name := c.Schema().Name
		count := func(want int) {
			t.Helper()
			n, err := c.Count(at(10), filter.Filter{})
			require.NoError(t, err)
			require.Equal(t, want, n)
		}
		count(35)
		var bad *vecwire.SchemaError
		_, err := c.DeleteExpired(at(10))
		require.ErrorAs(t, err, &bad)
		require.NoError(t, s.db.AlterCollection(t.Context(), name, vecwire.Alter{Expires: map[string]bool{"until": true}}))
		require.True(t, c.Schema().Fields[3].Index)
		count(24)
		again, err := s.db.OpenCollection(t.Context(), name)
		require.NoError(t, err)
		require.True(t, again.Schema().Fields[3].Expires)
		require.NoError(t, s.db.AlterCollection(t.Context(), name, vecwire.Alter{RenameFields: map[string]string{"until": "end"}}))
		count(24)
		require.NoError(t, s.db.AlterCollection(t.Context(), name, vecwire.Alter{Expires: map[string]bool{"end": false}}))
		count(35)
		for _, field := range []string{"n", "none"} {
			err = s.db.AlterCollection(t.Context(), name, vecwire.Alter{Expires: map[string]bool{field: true}})
			require.ErrorAs(t, err, &bad)
			require.Equal(t, field, bad.Field)
		}
		// EnsureCollection adds such a field, and refuses to make one of another.
		more := plain
		more.Name, more.Fields = name, append(slices.Clone(plain.Fields[:3]), vecwire.Field{Name: "dies", Type: vecwire.Time, Expires: true})
		c, err = s.db.EnsureCollection(t.Context(), more)
		require.NoError(t, err)
		require.NoError(t, c.Update(at(0), vecwire.Change{ID: "30", Set: vecwire.Fields{"dies": born}}))
		count(34)
		more.Fields[3].Expires = false
		_, err = s.db.EnsureCollection(t.Context(), more)
		require.ErrorAs(t, err, &bad)
		require.Equal(t, "dies", bad.Field)
	})
	run(t, "refusals", func(t *testing.T) {
		for _, fields := range [][]vecwire.Field{
			{{Name: "a", Type: vecwire.Int, Expires: true}},
			{{Name: "b", Type: vecwire.Time, Expires: true}, {Name: "a", Type: vecwire.Time, Expires: true}},
		} {
			_, err := s.db.CreateCollection(t.Context(), vecwire.Schema{Name: s.name(), Dim: 2, Fields: fields})
			var bad *vecwire.SchemaError
			require.ErrorAs(t, err, &bad)
			require.Equal(t, "a", bad.Field)
		}
	})
}
