package vecwire

import (
	"context"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/filter"
)

// twoOf opens a file twice, with a collection in it: to each other the two databases are
// what two processes are.
func twoOf(t *testing.T, schema Schema) (a, b *DB, here, there *Collection) {
	path := filepath.Join(t.TempDir(), "v.db")
	a, here = openCollection(t, path, schema)
	t.Cleanup(func() { require.NoError(t, a.Close()) })
	b, err := Open(t.Context(), path)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, b.Close()) })
	there, err = b.OpenCollection(t.Context(), schema.Name)
	require.NoError(t, err)
	return a, b, here, there
}

// What one process changes in place the other one sees at its next call, although it
// keeps the texts and fields that it has read.
func TestMultiUpdate(t *testing.T) {
	ctx := t.Context()
	a, _, here, there := twoOf(t, Schema{Name: "docs", Dim: 2, FullText: Words, Fields: []Field{{Name: "n", Type: Int, Index: true}, {Name: "tags", Type: Strings, Index: true}}})
	for _, id := range []string{"1", "2", "3"} {
		require.NoError(t, here.Upsert(ctx, Record{ID: id, Vector: []float32{1, 2}, Text: "old", Fields: Fields{"n": 1, "tags": []string{"x"}}}))
	}
	expect := func(what, id, text string, n int, tag string) {
		t.Helper()
		for _, c := range []*Collection{here, there} {
			f := filter.And(filter.Eq("id", id), filter.Eq("n", n), filter.ContainsAny("tags", tag))
			hits, err := c.Search(ctx, Query{Vector: []float32{1, 2}, K: 3, Filter: f})
			require.NoError(t, err, what)
			require.Len(t, hits, 1, what)
			require.Equal(t, text, hits[0].Text, what)
			require.Equal(t, Fields{"n": int64(n), "tags": []string{tag}}, hits[0].Fields, what)
			hits, err = c.Search(ctx, Query{Text: text, K: 3, Filter: f, Fusion: &Fusion{TextOnly: true}})
			require.NoError(t, err, what)
			require.Len(t, hits, 1, what)
			require.Equal(t, text, hits[0].Text, what)
		}
	}
	for range 2 {
		expect("kept", "1", "old", 1, "x")
	}
	require.NoError(t, there.Update(ctx, Change{ID: "1", Set: Fields{"n": 2}}))
	expect("a field", "1", "old", 2, "x")
	require.NoError(t, here.Update(ctx, Change{ID: "1", Text: "new"}))
	expect("a text", "1", "new", 2, "x")
	require.NoError(t, there.Update(ctx, Change{ID: "1", Text: "newer", Set: Fields{"tags": []string{"y"}}, Vector: []float32{2, 1}}))
	expect("all of it", "1", "newer", 2, "y")
	n, err := there.UpdateWhere(ctx, filter.Eq("n", 2), Fields{"n": 3, "tags": []string{"z"}})
	require.NoError(t, err)
	require.Equal(t, 1, n)
	expect("those of a filter", "1", "newer", 3, "z")
	expect("and no other", "2", "old", 1, "x")
	require.NoError(t, a.Tx(ctx, func(ctx context.Context) error {
		_, err := here.UpdateWhere(ctx, filter.Eq("n", 1), Fields{"n": 4})
		return err
	}))
	expect("in a transaction", "3", "old", 4, "x")
}

