package vecwire

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
)

func TestSchemaCheck(t *testing.T) {
	small := engine.Capabilities{Engine: "small", MaxDim: 10, MaxIDBytes: 10}
	full := engine.Capabilities{Engine: "full", MaxDim: 10, MaxIDBytes: 10, Can: engine.Can{L2: true, Doubles: true}}

	require.NoError(t, Schema{Name: "docs", Dim: 10}.check(small))
	require.NoError(t, Schema{Name: "docs", Dim: 10, Element: DOUBLE, Metric: L2}.check(full))
	require.EqualError(t, Schema{Name: "docs", Dim: 3, Metric: L2}.check(small), "not supported: the metric L2 by the small engine")
	require.EqualError(t, Schema{Name: "docs", Dim: 3, Element: DOUBLE}.check(small), "not supported: the element type DOUBLE by the small engine")
	require.EqualError(t, Schema{Name: "docs", Dim: 11}.check(full), `schema of "docs": Dim is 11, want 1 to 10`)
	require.EqualError(t, Schema{Name: "a b", Dim: 1}.check(full),
		`schema of "a b": the name must be 1 to 48 letters, digits and underscores, beginning with a letter`)
	require.EqualError(t, Schema{Name: "docs", Dim: 1, Fields: []Field{{Name: "Text"}}}.check(full), `schema of "docs": field "Text" is taken`)
	require.EqualError(t, Schema{Name: "docs", Dim: 1, Fields: []Field{{Name: "a", Type: 99}}}.check(full),
		`schema of "docs": field "a" has the unknown type Type(99)`)
	err := Schema{Name: strings.Repeat("x", 10_000), Dim: 1}.check(full)
	require.Less(t, len(err.Error()), 300, "a long name is not repeated whole")
}

func TestSchemaIsACopy(t *testing.T) {
	fields := []Field{{Name: "lang"}}
	c := newDocs(t, Schema{Dim: 2, Fields: fields})
	fields[0].Name = "changed"
	c.Schema().Fields[0].Name = "changed"
	require.Equal(t, "lang", c.Schema().Fields[0].Name)
	_, err := c.Count(t.Context(), filter.IsNull("lang"))
	require.NoError(t, err)
}

func TestErrorsNameTheCallAndTheCollection(t *testing.T) {
	c := newDocs(t, Schema{Dim: 2})
	ctx := t.Context()
	unknown := filter.Eq("yeer", 2020)
	_, err := c.Count(ctx, unknown)
	require.EqualError(t, err, `vecwire: count docs: filter: field "yeer" does not exist`)
	_, err = c.DeleteWhere(ctx, unknown)
	require.EqualError(t, err, `vecwire: delete from docs: filter: field "yeer" does not exist`)
	_, err = c.Search(ctx, Query{Vector: []float32{1, 2}, Filter: unknown})
	require.EqualError(t, err, `vecwire: search docs: filter: field "yeer" does not exist`)
	_, err = c.Search(ctx, Query{Vector: []float32{1, 2, 3}})
	require.EqualError(t, err, `vecwire: search docs: vector has 3 dimensions, want 2`)
	for _, err := range c.All(ctx, Scan{Filter: unknown}) {
		require.EqualError(t, err, `vecwire: scan docs: filter: field "yeer" does not exist`)
	}
	_, err = c.db.CreateCollection(ctx, Schema{Name: "docs", Dim: 1})
	require.EqualError(t, err, `vecwire: create collection docs: already exists`)
	_, err = c.db.OpenCollection(ctx, "other")
	require.EqualError(t, err, `vecwire: open collection other: not found`)
	_, err = c.db.OpenCollection(ctx, strings.Repeat("x", 5000))
	require.Less(t, len(err.Error()), 200)
}

func TestEnsureCollection(t *testing.T) {
	ctx := t.Context()
	db, err := Open(ctx, "mem:")
	require.NoError(t, err)
	defer db.Close()
	schema := Schema{Name: "docs", Dim: 2, Model: "m", Fields: []Field{{Name: "a"}, {Name: "b", Type: Int, Index: true}}}
	for range 2 {
		docs, err := db.EnsureCollection(ctx, schema)
		require.NoError(t, err)
		require.Equal(t, schema, docs.Schema())
	}
	other := schema
	for _, fields := range [][]Field{{{Name: "b", Type: Int}, {Name: "a"}}, {{Name: "a"}}, {}} {
		other.Fields = fields
		docs, err := db.EnsureCollection(ctx, other)
		require.NoError(t, err)
		require.Equal(t, schema, docs.Schema())
	}
	other.Fields = []Field{{Name: "c", Type: Time, Index: true}}
	docs, err := db.EnsureCollection(ctx, other)
	require.NoError(t, err)
	schema.Fields = append(schema.Fields, other.Fields[0])
	require.Equal(t, schema, docs.Schema())

	for want, change := range map[string]func(*Schema){
		`Dim is 2, want 3`:                 func(s *Schema) { s.Dim = 3 },
		`Element is FLOAT, want DOUBLE`:    func(s *Schema) { s.Element = DOUBLE },
		`Metric is cosine, want l2`:        func(s *Schema) { s.Metric = L2 },
		`Model is "m", want ""`:            func(s *Schema) { s.Model = "" },
		`FullText is none, want words`:     func(s *Schema) { s.FullText = Words },
		`field "A" is taken`:               func(s *Schema) { s.Fields = []Field{{Name: "A"}} },
		`field "b" is Int, want String`:    func(s *Schema) { s.Fields = []Field{{Name: "a"}, {Name: "b"}} },
		`the name must be 1 to 48 letters`: func(s *Schema) { s.Name = "no good" },
	} {
		s := schema
		change(&s)
		_, err := db.EnsureCollection(ctx, s)
		var schemaErr *SchemaError
		require.ErrorAs(t, err, &schemaErr, want)
		require.ErrorContains(t, err, want)
	}
}
