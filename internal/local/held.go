package local

import (
	"context"
	"fmt"
	"slices"

	"github.com/vecwire/vecwire/internal/engine"
)

// A store in memory keeps each vector once, in the index: SQLite has rows with an empty one.
// Nothing is lost that way. The memory changes after SQLite has committed alone, in the same
// hold of the gate, so that whoever has the gate, the turn, or a transaction finds vectors that
// fit the rows; and a transaction keeps what it has stored until then. So the index of such a
// collection must never be dropped while its rows are there: what is asleep keeps its vectors,
// and an heir takes the index over.

// held reports whether the vectors of the store's collections are in their indexes alone.
func (s *store) held() bool { return s.gate != nil }

// noVector is what SQLite has in place of a vector that is held.
var noVector = []byte{}

// newIndex returns an empty index for the collection.
func (c *collection) newIndex() (index, error) {
	return newIndex(c.schema, c.outside, c.store.held())
}

// A vectorSource returns the vector of a row.
type vectorSource func(row int32) (engine.Vector, bool)

// heldNow is a vectorSource for who has the gate or the turn, and not the collection's lock.
func (c *collection) heldNow(row int32) (engine.Vector, bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if c.index == nil { // it is an heir's, or the collection is gone
		return engine.Vector{}, false
	}
	return c.index.given(row)
}

// heldIn returns the vectors of the collection with an id for who has the gate or the turn.
// An heir may take them over meanwhile.
func (s *store) heldIn(id int64) vectorSource {
	var in *collection
	return func(row int32) (v engine.Vector, ok bool) {
		if in != nil {
			v, ok = in.heldNow(row)
		}
		if ok {
			return v, true
		}
		for _, c := range s.openCollections() {
			if c.id == id {
				if v, ok = c.heldNow(row); ok {
					in = c
					return v, true
				}
			}
		}
		return v, false
	}
}

// vectorsOf returns the collection's vectors as the transaction sees them.
func (ch *change) vectorsOf(c *collection) vectorSource {
	return func(row int32) (engine.Vector, bool) {
		if v, ok := ch.vectors[row]; ok {
			return engine.Vector{F32: slices.Clone(v.F32), F64: slices.Clone(v.F64)}, true
		}
		return c.index.given(row)
	}
}

// heldView finds the vectors of records by their IDs.
type heldView struct {
	rowOf   func(id string) (int32, bool)
	vectors vectorSource
}

// heldView is for who has the collection's lock for reading.
func (c *collection) heldView() heldView { return heldView{c.ids.row, c.index.given} }

// heldView is for the transaction.
func (ch *change) heldView(c *collection) heldView { return heldView{ch.row, ch.vectorsOf(c)} }

// fill gives records their vectors.
func (h heldView) fill(c *collection, records []engine.Record) error {
	for i := range records {
		row, ok := h.rowOf(records[i].ID)
		if !ok {
			row = noRow
		}
		if err := c.putHeld(&records[i], row, h.vectors); err != nil {
			return err
		}
	}
	return nil
}

// withHeld returns a rowReader that has vectors from where they are held.
func (c *collection) withHeld(read rowReader, of vectorSource) rowReader {
	if !c.store.held() {
		return read
	}
	return func(ctx context.Context, numbers []int32, p parts, to func(place int) *engine.Record) error {
		rest := p // what SQLite has
		rest.vectors = false
		if p.payload || !p.vectors {
			if err := read(ctx, numbers, rest, to); err != nil {
				return err
			}
		}
		if !p.vectors {
			return nil
		}
		for place, row := range numbers {
			if err := c.putHeld(to(place), row, of); err != nil {
				return err
			}
		}
		return nil
	}
}

// putHeld gives a record its vector.
func (c *collection) putHeld(r *engine.Record, row int32, of vectorSource) error {
	var ok bool
	if r.Vector, ok = of(row); !ok {
		return fmt.Errorf("%w: record %q in %q has no vector", errDamaged, r.ID, c.schema.Name)
	}
	return nil
}

// rest lets all go of a collection in memory but its vectors. The caller has what sleep has.
func (c *collection) rest() {
	c.index.forget()
	c.index.rest()
}

// rouse reads again what rest and sleep have let go. The caller may change the collection's
// links, and there is no linker.
func (c *collection) rouse(ctx context.Context) error {
	b, _, err := c.indexInFile(ctx)
	if err != nil {
		return err
	}
	fresh, err := newCollection(c.store, c.schema, c.id)
	if err != nil {
		return err
	}
	fresh.index.close()
	fresh.index = c.index // nobody writes to what is asleep
	if err := fresh.loadRest(ctx, false); err != nil {
		return err
	}
	c.still.Lock()
	defer c.still.Unlock()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.gone {
		return nil
	}
	if b != nil {
		if err := c.plan(b); err != nil {
			return err
		}
		c.index.publish()
	}
	c.ids, c.free, c.end, c.hnsw, c.saved = fresh.ids, fresh.free, fresh.end, b, fresh.saved
	c.touched.Add(1)
	c.behind, c.asleep = false, false
	c.wanted.Store(false)
	return nil
}
