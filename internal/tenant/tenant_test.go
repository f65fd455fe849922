package tenant_test

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
	"github.com/vecwire/vecwire/internal/local"
	"github.com/vecwire/vecwire/internal/tenant"
)

// shared opens a collection of the embedded engine in memory that tenants share.
// The tenant's name stands between two other fields.
func shared(t testing.TB) engine.Collection {
	t.Helper()
	e, err := local.Open(t.Context(), local.Options{Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, e.Close()) })
	c, err := e.Create(t.Context(), engine.Schema{Name: "docs", Dim: 2, Metric: codec.Dot, FullText: engine.Words, Fields: []engine.Field{
		{Name: "n", Type: filter.Int}, {Name: "tenant", Type: filter.String, Index: true}, {Name: "s", Type: filter.String},
	}})
	require.NoError(t, err)
	return c
}

const place = 1 // of the field tenant

func record(id string, n int, s string) engine.Record {
	return engine.Record{ID: id, Vector: engine.Vector{F32: []float32{float32(n), 1}}, Text: "word " + s, Fields: []any{int64(n), s}}
}

func TestSchema(t *testing.T) {
	c := shared(t)
	a := tenant.New(c, "a", place)
	require.Equal(t, []engine.Field{{Name: "n", Type: filter.Int}, {Name: "s", Type: filter.String}}, a.Schema().Fields)
	require.Len(t, c.Schema().Fields, 3, "the inner schema is as it was")
	want := c.Can()
	require.True(t, want.Indexes)
	require.True(t, want.Usage)
	want.Indexes, want.Usage = false, false
	require.Equal(t, want, a.Can())
	require.ErrorIs(t, a.BuildIndex(t.Context(), engine.IndexPlan{}), engine.ErrUnsupported)
	_, err := a.Indexes(t.Context())
	require.ErrorIs(t, err, engine.ErrUnsupported)
	require.ErrorIs(t, a.DropIndex(t.Context(), "x"), engine.ErrUnsupported)
	_, err = a.Usage(t.Context())
	require.ErrorIs(t, err, engine.ErrUnsupported)
}

// TestVerbs runs each verb beside a second tenant that has the same IDs.
func TestVerbs(t *testing.T) {
	ctx := t.Context()
	c := shared(t)
	a, b := tenant.New(c, "a", place), tenant.New(c, "b", place)
	require.NoError(t, b.Upsert(ctx, []engine.Record{record("1", 10, "b"), record("2", 20, "b")}))
	given := []engine.Record{record("1", 1, "x"), record("2", 2, "y")}
	require.NoError(t, a.Upsert(ctx, given))
	require.Equal(t, []engine.Record{record("1", 1, "x"), record("2", 2, "y")}, given, "the caller's records are as they were")
	require.NoError(t, a.Insert(ctx, []engine.Record{record("3", 3, "z")}))
	require.ErrorIs(t, a.Insert(ctx, []engine.Record{record("3", 3, "z")}), engine.ErrExists)

	all := []engine.Record{record("1", 1, "x"), record("2", 2, "y"), record("3", 3, "z")}
	got, err := a.Get(ctx, []string{"3", "2", "1", "a/1", "b/1", "/1"}, true)
	require.NoError(t, err)
	require.ElementsMatch(t, all, got)
	got, err = a.Scan(ctx, engine.Scan{Limit: 10, Vectors: true})
	require.NoError(t, err)
	require.Equal(t, all, got)
	got, err = a.Scan(ctx, engine.Scan{Limit: 10, Vectors: true, After: "1", Filter: filter.Lt("id", "3")})
	require.NoError(t, err)
	require.Equal(t, all[1:2], got)
	results, err := a.Search(ctx, []engine.Search{{Vector: all[0].Vector, K: 10, Payload: true, Vectors: true}})
	require.NoError(t, err)
	require.Len(t, results[0].Hits, 3)
	require.Equal(t, all[2], results[0].Hits[0].Record)
	found, err := a.SearchText(ctx, []engine.TextSearch{{Text: "word", K: 10, Payload: true}, {Text: "b", K: 10}})
	require.NoError(t, err)
	require.Len(t, found[0], 3)
	require.Empty(t, found[1])

	n, err := a.Delete(ctx, []string{"1", "b/1"})
	require.NoError(t, err)
	require.Equal(t, 1, n)
	n, err = a.DeleteWhere(ctx, filter.Filter{})
	require.NoError(t, err)
	require.Equal(t, 2, n)
	n, err = b.Count(ctx, filter.Filter{})
	require.NoError(t, err)
	require.Equal(t, 2, n, "the other tenant has all its records")
}

