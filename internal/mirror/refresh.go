package mirror

import (
	"context"
	"errors"
	"iter"
	"slices"
	"time"

	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
	"github.com/vecwire/vecwire/internal/gate"
)

// load fills the empty copy, which no other goroutine uses yet.
func (m *Mirror) load(ctx context.Context) error {
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
			return &SizeError{Records: n, Max: m.o.MaxRecords}
		}
		if err := m.apply(ctx, page, nil); err != nil {
			return err
		}
	}
	m.stats = Stats{Refreshed: begun, Took: time.Since(begun), Changed: n}
	return nil
}

// checkSize refuses a collection that is too large.
func (m *Mirror) checkSize(ctx context.Context) error {
	if err := m.o.Gate.Enter(); err != nil {
		return err
	}
	defer m.o.Gate.Leave()
	n, err := m.inner.Count(ctx, filter.Filter{})
	if err == nil && n > m.o.MaxRecords {
		err = &SizeError{Records: n, Max: m.o.MaxRecords}
	}
	return err
}

// pages reads the inner collection, with vectors, a page at a time.
func (m *Mirror) pages(ctx context.Context) iter.Seq2[[]engine.Record, error] {
	return engine.Pages(ctx, engine.Scan{Limit: m.schema.VectorPage(), Vectors: true}, m.page)
}

func (m *Mirror) page(ctx context.Context, s engine.Scan) ([]engine.Record, error) {
	if err := m.o.Gate.Enter(); err != nil {
		return nil, err
	}
	defer m.o.Gate.Leave()
	return m.inner.Scan(ctx, s)
}

// keepFresh refreshes the copy from time to time, until ctx ends or the database
// is closed.
func (m *Mirror) keepFresh(ctx context.Context) {
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
			_, err = m.Refresh(ctx)
		}
		switch {
		case errors.Is(err, gate.ErrClosed):
			return
		case err != nil && ctx.Err() == nil:
			m.o.Log.WarnContext(ctx, "a mirror was not refreshed", "collection", m.schema.Name, "err", err)
		}
	}
}

// Refresh brings the copy in line with the inner collection, and returns how many
// records differed. One refresh runs at a time; another waits for it. If it fails,
// the copy is partly as new as the refresh got.
func (m *Mirror) Refresh(ctx context.Context) (changed int, err error) {
	if err := m.enter(); err != nil {
		return 0, err
	}
	defer m.gate.Leave()
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
	m.stats = Stats{Refreshed: begun, Took: time.Since(begun), Changed: changed}
	return changed, nil
}

// compare finds what differs between the inner collection and the copy, and reads
// that again. It trusts a page that it has read only to find differences: a write
// may have come after it.
func (m *Mirror) compare(ctx context.Context) (changed int, err error) {
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
	all, err := engine.ScanIDs(ctx, engine.Scan{}, m.copy.Scan)
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
func (m *Mirror) different(ctx context.Context, page []engine.Record) (ids []string, err error) {
	copies, err := m.copy.Get(ctx, engine.IDs(page), true)
	if err != nil {
		return nil, err
	}
	have := make(map[string]engine.Record, len(copies))
	for _, r := range copies {
		have[r.ID] = r
	}
	for _, r := range page {
		is, ok := have[r.ID]
		same := !ok && !m.searchable(&r) || ok && engine.SameFields(is.Fields, r.Fields) && is.Vector.Equal(r.Vector) && (!m.texts() || is.Text == r.Text)
		if !same {
			ids = append(ids, r.ID)
		}
	}
	return ids, nil
}
