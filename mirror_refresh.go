package vecwire

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
)

// load fills the empty copy. Nobody uses it yet.
func (m *mirrored) load(ctx context.Context) error {
	begun := time.Now()
	if err := m.checkSize(ctx); err != nil {
		return err
	}
	n := 0
	for page, err := range m.pages(ctx) {
		if err != nil {
			return err
		}
		page = slices.DeleteFunc(page, func(r engine.Record) bool { return !m.searchable(&r) })
		if n += len(page); n > m.o.MaxRecords {
			return &MirrorSizeError{Records: n, Max: m.o.MaxRecords}
		}
		if err := m.apply(ctx, page, nil); err != nil {
			return err
		}
	}
	m.stats = MirrorStats{Refreshed: begun, Took: time.Since(begun), Changed: n}
	return nil
}

// checkSize refuses a collection that is too large.
func (m *mirrored) checkSize(ctx context.Context) error {
	if err := m.of.db.enter(); err != nil {
		return err
	}
	defer m.of.db.leave()
	n, err := m.Collection.Count(ctx, filter.Filter{})
	if err == nil && n > m.o.MaxRecords {
		err = &MirrorSizeError{Records: n, Max: m.o.MaxRecords}
	}
	return err
}

// page is how many records with vectors are read at a time: about a MiB.
func (m *mirrored) page() int {
	return max(16, min(scanLimit, 1<<20/(m.of.schema.Dim*m.of.schema.Element.Size())))
}

// pages reads the server's records, with vectors, a page at a time.
func (m *mirrored) pages(ctx context.Context) func(func([]engine.Record, error) bool) {
	return func(yield func([]engine.Record, error) bool) {
		scan := engine.Scan{Limit: m.page(), Vectors: true}
		for {
			page, err := m.of.scan(ctx, scan)
			if err != nil {
				yield(nil, err)
				return
			}
			more := len(page) == scan.Limit
			if more {
				scan.After = page[len(page)-1].ID
			}
			if !yield(page, nil) || !more {
				return
			}
		}
	}
}

// searchable reports whether a record can be found by its vector. In a table of
// others it may have none, or one that no metric takes.
func (m *mirrored) searchable(r *engine.Record) bool {
	_, err := m.of.vector(r.Vector.F32, r.Vector.F64)
	return err == nil
}

// keepFresh refreshes the copy from time to time, until ctx ends or the database
// is closed.
func (m *mirrored) keepFresh(ctx context.Context) {
	defer close(m.stopped)
	tick := time.NewTicker(m.o.Refresh)
	defer tick.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			return
		case <-m.woken:
			err = m.rereadUnsure(ctx)
		case <-tick.C:
			_, err = m.refresh(ctx)
		}
		switch {
		case errors.Is(err, ErrClosed):
			return
		case err != nil && ctx.Err() == nil:
			m.of.db.log.WarnContext(ctx, "a mirror was not refreshed", "collection", m.of.schema.Name, "err", err)
		}
	}
}

// refresh brings the copy in line with the server, and returns how many records
// differed.
func (m *mirrored) refresh(ctx context.Context) (changed int, err error) {
	if err := m.enter(); err != nil {
		return 0, err
	}
	defer m.mem.leave()
	if err := m.refreshing.Acquire(ctx, 1); err != nil {
		return 0, err
	}
	defer m.refreshing.Release(1)
	begun := time.Now()
	if err = m.rereadUnsure(ctx); err == nil {
		changed, err = m.compare(ctx)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if err != nil {
		m.stats.Err = err
		return changed, err
	}
	m.stats = MirrorStats{Refreshed: begun, Took: time.Since(begun), Changed: changed}
	return changed, nil
}

// compare finds what differs between the server and the copy, and reads that
// anew. It trusts the page that it has read only to find differences: a write may
// have come after it.
func (m *mirrored) compare(ctx context.Context) (changed int, err error) {
	if err := m.checkSize(ctx); err != nil {
		return 0, err
	}
	seen := map[string]struct{}{}
	for page, err := range m.pages(ctx) {
		if err != nil {
			return changed, err
		}
		for _, r := range page {
			seen[r.ID] = struct{}{}
		}
		different, err := m.different(ctx, page)
		if err != nil {
			return changed, err
		}
		changed += len(different)
		if err := m.reread(ctx, different); err != nil {
			return changed, err
		}
	}
	all, err := scanIDs(ctx, m.copy, filter.Filter{})
	if err != nil {
		return changed, err
	}
	gone := slices.DeleteFunc(all, func(id string) bool {
		_, there := seen[id]
		return there
	})
	changed += len(gone)
	return changed, m.reread(ctx, gone)
}

// different returns the IDs of the records that the copy does not have as they are.
func (m *mirrored) different(ctx context.Context, page []engine.Record) (ids []string, err error) {
	copies, err := m.copy.Get(ctx, idsOf(page), true)
	if err != nil {
		return nil, err
	}
	have := make(map[string]engine.Record, len(copies))
	for _, r := range copies {
		have[r.ID] = r
	}
	for _, r := range page {
		is, ok := have[r.ID]
		same := !ok && !m.searchable(&r) || ok && sameFields(is.Fields, r.Fields) &&
			slices.Equal(is.Vector.F32, r.Vector.F32) && slices.Equal(is.Vector.F64, r.Vector.F64)
		if !same {
			ids = append(ids, r.ID)
		}
	}
	return ids, nil
}

// reread takes records over from the server as they are there.
func (m *mirrored) reread(ctx context.Context, ids []string) error {
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

// rereadClaimed is reread for IDs that the caller has claimed. Others see all of
// it at once.
func (m *mirrored) rereadClaimed(ctx context.Context, ids []string) error {
	if len(ids) == 0 {
		return nil
	}
	gone := make(map[string]struct{}, len(ids))
	for _, id := range ids {
		gone[id] = struct{}{}
	}
	var stored []engine.Record
	for chunk := range slices.Chunk(ids, m.page()) {
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
	if err := m.room(ctx, idsOf(stored)); err != nil {
		return err
	}
	return m.apply(ctx, stored, slices.Collect(maps.Keys(gone)))
}

func (m *mirrored) get(ctx context.Context, ids []string) ([]engine.Record, error) {
	if err := m.of.db.enter(); err != nil {
		return nil, err
	}
	defer m.of.db.leave()
	return m.Collection.Get(ctx, ids, true)
}

// rereadUnsure reads those records anew of which it is unknown what became of them.
func (m *mirrored) rereadUnsure(ctx context.Context) error {
	m.mu.Lock()
	ids := slices.Collect(maps.Keys(m.unsure))
	m.mu.Unlock()
	if err := m.reread(ctx, ids); err != nil {
		return fmt.Errorf("%d records that writes left open: %w", len(ids), err)
	}
	return nil
}
