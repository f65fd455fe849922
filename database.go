package vecwire

import (
	"context"
	"errors"
	"strings"

	"github.com/vecwire/vecwire/internal/engine"
	"github.com/vecwire/vecwire/internal/notes"
	"github.com/vecwire/vecwire/internal/reembed"
	"github.com/vecwire/vecwire/internal/schema"
)

const openBefore = "collections are opened, made and dropped outside transactions"

// CreateCollection makes an empty collection. It returns [ErrExists] if there is
// one of that name, and a [*SchemaError] if the schema cannot be made.
func (db *DB) CreateCollection(ctx context.Context, s Schema) (*Collection, error) {
	return db.collection(ctx, OpCreateCollection, s.Name, func(ctx context.Context) (engine.Collection, error) {
		return db.create(ctx, s)
	})
}

// OpenCollection opens a collection. It returns [ErrNotFound] if there is none
// of that name.
func (db *DB) OpenCollection(ctx context.Context, name string) (*Collection, error) {
	return db.collection(ctx, OpOpenCollection, name, func(ctx context.Context) (engine.Collection, error) {
		return db.open(ctx, name)
	})
}

// EnsureCollection opens the collection of the schema's name, or makes it if
// there is none. Fields that the schema has and the collection lacks are added to
// it, with their indexes, see [DB.AlterCollection]; what the collection has more
// stays, so that two versions of a program can run beside each other. The order of
// the fields, and which of those that exist are indexed, do not count. A schema with
// [NoIndex] keeps the collection from getting an index by itself from then on; one
// without does not undo that.
//
// It returns a [*SchemaError] if the collection has a field of another type, another
// dimension, element type, metric or kind of full text, and if it has another model,
// which is [ErrModelMismatch], too. The error names the way out.
func (db *DB) EnsureCollection(ctx context.Context, s Schema) (*Collection, error) {
	return db.collection(ctx, OpEnsureCollection, s.Name, func(ctx context.Context) (engine.Collection, error) {
		c, err := db.open(ctx, s.Name)
		if errors.Is(err, ErrNotFound) {
			c, err = db.create(ctx, s)
			if errors.Is(err, ErrExists) { // another process has made it in the meantime
				c, err = db.open(ctx, s.Name)
			}
		}
		if err == nil {
			err = s.differs(c.Schema())
		}
		if err != nil {
			return nil, err
		}
		return db.ensureFields(ctx, s, c)
	})
}

// collection runs an operation that yields a collection.
func (db *DB) collection(ctx context.Context, op Op, name string, run func(context.Context) (engine.Collection, error)) (*Collection, error) {
	ctx, call, err := db.beginOutsideTx(ctx, op, name, openBefore)
	if err != nil {
		return nil, err
	}
	defer call.leave()
	is, seen := db.lives.Seen(name)
	c, err := run(ctx)
	if err = call.end(0, err); err != nil {
		return nil, err
	}
	with := newCollection(db, db.kept(c), "")
	if op == OpAttachCollection { // it has a name of its own kind
		return with, nil
	}
	if with.live = db.lives.Of(name); with.live == is { // else it is another one of the name
		with.seen = seen
	}
	if first := &with.engine; with.seen == nil && with.live.First(first) {
		with.seen = first
	}
	return with, nil
}

func (db *DB) create(ctx context.Context, s Schema) (engine.Collection, error) {
	if err := s.check(db.engine.Capabilities()); err != nil {
		return nil, err
	}
	plan := s.plan()
	if !db.engine.Capabilities().AutoIndex { // there is nothing to keep it from
		plan.Index = engine.AutoIndex
	}
	if _, err := db.engine.Open(ctx, s.Name); errors.Is(err, ErrNotFound) {
		// A cursor of a collection that was dropped, by a call that was cut short, would
		// have a job leave records out.
		if err := notes.ForgetAll(ctx, db.engine, s.Name); err != nil {
			return nil, err
		}
	}
	c, err := db.engine.Create(ctx, plan)
	if err == nil {
		db.lives.Forget(s.Name) // of one that another process has dropped
	}
	return c, err
}

func (db *DB) open(ctx context.Context, name string) (engine.Collection, error) {
	if !schema.IsName(name) {
		return nil, ErrNotFound // no collection has such a name
	}
	return db.engine.Open(ctx, name)
}

