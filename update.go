package vecwire

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
	"github.com/vecwire/vecwire/internal/schema"
)

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