// TestFilters compares filters over IDs in a namespace with the same filters over
// a collection of its own.
func TestFilters(t *testing.T) {
	ctx := t.Context()
	c, alone := shared(t), shared(t)
	a, other := tenant.New(c, "a", place), tenant.New(c, "a.b", place)
	ids := []string{"1", "10", "2", "a", "a/1", "é", "~"}
	for i, id := range ids {
		require.NoError(t, a.Upsert(ctx, []engine.Record{record(id, i, "")}))
		require.NoError(t, other.Upsert(ctx, []engine.Record{record(id, i, "")}))
		r := record(id, i, "")
		r.Fields = []any{int64(i), nil, ""}
		require.NoError(t, alone.Upsert(ctx, []engine.Record{r}))
	}
	rng := rand.New(rand.NewPCG(5, 0))
	id := func() string { return ids[rng.IntN(len(ids))] }
	var some func(depth int) filter.Filter
	some = func(depth int) filter.Filter {
		if depth > 0 {
			switch rng.IntN(4) {
			case 0:
				return filter.And(some(depth-1), some(depth-1))
			case 1:
				return filter.Or(some(depth-1), some(depth-1))
			case 2:
				return filter.Not(some(depth - 1))
			}
		}
		return []filter.Filter{
			filter.Eq("id", id()), filter.Ne("id", id()), filter.Lt("id", id()), filter.Le("id", id()), filter.Gt("id", id()), filter.Ge("id", id()),
			filter.In("id", id(), id()), filter.NotIn("id", id(), id()), filter.Between("id", id(), id()), filter.Prefix("id", id()[:1]),
			filter.IsNull("id"), filter.Gt("n", int64(rng.IntN(7))),
		}[rng.IntN(12)]
	}
	for range 300 {
		f, err := some(3).Check(func(field string) (filter.Type, bool) {
			return map[string]filter.Type{"id": filter.String, "n": filter.Int}[field], true
		})
		if err != nil {
			continue // such as a Between from a greater value to a smaller one
		}
		want, err := engine.ScanIDs(ctx, engine.Scan{Filter: f}, alone.Scan)
		require.NoError(t, err)
		got, err := engine.ScanIDs(ctx, engine.Scan{Filter: f}, a.Scan)
		require.NoError(t, err)
		require.Equal(t, want, got, "%s", f)
		n, err := a.Count(ctx, f)
		require.NoError(t, err)
		require.Len(t, want, n, "%s", f)
	}
}

// TestContains refuses what would find the prefix, in every verb that takes a
// filter.
func TestContains(t *testing.T) {
	ctx := t.Context()
	a := tenant.New(shared(t), "a", place)
	f := filter.Or(filter.Eq("n", int64(1)), filter.Not(filter.Contains("id", "a")))
	for verb, run := range map[string]func() error{
		"Count":       func() error { _, err := a.Count(ctx, f); return err },
		"DeleteWhere": func() error { _, err := a.DeleteWhere(ctx, f); return err },
		"Scan":        func() error { _, err := a.Scan(ctx, engine.Scan{Filter: f, Limit: 1}); return err },
		"Search":      func() error { _, err := a.Search(ctx, []engine.Search{{Filter: f, K: 1}}); return err },
		"Facet":       func() error { _, err := a.Facet(ctx, engine.Facet{Field: "n", Filter: f, Limit: 1}); return err },
		"SearchText":  func() error { _, err := a.SearchText(ctx, []engine.TextSearch{{Filter: f, K: 1}}); return err },
	} {
		var refused *filter.Error
		require.ErrorAs(t, run(), &refused, verb)
		require.Equal(t, "id", refused.Field)
	}
}

// leaky is a collection that lets every filter pass all records.
type leaky struct{ engine.Collection }

func (l leaky) Scan(ctx context.Context, s engine.Scan) ([]engine.Record, error) {
	s.Filter, s.After = filter.Filter{}, ""
	return l.Collection.Scan(ctx, s)
}

func (l leaky) Search(ctx context.Context, searches []engine.Search) ([]engine.Result, error) {
	for i := range searches {
		searches[i].Filter = filter.Filter{}
	}
	return l.Collection.Search(ctx, searches)
}

// TestForeignRecords has the inner collection return a record of another tenant:
// that is an error, and no answer.
func TestForeignRecords(t *testing.T) {
	ctx := t.Context()
	c := shared(t)
	a := tenant.New(leaky{c}, "a", place)
	for name, foreign := range map[string]engine.Record{
		"another tenant's": {ID: "b/1", Fields: []any{nil, "b", nil}},
		"of another field": {ID: "a/2", Fields: []any{nil, "b", nil}},
		"of no tenant":     {ID: "a/3", Fields: []any{nil, nil, nil}},
	} {
		t.Run(name, func(t *testing.T) {
			foreign.Vector = engine.Vector{F32: []float32{1, 1}}
			require.NoError(t, c.Upsert(ctx, []engine.Record{foreign}))
			_, err := a.Scan(ctx, engine.Scan{Limit: 10})
			require.ErrorContains(t, err, fmt.Sprintf("%q", foreign.ID))
			_, err = a.Search(ctx, []engine.Search{{Vector: foreign.Vector, K: 10, Payload: true}})
			require.ErrorContains(t, err, "namespace a")
			_, err = c.DeleteWhere(ctx, filter.Filter{})
			require.NoError(t, err)
		})
	}
}

func TestPrefixes(t *testing.T) {
	require.Equal(t, "a/", tenant.Prefix("a"))
	require.False(t, strings.HasPrefix(tenant.Prefix("ab"), tenant.Prefix("a")))
}