// Collections returns the schemas of all collections, by name. Those that this
// package keeps for itself are left out.
func (db *DB) Collections(ctx context.Context) ([]Schema, error) {
	ctx, call, err := db.beginOutsideTx(ctx, OpListCollections, "", openBefore)
	if err != nil {
		return nil, err
	}
	defer call.leave()
	plans, err := db.engine.List(ctx)
	if err = call.end(len(plans), err); err != nil {
		return nil, err
	}
	schemas := make([]Schema, 0, len(plans))
	for _, p := range plans {
		if !schema.Taken(p.Name) {
			schemas = append(schemas, schemaOf(p))
		}
	}
	return schemas, nil
}

// DropCollection removes a collection with all its records. It returns
// [ErrNotFound] if there is none of that name. Open handles to it then return
// ErrNotFound too.
func (db *DB) DropCollection(ctx context.Context, name string) error {
	ctx, call, err := db.beginOutsideTx(ctx, OpDropCollection, name, openBefore)
	if err != nil {
		return err
	}
	defer call.leave()
	if !schema.IsName(name) {
		return call.end(0, ErrNotFound)
	}
	err = db.engine.Drop(ctx, name)
	if err == nil {
		db.lives.Forget(name)
		ctx, cancel := engine.Rest(ctx)
		defer cancel()
		err = errors.Join(notes.ForgetAll(ctx, db.engine, name), reembed.DropLeftovers(ctx, db.engine, name, ""))
	}
	return call.end(0, err)
}

// Alter says how the schema of a collection is altered; see [DB.AlterCollection].
// What is zero stays as it is. Fields are dropped first, then renamed, then added.
type Alter struct {
	// AddFields are new fields, which no record has a value for.
	AddFields []Field
	// DropFields are fields that go, with their values.
	DropFields []string
	// RenameFields gives fields, named by the keys, other names. Two may change names
	// with each other.
	RenameFields map[string]string
	// Indexed turns the indexes of fields on or off, by the names that the fields have
	// afterwards.
	Indexed map[string]bool
	// Expires says of fields, by the names that they have afterwards, whether records
	// expire by them: see [Field].Expires.
	Expires map[string]bool
	// AddVectors are further vectors, which no record has yet.
	AddVectors []VectorField
	// DropVectors are named vectors that go. To change one's model, drop it and add it.
	DropVectors []string
	// FullText turns full text on or off, or makes it another kind; nil leaves it.
	FullText *FullText
	// MaxRecords is how many records the collection has at most from now on, 0 for any
	// number; nil leaves it. What a lower bound has no room for is removed, see
	// [Schema].MaxRecords. Records that were there before there was a bound count as not
	// used since.
	MaxRecords *int
	// Index says whether the embedded engine builds a vector index by itself from now on;
	// nil leaves it. An index that there is stays.
	Index *Indexing
	// Codes says what the codes of the embedded engine are like from now on; nil leaves them.
	// They are made again in the background, beside searches. Those through a vector index
	// look at all records for a moment then, until it has been checked with the new codes.
	Codes *Codes
	// Rename is the collection's new name; "" leaves it.
	Rename string
}

// AlterCollection alters the schema of a collection: it adds, drops and renames
// fields, turns the index of a field or full text on and off, and renames the
// collection. The records stay, and so does the vector index. The dimension, the
// element type and the metric cannot be altered; [DB.Reembed] gives a collection
// another model's vectors.
//
// All of it is done, or, after an error or a crash, nothing. Handles to the collection
// that this process has open go on with the new schema, also under a new name. A
// namespace without its field returns a [*SchemaError] from then on, a [Mirror]
// [ErrAltered], and so do an [DB.Reembed] or an Ingest under way, which are run again;
// a Reembed under way does not see a new name and returns [ErrNotFound].
//
// Other processes on the same store of the embedded engine go on with the new schema,
// too: from their next call on, or, inside a transaction that has begun, the one after
// it; until then it is [ErrAltered]. A new name is [ErrNotFound] there. With a server,
// a handle of another process does not learn of it: a call that names what is gone
// fails there, until the collection is opened again.
//
// It returns [ErrNotFound] if there is no such collection, [ErrExists] if another has
// the new name, a [*SchemaError] for what does not fit the schema, and
// [ErrUnsupported] if the engine cannot alter collections; see [Capabilities]. The
// tables of [DB.AttachCollection] are not altered: they are not found. Calls on the
// collection wait meanwhile; docs/change.md says for how long.
func (db *DB) AlterCollection(ctx context.Context, name string, a Alter) error {
	ctx, call, err := db.beginOutsideTx(ctx, OpAlterCollection, name, "alter collections outside transactions")
	if err != nil {
		return err
	}
	defer call.leave()
	if !schema.IsName(name) || schema.Taken(name) {
		return call.end(0, ErrNotFound)
	}
	if caps := db.engine.Capabilities(); a.Index != nil && !caps.AutoIndex {
		return call.end(0, engine.Unsupported("an index that appears by itself", caps.Engine))
	} else if a.Codes != nil && !caps.Codes {
		return call.end(0, engine.Unsupported(engine.LackCodes, caps.Engine))
	}
	return call.end(0, db.alter(ctx, name, a.plan))
}

