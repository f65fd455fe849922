package schema

import (
	"fmt"
	"maps"
	"slices"

	"github.com/vecwire/vecwire/internal/engine"
)

// Alter says how a schema is altered. What is zero stays as it is. Fields are dropped
// first, then renamed, then added.
type Alter struct {
	AddFields    []engine.Field
	DropFields   []string
	RenameFields map[string]string
	Indexed      map[string]bool // by the names that the fields have afterwards
	Expires      map[string]bool // by those names, too
	AddVectors   []engine.NamedVector
	DropVectors  []string
	FullText     *engine.FullText
	MaxRecords   *int
	Index        *engine.Indexing
	Codes        *engine.Codes
	Rename       string
}

// Of returns what becomes of a schema. Whether an engine can make that is for [Check].
func (a Alter) Of(s engine.Schema) (engine.Alteration, error) {
	fail := func(field, format string, args ...any) (engine.Alteration, error) {
		return engine.Alteration{}, &Error{Collection: s.Name, Field: Shorten(field), Msg: fmt.Sprintf(format, args...)}
	}
	has := func(name string) bool {
		return slices.ContainsFunc(s.Fields, func(f engine.Field) bool { return f.Name == name })
	}
	out := engine.Alteration{Schema: s}
	out.Schema.Fields = nil
	for _, name := range slices.Concat(a.DropFields, slices.Sorted(maps.Keys(a.RenameFields))) {
		if !has(name) {
			return fail(name, "does not exist")
		}
	}
	for i, f := range s.Fields {
		to, renamed := a.RenameFields[f.Name]
		switch dropped := slices.Contains(a.DropFields, f.Name); {
		case dropped && renamed:
			return fail(f.Name, "is in DropFields and in RenameFields: name it once")
		case dropped:
			continue
		case renamed:
			f.Name = to
		}
		out.Schema.Fields, out.From = append(out.Schema.Fields, f), append(out.From, i)
	}
	for _, f := range a.AddFields {
		out.Schema.Fields, out.From = append(out.Schema.Fields, f), append(out.From, -1)
	}
	for _, name := range slices.Sorted(maps.Keys(a.Indexed)) {
		i := slices.IndexFunc(out.Schema.Fields, func(f engine.Field) bool { return f.Name == name })
		if i < 0 {
			return fail(name, "does not exist, and is in Indexed")
		}
		out.Schema.Fields[i].Index = a.Indexed[name]
	}
	for _, name := range slices.Sorted(maps.Keys(a.Expires)) {
		i := slices.IndexFunc(out.Schema.Fields, func(f engine.Field) bool { return f.Name == name })
		if i < 0 {
			return fail(name, "does not exist, and is in Expires")
		}
		f := &out.Schema.Fields[i]
		f.Expires, f.Index = a.Expires[name], f.Index || a.Expires[name]
	}
	var err error
	if out.Schema.Vectors, err = a.vectors(s); err != nil {
		return engine.Alteration{}, err
	}
	if a.FullText != nil {
		out.Schema.FullText = *a.FullText
	}
	if a.MaxRecords != nil {
		out.Schema.MaxRecords = *a.MaxRecords
	}
	if a.Index != nil {
		out.Schema.Index, out.Indexing = *a.Index, true
	}
	if a.Codes != nil {
		out.Schema.Codes, out.Coding = *a.Codes, true
	}
	if a.Rename != "" {
		out.Schema.Name = a.Rename
	}
	return out, nil
}
