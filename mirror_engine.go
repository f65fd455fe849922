package vecwire

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
)

// mirrored is a collection of an engine with a copy in this process, which
// answers searches.
//
// There are two ways into the copy: a write that has succeeded, and reading
// records anew from the server. Both claim the IDs first and keep them until the
// copy has changed, so that nothing older ever follows something newer.
type mirrored struct {
	engine.Collection // the server's
	of                *Collection
	o                 MirrorOptions

	mem  *DB               // the copy's own database, of the embedded engine in memory
	copy engine.Collection // without texts

	claims     claims
	refreshing *semaphore.Weighted // of one

	mu     sync.Mutex
	stats  MirrorStats // Records, Bytes and Unsure are counted when asked for
	unsure map[string]struct{}

	woken   chan struct{} // tells keepFresh of unsure records
	stop    context.CancelFunc
	stopped chan struct{}
}

const (
	// mirrorRounds is how often a search looks again after hits were out of date,
	// before it leaves the answer to the server.
	mirrorRounds = 3
	// mirrorDoubt is how long a write that failed waits to see what became of it.
	mirrorDoubt = 5 * time.Second
	// maxUnsure is how many unsure records are kept by name. A refresh finds the
	// others, too.
	maxUnsure = 10_000
)

func isMirror(e engine.Collection) bool {
	_, ok := e.(*mirrored)
	return ok
}

// enter keeps the copy open until m.mem.leave.
func (m *mirrored) enter() error {
	if err := m.mem.enter(); err != nil {
		return fmt.Errorf("mirror: %w", err)
	}
	return nil
}

// dropped returns ErrNotFound if the last refresh found no collection.
func (m *mirrored) dropped() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if errors.Is(m.stats.Err, ErrNotFound) {
		return ErrNotFound
	}
	return nil
}

// Search implements engine.Collection.
func (m *mirrored) Search(ctx context.Context, searches []engine.Search) ([]engine.Result, error) {
	if err := m.enter(); err != nil {
		return nil, err
	}
	defer m.mem.leave()
	if err := m.dropped(); err != nil {
		return nil, err
	}
	if slices.ContainsFunc(searches, func(s engine.Search) bool { return m.foreign(s.Filter) }) {
		return m.Collection.Search(ctx, searches)
	}
	for range mirrorRounds {
		results, err := m.nearest(ctx, searches)
		if err != nil {
			return nil, err
		}
		if results == nil {
			break
		}
		outdated, err := m.fill(ctx, searches, results)
		if err != nil || len(outdated) == 0 {
			return results, err
		}
		if err := m.reread(ctx, outdated); err != nil {
			return nil, err
		}
	}
	return m.Collection.Search(ctx, searches)
}

// nearest searches the copy. It returns nil where only the server knows the order
// of records of equal score: in a table of others the key may be a number.
func (m *mirrored) nearest(ctx context.Context, searches []engine.Search) ([]engine.Result, error) {
	if m.of.attached {
		searches = slices.Clone(searches)
		for i := range searches {
			searches[i].K = max(searches[i].K, searches[i].K+1) // so that a tie that K cuts through is seen
		}
	}
	results, err := m.copy.Search(ctx, searches)
	if err != nil {
		return nil, err
	}
	for i := range results {
		r := &results[i]
		r.Plan.Path, r.Plan.Why = "mirror "+r.Plan.Path, "the mirror has all vectors"
		if m.of.attached {
			for j := range r.Hits[:max(1, len(r.Hits))-1] {
				if r.Hits[j].Score == r.Hits[j+1].Score {
					return nil, nil
				}
			}
			r.Hits = r.Hits[:min(len(r.Hits), searches[i].K-1)]
		}
	}
	return results, nil
}

// fill reads the texts and fields of the hits that are to have them. It returns
// the IDs of those whose records are gone, or have other fields than the copy.
func (m *mirrored) fill(ctx context.Context, searches []engine.Search, results []engine.Result) (outdated []string, err error) {
	var ids []string
	hits := map[string][]*engine.Hit{}
	for i := range results {
		if !searches[i].Payload {
			continue
		}
		for j := range results[i].Hits {
			h := &results[i].Hits[j]
			if hits[h.ID] == nil {
				ids = append(ids, h.ID)
			}
			hits[h.ID] = append(hits[h.ID], h)
		}
	}
	if len(ids) == 0 {
		return nil, nil
	}
	records, err := m.Collection.Get(ctx, ids, false)
	if err != nil {
		return nil, err
	}
	for _, r := range records {
		all := hits[r.ID]
		if !sameFields(all[0].Fields, r.Fields) {
			continue
		}
		for _, h := range all {
			h.Text, h.Fields = r.Text, r.Fields
		}
		delete(hits, r.ID)
	}
	for id := range hits {
		outdated = append(outdated, id)
	}
	return outdated, nil
}

