package vecwire

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
)

// Fields are a record's values by field name. A field that is missing or nil has
// no value. What comes back from a collection is string, int64, float64, bool,
// time.Time in UTC, or []byte; [filter.Type] says what may be put in.
type Fields map[string]any

// Record is one record of a collection.
type Record struct {
	// ID names the record, unique in its collection and kept byte for byte. It
	// is valid UTF-8 without NUL, not empty.
	ID string
	// Vector has as many elements as the schema says. A DOUBLE collection also
	// takes one, exactly.
	Vector []float32
	// Vector64 is the vector of a DOUBLE collection.
	Vector64 []float64
	// Text is what the vector stands for; "" for none. It is valid UTF-8 without NUL.
	Text string
	// Fields are the record's values, of the schema's types.
	Fields Fields
}

// Upsert stores records: each replaces the whole record of its ID, if there is
// one. Of several with the same ID the last counts. It stores all records or
// none: if some are refused, it returns a [*BatchError] that lists them all.
//
// A record with a text and no vector is embedded, if the collection has an
// embedder.
func (c *Collection) Upsert(ctx context.Context, records ...Record) error {
	return c.store(ctx, "upsert into", records, c.engine.Upsert)
}

// store checks records and gives them to an engine.
func (c *Collection) store(ctx context.Context, verb string, records []Record, to func(context.Context, []engine.Record) error) error {
	ctx, call, err := c.begin(ctx, verb)
	if err != nil {
		return err
	}
	defer call.leave()
	if records, err = c.embedRecords(ctx, records); err != nil {
		return call.end(0, err)
	}
	plan, failed := c.planRecords(records)
	if failed != nil {
		return call.end(0, &BatchError{Total: len(records), Failed: failed})
	}
	if len(plan) == 0 {
		return call.end(0, ctx.Err())
	}
	err = to(ctx, plan)
	stored := len(plan)
	if refused, ok := errors.AsType[*engine.RefusedError](err); ok {
		err, stored = batchError(refused, plan, records), refused.Stored
	} else if err != nil {
		stored = 0
	}
	return call.end(stored, err)
}

// batchError says which of a call's records the engine refused.
func batchError(refused *engine.RefusedError, plan []engine.Record, records []Record) error {
	place := make(map[string]int, len(records))
	for i, r := range records {
		place[r.ID] = i
	}
	out := &BatchError{Total: len(records), Stored: refused.Stored}
	for _, r := range refused.Records {
		id := plan[r.Index].ID
		out.Failed = append(out.Failed, RecordError{ID: id, Index: place[id], Err: r.Err})
	}
	return out
}

// planRecords checks all records. It returns either those to store, once for
// each ID, or those that are refused.
func (c *Collection) planRecords(records []Record) (plan []engine.Record, failed []RecordError) {
	plan = make([]engine.Record, 0, len(records))
	values := make([]any, len(records)*len(c.schema.Fields))
	last := make(map[string]int, len(records)) // the place of an ID's last record in plan
	maxID := c.maxID()
	for i, r := range records {
		row := values[:len(c.schema.Fields):len(c.schema.Fields)]
		values = values[len(row):]
		p, err := c.planRecord(r, row, maxID)
		if err != nil {
			failed = append(failed, RecordError{ID: r.ID, Index: i, Err: err})
			continue
		}
		last[r.ID] = len(plan)
		plan = append(plan, p)
	}
	if len(last) < len(plan) {
		once := plan[:0]
		for i, p := range plan {
			if last[p.ID] == i {
				once = append(once, p)
			}
		}
		plan = once
	}
	return plan, failed
}

func (c *Collection) planRecord(r Record, values []any, maxID int) (engine.Record, error) {
	p, err := c.planPayload(r, values, maxID)
	if err == nil {
		p.Vector, err = c.recordVector(r)
	}
	return p, err
}

// planPayload checks all of a record but its vector. The values of its fields go
// into values.
func (c *Collection) planPayload(r Record, values []any, maxID int) (engine.Record, error) {
	if err := checkID(r.ID, maxID); err != nil {
		return engine.Record{}, err
	}
	if err := filter.CheckString("text", r.Text); err != nil {
		return engine.Record{}, err
	}
	known := 0
	for i, f := range c.schema.Fields {
		v, ok := r.Fields[f.Name]
		if ok {
			known++
		}
		if v == nil {
			continue
		}
		var err error
		if values[i], err = f.Type.Convert(f.Name, v); err != nil {
			return engine.Record{}, err
		}
	}
	if known < len(r.Fields) {
		return engine.Record{}, c.unknownField(r.Fields)
	}
	return engine.Record{ID: r.ID, Text: r.Text, Fields: values}, nil
}

// recordVector checks the vector of a record.
func (c *Collection) recordVector(r Record) (engine.Vector, error) {
	v, err := c.vector(r.Vector, r.Vector64)
	if err != nil && r.Vector == nil && r.Vector64 == nil && r.Text != "" {
		err = fmt.Errorf("%w: give it one, or use the collection that WithEmbedder returns", err)
	}
	return v, err
}

// unknownField names the first of the fields that the schema does not have.
func (c *Collection) unknownField(fields Fields) error {
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if _, ok := c.fields[name]; !ok {
			return &SchemaError{Collection: c.schema.Name, Field: shorten(name), Msg: "does not exist"}
		}
	}
	return nil
}

func checkID(id string, maxBytes int) error {
	switch {
	case id == "":
		return &ValueError{Field: "id", Pos: -1, Want: "a String that is not empty", Got: "empty"}
	case len(id) > maxBytes:
		return &ValueError{
			Field: "id", Pos: -1,
			Want: fmt.Sprintf("at most %d bytes", maxBytes), Got: filter.Describe(id),
		}
	}
	return filter.CheckString("id", id)
}

// vector checks a vector that a user gave in either of two forms and returns it
// as the collection's element type.
func (c *Collection) vector(v32 []float32, v64 []float64) (engine.Vector, error) {
	switch {
	case v32 != nil && v64 != nil:
		return engine.Vector{}, &ValueError{Field: "vector", Pos: -1, Want: "Vector or Vector64", Got: "both"}
	case c.schema.Element == FLOAT && v64 != nil:
		return engine.Vector{}, &ElementError{Want: FLOAT, Got: DOUBLE}
	case c.schema.Element == FLOAT:
		return engine.Vector{F32: v32}, codec.Check(v32, c.schema.Dim, c.schema.Metric)
	case v32 != nil:
		v64 = make([]float64, len(v32))
		for i, x := range v32 {
			v64[i] = float64(x)
		}
	}
	return engine.Vector{F64: v64}, codec.Check(v64, c.schema.Dim, c.schema.Metric)
}

// record returns an engine's record as users know it.
func (c *Collection) record(r engine.Record) Record {
	out := Record{ID: r.ID, Vector: r.Vector.F32, Vector64: r.Vector.F64, Text: r.Text}
	for i, v := range r.Fields {
		if v == nil {
			continue
		}
		if out.Fields == nil {
			out.Fields = make(Fields, len(r.Fields))
		}
		out.Fields[c.schema.Fields[i].Name] = v
	}
	return out
}
