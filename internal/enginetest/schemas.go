package enginetest

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
)

// schemas: a schema comes back as it was given, and one that cannot be is
// refused with the field's name.
func (s *suite) schemas(t *testing.T) {
	ctx := t.Context()

	run(t, "come back equal", func(t *testing.T) {
		for i, schema := range []vecwire.Schema{
			{Dim: 1},
			{Dim: 3, Metric: vecwire.Dot, Model: `it's "a" model; DROP TABLE x -- é😀`},
			{Dim: 128, Fields: allTypes()},
			{Dim: 2, Fields: []vecwire.Field{{Name: "Mixed_Case9"}, {Name: "UPPER", Type: vecwire.Int}, {Name: strings.Repeat("x", 48)}}},
			{Dim: 2, Name: "N" + strings.Repeat("0", 47)},
		} {
			run(t, fmt.Sprint(i), func(t *testing.T) {
				c := s.create(t, schema)
				schema.Name = c.Schema().Name
				expectSchema(t, schema, c.Schema())
				opened, err := s.db.OpenCollection(ctx, schema.Name)
				require.NoError(t, err)
				expectSchema(t, schema, opened.Schema())
				listed, err := s.db.Collections(ctx)
				require.NoError(t, err)
				require.Len(t, listed, 1)
				expectSchema(t, schema, listed[0])
			})
		}
	})
	run(t, "of every kind", func(t *testing.T) {
		s.eachKind(t, func(t *testing.T, element vecwire.Element, metric vecwire.Metric) {
			schema := vecwire.Schema{Name: s.name(), Dim: 3, Element: element, Metric: metric}
			s.create(t, schema)
			opened, err := s.db.OpenCollection(ctx, schema.Name)
			require.NoError(t, err)
			expectSchema(t, schema, opened.Schema())
		})
	})

	run(t, "names that mean something to databases", func(t *testing.T) {
		names := []string{
			"select", "table", "order", "group", "user", "index", "from", "where", "null", "Values", "rowid", "oid", "ctid", "xmin", "tableoid",
			"embedding", "data", "rows", "distance", "score", "row", "r", "d", "t", "c", "excluded", "primary", "key", "uuid", "timestamp",
		}
		for _, name := range []string{"select", "table", "user", "values"} {
			schema := vecwire.Schema{Name: name, Dim: 2}
			for i, field := range names {
				schema.Fields = append(schema.Fields, vecwire.Field{Name: field, Type: vecwire.Int, Index: i%4 == 0})
			}
			c := s.create(t, schema)
			r := vecwire.Record{ID: "1", Vector: []float32{1, 2}, Text: "x", Fields: vecwire.Fields{}}
			for i, field := range names {
				r.Fields[field] = i
			}
			m := newModel(schema, r)
			require.NoError(t, c.Upsert(ctx, r))
			m.expectAll(t, c)
			m.expectSearch(t, c, vecwire.Query{Vector: []float32{1, 1}})
		}
	})

	run(t, "refused", func(t *testing.T) {
		field := func(fields ...vecwire.Field) vecwire.Schema { return vecwire.Schema{Name: "x", Dim: 3, Fields: fields} }
		many := make([]vecwire.Field, 201)
		for i := range many {
			many[i].Name = fmt.Sprintf("f%d", i)
		}
		for _, tt := range []struct {
			what   string
			schema vecwire.Schema
			field  string
		}{
			{"no name", vecwire.Schema{Dim: 3}, ""},
			{"a name with a quote", vecwire.Schema{Name: `x"y`, Dim: 3}, ""},
			{"a name with a dot", vecwire.Schema{Name: "x.y", Dim: 3}, ""},
			{"a name that begins with a digit", vecwire.Schema{Name: "1x", Dim: 3}, ""},
			{"a name that is not ASCII", vecwire.Schema{Name: "größe", Dim: 3}, ""},
			{"a name with a line end", vecwire.Schema{Name: "x\n", Dim: 3}, ""},
			{"a long name", vecwire.Schema{Name: strings.Repeat("x", 49), Dim: 3}, ""},
			{"a taken name", vecwire.Schema{Name: "Vecwire_x", Dim: 3}, ""},
			{"no dimension", vecwire.Schema{Name: "x"}, ""},
			{"a negative dimension", vecwire.Schema{Name: "x", Dim: -1}, ""},
			{"too many dimensions", vecwire.Schema{Name: "x", Dim: s.caps.MaxDim + 1}, ""},
			{"an unknown element", vecwire.Schema{Name: "x", Dim: 3, Element: 9}, ""},
			{"an unknown metric", vecwire.Schema{Name: "x", Dim: 3, Metric: 9}, ""},
			{"too many fields", field(many...), ""},
			{"a field without a name", field(vecwire.Field{}), ""},
			{"a field with a space", field(vecwire.Field{Name: "a b"}), "a b"},
			{"a field with a quote", field(vecwire.Field{Name: `a"`}), `a"`},
			{"a field named id", field(vecwire.Field{Name: "ID"}), "ID"},
			{"a field named text", field(vecwire.Field{Name: "text"}), "text"},
			{"a field named vector", field(vecwire.Field{Name: "Vector"}), "Vector"},
			{"a taken field", field(vecwire.Field{Name: "vecwire_row"}), "vecwire_row"},
			{"a field twice", field(vecwire.Field{Name: "a"}, vecwire.Field{Name: "b"}, vecwire.Field{Name: "a"}), "a"},
			{"a field in two cases", field(vecwire.Field{Name: "lang"}, vecwire.Field{Name: "Lang"}), "Lang"},
			{"an unknown type", field(vecwire.Field{Name: "a", Type: 77}), "a"},
		} {
			run(t, tt.what, func(t *testing.T) {
				_, err := s.db.CreateCollection(ctx, tt.schema)
				var e *vecwire.SchemaError
				require.ErrorAs(t, err, &e)
				require.Equal(t, tt.field, e.Field)
				require.Equal(t, tt.schema.Name[:min(len(tt.schema.Name), 49)], e.Collection)
			})
		}
		listed, err := s.db.Collections(ctx)
		require.NoError(t, err)
		require.Empty(t, listed, "what was refused was made")

		_, err = s.db.CreateCollection(ctx, vecwire.Schema{Name: "x", Dim: 3, Model: "a\x00b"})
		require.Error(t, err)
		var value *vecwire.ValueError
		require.True(t, errors.As(err, &value) && value.Field == "Model", "%v", err)
	})
}

// expectSchema compares schemas; no fields are no fields, nil or not, and where a
// collection is that does not say so is the target's matter.
func expectSchema(t testing.TB, want, got vecwire.Schema) {
	t.Helper()
	if len(want.Fields) == 0 && len(got.Fields) == 0 {
		want.Fields, got.Fields = nil, nil
	}
	want.Distributed = cmp.Or(want.Distributed, got.Distributed)
	require.Equal(t, want, got)
}
