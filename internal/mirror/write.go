package mirror

import (
	"context"

	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
)

// Upsert implements engine.Collection.
func (m *Mirror) Upsert(ctx context.Context, records []engine.Record) error {
	return m.store(ctx, records, m.inner.Upsert)
}

// Insert implements engine.Collection.
func (m *Mirror) Insert(ctx context.Context, records []engine.Record) error {
	return m.store(ctx, records, m.inner.Insert)
}

func (m *Mirror) store(ctx context.Context, records []engine.Record, to func(context.Context, []engine.Record) error) error {
	ids := engine.IDs(records)
	return m.write(ctx, ids, func() error {
		if err := m.room(ctx, ids); err != nil {
			return err
		}
		err := to(ctx, records)
		return m.settle(ctx, err, ids, func() error { return m.apply(ctx, records, nil) })
	})
}

// Delete implements engine.Collection.
func (m *Mirror) Delete(ctx context.Context, ids []string) (n int, err error) {
	err = m.write(ctx, ids, func() error {
		n, err = m.inner.Delete(ctx, ids)
		return m.settle(ctx, err, ids, func() error { return m.apply(ctx, nil, ids) })
	})
	return n, err
}

// write runs a write that has claimed its IDs.
func (m *Mirror) write(ctx context.Context, ids []string, run func() error) error {
	if err := m.enter(); err != nil {
		return err
	}
	defer m.gate.Leave()
	release, err := m.claims.take(ctx, ids)
	if err != nil {
		return err
	}
	defer release()
	return run()
}

// DeleteWhere implements engine.Collection. No other write runs beside it.
func (m *Mirror) DeleteWhere(ctx context.Context, f filter.Filter) (n int, err error) {
	if err := m.passes(f); err != nil {
		return 0, err
	}
	err = m.writeAlone(ctx, func() error {
		from := m.copy
		if m.foreign(f) {
			from = m.inner
		}
		ids, err := engine.ScanIDs(ctx, engine.Scan{Filter: f}, from.Scan)
		if err != nil {
			return err
		}
		n, err = m.inner.DeleteWhere(ctx, f)
		return m.settle(ctx, err, ids, func() error {
			if f.IsZero() {
				return m.apply(ctx, nil, ids)
			}
			return m.readBack(ctx, err, ids) // others may have changed a record so that it did not pass
		})
	})
	return n, err
}

// Atomically runs a change by tx, which begins a transaction of the inner
// collection's engine. No other write runs beside it. The change is given the
// collection to write to; its context carries the transaction.
func (m *Mirror) Atomically(ctx context.Context, tx func(context.Context, func(context.Context) error) error,
	change func(context.Context, engine.Collection) error,
) error {
	return m.writeAlone(ctx, func() error {
		w := &watched{inner: m.inner, m: m}
		err := tx(ctx, func(ctx context.Context) error {
			w.ids = nil
			return change(ctx, w)
		})
		return m.settle(ctx, err, w.ids, func() error { return m.readBack(ctx, err, w.ids) })
	})
}

// writeAlone runs a write that has claimed all IDs.
func (m *Mirror) writeAlone(ctx context.Context, run func() error) error {
	if err := m.enter(); err != nil {
		return err
	}
	defer m.gate.Leave()
	release, err := m.claims.takeAll(ctx)
	if err != nil {
		return err
	}
	defer release()
	return run()
}

type inner = engine.Collection

// watched notes the IDs that a transaction writes.
type watched struct {
	inner
	m   *Mirror
	ids []string
}

// Upsert implements engine.Collection.
func (w *watched) Upsert(ctx context.Context, records []engine.Record) error {
	ids := engine.IDs(records)
	if err := w.m.room(ctx, ids); err != nil {
		return err
	}
	w.ids = append(w.ids, ids...)
	return w.inner.Upsert(ctx, records)
}

// Delete implements engine.Collection.
func (w *watched) Delete(ctx context.Context, ids []string) (int, error) {
	w.ids = append(w.ids, ids...)
	return w.inner.Delete(ctx, ids)
}

// settle brings the copy in line after a write that ended with err, which it
// returns. What was stored into an existing table is read back: it may be less
// precise there.
func (m *Mirror) settle(ctx context.Context, err error, ids []string, apply func() error) error {
	if err != nil || m.o.Attached {
		return m.reconcile(ctx, err, ids)
	}
	m.settled(ctx, ids, apply())
	return nil
}

// reconcile brings the copy in line by reading the records back, after a write that
// ended with err, which it returns.
func (m *Mirror) reconcile(ctx context.Context, err error, ids []string) error {
	m.settled(ctx, ids, m.readBack(ctx, err, ids))
	return err
}

// settled notes that the copy could not be brought in line, if failed says so.
func (m *Mirror) settled(ctx context.Context, ids []string, failed error) {
	if failed == nil {
		return
	}
	m.doubt(ids)
	m.o.Log.WarnContext(ctx, "a mirror is unsure of records", "collection", m.schema.Name, "records", len(ids), "err", failed)
}
