package local

import (
	"context"
	"errors"
	"hash/fnv"
	"slices"

	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/ann"
	"github.com/vecwire/vecwire/internal/columns"
	"github.com/vecwire/vecwire/internal/engine"
)

// The records of a namespace have links of their own in an index (see [ann.Graph.LinkKin]).
// The index knows a namespace by a number made of its name: of two that had the same one,
// each would be searched among the links of both.

// kinKey returns the number of a namespace.
func kinKey(name string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(name)) // which cannot fail
	return max(1, h.Sum64())
}

// kinField returns what is true of the records without a namespace, if the collection's
// records can have one that is in memory.
func kinField(s *engine.Schema) (none filter.Filter, ok bool) {
	none = filter.IsNull(engine.NamespaceField)
	return none, slices.ContainsFunc(s.Fields, func(f engine.Field) bool {
		return f.Name == engine.NamespaceField && f.Type == filter.String && f.Index
	})
}

// kinOf returns the number of the namespace in which all records are that a filter lets
// pass, 0 if it lets pass those of several.
func kinOf(s *engine.Schema, f filter.Filter) uint64 {
	if _, ok := kinField(s); !ok {
		return 0
	}
	all := []filter.Filter{f}
	if f.Op() == filter.OpAnd {
		all = columns.Gather(f)
	}
	for _, f := range all {
		if f.Field() != engine.NamespaceField || f.Op() != filter.OpEq && f.Op() != filter.OpIn || len(f.Values()) != 1 {
			continue
		}
		if name, ok := f.Values()[0].(string); ok {
			return kinKey(name)
		}
	}
	return 0
}

// linkKin links the records of each namespace in the index, after all were linked.
func (c *collection) linkKin(ctx context.Context, link func(groups ann.Groups) error) error {
	none, ok := kinField(&c.schema)
	if !ok {
		return nil
	}
	var failed error
	err := link(func(each func(key uint64, rows []int32)) error {
		failed = c.eachKin(ctx, none, each)
		return failed
	})
	if err == nil || failed == nil || ctx.Err() != nil || errors.Is(err, ann.ErrDamaged) {
		return err
	}
	// Searches do without, and it is tried again when something was written.
	c.store.log.WarnContext(ctx, "the namespaces of an index could not be read: searches in those that are new go through the links of all records",
		"collection", c.schema.Name, "err", failed)
	return nil
}

// eachKin passes on the rows of each namespace, which it loads if they are not in memory. The
// caller has the collection's mu for reading.
func (c *collection) eachKin(ctx context.Context, none filter.Filter, each func(key uint64, rows []int32)) error {
	t := c.fields
	t.mu.Lock()
	if k := t.columnOf(&c.schema, none); k != nil && k.spent != never {
		k.spent = always
	}
	t.mu.Unlock()
	e, err := c.evaluation(ctx, filter.Filter{}, none.Field())
	if err != nil {
		return err
	}
	column, ok := e.Column(none).(columns.Column)
	if !ok { // it is too large
		return nil
	}
	column.Groups(false, nil, func(value func() any, rows []int32) bool {
		if len(rows) >= ann.LeastKin {
			name, _ := value().(string)
			each(kinKey(name), rows)
		}
		return true
	})
	return nil
}

// otherKin reports whether the records are in other namespaces when the schema is altered,
// without one of them being written.
func otherKin(was engine.Schema, to engine.Alteration) bool {
	if !slices.ContainsFunc(was.Fields, func(f engine.Field) bool { return f.Name == engine.NamespaceField }) {
		return false // and there are no links
	}
	for i, f := range to.Schema.Fields {
		if f.Name == engine.NamespaceField {
			return to.From[i] < 0 || was.Fields[to.From[i]].Name != f.Name
		}
	}
	return true
}
