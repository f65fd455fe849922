package vecwire

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
)

// Element is the type of a vector's elements.
type Element = codec.Element

// The element types. They bear SQL's names; [Float] is a type of fields.
const (
	FLOAT  = codec.FLOAT  // float32, the default
	DOUBLE = codec.DOUBLE // float64
)

// Metric says how vectors are compared, and so what a [Hit]'s Score is.
type Metric = codec.Metric

// The metrics. See docs/scores.md for the formulas.
const (
	Cosine = codec.Cosine // cosine similarity, in [-1, 1]; the default
	Dot    = codec.Dot    // dot product
	L2     = codec.L2     // negated Euclidean distance
)

// FieldType is the type of a field's values; see [filter.Type] for the Go
// values that stand for each.
type FieldType = filter.Type

// The field types.
const (
	String = filter.String
	Int    = filter.Int
	Float  = filter.Float
	Bool   = filter.Bool
	Time   = filter.Time
	Bytes  = filter.Bytes
)

// Field describes a typed field that records may have and filters may use.
type Field struct {
	Name  string    // letters, digits and underscores, beginning with a letter; at most 48
	Type  FieldType // defaults to String
	Index bool      // makes filters over the field faster, and writes a little slower
}

// Schema describes a collection.
type Schema struct {
	// Name is the collection's name: letters, digits and underscores, beginning
	// with a letter; at most 48. Two names that differ only in case are the same.
	Name string
	// Dim is the number of elements of every vector. Required.
	Dim int
	// Element is the type of the vectors' elements. Defaults to FLOAT.
	Element Element
	// Metric says how vectors are compared. Defaults to Cosine.
	Metric Metric
	// Model names the embedding model that makes the vectors. The collection
	// then refuses embedders of another; see [Collection.WithEmbedder].
	Model string
	// Fields are what records may have beside ID, vector and text. Names that
	// differ only in case are the same; "id", "text", "vector" and names that
	// begin with "vecwire_" are taken.
	Fields []Field
	// FullText keeps an index over the words of the texts, for [Query].Fusion.
	// Writing a text then takes longer. Defaults to NoFullText.
	FullText FullText
}

const maxFields = 200

var nameRE = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]{0,47}$`)

const nameRule = "must be 1 to 48 letters, digits and underscores, beginning with a letter"

func (s Schema) check(caps engine.Capabilities) error {
	fail := func(field, format string, args ...any) error {
		return &SchemaError{Collection: shorten(s.Name), Field: shorten(field), Msg: fmt.Sprintf(format, args...)}
	}
	switch {
	case !nameRE.MatchString(s.Name):
		return fail("", "the name %s", nameRule)
	case taken(s.Name):
		return fail("", "names that begin with vecwire_ are taken")
	case s.Dim < 1 || s.Dim > caps.MaxDim:
		return fail("", "Dim is %d, want 1 to %d", s.Dim, caps.MaxDim)
	case s.Element > DOUBLE:
		return fail("", "Element is %d, want FLOAT or DOUBLE", s.Element)
	case s.Metric > L2:
		return fail("", "Metric is %d, want Cosine, Dot or L2", s.Metric)
	case s.Element == DOUBLE && !caps.Doubles:
		return unsupported("the element type DOUBLE", caps.Engine)
	case s.Metric == L2 && !caps.L2:
		return unsupported("the metric L2", caps.Engine)
	case s.FullText > English:
		return fail("", "FullText is %d, want NoFullText, Words or English", s.FullText)
	case s.FullText != NoFullText && !caps.FullText:
		return unsupported("full text", caps.Engine)
	case len(s.Fields) > maxFields:
		return fail("", "has %d fields, want at most %d", len(s.Fields), maxFields)
	}
	seen := map[string]bool{"id": true, "text": true, "vector": true}
	for _, f := range s.Fields {
		folded := strings.ToLower(f.Name)
		switch {
		case !nameRE.MatchString(f.Name):
			return fail(f.Name, nameRule)
		case taken(f.Name) || seen[folded]:
			return fail(f.Name, "is taken")
		case !f.Type.Valid():
			return fail(f.Name, "has the unknown type %s", f.Type)
		}
		seen[folded] = true
	}
	return filter.CheckString("Model", s.Model)
}

func taken(name string) bool { return strings.HasPrefix(strings.ToLower(name), "vecwire_") }

func (s Schema) plan() engine.Schema {
	fields := make([]engine.Field, len(s.Fields))
	for i, f := range s.Fields {
		fields[i] = engine.Field(f)
	}
	return engine.Schema{Name: s.Name, Dim: s.Dim, Element: s.Element, Metric: s.Metric, Model: s.Model, Fields: fields, FullText: engine.FullText(s.FullText)}
}

func schemaOf(p engine.Schema) Schema {
	fields := make([]Field, len(p.Fields))
	for i, f := range p.Fields {
		fields[i] = Field(f)
	}
	return Schema{Name: p.Name, Dim: p.Dim, Element: p.Element, Metric: p.Metric, Model: p.Model, Fields: fields, FullText: FullText(p.FullText)}
}

// differs says what of a collection is not as the schema has it, "" for nothing.
func (s Schema) differs(c *Collection) (field, msg string) {
	is := c.schema
	switch {
	case is.Dim != s.Dim:
		return "", fmt.Sprintf("Dim is %d, want %d", is.Dim, s.Dim)
	case is.Element != s.Element:
		return "", fmt.Sprintf("Element is %s, want %s", is.Element, s.Element)
	case is.Metric != s.Metric:
		return "", fmt.Sprintf("Metric is %s, want %s", is.Metric, s.Metric)
	case is.Model != s.Model:
		return "", fmt.Sprintf("Model is %q, want %q", is.Model, s.Model)
	case FullText(is.FullText) != s.FullText:
		return "", fmt.Sprintf("FullText is %s, want %s", is.FullText, s.FullText)
	}
	for _, f := range s.Fields {
		i, ok := c.fields[f.Name]
		switch {
		case !ok:
			return f.Name, "does not exist, and is wanted"
		case is.Fields[i].Type != f.Type:
			return f.Name, fmt.Sprintf("is %s, want %s", is.Fields[i].Type, f.Type)
		}
	}
	for _, f := range is.Fields {
		if !slices.ContainsFunc(s.Fields, func(want Field) bool { return want.Name == f.Name }) {
			return f.Name, "exists, and is not wanted"
		}
	}
	return "", ""
}
