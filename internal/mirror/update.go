package mirror

import (
	"context"

	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
)

// Update implements engine.Collection. The records are read back, because the copy
// may lack one of them, or have it as it was before another's write.
func (m *Mirror) Update(ctx context.Context, changes []engine.Change) error {
	for _, c := range changes {
		if err := m.passes(c.If); err != nil {
			return err
		}
	}
	ids := engine.ChangedIDs(changes)
	return m.write(ctx, ids, func() error {
		err := m.inner.Update(ctx, changes)
		return m.reconcile(ctx, err, ids)
	})
}

// UpdateWhere implements engine.Collection. No other write runs beside it.
func (m *Mirror) UpdateWhere(ctx context.Context, f filter.Filter, set []engine.FieldValue) (n int, err error) {
	if err := m.passes(f); err != nil {
		return 0, err
	}
	err = m.writeAlone(ctx, func() error {
		ids, err := engine.ScanIDs(ctx, engine.Scan{Filter: f}, m.inner.Scan)
		if err != nil {
			return err
		}
		n, err = m.inner.UpdateWhere(ctx, f, set)
		return m.reconcile(ctx, err, ids)
	})
	return n, err
}
