package vecwire

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"sync/atomic"

	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/embedding"
	"github.com/vecwire/vecwire/internal/engine"
	"github.com/vecwire/vecwire/internal/named"
	"github.com/vecwire/vecwire/internal/schema"
	"github.com/vecwire/vecwire/internal/tenant"
)

var errThrough = named.ErrThrough

// VectorLeg is a search by a named vector as a part of a [Fusion].
type VectorLeg struct {
	// In names the vector, one of [Schema].Vectors. Required.
	In string
	// Vector is compared. Defaults to what the vector's embedder makes of [Query].Text; see
	// [Collection.WithVectorEmbedder].
	Vector []float32
	// Weight is how much this search counts. Defaults to 1.
	Weight float64
}

// MaxSim asks for the candidates of a [Query] to be scored by the vectors of their tokens
// against those of the question's, as late interaction does: see [rerank.MaxSim], which
// has the formula. Nothing is indexed by tokens: what is not among the
// [Query].Candidates is not found. Candidates without tokens come last, with a score of
// -math.MaxFloat64.
type MaxSim struct {
	// Field names the Bytes field that holds the tokens of a record's text, as
	// [rerank.PackTokens] packs them. Required.
	Field string
	// Tokens are the vectors of the question's tokens, of one dimension. Required.
	Tokens [][]float32
}

// In returns the collection as it is seen through one of the vectors that
// [Schema].Vectors names, which takes the place of the records' own: searches compare
// it, [Collection.Get] returns it as Record.Vector, [Collection.BuildIndex] indexes it,
// [Collection.Recall] and [Collection.Tune] measure its index, and Schema has its
// dimension, metric and model. It has the embedder of [Collection.WithVectorEmbedder].
// Records without this vector are not found, and are read with none.
//
// It deletes as the collection itself does. What stores or changes records returns
// [ErrUnsupported]: do that by the collection itself.
func (c *Collection) In(name string) (*Collection, error) {
	c, err := c.latest(OpIn)
	if err != nil {
		return nil, err
	}
	in, err := c.in(name)
	return in, c.wrap(OpIn, err)
}

func (c *Collection) in(name string) (*Collection, error) {
	if c.vector != "" {
		return nil, fmt.Errorf("it is seen through its vector %q already", c.vector)
	}
	e, err := through(c.engine, name)
	if err != nil {
		return nil, err
	}
	with := *c
	with.vector, with.embedder, with.named, with.tuned = name, c.named[name], nil, c.tunedIn[name]
	with.fresh, with.closed = new(atomic.Pointer[Collection]), new(atomic.Bool)
	with.over(e)
	return &with, nil
}

// orIn is in, or the collection itself without a name.
func (c *Collection) orIn(name string) (*Collection, error) {
	if name == "" {
		return c, nil
	}
	return c.in(name)
}

func through(e engine.Collection, name string) (engine.Collection, error) {
	at := e.Schema().VectorPlace(name)
	if at < 0 {
		return nil, schema.NoVector(e.Schema(), name)
	}
	return named.Through(e, at), nil
}

// WithVectorEmbedder returns the same collection with an embedder for one of the vectors
// that [Schema].Vectors names. A record that is stored without it gets one of the text
// in the vector's Source, if there is any; so does a [Change] that changes the source;
// and a [Query] with the vector's name in In may have a Text alone. As with
// [Collection.WithEmbedder], Upsert and Ingest keep the vector of what is stored with
// the same text already. UpdateWhere embeds nothing.
//
// It returns [ErrModelMismatch] if the embedder's model is not the vector's, and a
// [*DimensionError] if its vectors do not fit.
func (c *Collection) WithVectorEmbedder(name string, e Embedder) (*Collection, error) {
	const op = OpWithEmbedder
	c, err := c.latest(op)
	if err != nil {
		return nil, err
	}
	in, err := c.in(name)
	if err != nil {
		return nil, c.wrap(op, err)
	}
	if _, err := in.WithEmbedder(e); err != nil {
		return nil, err
	}
	with := *c
	with.named, with.fresh, with.closed = maps.Clone(c.named), new(atomic.Pointer[Collection]), new(atomic.Bool)
	if with.named == nil {
		with.named = map[string]Embedder{}
	}
	with.named[name] = e
	return &with, nil
}

// embeds returns an error if a vector's embedder is of another model than the vector is
// since it was made again.
func (c *Collection) embeds() error {
	for name, e := range c.named {
		if at := c.schema.VectorPlace(name); at >= 0 && c.schema.Vectors[at].Model != e.Model() {
			return fmt.Errorf("%w: the embedder of the vector %q is %q, the vector is of %q now: give the collection another by WithVectorEmbedder", ErrModelMismatch, name, e.Model(), c.schema.Vectors[at].Model)
		}
	}
	if c.vector != "" && c.embedder != nil && c.embedder.Model() != c.schema.Model {
		return fmt.Errorf("%w: the embedder is %q, the vector %q is of %q now: give the collection another by WithVectorEmbedder", ErrModelMismatch, c.embedder.Model(), c.vector, c.schema.Model)
	}
	return nil
}

// completed makes the named vectors of records.
func (c *Collection) completed() embedding.Named {
	n := embedding.Named{Collection: c.engine, Rules: c.rules}
	for name, e := range c.named {
		if n.Models == nil {
			n.Models = make(map[string]embedding.Model, len(c.named))
		}
		n.Models[name] = c.modelOf(e)
	}
	return n
}

// vectorsByName returns named vectors as users know them.
func (c *Collection) vectorsByName(vectors []engine.Vector) (byName map[string][]float32) {
	for i, v := range vectors {
		if v.IsZero() {
			continue
		}
		if byName == nil {
			byName = make(map[string][]float32, len(vectors))
		}
		byName[c.schema.Vectors[i].Name] = v.F32
	}
	return byName
}

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
