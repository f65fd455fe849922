package vecwire

import (
	"context"
	"strings"

	"github.com/vecwire/vecwire/internal/engine"
)

// Attach names a table that others have made, to be used as a collection.
type Attach struct {
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

// AttachCollection opens a table that others have made as a collection. It reads
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
func (db *DB) AttachCollection(ctx context.Context, a Attach) (*Collection, error) {
	const verb = "attach"
	if err := db.enter(); err != nil {
		return nil, wrap(verb, shorten(a.Table), err)
	}
	defer db.leave()
	caps := db.engine.Capabilities()
	x, ok := db.engine.(engine.Attacher)
	if !ok {
		return nil, wrap(verb, shorten(a.Table), unsupported("using the tables of others", caps.Engine))
	}
	_, name, found := strings.Cut(a.Table, ".")
	if !found {
		name = a.Table
	}
	s := Schema{Name: name, Dim: a.Dim, Element: a.Element, Metric: a.Metric, Model: a.Model, Fields: a.Fields}
	stated := s
	stated.Name, stated.Dim = "table", max(1, a.Dim) // a table may have any name
	if err := stated.check(caps); err != nil {
		return nil, wrap(verb, shorten(a.Table), err)
	}
	plan := s.plan()
	if a.Fields == nil {
		plan.Fields = nil
	}
	c, err := x.Attach(ctx, engine.Attach{
		Table: a.Table, IDColumn: a.IDColumn, VectorColumn: a.VectorColumn, TextColumn: a.TextColumn, Schema: plan,
	})
	if err != nil {
		return nil, wrap(verb, shorten(a.Table), err)
	}
	with := newCollection(db, c)
	with.attached = true
	return with, nil
}
