package schema

import (
	"fmt"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
	"github.com/vecwire/vecwire/internal/words"
)

// Rules are what one collection admits.
type Rules struct {
	schema engine.Schema
	places map[string]int // of fields
	engine string         // its name
	can    func() engine.Can
	maxID  int // bytes
}

// Of returns the rules of a collection on the engine of that name, in which an ID has
// at most so many bytes.
func Of(c engine.Collection, engine string, maxID int) *Rules {
	r := &Rules{schema: c.Schema(), engine: engine, can: c.Can, maxID: maxID}
	r.places = make(map[string]int, len(r.schema.Fields))
	for i, f := range r.schema.Fields {
		r.places[f.Name] = i
	}
	return r
}

// Field returns a field and its place in the schema.
func (r *Rules) Field(name string) (f engine.Field, place int, ok bool) {
	if place, ok = r.places[name]; ok {
		f = r.schema.Fields[place]
	}
	return f, place, ok
}

// Schema returns the collection's schema, which is not to be changed.
func (r *Rules) Schema() *engine.Schema { return &r.schema }

// TypeOf tells filters the type of a field. The ID may be filtered by, too.
func (r *Rules) TypeOf(field string) (filter.Type, bool) {
	if field == "id" {
		return filter.String, true
	}
	if f, _, ok := r.Field(field); ok {
		return f.Type, true
	}
	name, keys := filter.SplitPath(field)
	if f, _, ok := r.Field(name); ok && len(keys) > 0 && f.Type == filter.JSON {
		return filter.JSON, true
	}
	return 0, false
}

// Language says what the words of the collection's texts are.
func (r *Rules) Language() *words.Language {
	if r.schema.FullText == engine.NoFullText {
		return words.Plain
	}
	return words.Named(r.schema.FullText.String())
}

// ID refuses what no record can have as its ID.
func (r *Rules) ID(id string) error {
	switch {
	case id == "":
		return &codec.ValueError{Field: "id", Pos: -1, Want: "a String that is not empty", Got: "empty"}
	case len(id) > r.maxID:
		return &codec.ValueError{Field: "id", Pos: -1, Want: fmt.Sprintf("at most %d bytes", r.maxID), Got: filter.Describe(id)}
	}
	return filter.CheckString("id", id)
}

// IDs returns ids once each, without those that no record can have.
func (r *Rules) IDs(ids []string) []string {
	seen := make(map[string]bool, len(ids))
	out := make([]string, 0, len(ids))
	for _, id := range ids {
		if !seen[id] && r.ID(id) == nil {
			seen[id] = true
			out = append(out, id)
		}
	}
	return out
}

// fail is an error about a field of the collection.
func (r *Rules) fail(field, format string, args ...any) error {
	return &Error{Collection: r.schema.Name, Field: Shorten(field), Msg: fmt.Sprintf(format, args...)}
}