// foreign reports whether a filter may mean something else to the server than to
// the copy: in a table of others the key may be a number.
func (m *mirrored) foreign(f filter.Filter) bool {
	if !m.of.attached {
		return false
	}
	switch f.Op() {
	case filter.OpAnd, filter.OpOr, filter.OpNot:
		return slices.ContainsFunc(f.Args(), m.foreign)
	}
	return f.Field() == "id"
}

// SearchText implements engine.TextSearcher. The words are the server's.
func (m *mirrored) SearchText(ctx context.Context, searches []engine.TextSearch) ([][]engine.Hit, error) {
	return m.Collection.(engine.TextSearcher).SearchText(ctx, searches)
}

func (m *mirrored) lacks(capability string) error {
	return unsupported(capability, m.of.db.engine.Capabilities().Engine)
}

// Upsert implements engine.Collection.
func (m *mirrored) Upsert(ctx context.Context, records []engine.Record) error {
	return m.store(ctx, records, m.Collection.Upsert)
}

// Insert implements engine.Inserter.
func (m *mirrored) Insert(ctx context.Context, records []engine.Record) error {
	x, ok := m.Collection.(engine.Inserter)
	if n, is := m.Collection.(*namespace); is {
		_, ok = n.Collection.(engine.Inserter)
	}
	if !ok {
		return m.lacks("inserting only")
	}
	return m.store(ctx, records, x.Insert)
}

func (m *mirrored) store(ctx context.Context, records []engine.Record, to func(context.Context, []engine.Record) error) error {
	ids := idsOf(records)
	return m.write(ctx, ids, func() error {
		if err := m.room(ctx, ids); err != nil {
			return err
		}
		err := to(ctx, records)
		return m.settle(ctx, err, ids, func() error { return m.apply(ctx, records, nil) })
	})
}

// Delete implements engine.Collection.
func (m *mirrored) Delete(ctx context.Context, ids []string) (n int, err error) {
	err = m.write(ctx, ids, func() error {
		n, err = m.Collection.Delete(ctx, ids)
		return m.settle(ctx, err, ids, func() error { return m.apply(ctx, nil, ids) })
	})
	return n, err
}

// write runs a write while it has its IDs for itself.
func (m *mirrored) write(ctx context.Context, ids []string, run func() error) error {
	if err := m.enter(); err != nil {
		return err
	}
	defer m.mem.leave()
	release, err := m.claims.take(ctx, ids)
	if err != nil {
		return err
	}
	defer release()
	return run()
}

// settle brings the copy in line after a write that ended with err, which it
// returns. What was stored into a table of others is read back: it may be less
// precise there.
func (m *mirrored) settle(ctx context.Context, err error, ids []string, apply func() error) error {
	var failed error
	if err == nil && !m.of.attached {
		failed = apply()
	} else {
		failed = m.readBack(ctx, err, ids)
	}
	if failed != nil {
		m.doubt(ids)
		m.of.db.log.WarnContext(ctx, "a mirror is unsure of records", "collection", m.of.schema.Name, "records", len(ids), "err", failed)
	}
	return err
}

// readBack reads anew what a write that ended with err has written. The records of
// one that succeeded are read even if the caller has gone.
func (m *mirrored) readBack(ctx context.Context, err error, ids []string) error {
	if err == nil {
		ctx = context.WithoutCancel(ctx)
	}
	ctx, cancel := context.WithTimeout(ctx, mirrorDoubt)
	defer cancel()
	return m.rereadClaimed(ctx, ids)
}

// DeleteWhere implements engine.Collection. No other write runs beside it.
func (m *mirrored) DeleteWhere(ctx context.Context, f filter.Filter) (int, error) {
	if err := m.enter(); err != nil {
		return 0, err
	}
	defer m.mem.leave()
	release, err := m.claims.takeAll(ctx)
	if err != nil {
		return 0, err
	}
	defer release()
	from := m.copy
	if m.foreign(f) {
		from = m.Collection
	}
	ids, err := scanIDs(ctx, from, f)
	if err != nil {
		return 0, err
	}
	n, err := m.Collection.DeleteWhere(ctx, f)
	return n, m.settle(ctx, err, ids, func() error {
		if f.IsZero() {
			return m.apply(ctx, nil, ids)
		}
		return m.readBack(ctx, err, ids) // others may have changed a record so that it did not pass
	})
}

