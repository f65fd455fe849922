package local

import (
	"container/list"
	"context"
	"sync"

	"github.com/vecwire/vecwire/internal/engine"
)

// payloads keeps the texts and fields that searches have read last, of all the
// collections of a store. SQLite's own cache holds pages, in which a record has to
// be searched for again each time, twice.
//
// Who reads from it or puts something in holds the collection's mu for reading, and
// a commit drops what it changed under the same lock for writing: what is here is
// what SQLite has committed.
type payloads struct {
	mu    sync.Mutex
	most  int // bytes
	bytes int
	last  list.List // of *payload, the one that was read last first
	rows  map[payloadKey]*list.Element
}

type payloadKey struct {
	of  *collection
	row int32
}

type payload struct {
	payloadKey
	text   string
	fields []any
	bytes  int
}

const (
	// payloadBytes is how much a store keeps.
	payloadBytes = 16 << 20
	// payloadOverhead is what one takes beside its text and the values of its fields.
	payloadOverhead = 176
)

func newPayloads(most int) payloads {
	return payloads{most: most, rows: map[payloadKey]*list.Element{}}
}

// get puts what is here into the records that to returns for the places of the
// numbers. It returns the places of the others.
func (p *payloads) get(c *collection, numbers []int32, to func(place int) *engine.Record) (missing []int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := len(c.schema.Fields)
	fields := make([]any, len(numbers)*n)
	for place, row := range numbers {
		e, ok := p.rows[payloadKey{c, row}]
		if !ok {
			missing = append(missing, place)
			continue
		}
		p.last.MoveToFront(e)
		kept, r := e.Value.(*payload), to(place)
		r.Text, r.Fields, fields = kept.text, fields[:n:n], fields[n:]
		copyFields(r.Fields, kept.fields)
	}
	return missing
}

// put keeps what was read of a row, in place of what was read longest ago.
func (p *payloads) put(c *collection, row int32, r *engine.Record) {
	kept := &payload{payloadKey: payloadKey{c, row}, text: r.Text, fields: make([]any, len(r.Fields)), bytes: payloadOverhead + len(r.Text)}
	copyFields(kept.fields, r.Fields)
	for _, v := range kept.fields {
		kept.bytes += 32 + engine.SizeOfValue(v)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	// What is long costs more to keep than to read. Another search may have been faster.
	if _, ok := p.rows[kept.payloadKey]; ok || kept.bytes > p.most/16 {
		return
	}
	p.rows[kept.payloadKey] = p.last.PushFront(kept)
	for p.bytes += kept.bytes; p.bytes > p.most; {
		p.remove(p.last.Back())
	}
}

// drop forgets rows that have changed.
func (p *payloads) drop(c *collection, row int32) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if e, ok := p.rows[payloadKey{c, row}]; ok {
		p.remove(e)
	}
}

// dropAll forgets a collection.
func (p *payloads) dropAll(c *collection) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for key, e := range p.rows {
		if key.of == c {
			p.remove(e)
		}
	}
}

func (p *payloads) remove(e *list.Element) {
	gone := p.last.Remove(e).(*payload)
	delete(p.rows, gone.payloadKey)
	p.bytes -= gone.bytes
}

// copyFields copies values. Those that their owner can change are copied, too.
func copyFields(dst, src []any) {
	for i, v := range src {
		dst[i] = engine.CloneValue(v)
	}
}

// read is the rowReader outside a transaction, where the caller holds c.mu for
// reading.
func (c *collection) read(ctx context.Context, numbers []int32, p parts, to func(place int) *engine.Record) error {
	return c.withHeld(c.readRows, c.index.given)(ctx, numbers, p, to)
}

// readRows is read of what SQLite has.
func (c *collection) readRows(ctx context.Context, numbers []int32, p parts, to func(place int) *engine.Record) error {
	if p.vectors {
		return c.byRow(ctx, c.store.borrow, numbers, p, to)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	kept := &c.store.payloads
	missing := kept.get(c, numbers, to)
	if len(missing) == 0 {
		return nil
	}
	others := make([]int32, len(missing))
	for i, place := range missing {
		others[i] = numbers[place]
	}
	record := func(i int) *engine.Record { return to(missing[i]) }
	if err := c.byRow(ctx, c.store.borrow, others, p, record); err != nil {
		return err
	}
	for i, row := range others {
		kept.put(c, row, record(i))
	}
	return nil
}
