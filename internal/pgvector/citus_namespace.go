package pgvector

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
)

// A table that is distributed by namespace has the key (namespace, id), since Citus has
// no key without the column that it distributes by. The ID begins with the namespace, so
// it is unique by itself, and a statement about IDs can name the namespaces, too: that
// is how Citus knows which worker to ask.

// byNamespace reports whether Create distributes the table by namespace.
func (t *table) byNamespace() bool { return t.schema.Distributed == engine.ByNamespace }

// key is the columns that a record is told apart by.
func (t *table) key() []string {
	if t.byNamespace() {
		return []string{quote(engine.NamespaceField), t.id}
	}
	return []string{t.id}
}

// namespaceOf is what an ID begins with.
func namespaceOf(id string) string {
	name, _, _ := strings.Cut(id, "/")
	return name
}

// byIDs writes the condition that a record's ID is one of some, and its arguments, which
// are a statement's first.
func (t *table) byIDs(ids []string) (condition string, args []any) {
	condition, args = t.ids(1), []any{ids}
	if !t.byNamespace() {
		return condition, args
	}
	var names []string
	for _, id := range ids {
		if name := namespaceOf(id); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	if len(names) == 1 { // as Citus likes it best
		return condition + " AND " + t.key()[0] + " = $2::text", append(args, names[0])
	}
	return condition + " AND " + t.key()[0] + " = ANY($2::text[])", append(args, names)
}

// isID writes the condition that a record has the ID that is the last of args.
func (t *table) isID(args []any) (condition string, all []any) {
	condition = t.id + " = $" + strconv.Itoa(len(args)) + "::" + idTypes[t.idKind]
	if t.byNamespace() {
		id, _ := args[len(args)-1].(string)
		args = append(args, namespaceOf(id))
		condition += " AND " + t.key()[0] + " = $" + strconv.Itoa(len(args)) + "::text"
	}
	return condition, args
}

// namespacePlace is the place of the field among the schema's, -1 where the table is not
// distributed by it.
func (t *table) namespacePlace() int {
	if !t.byNamespace() {
		return -1
	}
	return slices.IndexFunc(t.schema.Fields, func(f engine.Field) bool { return f.Name == engine.NamespaceField })
}

// checkNamespace refuses a record whose ID and namespace do not go together.
func (t *table) checkNamespace(r *engine.Record) error {
	i := t.namespacePlace()
	if i < 0 {
		return nil
	}
	if name, _ := r.Fields[i].(string); name == "" || !strings.HasPrefix(r.ID, name+"/") {
		return &codec.ValueError{
			Field: engine.NamespaceField, Pos: -1, Got: filter.Describe(r.Fields[i]),
			Want: fmt.Sprintf("what the ID begins with before a slash, here %q, since the collection is distributed by it", namespaceOf(r.ID)),
		}
	}
	return nil
}

// checkMoved refuses to change the namespace of a record, which would have to move.
func (t *table) checkMoved(set []engine.FieldValue) error {
	i := t.namespacePlace()
	for _, f := range set {
		if f.Place == i {
			return &codec.ValueError{
				Field: engine.NamespaceField, Pos: -1, Got: filter.Describe(f.Value),
				Want: "no change, since the collection is distributed by it: store the record anew, and delete this one",
			}
		}
	}
	return nil
}
