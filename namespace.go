package vecwire

import (
	"errors"
	"regexp"

	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
	"github.com/vecwire/vecwire/internal/schema"
	"github.com/vecwire/vecwire/internal/tenant"
)

// NamespaceField names the String field that says which namespace a record
// belongs to; see [Collection.Namespace].
const NamespaceField = engine.NamespaceField

var namespaceRE = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.@-]{0,99}$`)

const namespaceRule = "1 to 100 letters, digits and _ . @ -, beginning with a letter or digit"

// Namespace returns the part of the collection that belongs to one tenant, with
// all the verbs of a collection: it stores only into that part, and nothing that
// it is asked can reach another. Two namespaces may have records of the same ID.
//
// The schema must have a String field of the name [NamespaceField], with an index.
// In the collection itself, which sees all namespaces, a record's ID is the
// namespace, a slash, and the ID; the namespace's own records and schema show
// neither. A filter in a namespace cannot use Contains on the ID. BuildIndex
// builds an index over the namespace alone, for a large tenant, where
// Capabilities.PartialIndexes says so; otherwise indexes belong to the collection
// itself. DeleteWhere with the zero filter empties a namespace.
//
// The name is letters, digits and _ . @ -, at most 100; others are refused with a
// [*ValueError].
func (c *Collection) Namespace(name string) (*Collection, error) {
	const op = OpNamespace
	c, err := c.latest(op)
	if err != nil {
		return nil, err
	}
	if c.vector != "" {
		return nil, c.wrap(op, errThrough)
	}
	if c.namespace != "" {
		return nil, c.wrap(op, errors.New("it is a namespace itself"))
	}
	if c.mirror != nil {
		return nil, c.wrap(op, errors.New("it is a mirror: mirror the namespace"))
	}
	if !namespaceRE.MatchString(name) {
		return nil, c.wrap(op, &ValueError{Field: "name", Pos: -1, Want: namespaceRule, Got: filter.Describe(name)})
	}
	i, err := schema.NamespacePlace(c.schema)
	if err != nil {
		return nil, c.wrap(op, err)
	}
	with := newCollection(c.db, tenant.New(c.engine, name, i), name)
	with.embedder, with.tuned, with.attached = c.embedder, c.tuned, c.attached
	with.live, with.seen, with.named = c.live, c.seen, c.named
	return with, nil
}
