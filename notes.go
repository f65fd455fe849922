package vecwire

import (
	"context"
	"errors"
	"strings"

	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
)

// notesSchema is the collection that the numbers are kept in which the database
// is to remember of other collections: the cursors of jobs, and what Tune found.
// It is a collection so that every engine has it, and hidden from DB.Collections.
var notesSchema = engine.Schema{Name: "vecwire_notes", Dim: 1, Metric: Dot, Fields: []engine.Field{{Name: "value", Type: Int}}}

// noteID names a note of a collection.
func noteID(collection, name string) string { return strings.ToLower(collection) + "/" + name }

func (c *Collection) noteID(name string) string { return noteID(c.schema.Name, name) }

// note returns a note, 0 if there is none.
func (db *DB) note(ctx context.Context, id string) (int64, error) {
	notes, err := db.engine.Open(ctx, notesSchema.Name)
	if errors.Is(err, ErrNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	found, err := notes.Get(ctx, []string{id}, false)
	if err != nil || len(found) == 0 {
		return 0, err
	}
	value, _ := found[0].Fields[0].(int64)
	return value, nil
}

func (db *DB) putNote(ctx context.Context, id string, value int64) error {
	if err := db.enter(); err != nil {
		return err
	}
	defer db.leave()
	notes, err := db.engine.Open(ctx, notesSchema.Name)
	if errors.Is(err, ErrNotFound) {
		notes, err = db.engine.Create(ctx, notesSchema)
		if errors.Is(err, ErrExists) { // made by another meanwhile
			notes, err = db.engine.Open(ctx, notesSchema.Name)
		}
	}
	if err != nil {
		return err
	}
	return notes.Upsert(ctx, []engine.Record{{ID: id, Vector: engine.Vector{F32: []float32{1}}, Fields: []any{value}}})
}

// forgetNotes removes the notes that pass.
func (db *DB) forgetNotes(ctx context.Context, which filter.Filter) error {
	if err := db.enter(); err != nil {
		return err
	}
	defer db.leave()
	notes, err := db.engine.Open(ctx, notesSchema.Name)
	if err == nil {
		_, err = notes.DeleteWhere(ctx, which)
	}
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	return err
}
