package lru

import (
	"slices"
	"strings"

	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
)

// field names the field that holds when a record was used last, in microseconds since
// 1970. No user can have one of the name.
const field = "vecwire_used"

// reserved is what the names of collections begin with that are on the way to take
// another's place. They are not bounded until they have it.
const reserved = "vecwire_"

func isReserved(name string) bool { return strings.HasPrefix(strings.ToLower(name), reserved) }

// visible returns a stored schema as it is seen, with its bound.
func visible(s engine.Schema) engine.Schema {
	if last := len(s.Fields) - 1; last >= 0 && s.Fields[last].Name == field {
		s.MaxRecords, s.Fields = s.Fields[last].Bound, slices.Clone(s.Fields[:last])
	}
	return s
}

// stored returns a schema as engines have it.
func stored(s engine.Schema) engine.Schema {
	if s.MaxRecords > 0 {
		s.Fields = append(slices.Clone(s.Fields), engine.Field{Name: field, Type: filter.Int, Index: true, Bound: s.MaxRecords})
		s.MaxRecords = 0
	}
	return s
}

// altered returns the alteration of a stored schema that one of the visible schema is.
func altered(was engine.Schema, a engine.Alteration) engine.Alteration {
	if a.Schema.MaxRecords > 0 {
		from := slices.IndexFunc(was.Fields, func(f engine.Field) bool { return f.Name == field })
		a.From = append(slices.Clone(a.From), from)
	}
	a.Schema = stored(a.Schema)
	return a
}
