package typed_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/typed"
)

func TestSchemaOf(t *testing.T) {
	s, err := typed.SchemaOf[everything]("docs")
	require.NoError(t, err)
	require.Equal(t, "docs", s.Name)
	require.Equal(t, 3, s.Dim)
	fields := map[string]vecwire.Field{}
	for _, f := range s.Fields {
		fields[f.Name] = f
	}
	for name, want := range map[string]vecwire.Field{
		"source_url": {}, "page": {Type: vecwire.Int, Index: true}, "language": {Index: true}, "b": {Type: vecwire.Bool},
		"i8": {Type: vecwire.Int}, "u64": {Type: vecwire.Int}, "f32": {Type: vecwire.Float}, "t": {Type: vecwire.Time}, "tn": {Type: vecwire.Time},
		"bn": {Type: vecwire.Bytes}, "addr": {}, "lvl": {}, "pi": {Type: vecwire.Int}, "pa": {}, "null_i": {Type: vecwire.Int},
		"null_t": {Type: vecwire.Time}, "zt": {Type: vecwire.Time}, "zs": {Index: true},
	} {
		want.Name = name
		require.Equal(t, want, fields[name])
	}
	for _, name := range []string{"id", "key", "vector", "text", "body", "hidden", "skip", "source", "rest", "*"} {
		require.NotContains(t, fields, name)
	}

	type names struct {
		ID          string
		UserID      string
		HTTPServer  string
		CreatedAt2  string
		X           string
		ABTest      string
		Snake_Cased string
		Vector      [5]float64
	}
	s, err = typed.SchemaOf[names]("x")
	require.NoError(t, err)
	require.Equal(t, 5, s.Dim)
	require.Equal(t, vecwire.DOUBLE, s.Element)
	var got []string
	for _, f := range s.Fields {
		got = append(got, f.Name)
	}
	require.Equal(t, []string{"user_id", "http_server", "created_at2", "x", "ab_test", "snake_cased"}, got)
}

func schemaOf[T any]() error {
	_, err := typed.SchemaOf[T]("docs")
	return err
}

func TestStructsThatDoNotFit(t *testing.T) {
	type inner struct{ N chan int }
	for want, err := range map[string]error{
		`int: type is int, want a struct`:                                             schemaOf[int](),
		`*typed_test.everything: type is *typed_test.everything, want a struct`:       schemaOf[*everything](),
		`struct { A string }: no field ID, and none with the tag vecwire:"id"`:        schemaOf[struct{ A string }](),
		`.ID: type is float64, want a string, an integer, or a type with MarshalText`: schemaOf[struct{ ID float64 }](),
		`.ID: type is *string, want a string, an integer, or a type with MarshalText`: schemaOf[struct{ ID *string }](),
		`.Tags: type is []bool, want a string, bool, number`: schemaOf[struct {
			ID   string
			Tags []bool
		}](),
		`.Lists: type is [][]string, want a string, bool, number`: schemaOf[struct {
			ID    string
			Lists [][]string
		}](),
		`.P: type is **int, want a string`: schemaOf[struct {
			ID string
			P  **int
		}](),
		`.Any: type is interface {}, want a string`: schemaOf[struct {
			ID  string
			Any any
		}](),
		`.N: type is chan int, want a string`: schemaOf[struct {
			ID string
			inner
		}](),
		`.Vector: type is []int, want a slice or an array of float32 or float64`: schemaOf[struct {
			ID     string
			Vector []int
		}](),
		`.Vector: type is float32, want a slice or an array of float32 or float64`: schemaOf[struct {
			ID     string
			Vector float32
		}](),
		`.Text: type is []uint8, want a string`: schemaOf[struct {
			ID   string
			Text []byte
		}](),
		`.Rest: type is map[string]string, want vecwire.Fields`: schemaOf[struct {
			ID   string
			Rest map[string]string `vecwire:"*"`
		}](),
		`.A: has the option "indx" in its tag, want index, expires, omitzero, json, named or dim=`: schemaOf[struct {
			ID string
			A  string `vecwire:",indx"`
		}](),
		`.A: is not the vector, and has a dim`: schemaOf[struct {
			ID string
			A  string `vecwire:",dim=3"`
		}](),
		`.Vector: has dim=x in its tag, want a positive number`: schemaOf[struct {
			ID     string
			Vector []float32 `vecwire:",dim=x"`
		}](),
		`.Vector: has 3 elements, and dim=4 in its tag`: schemaOf[struct {
			ID     string
			Vector [3]float32 `vecwire:",dim=4"`
		}](),
		`.ID: is the id, which takes no index, expires, omitzero, json or named`: schemaOf[struct {
			ID string `vecwire:",index"`
		}](),
		`.B: has the name "a", as A has`: schemaOf[struct {
			ID string
			A  string
			B  string `vecwire:"a"`
		}](),
		`.B: has the name "A", as A has`: schemaOf[struct {
			ID string
			A  string
			B  string `vecwire:"A"`
		}](),
		`.a: has a tag and is not exported`: schemaOf[struct {
			ID string
			a  int `vecwire:"b"`
		}](),
		`.Source: type is *typed_test.Source, want a string`: schemaOf[struct {
			ID string
			*Source
		}](),
	} {
		var s *typed.StructError
		require.ErrorAs(t, err, &s, want)
		require.ErrorContains(t, err, want)
		require.ErrorContains(t, err, "vecwire: make schema docs: ")
	}
}

func TestOfChecksTheCollection(t *testing.T) {
	db := openDB(t)
	c, err := db.CreateCollection(t.Context(), vecwire.Schema{Name: "docs", Dim: 3, Fields: []vecwire.Field{{Name: "lang"}, {Name: "year", Type: vecwire.Int}}})
	require.NoError(t, err)
	fits := map[string]error{}
	add := func(want string, err error) { fits[want] = err }
	_, err = typed.Of[struct {
		ID   string
		Lang string
	}](c)
	add(`schema of "docs": field "year" has no field in the struct, and Upsert would erase it`, err)
	_, err = typed.Of[struct {
		ID   string
		Lang string
		Year string
	}](c)
	add(`.Year: schema of "docs": field "year" is Int, want String`, err)
	_, err = typed.Of[struct {
		ID, Lang, Other string
		Year            int
	}](c)
	add(`.Other: schema of "docs": field "other" does not exist`, err)
	_, err = typed.Of[struct {
		ID, Lang string
		Year     int
		Vector   []float64
	}](c)
	add(`.Vector: vector has DOUBLE elements, want FLOAT`, err)
	_, err = typed.Of[struct {
		ID, Lang string
		Year     int
		Vector   [2]float32
	}](c)
	add(`.Vector: vector has 2 dimensions, want 3`, err)
	_, err = typed.Of[int](c)
	add(`int: type is int, want a struct`, err)
	for want, err := range fits {
		var s *typed.StructError
		require.ErrorAs(t, err, &s)
		require.ErrorContains(t, err, want)
	}
	_, err = typed.Of[struct {
		ID   string
		Year *int8
		Rest vecwire.Fields `vecwire:"*"`
	}](c)
	require.NoError(t, err)
}
