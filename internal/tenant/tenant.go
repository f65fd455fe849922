package tenant

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
)

// Collection is the part of an engine's collection that belongs to one tenant. It
// implements engine.Collection.
type Collection struct {
	inner  engine.Collection
	name   string
	prefix string
	field  string // the field of the inner collection that holds the tenant's name
	place  int    // its place in the inner schema
	schema engine.Schema
}

// New returns the part of a collection that belongs to the tenant of that name.
// The field of the inner schema at place holds the name; it has the type String.
func New(inner engine.Collection, name string, place int) *Collection {
	schema := inner.Schema()
	field := schema.Fields[place].Name
	schema.Fields = slices.Delete(slices.Clone(schema.Fields), place, place+1)
	return &Collection{inner: inner, name: name, prefix: Prefix(name), field: field, place: place, schema: schema}
}

// Prefix is what the tenant's IDs begin with in the inner collection: the name and
// a slash. No name has a slash, so no ID belongs to two tenants.
func Prefix(name string) string { return name + "/" }

// into returns records as the inner collection stores them.
func (c *Collection) into(records []engine.Record) []engine.Record {
	out := make([]engine.Record, len(records))
	for i, r := range records {
		out[i] = r
		out[i].ID = c.prefix + r.ID
		out[i].Fields = slices.Insert(slices.Clone(r.Fields), c.place, any(c.name))
	}
	return out
}

// out turns a record of the inner collection into one of the tenant's.
func (c *Collection) out(r *engine.Record) error {
	id, ok := strings.CutPrefix(r.ID, c.prefix)
	if !ok || r.Fields != nil && r.Fields[c.place] != c.name {
		return fmt.Errorf("record %q does not belong to the namespace %s: another program changed it", r.ID, c.name)
	}
	r.ID = id
	if r.Fields != nil {
		r.Fields = slices.Delete(r.Fields, c.place, c.place+1)
	}
	return nil
}

// outHits is out for each hit.
func (c *Collection) outHits(hits []engine.Hit) error {
	var errs error
	for i := range hits {
		errs = errors.Join(errs, c.out(&hits[i].Record))
	}
	return errs
}

// outAll is out for each of the records that a verb of the inner collection
// returned.
func (c *Collection) outAll(records []engine.Record, err error) ([]engine.Record, error) {
	for i := range records {
		err = errors.Join(err, c.out(&records[i]))
	}
	return records, err
}

// ids returns IDs as the inner collection has them.
func (c *Collection) ids(ids []string) []string {
	out := make([]string, len(ids))
	for i, id := range ids {
		out[i] = c.prefix + id
	}
	return out
}

// own returns the filter that lets pass those of the tenant's records that pass f.
func (c *Collection) own(f filter.Filter) (filter.Filter, error) {
	f, err := f.Map(func(op filter.Op, field string, v any) (any, error) {
		if field != "id" {
			return v, nil
		}
		if op == filter.OpContains { // the prefix is a part of the inner ID, too
			return nil, &filter.Error{Field: "id", Offset: -1, Msg: fmt.Sprintf("has no %s in a namespace", op)}
		}
		return c.idPrefix(op) + v.(string), nil // a checked filter compares the ID with strings
	})
	return filter.And(filter.Eq(c.field, c.name), f), err
}

// idPrefix is what IDs have in front in a filter of the inner collection.
func (c *Collection) idPrefix(op filter.Op) string {
	if op == filter.OpLike { // the only letter of a name that means something in a pattern
		return strings.ReplaceAll(c.prefix, "_", `\_`)
	}
	return c.prefix
}
