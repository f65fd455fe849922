package meta_test

import (
	"encoding/json"
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/adapters/internal/adaptest"
	"github.com/vecwire/vecwire/adapters/internal/meta"
	"github.com/vecwire/vecwire/filter"
)

var schema = vecwire.Schema{Name: "docs", Dim: 2, Fields: []vecwire.Field{
	{Name: "lang", Index: true}, {Name: "year", Type: vecwire.Int}, {Name: meta.Field}, {Name: vecwire.NamespaceField, Index: true},
}}

// Metadata of any shape comes back as it was.
func TestRoundTrip(t *testing.T) {
	for _, typ := range []vecwire.FieldType{vecwire.String, vecwire.JSON} {
		t.Run(typ.String(), func(t *testing.T) { roundTrip(t, typ) })
	}
}

func roundTrip(t *testing.T, typ vecwire.FieldType) {
	s := schema
	s.Fields = slices.Clone(s.Fields)
	s.Fields[2].Type = typ
	m := meta.Of(s)
	given := map[string]any{
		"lang": "go", "year": int64(2026), "meta": "a key of that name", "namespace": "mine",
		"big": int64(math.MaxInt64), "huge": uint64(math.MaxUint64), "tiny": 5e-324, "pi": math.Pi, "off": false, "none": nil,
		"<tags>": []any{"a&b", int64(1), map[string]any{"deep": []any{0.1, "\\ufffd \uFFFD"}}},
	}
	fields, err := m.Fields(given)
	require.NoError(t, err)
	require.Equal(t, "go", fields["lang"])
	require.Len(t, fields, 3)

	if typ == vecwire.JSON { // as it comes back from a collection
		fields[meta.Field], err = vecwire.JSON.Convert(meta.Field, fields[meta.Field])
		require.NoError(t, err)
	}
	found, err := m.Metadata(fields)
	require.NoError(t, err)
	require.Equal(t, "18446744073709551615", found["huge"].(interface{ String() string }).String())
	delete(found, "huge")
	delete(given, "huge")
	require.Equal(t, given, found)

	found, err = m.Metadata(nil)
	require.NoError(t, err)
	require.Equal(t, map[string]any{}, found)
}

// So it does through a database, also what a filter has found.
func TestStored(t *testing.T) {
	adaptest.Each(t, func(t *testing.T, db *vecwire.DB) {
		calls := 0
		docs := adaptest.Collection(t, db, adaptest.Words(&calls), vecwire.Field{Name: "year", Type: vecwire.Int})
		m := meta.Of(docs.Schema())
		given := map[string]any{"year": int64(2026), "big": int64(math.MaxInt64), "deep": map[string]any{"pi": math.Pi}}
		fields, err := m.Fields(given)
		require.NoError(t, err)
		require.NoError(t, docs.Upsert(t.Context(), vecwire.Record{ID: "1", Text: "some words", Fields: fields}))
		hits, err := docs.Search(t.Context(), vecwire.Query{Text: "words", Filter: filter.Eq("year", 2026)})
		require.NoError(t, err)
		found, err := m.Metadata(hits[0].Fields)
		require.NoError(t, err)
		require.Equal(t, given, found)
		for want, conditions := range map[int][]map[string]any{
			1: {
				{"deep.pi": math.Pi}, {"meta.deep.pi": map[string]any{"$gt": 3}}, {"id": "1", "year": 2026, "big": int64(math.MaxInt64)},
				{"$or": []any{map[string]any{"none": 1}, map[string]any{"$not": map[string]any{"deep.pi": 3}}}},
			},
			0: {{"deep.pi": 3}, {"none": 1}, {"big": int64(math.MaxInt64 - 1)}},
		} {
			for _, c := range conditions {
				f, err := m.Filter(c)
				require.NoError(t, err)
				n, err := docs.Count(t.Context(), f)
				require.NoError(t, err)
				require.Equal(t, want, n, "%v", c)
			}
		}
	})
}

// The field of Schema.Extra takes the place of "meta".
func TestExtra(t *testing.T) {
	m := meta.Of(vecwire.Schema{Extra: "attributes", Fields: []vecwire.Field{{Name: "attributes", Type: vecwire.JSON}, {Name: "meta"}}})
	fields, err := m.Fields(map[string]any{"meta": "a field", "color": "red"})
	require.NoError(t, err)
	require.Equal(t, vecwire.Fields{"meta": "a field", "attributes": json.RawMessage(`{"color":"red"}`)}, fields)
	f, err := m.Filter(map[string]any{"color": "red", "meta": "a field"})
	require.NoError(t, err)
	require.True(t, f.Equal(filter.And(filter.Eq("attributes.color", "red"), filter.Eq("meta", "a field"))), f.String())
}

// What would be lost or changed is refused by its name.
func TestRefusals(t *testing.T) {
	m := meta.Of(schema)
	for _, value := range []any{math.NaN(), make(chan int), "\xff", []string{"\\\xff"}, map[string]any{"\xff": 1}} {
		_, err := m.Fields(map[string]any{"odd": value})
		require.ErrorContains(t, err, `"odd"`)
	}
	var failed *vecwire.SchemaError
	_, err := meta.Of(vecwire.Schema{Name: "docs", Dim: 2}).Fields(map[string]any{"a": 1})
	require.ErrorAs(t, err, &failed)
	require.Equal(t, "a", failed.Field)
	_, err = m.Metadata(vecwire.Fields{meta.Field: "[1]"})
	require.ErrorContains(t, err, "not a JSON object")
}

// The ID depends on all of a document, and on no order of keys.
func TestID(t *testing.T) {
	id := func(text string, metadata map[string]any) string {
		id, err := meta.ID(text, metadata)
		require.NoError(t, err)
		return id
	}
	require.Equal(t, id("a", map[string]any{"x": 1, "y": 2}), id("a", map[string]any{"y": 2, "x": 1}))
	require.NotEqual(t, id("a", nil), id("b", nil))
	require.NotEqual(t, id("a", nil), id("a", map[string]any{"x": 1}))
	require.Len(t, id("", nil), 32)
}
