package local

import (
	"context"
	"database/sql"
	"errors"
	"slices"

	"github.com/vecwire/vecwire/internal/engine"
)

// txn is a transaction of the one writer. It collects what is to be changed in
// memory, and does that when SQLite has committed.
type txn struct {
	// ctx is never cancelled: a statement that is interrupted would leave it open
	// whether it was done. Long work asks the caller's context between statements.
	ctx     context.Context
	store   *store
	conn    *sql.Conn // that the transaction is on
	tx      *sql.Tx
	changes map[*collection]*change
	unused  []string // files that are to be removed after the commit
}

// update runs f inside a transaction, which is committed if f returns nil.
func (s *store) update(ctx context.Context, f func(*txn) error) error {
	conn, err := s.write.Conn(ctx)
	if err != nil {
		return explain(err)
	}
	defer conn.Close()
	if s.gate != nil {
		if err := s.gate.Acquire(ctx, writerWeight); err != nil {
			return err
		}
		defer s.gate.Release(writerWeight)
	}
	t := &txn{ctx: context.WithoutCancel(ctx), store: s, conn: conn, changes: map[*collection]*change{}}
	if t.tx, err = conn.BeginTx(t.ctx, nil); err != nil {
		return explain(err)
	}
	defer t.tx.Rollback() // does nothing after a commit; also undoes the work of a panic in f
	if err := s.alone(t); err != nil {
		return err
	}
	if err := f(t); err != nil {
		return explain(err)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := t.commit(); err != nil {
		return explain(err)
	}
	for _, path := range t.unused {
		s.remove(path)
	}
	return nil
}

// commit commits, and brings the memory in line.
func (t *txn) commit() error {
	for c, ch := range t.changes { // in any order: nobody else holds two of them
		c.still.Lock()
		defer c.still.Unlock()
		if err := t.note(c, ch); err != nil {
			return err
		}
	}
	for c := range t.changes {
		c.mu.Lock()
		defer c.mu.Unlock()
	}
	if err := t.tx.Commit(); err != nil {
		_, _ = t.conn.ExecContext(t.ctx, "ROLLBACK") // a commit that failed may leave the transaction open
		return err
	}
	for c, ch := range t.changes {
		c.apply(ch)
	}
	return nil
}

// alone makes sure that nobody has written past the lock, because it was removed
// or the file has two names: what is in memory would not fit the file then.
func (s *store) alone(t *txn) error {
	if s.gate != nil {
		return nil
	}
	now, err := dataVersion(t.ctx, t.tx)
	if err == nil && now != s.seen {
		err = errors.New("another process has written to the store, past the lock: close both, and never remove the .lock file while the store is open")
	}
	return explain(err)
}

// dataVersion returns a number that changes when another connection than this
// one commits (SQLite, "PRAGMA data_version").
func dataVersion(ctx context.Context, q queryer) (n int64, err error) {
	err = q.QueryRowContext(ctx, "PRAGMA data_version").Scan(&n)
	return n, err
}

// change is what a transaction does to one collection.
type change struct {
	rows    map[string]int32        // rows of the IDs that were stored; noRow for those that were deleted
	vectors map[int32]engine.Vector // of the rows that were stored
	ids     map[int32]string        // of the rows that were stored
	freed   []int32                 // rows that are free again
	taken   int                     // how many rows were taken from the end of the collection's free list
	end     int32                   // the first row number never used
	gone    bool                    // the collection is dropped, or has another name
	then    func()                  // what else is to be done, if not nil
}

const noRow = -1

// change returns what the transaction does to c.
func (t *txn) change(c *collection) *change {
	ch, ok := t.changes[c]
	if !ok {
		ch = &change{rows: map[string]int32{}, vectors: map[int32]engine.Vector{}, ids: map[int32]string{}, end: c.end}
		t.changes[c] = ch
	}
	return ch
}

// row returns the row that an ID has as the transaction sees it.
func (ch *change) row(c *collection, id string) (int32, bool) {
	row, ok := ch.rows[id]
	if !ok {
		row, ok = c.rows[id]
	}
	return row, ok && row != noRow
}

// store notes that a record was stored, and returns its row.
func (ch *change) store(c *collection, r engine.Record) int32 {
	row, ok := ch.row(c, r.ID)
	if !ok {
		if left := len(c.free) - ch.taken; left > 0 {
			row = c.free[left-1]
			ch.taken++
		} else {
			row = ch.end
			ch.end++
		}
	}
	ch.rows[r.ID], ch.ids[row], ch.vectors[row] = row, r.ID, r.Vector
	return row
}

// remove notes that a record was deleted. Its row is free after the commit.
func (ch *change) remove(id string, row int32) {
	ch.rows[id] = noRow
	delete(ch.ids, row)
	delete(ch.vectors, row)
	ch.freed = append(ch.freed, row)
}

// apply brings the memory in line with what was committed. The caller holds
// c.mu.
func (c *collection) apply(ch *change) {
	c.gone = c.gone || ch.gone
	c.end = ch.end
	c.free = append(c.free[:len(c.free)-ch.taken], ch.freed...)
	c.ids = slices.Grow(c.ids, int(c.end)-len(c.ids))[:c.end]
	for _, row := range ch.freed {
		c.ids[row] = ""
		c.index.remove(row)
		c.store.payloads.drop(c, row)
	}
	for id, row := range ch.rows {
		if row == noRow {
			delete(c.rows, id)
			continue
		}
		c.rows[id], c.ids[row] = row, id
		c.store.payloads.drop(c, row)
		if err := c.index.set(row, ch.vectors[row]); err != nil { // the root has checked it
			c.store.log.Error("vector not in memory", "collection", c.schema.Name, "id", id, "error", err)
		}
	}
	if c.hnsw != nil {
		c.hnsw.noted += len(ch.vectors) + len(ch.freed)
	}
	if ch.then != nil {
		ch.then()
	}
	c.wake()
}
