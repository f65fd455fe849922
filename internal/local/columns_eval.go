package local

import (
	"context"
	"slices"

	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/columns"
)

// evaluation is how one filter is answered. It is the source of its own, so that all it
// needs is one piece of memory.
type evaluation struct {
	columns.Evaluation
	ctx   context.Context
	of    *collection
	at    int64 // the last commit that may be in an answer
	words int   // how long sets must be
	inTx  bool  // nothing is kept
	have  []readyColumn
	first [2]readyColumn // the memory of have, mostly
}

// readyColumn is what answers the conditions over a field.
type readyColumn struct {
	field string
	is    columns.Selector
}

// has notes what answers the conditions over a field.
func (e *evaluation) has(field string, is columns.Selector) {
	if e.have == nil {
		e.have = e.first[:0]
	}
	if e.find(field) < 0 {
		e.have = append(e.have, readyColumn{field, is})
	}
}

// find returns the place in have, -1 if there is none.
func (e *evaluation) find(field string) int {
	return slices.IndexFunc(e.have, func(r readyColumn) bool { return r.field == field })
}

// Column implements columns.Source.
func (e *evaluation) Column(f filter.Filter) columns.Selector {
	i := e.find(f.Field())
	if i < 0 {
		return nil
	}
	if ids, ok := e.have[i].is.(idColumn); ok {
		if !ids.answers(f) {
			return nil
		}
		return ids
	}
	if kind, _ := kindOf(&e.of.schema, f.Field()); !columns.Answers(kind.field.Type, f) {
		return nil
	}
	return e.have[i].is
}

// Other implements columns.Source.
func (e *evaluation) Other(f filter.Filter, within columns.Set) (columns.Set, error) {
	return e.of.others(e.ctx, f, within)
}

// Kept implements columns.Source.
func (e *evaluation) Kept(f filter.Filter) (columns.Set, bool) {
	if e.inTx {
		return nil, false
	}
	return e.of.fields.kept(e.of.latest(e.ctx), f)
}

// Keep implements columns.Source.
func (e *evaluation) Keep(f filter.Filter, answer columns.Set) {
	if !e.inTx {
		e.of.fields.keep(e.at, f, answer)
	}
}

// Room implements columns.Source.
func (e *evaluation) Room() columns.Set {
	if s, ok := e.of.fields.room.Get().(*columns.Set); ok && cap(*s) >= e.words {
		set := (*s)[:e.words]
		clear(set)
		return set
	}
	return make(columns.Set, e.words)
}

// Back implements columns.Source.
func (e *evaluation) Back(s columns.Set) { e.of.fields.give(s) }
