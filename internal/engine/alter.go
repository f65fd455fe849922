package engine

import (
	"context"
	"errors"
)

// ErrAltered says that the schema of a collection was altered while a call was under
// way, or since the collection was opened. The root re-exports it.
var ErrAltered = errors.New("the collection was altered meanwhile")

// Alter asks for another schema of a collection.
type Alter struct {
	Name string
	// Plan says how the schema is altered. It is given the schema as it is, which
	// nobody else can alter until the engine is done. It may be called more than
	// once, and an error of it ends the Alter.
	Plan func(Schema) (Alteration, error)
	// Alone runs the part of the work beside which no call of this process with the
	// old schema may be under way; the engine keeps that part short.
	Alone func(ctx context.Context, run func() error) error
	// Done is told the collection with its new schema, before anyone else can use it.
	// It must not use the engine.
	Done func(Collection)
}

// Alteration is another schema for a collection. Its dimension, element, metric and
// model are as they were.
type Alteration struct {
	Schema Schema
	From   []int // for each of Schema.Fields its place in the schema before, -1 for a new field
	// Indexing says that Schema.Index is asked for, also if it is as it was. DropIndex
	// sets it of the records' own vectors alone.
	Indexing bool
	Coding   bool // the same of Schema.Codes
}

// Dropped returns the places of the fields that an alteration of s drops.
func (a Alteration) Dropped(s Schema) (places []int) {
	kept := make(map[int]bool, len(a.From))
	for _, from := range a.From {
		kept[from] = true
	}
	for i := range s.Fields {
		if !kept[i] {
			places = append(places, i)
		}
	}
	return places
}

// Same reports whether the alteration leaves s as it is.
func (a Alteration) Same(s Schema) bool {
	if a.Schema.Name != s.Name || a.Schema.FullText != s.FullText || a.Schema.Index != s.Index || a.Schema.Codes != s.Codes || !a.Schema.SameVectors(s) || len(a.From) != len(s.Fields) {
		return false
	}
	for i, from := range a.From {
		if from != i || !a.Schema.Fields[i].Equal(s.Fields[i]) {
			return false
		}
	}
	return true
}
