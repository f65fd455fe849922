package search

import (
	"context"
	"fmt"
	"strings"

	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
	"github.com/vecwire/vecwire/internal/passage"
	"github.com/vecwire/vecwire/internal/schema"
)

// The fields that say where in a document a record stands.
const (
	SourceField = "source"
	PartField   = "part"
	StartField  = "start"
)

// Passage is records that stand one behind the other in a document, without vectors.
type Passage = passage.Passage[engine.Record]

// Document returns all records of a source in their order. It returns ErrNotFound if
// there are none.
func (c *Collection) Document(ctx context.Context, source string) (*Passage, error) {
	if err := c.hasParts("to read a document in order"); err != nil {
		return nil, err
	}
	f, err := c.Rules.Filter(filter.Eq(SourceField, source))
	if err != nil {
		return nil, err
	}
	parts, err := c.parts(ctx, f)
	if err == nil && len(parts) == 0 {
		err = fmt.Errorf("source %s: %w", filter.Describe(source), engine.ErrNotFound)
	}
	if err != nil {
		return nil, err
	}
	for i := range parts {
		if of := parts[i].Source; of != parts[0].Source {
			first, _ := cutSpace(parts[0].Source)
			other, _ := cutSpace(of)
			return nil, schema.BadValue("source", "a source of one namespace: read it through Collection.Namespace",
				fmt.Sprintf("%s of the namespaces %s and %s", filter.Describe(source), filter.Describe(first), filter.Describe(other)))
		}
	}
	passage.Sort(parts)
	for i := range parts {
		parts[i].Source = source
	}
	return &Passage{Source: source, Parts: parts}, nil
}

// space is what stands between a namespace and a source where two of the same name are
// told apart. No text has it.
const space = "\x00"

// cutSpace takes a source apart that part has made.
func cutSpace(of string) (namespace, source string) {
	if namespace, source, ok := strings.Cut(of, space); ok {
		return namespace, source
	}
	return "", of
}

// hasParts refuses a collection whose records do not say where they stand.
func (c *Collection) hasParts(purpose string) error {
	for _, f := range []engine.Field{{Name: SourceField, Type: filter.String}, {Name: PartField, Type: filter.Int}} {
		if t, ok := c.Rules.TypeOf(f.Name); !ok || t != f.Type {
			return &schema.Error{Collection: c.Rules.Schema().Name, Field: f.Name, Msg: fmt.Sprintf("is needed, of the type %s, %s", f.Type, purpose)}
		}
	}
	return nil
}

// parts reads the parts that a filter lets pass.
func (c *Collection) parts(ctx context.Context, f filter.Filter) (parts []passage.Part[engine.Record], err error) {
	scan := engine.Scan{Filter: f, Limit: engine.PageRecords}
	for r, err := range engine.Stream(ctx, scan, c.Engine.Scan) {
		if err != nil {
			return nil, err
		}
		parts = append(parts, *c.part(r))
	}
	return parts, nil
}

// part returns a record as a part of its document. One without a place stands behind
// all others.
func (c *Collection) part(r engine.Record) *passage.Part[engine.Record] {
	r.Vector = engine.Vector{}
	p := &passage.Part[engine.Record]{Record: r, ID: r.ID, Text: r.Text, Place: passage.Nowhere, Start: passage.Unknown}
	p.Source, _ = c.value(r, SourceField).(string)
	if of, ok := c.value(r, engine.NamespaceField).(string); ok { // of the whole collection
		p.Source = of + space + p.Source
	}
	if place, ok := c.value(r, PartField).(int64); ok {
		p.Place = place
	}
	if start, ok := c.value(r, StartField).(int64); ok {
		p.Start = start
	}
	return p
}

// value returns what a record has for a field, nil if there is nothing.
func (c *Collection) value(r engine.Record, field string) any {
	if _, place, ok := c.Rules.Field(field); ok && place < len(r.Fields) {
		return r.Fields[place]
	}
	return nil
}
