package vecwire

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/embedding"
	"github.com/vecwire/vecwire/internal/engine"
	"github.com/vecwire/vecwire/internal/schema"
)

// Fields are a record's values by field name. A field that is missing or nil has
// no value. What comes back from a collection is string, int64, float64, bool,
// time.Time in UTC, []byte, []string, []int64, []float64, and for JSON map[string]any
// or []any; [filter.Type] says what may be put in.
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
	// Vectors are the further vectors that [Schema].Vectors names, those that the record
	// has, as it may have none of them.
	Vectors map[string][]float32
}

// Upsert stores records: each replaces the whole record of its ID, if there is
// one. Of several with the same ID the last counts. It stores all records or
// none: if some are refused, it returns a [*BatchError] that lists them all.
//
// A record with a text and no vector is embedded, if the collection has an
// embedder. One that is stored with the same text already keeps its vector and is
// not embedded again, so that a changed field costs no call of the model. The vector
// counts as the model's, as all vectors of the collection do: see [Schema].Model.
func (c *Collection) Upsert(ctx context.Context, records ...Record) error {
	return c.store(ctx, OpUpsert, records, engine.Collection.Upsert)
}

// Insert stores records whose IDs are not in the collection yet, faster than
// [Collection.Upsert] where there are thousands of them. It stores all records
// or none: if one of the IDs exists already it returns [ErrExists]. In all else
// it is like Upsert. It returns [ErrUnsupported] if the engine has no such way.
func (c *Collection) Insert(ctx context.Context, records ...Record) error {
	return c.store(ctx, OpInsert, records, engine.Collection.Insert)
}

// store checks records and gives them to an engine.
func (c *Collection) store(ctx context.Context, op Op, records []Record, to func(engine.Collection, context.Context, []engine.Record) error) error {
	c, ctx, call, err := c.begin(ctx, op)
	if err != nil {
		return err
	}
	defer call.leave()
	if op == OpInsert && !c.engine.Can().Insert {
		return call.end(0, engine.Unsupported(engine.LackInsert, c.db.engine.Capabilities().Engine))
	}
	if records, err = c.embedRecords(ctx, records, op == OpUpsert); err != nil {
		return call.end(0, err)
	}
	plan, failed := c.planRecords(records)
	if failed != nil {
		return call.end(0, &BatchError{Total: len(records), Failed: failed})
	}
	if len(plan) == 0 {
		return call.end(0, ctx.Err())
	}
	if err = c.complete(ctx, plan, op == OpUpsert); err != nil {
		return call.end(0, err)
	}
	err = to(c.engine, ctx, plan)
	stored := len(plan)
	if refused, ok := errors.AsType[*engine.RefusedError](err); ok {
		err, stored = batchError(refused, plan, records), refused.Stored
	} else if err != nil {
		stored = 0
	}
	return call.end(stored, err)
}

// embedRecords returns records with a vector for each that has only a text: with reuse
// that which is stored for the text, or else one of the embedder's.
func (c *Collection) embedRecords(ctx context.Context, records []Record, reuse bool) ([]Record, error) {
	bare := func(r Record) bool { return r.Text != "" && r.Vector == nil && r.Vector64 == nil }
	if c.embedder == nil || !slices.ContainsFunc(records, bare) {
		return records, nil
	}
	items := make([]embedding.Item, len(records))
	for i, r := range records {
		items[i] = embedding.Item{ID: r.ID, Text: r.Text, Vector: engine.Vector{F32: r.Vector, F64: r.Vector64}}
	}
	if reuse {
		if err := embedding.Reuse(ctx, c.engine, items, c.rules.IDs); err != nil {
			return nil, err
		}
	}
	if err := c.model().Fill(ctx, items); err != nil {
		return nil, err
	}
	records = slices.Clone(records)
	for i := range records {
		records[i].Vector, records[i].Vector64 = items[i].Vector.F32, items[i].Vector.F64
	}
	return records, nil
}

