package local

import (
	"context"
	"database/sql"
	"errors"
	"maps"
	"slices"

	"github.com/vecwire/vecwire/internal/engine"
)

// txn is a transaction of the one writer. It collects what is to be changed in
// memory, and does that when SQLite has committed.
type txn struct {
	// ctx is never cancelled: a statement that is interrupted would leave it open
	// whether it was done. Long work asks the caller's context between statements.
	ctx      context.Context
	store    *store
	conn     *sql.Conn // that the transaction is on
	tx       *sql.Tx
	changes  map[*collection]*change
	moved    []int64  // the ids of collections whose rows have other numbers now
	registry bool     // the registry was changed
	seq      int64    // the number of the commit, if it changes anything
	before   mark     // the log when the transaction was begun
	unused   []string // files that are to be removed after the commit
	entered  bool     // the locks of what is in memory are taken
	words    []byte   // memory for the words of a text
}

// update runs f inside a transaction, which is committed if f returns nil. The memory
// has all that other processes committed when f begins.
func (s *store) update(ctx context.Context, by call, f func(*txn) error) error {
	waits := false
	defer func() {
		if waits {
			s.waiting.Add(-1)
			s.shrink(nil)
		}
	}()
	for {
		if err := s.follow(ctx); err != nil {
			return err
		}
		err := s.updateOnce(ctx, by, nil, f)
		if !errors.Is(err, errBehind) {
			if s.bound > 0 && s.grown.Load() > s.bound/16 {
				s.grown.Store(0)
				s.shrink(nil)
			}
			return err
		}
		if !waits { // what it needs stays, once it is loaded; else one collection drives out the other
			waits = true
			s.waiting.Add(1)
		}
		if err := s.settled(ctx); err != nil {
			return err
		}
	}
}

// errBehind says that a collection has to be loaded again before anything is written.
var errBehind = errors.New("a collection has to be read into memory first: the call begins again then")

// updateIndex is update for who may change the collection's links. The transaction
// touches no other collection.
func (c *collection) updateIndex(ctx context.Context, verb string, f func(*txn) error) error {
	return c.store.updateOnce(ctx, c.call(verb), c, f)
}

func (s *store) updateOnce(ctx context.Context, by call, only *collection, f func(*txn) error) error {
	if s.readOnly {
		return engine.ErrReadOnly
	}
	if err := s.takeTurn(ctx, by); err != nil {
		return err
	}
	defer s.endTurn()
	return s.updateInTurn(ctx, only, f)
}

