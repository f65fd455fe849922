package vecwire

import (
	"context"
	"errors"
	"iter"

	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
)

// CreateCollection makes an empty collection. It returns [ErrExists] if there is
// one of that name, and a [*SchemaError] if the schema cannot be made.
func (db *DB) CreateCollection(ctx context.Context, s Schema) (*Collection, error) {
	ctx, call, err := db.begin(ctx, "create collection", s.Name)
	if err != nil {
		return nil, err
	}
	defer call.leave()
	if err := s.check(db.engine.Capabilities()); err != nil {
		return nil, call.end(0, err)
	}
	c, err := db.engine.Create(ctx, s.plan())
	if err = call.end(0, err); err != nil {
		return nil, err
	}
	return newCollection(db, c), nil
}

// OpenCollection opens a collection. It returns [ErrNotFound] if there is none
// of that name.
func (db *DB) OpenCollection(ctx context.Context, name string) (*Collection, error) {
	ctx, call, err := db.begin(ctx, "open collection", name)
	if err != nil {
		return nil, err
	}
	defer call.leave()
	if !nameRE.MatchString(name) {
		return nil, call.end(0, ErrNotFound) // no collection has such a name
	}
	c, err := db.engine.Open(ctx, name)
	if err = call.end(0, err); err != nil {
		return nil, err
	}
	return newCollection(db, c), nil
}

// EnsureCollection opens the collection of the schema's name, or makes it if
// there is none. It returns a [*SchemaError] if there is one with another schema;
// the order of the fields, and which are indexed, do not count.
func (db *DB) EnsureCollection(ctx context.Context, s Schema) (*Collection, error) {
	c, err := db.OpenCollection(ctx, s.Name)
	if errors.Is(err, ErrNotFound) {
		c, err = db.CreateCollection(ctx, s)
		if errors.Is(err, ErrExists) { // somebody else has made it meanwhile
			c, err = db.OpenCollection(ctx, s.Name)
		}
	}
	if err != nil {
		return nil, err
	}
	if field, msg := s.differs(c); msg != "" {
		return nil, c.wrap("ensure collection", &SchemaError{Collection: c.schema.Name, Field: field, Msg: msg})
	}
	return c, nil
}

// Collections returns the schemas of all collections, by name. Those that this
// package keeps for itself are left out.
func (db *DB) Collections(ctx context.Context) ([]Schema, error) {
	ctx, call, err := db.begin(ctx, "list collections", "")
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
		if !taken(p.Name) {
			schemas = append(schemas, schemaOf(p))
		}
	}
	return schemas, nil
}

// DropCollection removes a collection with all its records. It returns
// [ErrNotFound] if there is none of that name. Open handles to it then return
// ErrNotFound too.
func (db *DB) DropCollection(ctx context.Context, name string) error {
	ctx, call, err := db.begin(ctx, "drop collection", name)
	if err != nil {
		return err
	}
	defer call.leave()
	if !nameRE.MatchString(name) {
		return call.end(0, ErrNotFound)
	}
	err = db.engine.Drop(ctx, name)
	if err == nil {
		err = errors.Join(db.forgetNotes(ctx, filter.Prefix("id", noteID(name, ""))), db.dropLeftovers(ctx, name, ""))
	}
	return call.end(0, err)
}

// Collection holds records of one schema and finds them by their vectors. It is
// safe for concurrent use.
type Collection struct {
	db       *DB
	engine   engine.Collection
	schema   engine.Schema
	fields   map[string]int // a field's place in the schema
	embedder Embedder       // nil without WithEmbedder
	tuned    *tuned
	tx       *Tx  // nil outside a transaction
	attached bool // a table of others
}

// wrap is the error of one of the collection's verbs. It fails the transaction
// that the verb is part of.
func (c *Collection) wrap(verb string, err error) error {
	err = wrap(verb, c.schema.Name, err)
	if err != nil && c.tx != nil {
		c.tx.fail(err)
	}
	return err
}

func newCollection(db *DB, e engine.Collection) *Collection {
	c := &Collection{db: db, engine: e, schema: e.Schema(), fields: map[string]int{}, tuned: &tuned{}}
	for i, f := range c.schema.Fields {
		c.fields[f.Name] = i
	}
	return c
}

// Schema returns the collection's schema.
func (c *Collection) Schema() Schema { return schemaOf(c.schema) }

// Get returns the records with these IDs that exist, in the order of ids, with
// their vectors. IDs that are not there are left out.
func (c *Collection) Get(ctx context.Context, ids ...string) ([]Record, error) {
	ctx, call, err := c.begin(ctx, "get from")
	if err != nil {
		return nil, err
	}
	defer call.leave()
	ids, known := c.possible(ids), map[string]Record{}
	if len(ids) == 0 {
		return nil, call.end(0, ctx.Err())
	}
	found, err := c.engine.Get(ctx, ids, true)
	if err = call.end(len(found), err); err != nil {
		return nil, err
	}
	for _, r := range found {
		known[r.ID] = c.record(r)
	}
	records := make([]Record, 0, len(found))
	for _, id := range ids {
		if r, ok := known[id]; ok {
			records = append(records, r)
		}
	}
	return records, nil
}

