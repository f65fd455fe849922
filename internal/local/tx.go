package local

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
)

// Tx implements engine.Engine. A verb that fails inside it fails the whole
// transaction, because it may be half done.
func (s *store) Tx(ctx context.Context, f func(ctx context.Context) error) error {
	if _, in := engine.TxOf(ctx, s).(*txView); in {
		return f(ctx)
	}
	return s.update(ctx, call{verb: txVerb}, func(t *txn) error { return t.show(ctx, f) })
}

// show lets f use the transaction, until it returns.
func (t *txn) show(ctx context.Context, f func(ctx context.Context) error) error {
	v := &txView{t: t}
	defer func() { _ = v.end() }() // also after a panic of f
	err := f(engine.WithTx(ctx, t.store, v))
	if failed := v.end(); err == nil || errors.Is(failed, errBehind) { // whatever f makes of it
		return failed
	}
	return err
}

// in returns the collection as the transaction that ctx carries sees it, nil if
// it carries none.
func (c *collection) in(ctx context.Context) *txCollection {
	if v, ok := engine.TxOf(ctx, c.store).(*txView); ok {
		return &txCollection{c, v}
	}
	return nil
}

// txView is a transaction as its user has it. The mutex lets its verbs be called
// from several goroutines, one at a time.
type txView struct {
	t      *txn
	mu     sync.Mutex
	failed error
	ended  bool
}

// end ends the use of the transaction and returns what failed it.
func (v *txView) end() error {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.ended = true
	return v.failed
}

// txCollection is a collection as a transaction sees it.
type txCollection struct {
	*collection
	view *txView
}

// do runs one verb of the transaction.
func (c *txCollection) do(ctx context.Context, verb func(*txn) error) error {
	v := c.view
	v.mu.Lock()
	defer v.mu.Unlock()
	switch {
	case v.ended:
		return errors.New("the transaction has ended")
	case v.failed != nil:
		return fmt.Errorf("the transaction has failed: %w", v.failed)
	case c.ready() != nil:
		v.failed = c.ready()
	case ctx.Err() != nil:
		v.failed = ctx.Err()
	default:
		v.failed = explain(verb(v.t))
	}
	return v.failed
}

// Upsert implements engine.Collection.
func (c *txCollection) Upsert(ctx context.Context, records []engine.Record) error {
	return c.do(ctx, func(t *txn) error { return c.upsert(ctx, t, cloneVectors(records)) })
}

// cloneVectors returns records whose vectors live until the commit.
func cloneVectors(records []engine.Record) []engine.Record {
	records = slices.Clone(records)
	for i := range records {
		v := &records[i].Vector
		v.F32, v.F64 = slices.Clone(v.F32), slices.Clone(v.F64)
	}
	return records
}

// Insert implements engine.Collection.
func (c *txCollection) Insert(ctx context.Context, records []engine.Record) error {
	return c.do(ctx, func(t *txn) error { return c.insert(ctx, t, cloneVectors(records)) })
}

// Delete implements engine.Collection.
func (c *txCollection) Delete(ctx context.Context, ids []string) (n int, err error) {
	err = c.do(ctx, func(t *txn) error {
		n, err = c.delete(ctx, t, ids)
		return err
	})
	return engine.Whole(n, err)
}

// DeleteWhere implements engine.Collection.
func (c *txCollection) DeleteWhere(ctx context.Context, f filter.Filter) (n int, err error) {
	err = c.do(ctx, func(t *txn) error {
		n, err = c.deleteWhere(ctx, t, f)
		return err
	})
	return engine.Whole(n, err)
}

// Count implements engine.Collection.
func (c *txCollection) Count(ctx context.Context, f filter.Filter) (n int, err error) {
	err = c.do(ctx, func(t *txn) error {
		if f.IsZero() {
			n = t.change(c.collection).count(c.collection)
			return nil
		}
		rows, err := c.rowsIn(ctx, t, f)
		n = rows.Count()
		return err
	})
	return n, err
}

// Scan implements engine.Collection.
func (c *txCollection) Scan(ctx context.Context, s engine.Scan) (records []engine.Record, err error) {
	err = c.do(ctx, func(t *txn) error {
		records, err = c.scan(ctx, t.tx, s, t.change(c.collection).heldView(c.collection))
		return err
	})
	return records, err
}

// Get implements engine.Collection.
func (c *txCollection) Get(ctx context.Context, ids []string, vectors bool) (records []engine.Record, err error) {
	err = c.do(ctx, func(t *txn) error {
		ch := t.change(c.collection)
		records, err = c.get(ctx, c.readIn(t), ids, vectors, func(id string) (int32, bool) { return ch.row(id) })
		return err
	})
	return records, err
}

// readIn is the rowReader of a transaction.
func (c *txCollection) readIn(t *txn) rowReader {
	read := func(ctx context.Context, numbers []int32, p parts, to func(place int) *engine.Record) error {
		return c.byRow(ctx, t.borrow, numbers, p, to)
	}
	return c.withHeld(read, t.change(c.collection).vectorsOf(c.collection))
}

// errIndexInside is returned by BuildIndex, Indexes and DropIndex.
var errIndexInside = fmt.Errorf("%w: an index inside a transaction by the embedded engine", engine.ErrUnsupported)