// alter alters a collection as plan says.
func (db *DB) alter(ctx context.Context, name string, plan func(engine.Schema) (engine.Alteration, error)) error {
	caps := db.engine.Capabilities()
	if !caps.Alter {
		return engine.Unsupported(engine.LackAlter, caps.Engine)
	}
	is := db.lives.Of(name)
	var was, to engine.Schema
	err := db.engine.Alter(ctx, engine.Alter{
		Name: name,
		Plan: func(s engine.Schema) (engine.Alteration, error) {
			a, err := plan(s)
			if err == nil {
				err = schemaOf(a.Schema).check(caps)
			}
			was, to = s, a.Schema
			return a, err
		},
		Alone: is.Alone,
		Done: func(c engine.Collection) {
			is.Altered(db.kept(c))
			db.lives.Rename(name, c.Schema().Name, is)
		},
	})
	if errors.Is(err, ErrNotFound) {
		db.lives.Forget(name)
	}
	if err != nil || strings.EqualFold(was.Name, to.Name) {
		return err
	}
	ctx, cancel := engine.Rest(ctx)
	defer cancel()
	return errors.Join(notes.Rename(ctx, db.engine, was.Name, to.Name), reembed.DropLeftovers(ctx, db.engine, was.Name, ""))
}

// plan returns what becomes of a schema.
func (a Alter) plan(s engine.Schema) (engine.Alteration, error) {
	to := schema.Alter{DropFields: a.DropFields, RenameFields: a.RenameFields, Indexed: a.Indexed, Expires: a.Expires, Rename: a.Rename, MaxRecords: a.MaxRecords, AddVectors: planVectors(a.AddVectors), DropVectors: a.DropVectors}
	for _, f := range a.AddFields {
		to.AddFields = append(to.AddFields, f.plan(""))
	}
	to.FullText, to.Index, to.Codes = (*engine.FullText)(a.FullText), (*engine.Indexing)(a.Index), (*engine.Codes)(a.Codes)
	return to.Of(s)
}

// ensureFields adds the fields that s has and an open collection lacks.
func (db *DB) ensureFields(ctx context.Context, s Schema, c engine.Collection) (engine.Collection, error) {
	var index *engine.Indexing // that the schema declines, and the collection does not
	if is := c.Schema().Index; s.Index == NoIndex && is != engine.NoIndex && c.Can().AutoIndex {
		index = (*engine.Indexing)(&s.Index)
	}
	var codes *engine.Codes // the same
	if is := c.Schema().Codes; s.Codes != SevenBits && is != engine.Codes(s.Codes) {
		codes = (*engine.Codes)(&s.Codes)
	}
	if want := s.plan(); index == nil && codes == nil && !c.Schema().Dated && len(schema.Missing(c.Schema(), want)) == 0 && len(schema.MissingVectors(c.Schema(), want)) == 0 {
		return c, nil
	}
	err := db.alter(ctx, s.Name, func(is engine.Schema) (engine.Alteration, error) {
		if err := s.differs(is); err != nil { // another may have altered it meanwhile
			return engine.Alteration{}, err
		}
		a, err := schema.Alter{AddFields: schema.Missing(is, s.plan()), AddVectors: schema.MissingVectors(is, s.plan()), Index: index, Codes: codes}.Of(is)
		for i := range a.Schema.Fields {
			a.Schema.Fields[i].Extra = a.Schema.Fields[i].Extra || a.Schema.Fields[i].Name == s.Extra
		}
		return a, err
	})
	if err != nil {
		return nil, err
	}
	ctx, cancel := engine.Rest(ctx)
	defer cancel()
	return db.open(ctx, s.Name)
}

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