// Delete removes the records with these IDs that exist and returns how many
// there were.
func (c *Collection) Delete(ctx context.Context, ids ...string) (int, error) {
	ctx, call, err := c.begin(ctx, "delete from")
	if err != nil {
		return 0, err
	}
	defer call.leave()
	if ids = c.possible(ids); len(ids) == 0 {
		return 0, call.end(0, ctx.Err())
	}
	n, err := c.engine.Delete(ctx, ids)
	return n, call.end(n, err)
}

// possible returns ids once each, without those that no record can have.
func (c *Collection) possible(ids []string) []string {
	seen := make(map[string]bool, len(ids))
	out := make([]string, 0, len(ids))
	for _, id := range ids {
		if !seen[id] && checkID(id, c.maxID()) == nil {
			seen[id] = true
			out = append(out, id)
		}
	}
	return out
}

// DeleteWhere removes the records that f lets pass and returns how many there
// were. The zero filter lets every record pass.
func (c *Collection) DeleteWhere(ctx context.Context, f filter.Filter) (int, error) {
	return c.withFilter(ctx, "delete from", f, engine.Collection.DeleteWhere)
}

// Count returns how many records f lets pass. The zero filter counts all.
func (c *Collection) Count(ctx context.Context, f filter.Filter) (int, error) {
	return c.withFilter(ctx, "count", f, engine.Collection.Count)
}

func (c *Collection) withFilter(ctx context.Context, verb string, f filter.Filter,
	run func(engine.Collection, context.Context, filter.Filter) (int, error),
) (int, error) {
	ctx, call, err := c.begin(ctx, verb)
	if err != nil {
		return 0, err
	}
	defer call.leave()
	if f, err = f.Check(c.typeOf); err != nil {
		return 0, call.end(0, err)
	}
	n, err := run(c.engine, ctx, f)
	return n, call.end(n, err)
}

// typeOf tells filters the type of a field. The ID may be filtered by, too.
func (c *Collection) typeOf(field string) (FieldType, bool) {
	if field == "id" {
		return String, true
	}
	i, ok := c.fields[field]
	if !ok {
		return 0, false
	}
	return c.schema.Fields[i].Type, true
}

// Scan says which records [Collection.All] streams.
type Scan struct {
	Filter  filter.Filter // only records that pass; the zero filter lets all pass
	After   string        // only records whose ID comes after this one, to go on where an earlier scan stopped
	Vectors bool          // with vectors
}

// scanLimit is how many records without vectors are read at a time.
const scanLimit = 512

// All streams records in the order of their IDs, byte by byte. It reads a page
// at a time and holds nothing in between, so the loop may take its time, may
// call other methods and may stop early. A record that is written or deleted
// meanwhile may or may not be seen; every other is seen once. After an error
// the stream ends.
func (c *Collection) All(ctx context.Context, s Scan) iter.Seq2[Record, error] {
	const verb = "scan"
	limit := scanLimit
	if s.Vectors { // about a MiB a page
		limit = max(16, min(limit, 1<<20/(c.schema.Dim*c.schema.Element.Size())))
	}
	return func(yield func(Record, error) bool) {
		f, err := s.Filter.Check(c.typeOf)
		if err == nil {
			err = filter.CheckString("After", s.After)
		}
		if err != nil {
			yield(Record{}, c.wrap(verb, err))
			return
		}
		for r, err := range c.stream(ctx, engine.Scan{Filter: f, After: s.After, Limit: limit, Vectors: s.Vectors}) {
			if err != nil {
				yield(Record{}, c.wrap(verb, err))
				return
			}
			if !yield(c.record(r), nil) {
				return
			}
		}
	}
}

// stream reads one page after the other, as plan has it.
func (c *Collection) stream(ctx context.Context, plan engine.Scan) iter.Seq2[engine.Record, error] {
	return func(yield func(engine.Record, error) bool) {
		for {
			page, err := c.scan(ctx, plan)
			if err != nil {
				yield(engine.Record{}, err)
				return
			}
			for _, r := range page {
				if !yield(r, nil) {
					return
				}
			}
			if len(page) < plan.Limit {
				return
			}
			plan.After = page[len(page)-1].ID
		}
	}
}

func (c *Collection) scan(ctx context.Context, plan engine.Scan) ([]engine.Record, error) {
	if err := c.db.enter(); err != nil {
		return nil, err
	}
	defer c.db.leave()
	return c.engine.Scan(ctx, plan)
}
