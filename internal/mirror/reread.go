package mirror

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/vecwire/vecwire/internal/engine"
)

const (
	// readBackTime bounds how long the caller of a write waits to learn what became
	// of it. It is about as long as a server takes to restart.
	readBackTime = 5 * time.Second
	// maxUnsure is how many unsure records are kept by name, about a MiB of IDs.
	// A refresh finds the others, too.
	maxUnsure = 10_000
)

// reread takes records over from the inner collection as they are there.
func (m *Mirror) reread(ctx context.Context, ids []string) error {
	if len(ids) == 0 {
		return ctx.Err()
	}
	release, err := m.claims.take(ctx, ids)
	if err != nil {
		return err
	}
	defer release()
	return m.rereadClaimed(ctx, ids)
}

// rereadClaimed is reread for IDs that the caller has claimed. Searches see all of
// the change at once.
func (m *Mirror) rereadClaimed(ctx context.Context, ids []string) error {
	if len(ids) == 0 {
		return nil
	}
	gone := make(map[string]struct{}, len(ids))
	for _, id := range ids {
		gone[id] = struct{}{}
	}
	var stored []engine.Record
	for chunk := range slices.Chunk(ids, m.schema.VectorPage()) {
		records, err := m.get(ctx, chunk)
		if err != nil {
			return err
		}
		for _, r := range records {
			if m.searchable(&r) {
				stored = append(stored, r)
				delete(gone, r.ID)
			}
		}
	}
	if err := m.room(ctx, engine.IDs(stored)); err != nil {
		return err
	}
	return m.apply(ctx, stored, slices.Collect(maps.Keys(gone)))
}

func (m *Mirror) get(ctx context.Context, ids []string) ([]engine.Record, error) {
	if err := m.o.Gate.Enter(); err != nil {
		return nil, err
	}
	defer m.o.Gate.Leave()
	return m.inner.Get(ctx, ids, true)
}

// readBack reads again what a write that ended with err has written. The records
// of one that succeeded are read even if the caller has gone.
func (m *Mirror) readBack(ctx context.Context, err error, ids []string) error {
	if err == nil {
		ctx = context.WithoutCancel(ctx)
	}
	ctx, cancel := context.WithTimeout(ctx, readBackTime)
	defer cancel()
	return m.rereadClaimed(ctx, ids)
}

// doubt notes that records may differ from the copy.
func (m *Mirror) doubt(ids []string) {
	m.mu.Lock()
	for _, id := range ids[:min(len(ids), max(0, maxUnsure-len(m.unsure)))] {
		m.unsure[id] = struct{}{}
	}
	m.mu.Unlock()
	select {
	case m.woken <- struct{}{}:
	default:
	}
}

// trust notes that the copy has records as they are.
func (m *Mirror) trust(stored []engine.Record, gone []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, r := range stored {
		delete(m.unsure, r.ID)
	}
	for _, id := range gone {
		delete(m.unsure, id)
	}
}

// rereadUnsure reads again the records that writes left open.
func (m *Mirror) rereadUnsure(ctx context.Context) error {
	m.mu.Lock()
	ids := slices.Collect(maps.Keys(m.unsure))
	m.mu.Unlock()
	if err := m.reread(ctx, ids); err != nil {
		return fmt.Errorf("%d records that writes left open: %w", len(ids), err)
	}
	return nil
}