// complete makes the named vectors that records lack.
func (c *Collection) complete(ctx context.Context, records []engine.Record, reuse bool) error {
	if len(c.named) == 0 {
		return nil
	}
	pointers := make([]*engine.Record, len(records))
	for i := range records {
		pointers[i] = &records[i]
	}
	return c.completed().Complete(ctx, pointers, reuse)
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
		out.Failed = append(out.Failed, RecordError{ID: id, Index: place[id], Err: public(r.Err)})
	}
	return out
}

// planRecords checks all records. It returns either those to store, once for
// each ID, or those that are refused.
func (c *Collection) planRecords(records []Record) (plan []engine.Record, failed []RecordError) {
	plan = make([]engine.Record, 0, len(records))
	values := make([]any, len(records)*len(c.schema.Fields))
	last := make(map[string]int, len(records)) // the place of an ID's last record in plan
	for i, r := range records {
		row := values[:len(c.schema.Fields):len(c.schema.Fields)]
		values = values[len(row):]
		p, err := c.planRecord(r, row)
		if err != nil {
			failed = append(failed, RecordError{ID: r.ID, Index: i, Err: public(err)})
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

func (c *Collection) planRecord(r Record, values []any) (engine.Record, error) {
	p, err := c.planPayload(&r, values)
	if err == nil {
		p.Vector, err = c.rules.Vector(r.Vector, r.Vector64, r.Text)
	}
	return p, err
}

// planPayload checks all of a record but its own vector.
func (c *Collection) planPayload(r *Record, values []any) (engine.Record, error) {
	p, err := c.rules.Payload(r.ID, r.Text, r.Fields, values)
	if err == nil {
		p.Named, err = c.rules.Named(r.Vectors)
	}
	return p, err
}

// record returns an engine's record as users know it.
func (c *Collection) record(r engine.Record) (out Record) {
	c.recordInto(&out, &r)
	return out
}

// recordInto makes out, which is zero, the record as users know it.
func (c *Collection) recordInto(out *Record, r *engine.Record) {
	out.ID, out.Vector, out.Vector64, out.Text = r.ID, r.Vector.F32, r.Vector.F64, r.Text
	for i, v := range r.Fields {
		if v == nil {
			continue
		}
		if out.Fields == nil {
			out.Fields = make(Fields, len(r.Fields))
		}
		out.Fields[c.schema.Fields[i].Name] = v
	}
	out.Vectors = c.vectorsByName(r.Named)
}

// Change says what of one record is to be other than it is; see [Collection.Update].
// What it does not name stays. A Change with an ID alone, or with an ID and an If,
// changes nothing and reports what any other would.
type Change struct {
	// ID is the record's. Required.
	ID string
	// Set gives fields a value. One that is nil takes the field's value away. What
	// [Schema].Extra gathers is set as a whole, by the name of that field: a name that it
	// gathers is refused with a [*SchemaError], in Unset, too.
	Set Fields
	// Unset takes the values of these fields away; "text" stands for the text.
	Unset []string
	// Text is the new text; "" leaves it as it is. If the collection has an embedder
	// and the change no vector, the text is embedded, unless the record has it
	// already. Without an embedder the vector stays, and a collection with a
	// [Schema].Model refuses a text without one.
	Text string
	// Vector is the new vector, as in [Record]; nil leaves it as it is.
	Vector []float32
	// Vector64 is the new vector of a DOUBLE collection.
	Vector64 []float64
	// Vectors are new vectors of those that [Schema].Vectors names; a nil one takes the
	// record's away. One whose source changes, and that is not named here, is embedded
	// again if it has an embedder, see [Collection.WithVectorEmbedder]; else it stays.
	Vectors map[string][]float32
	// If is a condition on the record as it is when it is changed. A record that does
	// not pass is left as it is and reported as [ErrConflict]. The zero filter lets
	// every record pass.
	If filter.Filter
}

// Update changes records in place: only what a [Change] names, so that two callers
// who change different fields of one record do not undo each other's work. With
// Change.If it is a compare-and-set.
//
// It changes all the records or none. A [*BatchError] lists those that cannot be
// changed: a record that is not there with [ErrNotFound], one that does not pass its
// If with [ErrConflict], an ID that comes twice and a value that does not fit with a
// [*ValueError]. Texts are embedded before anything is locked.
//
// It returns [ErrUnsupported] if the engine cannot change records, or cannot do so
// on a condition; see [Capabilities]. Without AtomicBatches each record is changed
// by itself, after all were found to be there.
func (c *Collection) Update(ctx context.Context, changes ...Change) error {
	c, ctx, call, err := c.begin(ctx, OpUpdate)
	if err != nil {
		return err
	}
	defer call.leave()
	n, err := c.update(ctx, changes)
	return call.end(n, err)
}

// update returns how many records it changed.
func (c *Collection) update(ctx context.Context, changes []Change) (int, error) {
	if can := c.engine.Can(); !can.Update {
		return 0, engine.Unsupported(engine.LackUpdate, c.db.engine.Capabilities().Engine)
	} else if conditional := func(ch Change) bool { return !ch.If.IsZero() }; !can.UpdateIf && slices.ContainsFunc(changes, conditional) {
		return 0, engine.Unsupported(engine.LackUpdateIf, c.db.engine.Capabilities().Engine)
	}
	checked := make([]schema.Change, len(changes))
	for i, ch := range changes {
		checked[i] = schema.Change{ID: ch.ID, Set: ch.Set, Unset: ch.Unset, Text: ch.Text, F32: ch.Vector, F64: ch.Vector64, Named: ch.Vectors, If: ch.If}
	}
	plan, failed := c.rules.Changes(checked, c.embedder != nil)
	if failed != nil {
		return 0, changeError(&engine.RefusedError{Records: failed}, changes)
	}
	if len(plan) == 0 {
		return 0, ctx.Err()
	}
	if err := c.completed().Changes(ctx, plan); err != nil {
		return 0, err
	}
	err := c.model().Update(ctx, c.engine, c.schema, plan)
	if refused, ok := errors.AsType[*engine.RefusedError](err); ok {
		return refused.Stored, changeError(refused, changes)
	}
	if err != nil {
		return 0, err
	}
	return len(plan), nil
}

// changeError says which of a call's changes the engine refused.
func changeError(refused *engine.RefusedError, changes []Change) error {
	out := &BatchError{Total: len(changes), Stored: refused.Stored}
	for _, r := range refused.Records {
		err := r.Err
		if errors.Is(err, engine.ErrOtherText) {
			err = fmt.Errorf("%w: %w", ErrConflict, err)
		}
		out.Failed = append(out.Failed, RecordError{ID: changes[r.Index].ID, Index: r.Index, Err: public(err)})
	}
	return out
}

// UpdateWhere gives the fields of all records that f lets pass these values, in one
// step, and returns how many records that were, those among them that had the values
// already. A value that is nil takes the field's value away. The zero filter lets
// every record pass. Texts and vectors stay; [Collection.Update] changes those.
//
// It returns [ErrUnsupported] if the engine cannot change records; see [Capabilities].
func (c *Collection) UpdateWhere(ctx context.Context, f filter.Filter, set Fields) (int, error) {
	c, ctx, call, err := c.begin(ctx, OpUpdateWhere)
	if err != nil {
		return 0, err
	}
	defer call.leave()
	if !c.engine.Can().Update {
		return 0, call.end(0, engine.Unsupported(engine.LackUpdate, c.db.engine.Capabilities().Engine))
	}
	if f, err = c.checkFilter(f); err != nil {
		return 0, call.end(0, err)
	}
	plan, err := c.rules.Values(set)
	if err == nil && len(plan) == 0 {
		err = &ValueError{Field: "fields", Pos: -1, Want: "a value for one field at least", Got: "none"}
	}
	if err != nil {
		return 0, call.end(0, err)
	}
	n, err := c.engine.UpdateWhere(ctx, f, plan)
	return n, call.end(n, err)
}
