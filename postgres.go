package vecwire

import (
	"context"
	"strings"

	"github.com/vecwire/vecwire/internal/engine"
)

// AttachOptions names an existing table, which vecwire did not create, to be used
// as a collection.
type AttachOptions struct {
	// Table is the table's name, alone or as schema.table, exactly as the
	// catalog has it. Required.
	Table string
	// IDColumn is the key: text, an integer or a UUID, with a unique index over
	// it alone. Defaults to the primary key.
	IDColumn string
	// VectorColumn holds the vectors: vector or halfvec. Defaults to the only
	// such column.
	VectorColumn string
	// TextColumn holds the texts. Defaults to none.
	TextColumn string
	// Dim is needed if the column's type does not say how many dimensions its
	// vectors have.
	Dim int
	// Element is the type of the vectors' elements. Defaults to FLOAT. One that
	// is not the column's is refused with an [*ElementError].
	Element Element
	// Metric says how vectors are compared. Defaults to Cosine.
	Metric Metric
	// Model names the embedding model that made the vectors; see
	// [Collection.WithEmbedder].
	Model string
	// Fields are the columns that are fields, with the type each has. Defaults
	// to all columns whose name and type fit; an empty slice means none.
	Fields []Field
}

// AttachCollection opens an existing table, which vecwire did not create, as a
// collection. It reads
// names, types and dimensions from the catalog and changes nothing: the table is
// not listed by [DB.Collections], and DropCollection does not know it.
//
// IDs are the key's values as text: a whole number without leading zeros, or a
// UUID in small letters; others are refused. Records are streamed, and those of
// equal score ordered, in the order of the key. In a halfvec column vectors are
// kept, and read back, in half precision. Columns that are neither key, vector,
// text nor field keep their values when a record is replaced; if one of them
// needs a value, new records are refused by the server.
//
// It returns [ErrNotFound] if there is no such table or column, and
// [ErrUnsupported] if the engine has no tables.
func (db *DB) AttachCollection(ctx context.Context, a AttachOptions) (*Collection, error) {
	c, err := db.collection(ctx, OpAttachCollection, a.Table, func(ctx context.Context) (engine.Collection, error) {
		plan, err := a.plan(db.engine.Capabilities())
		if err != nil {
			return nil, err
		}
		return db.engine.Attach(ctx, plan)
	})
	if err == nil {
		c.attached = true
	}
	return c, err
}

// plan checks the options.
func (a AttachOptions) plan(caps engine.Capabilities) (engine.Attach, error) {
	if !caps.Attach {
		return engine.Attach{}, engine.Unsupported(engine.LackAttach, caps.Engine)
	}
	_, name, found := strings.Cut(a.Table, ".")
	if !found {
		name = a.Table
	}
	s := Schema{Name: name, Dim: a.Dim, Element: a.Element, Metric: a.Metric, Model: a.Model, Fields: a.Fields}
	stated := s
	stated.Name = "table" // a table may have any name
	if a.Dim == 0 {       // the column says it
		stated.Dim = 1
	}
	if err := stated.check(caps); err != nil {
		return engine.Attach{}, err
	}
	plan := s.plan()
	if a.Fields == nil {
		plan.Fields = nil
	}
	return engine.Attach{Table: a.Table, IDColumn: a.IDColumn, VectorColumn: a.VectorColumn, TextColumn: a.TextColumn, Schema: plan}, nil
}