// atomically runs a change in a transaction of the server's. No other write runs
// beside it.
func (m *mirrored) atomically(ctx context.Context, x engine.Transactor, change func(engine.Collection) error) error {
	if err := m.enter(); err != nil {
		return err
	}
	defer m.mem.leave()
	release, err := m.claims.takeAll(ctx)
	if err != nil {
		return err
	}
	defer release()
	w := &watched{m: m}
	err = x.Tx(ctx, func(use func(engine.Collection) engine.Collection) error {
		w.Collection, w.ids = within(use, m.Collection), nil
		return change(w)
	})
	return m.settle(ctx, err, w.ids, func() error { return m.readBack(ctx, err, w.ids) })
}

// watched notes the IDs that a transaction writes.
type watched struct {
	engine.Collection
	m   *mirrored
	ids []string
}

// Upsert implements engine.Collection.
func (w *watched) Upsert(ctx context.Context, records []engine.Record) error {
	ids := idsOf(records)
	if err := w.m.room(ctx, ids); err != nil {
		return err
	}
	w.ids = append(w.ids, ids...)
	return w.Collection.Upsert(ctx, records)
}

// Delete implements engine.Collection.
func (w *watched) Delete(ctx context.Context, ids []string) (int, error) {
	w.ids = append(w.ids, ids...)
	return w.Collection.Delete(ctx, ids)
}

// apply changes the copy, at once for all who search. What the server has done is
// taken over even if the caller has gone.
func (m *mirrored) apply(ctx context.Context, stored []engine.Record, gone []string) error {
	ctx = context.WithoutCancel(ctx)
	bare := slices.Clone(stored)
	for i := range bare {
		bare[i].Text = ""
	}
	err := m.mem.engine.(engine.Transactor).Tx(ctx, func(use func(engine.Collection) engine.Collection) error {
		c := use(m.copy)
		if len(bare) > 0 {
			if err := c.Upsert(ctx, bare); err != nil {
				return err
			}
		}
		_, err := c.Delete(ctx, gone)
		return err
	})
	if err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, r := range stored {
		delete(m.unsure, r.ID)
	}
	for _, id := range gone {
		delete(m.unsure, id)
	}
	return nil
}

// doubt notes that records may be other than the copy has them.
func (m *mirrored) doubt(ids []string) {
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

// room refuses records with these IDs if the copy would get too large.
func (m *mirrored) room(ctx context.Context, ids []string) error {
	n := m.records()
	if n+len(ids) <= m.o.MaxRecords {
		return nil
	}
	there, err := m.copy.Get(ctx, ids, false)
	if err != nil {
		return err
	}
	if n += len(ids) - len(there); n > m.o.MaxRecords && len(there) < len(ids) {
		return &MirrorSizeError{Records: n, Max: m.o.MaxRecords}
	}
	return nil
}

// records returns how many records the copy has, 0 if it is closed.
func (m *mirrored) records() int {
	if m.mem.enter() != nil {
		return 0
	}
	defer m.mem.leave()
	n, _ := m.copy.Count(context.Background(), filter.Filter{}) // it only fails when ctx ends
	return n
}

func idsOf(records []engine.Record) []string {
	ids := make([]string, len(records))
	for i, r := range records {
		ids[i] = r.ID
	}
	return ids
}

// scanIDs returns the IDs of the records that a filter lets pass.
func scanIDs(ctx context.Context, c engine.Collection, f filter.Filter) (ids []string, err error) {
	scan := engine.Scan{Filter: f, Limit: scanLimit}
	for {
		page, err := c.Scan(ctx, scan)
		if err != nil {
			return nil, err
		}
		ids = append(ids, idsOf(page)...)
		if len(page) < scan.Limit {
			return ids, nil
		}
		scan.After = page[len(page)-1].ID
	}
}

// BuildIndex implements engine.Indexer. Indexes are the server's.
func (m *mirrored) BuildIndex(ctx context.Context, p engine.IndexPlan) error {
	return m.withIndexer(func(x engine.Indexer) error { return x.BuildIndex(ctx, p) })
}

// Indexes implements engine.Indexer.
func (m *mirrored) Indexes(ctx context.Context) (found []engine.Index, err error) {
	err = m.withIndexer(func(x engine.Indexer) error {
		found, err = x.Indexes(ctx)
		return err
	})
	return found, err
}

// DropIndex implements engine.Indexer.
func (m *mirrored) DropIndex(ctx context.Context, name string) error {
	return m.withIndexer(func(x engine.Indexer) error { return x.DropIndex(ctx, name) })
}

func (m *mirrored) withIndexer(run func(engine.Indexer) error) error {
	x, ok := m.Collection.(engine.Indexer)
	if !ok {
		return m.lacks("an approximate index")
	}
	return run(x)
}
