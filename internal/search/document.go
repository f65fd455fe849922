package search

import (
	"context"
	"fmt"

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
		if first, other := parts[0].Namespace, parts[i].Namespace; parts[i].Document != parts[0].Document {
			return nil, schema.BadValue("source", "a source of one namespace: read it through Collection.Namespace",
				fmt.Sprintf("%s of the namespaces %s and %s", filter.Describe(source), filter.Describe(first), filter.Describe(other)))
		}
	}
	passage.Sort(parts)
	return &Passage{Document: parts[0].Document, Parts: parts}, nil
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
	p.Namespace, p.Owned = c.value(r, engine.NamespaceField).(string) // through a tenant's part there is none
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
