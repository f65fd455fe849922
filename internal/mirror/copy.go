package mirror

import (
	"context"
	"slices"

	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
)

// apply changes the copy, at once for all who search. What the inner collection
// has done is taken over even if the caller has gone.
func (m *Mirror) apply(ctx context.Context, stored []engine.Record, gone []string) error {
	ctx = context.WithoutCancel(ctx)
	bare := slices.Clone(stored)
	if !m.texts() {
		for i := range bare {
			bare[i].Text = ""
		}
	}
	err := m.mem.Tx(ctx, func(ctx context.Context) error {
		if len(bare) > 0 {
			if err := m.copy.Upsert(ctx, bare); err != nil {
				return err
			}
		}
		_, err := m.copy.Delete(ctx, gone)
		return err
	})
	if err == nil {
		m.trust(stored, gone)
	}
	return err
}

// room refuses records with these IDs if the copy would get too large.
func (m *Mirror) room(ctx context.Context, ids []string) error {
	n := m.records()
	if n+len(ids) <= m.o.MaxRecords {
		return nil
	}
	there, err := m.copy.Get(ctx, ids, false)
	if err != nil {
		return err
	}
	if n += len(ids) - len(there); n > m.o.MaxRecords && len(there) < len(ids) {
		return &SizeError{Records: n, Max: m.o.MaxRecords}
	}
	return nil
}

// records returns how many records the copy has, 0 if it is closed.
func (m *Mirror) records() int {
	if m.gate.Enter() != nil {
		return 0
	}
	defer m.gate.Leave()
	n, _ := m.copy.Count(context.Background(), filter.Filter{}) // it only fails when ctx ends
	return n
}

// searchable reports whether a record can be found by its vector. In an existing
// table it may have none, or one that no metric takes.
func (m *Mirror) searchable(r *engine.Record) bool {
	_, err := m.schema.Vector(r.Vector.F32, r.Vector.F64)
	return err == nil
}