// Handles to a collection that another process has altered go on with its new schema, and
// return ErrNotFound if it has another name.
func TestMultiAlter(t *testing.T) {
	ctx := t.Context()
	a, b, here, there := twoOf(t, Schema{Name: "docs", Dim: 2, Fields: []Field{{Name: "n", Type: Int, Index: true}, {Name: "tags", Type: Strings, Index: true}}})
	record := Record{ID: "1", Vector: []float32{1, 2}, Text: "text", Fields: Fields{"n": 1, "tags": []string{"x"}}}
	require.NoError(t, there.Upsert(ctx, record))
	count := func(c *Collection, f filter.Filter) int {
		n, err := c.Count(ctx, f)
		require.NoError(t, err)
		return n
	}
	mirror, err := there.Mirror(ctx, MirrorOptions{})
	require.NoError(t, err)
	defer mirror.Close()
	inside := b.Tx(ctx, func(ctx context.Context) error { _, err := there.Count(ctx, filter.Filter{}); return err })
	require.NoError(t, inside)
	require.NoError(t, a.AlterCollection(ctx, "docs", Alter{
		AddFields: []Field{{Name: "m", Type: JSON, Paths: []string{"a.b"}}}, RenameFields: map[string]string{"tags": "labels"},
	}))
	record.Fields = Fields{"n": 1, "labels": []string{"y"}, "m": map[string]any{"a": map[string]any{"b": 7}}}
	require.NoError(t, b.Tx(ctx, func(ctx context.Context) error { return there.Upsert(ctx, record) }))
	require.Equal(t, here.Schema(), there.Schema())
	_, err = mirror.Count(ctx, filter.Filter{})
	require.ErrorIs(t, err, ErrAltered)
	for _, c := range []*Collection{here, there} {
		require.Equal(t, 1, count(c, filter.And(filter.Eq("m.a.b", 7), filter.ContainsAny("labels", "y"))))
	}

	// One alters right after the other, without having looked.
	require.NoError(t, b.AlterCollection(ctx, "docs", Alter{DropFields: []string{"labels"}}))
	require.NoError(t, a.AlterCollection(ctx, "docs", Alter{AddFields: []Field{{Name: "k", Type: Ints, Index: true}}}))
	require.Equal(t, []string{"n", "m", "k"}, fieldNames(here.Schema()), "who alters goes on")
	var schema *SchemaError
	require.ErrorAs(t, there.Upsert(ctx, record), &schema, "there are no labels any more")
	require.Equal(t, 1, count(there, filter.IsNull("k")))
	there, err = b.EnsureCollection(ctx, Schema{Name: "docs", Dim: 2, Fields: []Field{{Name: "more"}}})
	require.NoError(t, err)
	require.Equal(t, []string{"n", "m", "k", "more"}, fieldNames(there.Schema()))

	require.NoError(t, b.AlterCollection(ctx, "docs", Alter{Rename: "papers"}))
	_, err = here.Count(ctx, filter.Filter{})
	require.ErrorIs(t, err, ErrNotFound)
	_, err = a.OpenCollection(ctx, "docs")
	require.ErrorIs(t, err, ErrNotFound)
	here, err = a.OpenCollection(ctx, "papers")
	require.NoError(t, err)
	require.Equal(t, 1, count(here, filter.Eq("m.a.b", 7)))
	require.Equal(t, 1, count(there, filter.Eq("n", 1)), "who renames goes on")
}

func fieldNames(s Schema) (names []string) {
	for _, f := range s.Fields {
		names = append(names, f.Name)
	}
	return names
}

// What codes are like is altered by one process, and the handles of the other follow.
func TestMultiAlterCodes(t *testing.T) {
	ctx := t.Context()
	a, b, here, there := twoOf(t, Schema{Name: "docs", Dim: 64, Metric: L2, Vectors: []VectorField{{Name: "title", Dim: 64}}})
	var records []Record
	for i := range 2100 {
		v := make([]float32, 64)
		for j := range v {
			v[j] = float32((i*31+j*17+i*j)%101) + 1
		}
		records = append(records, Record{ID: strconv.Itoa(i), Vector: v, Vectors: map[string][]float32{"title": v}})
	}
	require.NoError(t, here.Upsert(ctx, records...))
	queries := []Query{{Vector: records[7].Vector, K: 5}, {Vector: records[7].Vector, K: 5, In: "title"}}
	want, err := there.SearchMany(ctx, queries)
	require.NoError(t, err)
	for i, to := range []Codes{FourBits, SevenBits, FourBits} {
		require.NoError(t, []*DB{a, b}[i%2].AlterCollection(ctx, "docs", Alter{Codes: &to}))
		for _, c := range []*Collection{there, here} {
			got, err := c.SearchMany(ctx, queries)
			require.NoError(t, err)
			for j := range want {
				require.Equal(t, want[j].Hits, got[j].Hits)
			}
			require.NoError(t, c.Upsert(ctx, records[i:i+2]...))
		}
		for _, db := range []*DB{a, b} {
			c, err := db.OpenCollection(ctx, "docs")
			require.NoError(t, err)
			require.Equal(t, to, c.Schema().Codes)
		}
	}
}

// Handles to a collection of another process follow when what it altered are the
// collections of named vectors alone.
func TestMultiAlterOfVectors(t *testing.T) {
	ctx := t.Context()
	a, _, here, there := twoOf(t, Schema{Name: "docs", Dim: 2, Vectors: []VectorField{{Name: "title", Dim: 2}}})
	record := Record{ID: "1", Vector: []float32{1, 2}, Vectors: map[string][]float32{"title": {2, 1}}}
	require.NoError(t, there.Upsert(ctx, record))
	require.NoError(t, here.BuildIndex(ctx, IndexOptions{}))
	indexes, err := here.Indexes(ctx)
	require.NoError(t, err)
	require.NoError(t, here.DropIndex(ctx, indexes[0].Name)) // from then on the records' own get none by itself
	_, err = there.Count(ctx, filter.Filter{})
	require.NoError(t, err)
	for _, to := range []Indexing{NoIndex, AutoIndex, NoIndex} {
		require.NoError(t, a.AlterCollection(ctx, "docs", Alter{Index: &to}))
		for _, c := range []*Collection{there, here} {
			require.NoError(t, c.Upsert(ctx, record))
			got, err := c.Get(ctx, "1")
			require.NoError(t, err)
			require.Equal(t, record.Vectors, got[0].Vectors)
			hits, err := c.Search(ctx, Query{Vector: []float32{2, 1}, In: "title"})
			require.NoError(t, err)
			require.Len(t, hits, 1)
		}
	}
}
