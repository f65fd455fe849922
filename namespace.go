package vecwire

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
)

// NamespaceField names the String field that says whose a record is; see
// [Collection.Namespace].
const NamespaceField = "namespace"

var namespaceRE = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.@-]{0,99}$`)

const namespaceRule = "1 to 100 letters, digits and _ . @ -, beginning with a letter or digit"

// Namespace returns the part of the collection that belongs to one tenant, with
// all the verbs of a collection: it stores only into that part, and nothing that
// it is asked can reach another. Two namespaces may have records of the same ID.
//
// The schema must have a String field of the name [NamespaceField], with an index.
// In the collection itself, which sees all namespaces, a record's ID is the
// namespace, a slash, and the ID; the namespace's own records and schema show
// neither. There, the ID may not be filtered with Contains. Indexes belong to the
// collection itself. DeleteWhere with the zero filter empties a namespace.
//
// The name is letters, digits and _ . @ -, at most 100; others are refused with a
// [*ValueError].
func (c *Collection) Namespace(name string) (*Collection, error) {
	const verb = "open a namespace of"
	if _, ok := c.engine.(*namespace); ok {
		return nil, c.wrap(verb, errors.New("it is a namespace itself"))
	}
	if isMirror(c.engine) {
		return nil, c.wrap(verb, errors.New("it is a mirror: mirror the namespace"))
	}
	if !namespaceRE.MatchString(name) {
		return nil, c.wrap(verb, &ValueError{Field: "name", Pos: -1, Want: namespaceRule, Got: filter.Describe(name)})
	}
	i, ok := c.fields[NamespaceField]
	if !ok || c.schema.Fields[i].Type != String || !c.schema.Fields[i].Index {
		return nil, c.wrap(verb, &SchemaError{Collection: c.schema.Name, Field: NamespaceField, Msg: "is needed, of the type String and with an index"})
	}
	with := newCollection(c.db, newNamespace(c.engine, name, i))
	with.embedder, with.tx, with.tuned, with.attached = c.embedder, c.tx, c.tuned, c.attached
	return with, nil
}

// namespace is the part of an engine's collection whose records have one value
// of the field at place, and IDs that begin with prefix.
type namespace struct {
	engine.Collection
	name   string
	prefix string
	place  int
	schema engine.Schema
}

func newNamespace(e engine.Collection, name string, place int) *namespace {
	n := &namespace{Collection: e, name: name, prefix: name + "/", place: place, schema: e.Schema()}
	n.schema.Fields = slices.Delete(slices.Clone(n.schema.Fields), place, place+1)
	return n
}

// Schema implements engine.Collection.
func (n *namespace) Schema() engine.Schema { return n.schema }

// into returns records as the collection stores them.
func (n *namespace) into(records []engine.Record) []engine.Record {
	out := make([]engine.Record, len(records))
	for i, r := range records {
		out[i] = r
		out[i].ID = n.prefix + r.ID
		out[i].Fields = slices.Insert(slices.Clone(r.Fields), n.place, any(n.name))
	}
	return out
}

// out turns a record of the collection into one of the namespace.
func (n *namespace) out(r *engine.Record) error {
	id, ok := strings.CutPrefix(r.ID, n.prefix)
	if !ok || r.Fields != nil && r.Fields[n.place] != n.name {
		return fmt.Errorf("record %q is not of the namespace %s: it was changed past this package", r.ID, n.name)
	}
	r.ID = id
	if r.Fields != nil {
		r.Fields = slices.Delete(r.Fields, n.place, n.place+1)
	}
	return nil
}

func (n *namespace) all(records []engine.Record, err error) ([]engine.Record, error) {
	for i := range records {
		err = errors.Join(err, n.out(&records[i]))
	}
	return records, err
}

func (n *namespace) ids(ids []string) []string {
	out := make([]string, len(ids))
	for i, id := range ids {
		out[i] = n.prefix + id
	}
	return out
}

// own returns the filter that lets only the namespace's own records pass, of
// those that f does.
func (n *namespace) own(f filter.Filter) (filter.Filter, error) {
	f, err := n.ownIDs(f)
	return filter.And(filter.Eq(NamespaceField, n.name), f), err
}

// ownIDs gives the IDs in a filter their prefix. It is the same for all records
// of the namespace, so that their order is that of the IDs alone.
func (n *namespace) ownIDs(f filter.Filter) (filter.Filter, error) {
	if f.Op() == filter.OpAnd || f.Op() == filter.OpOr || f.Op() == filter.OpNot {
		args := make([]filter.Filter, len(f.Args()))
		for i, a := range f.Args() {
			var err error
			if args[i], err = n.ownIDs(a); err != nil {
				return f, err
			}
		}
		switch f.Op() {
		case filter.OpAnd:
			return filter.And(args...), nil
		case filter.OpOr:
			return filter.Or(args...), nil
		}
		return filter.Not(args[0]), nil
	}
	if f.Field() != "id" {
		return f, nil
	}
	v := make([]string, len(f.Values()))
	for i, x := range f.Values() {
		v[i] = n.prefix + x.(string) // checked filters compare the ID with strings
	}
	switch f.Op() {
	case filter.OpEq:
		return filter.Eq("id", v[0]), nil
	case filter.OpNe:
		return filter.Ne("id", v[0]), nil
	case filter.OpGt:
		return filter.Gt("id", v[0]), nil
	case filter.OpGe:
		return filter.Ge("id", v[0]), nil
	case filter.OpLt:
		return filter.Lt("id", v[0]), nil
	case filter.OpLe:
		return filter.Le("id", v[0]), nil
	case filter.OpIn:
		return filter.In("id", v...), nil
	case filter.OpNotIn:
		return filter.NotIn("id", v...), nil
	case filter.OpBetween:
		return filter.Between("id", v[0], v[1]), nil
	case filter.OpPrefix:
		return filter.Prefix("id", v[0]), nil
	case filter.OpIsNull:
		return f, nil
	}
	return f, &FilterError{Field: "id", Offset: -1, Msg: fmt.Sprintf("has no %s in a namespace", f.Op())}
}

// Upsert implements engine.Collection.
func (n *namespace) Upsert(ctx context.Context, records []engine.Record) error {
	return n.Collection.Upsert(ctx, n.into(records))
}

// Insert implements engine.Inserter, for a collection that does.
func (n *namespace) Insert(ctx context.Context, records []engine.Record) error {
	return n.Collection.(engine.Inserter).Insert(ctx, n.into(records))
}

// Merge implements engine.Merger, for a collection that does.
func (n *namespace) Merge(ctx context.Context, records []engine.Record) (inserted, updated int, err error) {
	return n.Collection.(engine.Merger).Merge(ctx, n.into(records))
}

// Get implements engine.Collection.
func (n *namespace) Get(ctx context.Context, ids []string, vectors bool) ([]engine.Record, error) {
	return n.all(n.Collection.Get(ctx, n.ids(ids), vectors))
}

// Delete implements engine.Collection.
func (n *namespace) Delete(ctx context.Context, ids []string) (int, error) {
	return n.Collection.Delete(ctx, n.ids(ids))
}

// DeleteWhere implements engine.Collection.
func (n *namespace) DeleteWhere(ctx context.Context, f filter.Filter) (int, error) {
	f, err := n.own(f)
	if err != nil {
		return 0, err
	}
	return n.Collection.DeleteWhere(ctx, f)
}

// Count implements engine.Collection.
func (n *namespace) Count(ctx context.Context, f filter.Filter) (int, error) {
	f, err := n.own(f)
	if err != nil {
		return 0, err
	}
	return n.Collection.Count(ctx, f)
}

// Scan implements engine.Collection.
func (n *namespace) Scan(ctx context.Context, s engine.Scan) ([]engine.Record, error) {
	var err error
	if s.Filter, err = n.own(s.Filter); err != nil {
		return nil, err
	}
	s.After = n.prefix + s.After // no ID is empty, so that all come after it
	return n.all(n.Collection.Scan(ctx, s))
}

// Search implements engine.Collection.
func (n *namespace) Search(ctx context.Context, searches []engine.Search) ([]engine.Result, error) {
	searches = slices.Clone(searches)
	for i := range searches {
		var err error
		if searches[i].Filter, err = n.own(searches[i].Filter); err != nil {
			return nil, err
		}
	}
	results, err := n.Collection.Search(ctx, searches)
	for _, r := range results {
		for i := range r.Hits {
			err = errors.Join(err, n.out(&r.Hits[i].Record))
		}
	}
	return results, err
}

// SearchText implements engine.TextSearcher, for a collection that does.
func (n *namespace) SearchText(ctx context.Context, searches []engine.TextSearch) ([][]engine.Hit, error) {
	searches = slices.Clone(searches)
	for i := range searches {
		var err error
		if searches[i].Filter, err = n.own(searches[i].Filter); err != nil {
			return nil, err
		}
	}
	results, err := n.Collection.(engine.TextSearcher).SearchText(ctx, searches)
	for _, hits := range results {
		for i := range hits {
			err = errors.Join(err, n.out(&hits[i].Record))
		}
	}
	return results, err
}

// within returns a collection as a transaction sees it.
func within(use func(engine.Collection) engine.Collection, e engine.Collection) engine.Collection {
	if n, ok := e.(*namespace); ok {
		return newNamespace(use(n.Collection), n.name, n.place)
	}
	return use(e)
}

// namespaceOf returns the namespace that e is, or mirrors.
func namespaceOf(e engine.Collection) (*namespace, bool) {
	if m, ok := e.(*mirrored); ok {
		e = m.Collection
	}
	n, ok := e.(*namespace)
	return n, ok
}

// maxID is the longest ID that a record may have here.
func (c *Collection) maxID() int {
	most := c.db.engine.Capabilities().MaxIDBytes
	if n, ok := namespaceOf(c.engine); ok {
		most -= len(n.prefix)
	}
	return most
}