// updateInTurn is update for the writer whose turn it is, or updateIndex if there is
// only one collection that it touches.
func (s *store) updateInTurn(ctx context.Context, only *collection, f func(*txn) error) error {
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
	if err := t.begin(ctx); err != nil {
		return explain(err)
	}
	defer t.end()
	if err := t.catchUp(ctx, only); err != nil {
		return explain(err)
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
	t.checkpoint()
	for _, path := range t.unused {
		s.remove(path)
	}
	return nil
}

// begin begins the transaction, when no other process writes.
func (t *txn) begin(ctx context.Context) error {
	begin := func() (err error) {
		t.tx, err = t.conn.BeginTx(t.ctx, nil)
		return err
	}
	if t.store.lock == nil {
		return begin()
	}
	return t.store.lock.takeSQLite(ctx, t.store.path, t.store.lockTimeout, begin)
}

// end ends the transaction if it was not committed, also after a panic.
func (t *txn) end() {
	_ = t.tx.Rollback() // does nothing after a commit
	if t.store.lock != nil {
		t.store.lock.say(writingAt, no)
	}
}

// catchUp brings the memory to the state at which the transaction begins. Nobody else
// commits before it ends.
func (t *txn) catchUp(ctx context.Context, only *collection) error {
	s := t.store
	if s.watch == nil {
		return nil
	}
	t.before = s.watch.now()
	if t.before != s.wrote {
		// Another process may have changed tables. An ordinary statement takes that in;
		// one over a table of FTS5 can fail instead, while it takes it in.
		if _, err := lastCommit(t.ctx, t.tx); err != nil {
			return err
		}
	}
	if t.before != *s.known.Load() {
		if err := s.following.Acquire(ctx, 1); err != nil {
			return err
		}
		defer s.following.Release(1)
		if err := s.applyLog(t.ctx, t.tx); err != nil {
			return err
		}
		s.known.Store(&t.before)
	}
	if only != nil && only.isBehind() || only == nil && s.unsettled.Load() && s.anyBehind() {
		return errBehind
	}
	return nil
}

// newID returns an id for a collection or an index that the transaction makes: no other has or had
// it. Commits of a store in memory have no numbers.
func (t *txn) newID() int64 {
	if t.store.watch == nil {
		return t.store.made.Add(1)
	}
	return t.store.seq.Load() + 1
}

// commit commits, and brings the memory in line.
func (t *txn) commit() error {
	s := t.store
	if err := t.note(); err != nil {
		return err
	}
	if err := s.checkPlace(); err != nil {
		return err
	}
	defer t.leave()
	if err := t.commitRows(); err != nil {
		_, _ = t.conn.ExecContext(t.ctx, "ROLLBACK") // a commit that failed may leave the transaction open
		return err
	}
	for c, ch := range t.changes {
		if c.index == nil {
			c.apply(ch)
		} else if err := c.index.guard(func() error { c.apply(ch); return nil }); err != nil { // it is committed all the same
			c.distrust(t.ctx, err)
		}
	}
	if s.watch != nil && t.seq != 0 {
		s.seq.Store(t.seq)
		if after := s.watch.now(); after.nextTo(t.before) { // or else the next call looks who was it
			s.known.Store(&after)
			s.wrote = after
		}
	}
	return nil
}

// commitRows commits in SQLite, and enters before readers of the file see it.
func (t *txn) commitRows() error {
	if t.store.durable == nil { // it waits for no disk
		t.enter()
		return t.tx.Commit()
	}
	return t.store.durable.commit(t.tx.Commit, t.enter)
}

// enter takes the locks of what is in memory, until leave. It waits for searches, and no
// longer than they take: the commit may be on the disk, and cannot be given up.
func (t *txn) enter() {
	t.entered = true
	if t.store.watch != nil {
		_ = t.store.following.Acquire(context.Background(), 1) // which cannot fail
	}
	for c := range t.changes { // in any order: nobody else holds two of them
		c.still.Lock()
	}
	for c := range t.changes {
		c.mu.Lock()
	}
}

func (t *txn) leave() {
	if !t.entered {
		return
	}
	for c := range t.changes {
		c.mu.Unlock()
		c.still.Unlock()
	}
	if t.store.watch != nil {
		t.store.following.Release(1)
	}
}

// change is what a transaction does to one collection.
type change struct {
	rows    map[string]int32        // rows of the IDs that were stored; noRow for those that were deleted
	vectors map[int32]engine.Vector // of the rows that were stored
	ids     map[int32]string        // of the rows that were stored
	freed   []int32                 // rows that are free again
	touched []int32                 // rows whose fields or texts were changed in place
	taken   int                     // how many rows were taken from the end of the collection's free list
	end     int32                   // the first row number never used
	was     *idTable                // the collection's IDs when the transaction came to it
	free    []int32                 // and its free rows: a reader may load the collection again meanwhile
	gone    bool                    // the collection is dropped, or has another name
	indexed bool                    // there are the indexes that many records need
	altered bool                    // the collection is gone, and another one of the same memory takes its place
	then    func()                  // what else is to be done, if not nil
}

const noRow = -1

// change returns what the transaction does to c.
func (t *txn) change(c *collection) *change {
	ch, ok := t.changes[c]
	if !ok {
		c.mu.RLock()
		ch = &change{rows: map[string]int32{}, vectors: map[int32]engine.Vector{}, ids: map[int32]string{}, end: c.end, was: c.ids, free: c.free}
		c.mu.RUnlock()
		t.changes[c] = ch
	}
	return ch
}

// count returns how many records there are as the transaction sees it.
func (ch *change) count(c *collection) int {
	n := c.ids.len()
	for id, row := range ch.rows {
		switch _, was := c.ids.row(id); {
		case was && row == noRow:
			n--
		case !was && row != noRow:
			n++
		}
	}
	return n
}

// row returns the row that an ID has as the transaction sees it.
func (ch *change) row(id string) (int32, bool) {
	row, ok := ch.rows[id]
	if !ok {
		row, ok = ch.was.row(id)
	}
	return row, ok && row != noRow
}

// idOf returns the ID of a row as the transaction sees it.
func (ch *change) idOf(row int32) string {
	if id, ok := ch.ids[row]; ok {
		return id
	}
	return ch.was.id(row)
}

// store notes that a record was stored, and returns its row.
func (ch *change) store(r engine.Record) int32 {
	row, ok := ch.row(r.ID)
	if !ok {
		row = ch.take()
	}
	ch.rows[r.ID], ch.ids[row], ch.vectors[row] = row, r.ID, r.Vector
	return row
}

// expect makes room for so many records, if there are none yet.
func (ch *change) expect(n int) {
	if len(ch.rows) == 0 && n > 1 {
		ch.rows, ch.ids, ch.vectors = make(map[string]int32, n), make(map[int32]string, n), make(map[int32]engine.Vector, n)
	}
}

// take returns a row that is free. What is on the list may be in use by now, or on it
// twice, since other processes take rows as well.
func (ch *change) take() int32 {
	for left := len(ch.free) - ch.taken; left > 0; left-- {
		row := ch.free[left-1]
		ch.taken++
		if _, used := ch.ids[row]; !used && !ch.was.used(row) {
			return row
		}
	}
	ch.end++
	return ch.end - 1
}

// remove notes that a record was deleted. Its row is free after the commit.
func (ch *change) remove(id string, row int32) {
	ch.rows[id] = noRow
	delete(ch.ids, row)
	delete(ch.vectors, row)
	ch.freed = append(ch.freed, row)
}

// numbers returns the rows that were changed, some more than once.
func (ch *change) numbers() []int32 {
	return slices.Concat(slices.Collect(maps.Keys(ch.vectors)), ch.freed, ch.touched)
}

// apply brings the memory in line with what was committed. The caller holds
// c.mu.
func (c *collection) apply(ch *change) {
	c.gone, c.altered = c.gone || ch.gone || ch.altered, c.altered || ch.altered
	c.end, c.indexed = max(c.end, ch.end), c.indexed || ch.indexed
	if c.ids == ch.was {
		c.free = append(c.free[:len(c.free)-ch.taken], ch.freed...)
	} else { // loaded again since
		defer c.listFree()
	}
	for _, row := range ch.freed {
		c.ids.free(row)
		c.index.remove(row)
		c.store.payloads.drop(c, row)
	}
	for _, row := range ch.touched {
		c.index.moved(row)
		c.store.payloads.drop(c, row)
	}
	for id, row := range ch.rows {
		if row == noRow {
			continue
		}
		c.ids.put(row, id)
		c.store.payloads.drop(c, row)
		if err := c.index.set(row, ch.vectors[row]); err != nil { // the root has checked it
			c.store.log.Error("vector not in memory", "collection", c.schema.Name, "id", id, "error", err)
		}
	}
	c.fields.changed(ch.numbers(), c.ids.used)
	c.store.grown.Add(int64(len(ch.vectors) * c.schema.Dim * c.schema.Element.Size()))
	c.saved.noted += len(ch.vectors) + len(ch.freed)
	c.written.Add(int64(len(ch.vectors) + len(ch.freed)))
	if ch.then != nil {
		ch.then()
	}
	c.wake()
	c.keepIfDue()
}
