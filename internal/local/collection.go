package local

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/semaphore"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
)

// collection is a collection and its copy in memory.
type collection struct {
	engine.Lacks // merging

	store      *store
	schema     engine.Schema
	id         int64 // in the registry; another collection of the name has another
	rowQueries rowQueries
	writes     writes
	indexed    bool // it has the indexes that many records need; the writer's

	// mu is held for reading by searches, and for writing while a commit is
	// applied. Under it the memory is what SQLite has committed. The writer may
	// read without it, since nobody else writes.
	mu      sync.RWMutex
	gone    bool // dropped, closed, or open under another name
	altered bool // gone, because it has another schema now
	ids     *idTable
	free    []int32 // row numbers below end that are free
	end     int32   // the first row number never used
	index   index
	outside *outside // where its vectors are read from the file; nil if they are not
	hnsw    *built   // nil without an approximate index
	saved   saved
	fields  *fieldColumns
	// behind says that the collection has to be loaded again before it is used: other
	// processes have changed more than can be followed.
	behind bool
	// loadedFrom is the tag of the snapshot that is mapped, and distrusted that of one that
	// was found to be damaged while it was.
	loadedFrom, distrusted string
	asleep                 bool         // behind, because the memory was let go: see sleep.go
	wanted                 atomic.Bool  // asleep, and a writer waits for it
	used                   atomic.Int64 // when it was used last, by the store's clock

	touched    atomic.Uint64 // how often other processes have changed the collection
	otherIndex atomic.Bool   // another process has built or dropped an index
	declined   atomic.Bool   // no index is to be built by itself
	building   atomic.Bool   // one is being built by itself
	written    atomic.Int64  // how many rows were changed, here or elsewhere
	loadedAt   int64         // the last commit that load has read

	// still is held while a commit is noted and applied, and while a snapshot is
	// written, beside which searches go on.
	still    sync.Mutex
	indexing *semaphore.Weighted // of one: who has it may change links and linker
	linker   *linker             // nil without one
	keeping  atomic.Bool         // there is a linker, or one is being started
	woken    chan struct{}       // tells the linker of a commit
	life     context.Context     // ends with the collection
	endLife  context.CancelFunc
}

// newCollection returns a collection with nothing in memory.
func newCollection(s *store, schema engine.Schema, id int64) (*collection, error) {
	c := &collection{
		Lacks: engineName,
		store: s, schema: schema, id: id, rowQueries: rowQueries{text: map[rowsKey]string{}}, writes: writesTo(schema), ids: newIDs(),
		indexing: semaphore.NewWeighted(1), woken: make(chan struct{}, 1), fields: newFieldColumns(),
	}
	c.life, c.endLife = context.WithCancel(context.Background())
	c.declined.Store(schema.Index == engine.NoIndex)
	var err error
	c.outside = c.newOutside()
	c.index, err = c.newIndex()
	return c, err
}

// lost is the error of a collection that is gone.
func (c *collection) lost() error {
	if c.altered {
		return engine.ErrAltered
	}
	return engine.ErrNotFound
}

// Altered implements engine.Collection.
func (c *collection) Altered(ctx context.Context) (bool, error) {
	if c.store.watch == nil {
		return false, nil
	}
	if err := c.store.follow(ctx); err != nil {
		return false, err
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.altered, nil
}

// close ends the linker and gives the memory back. The collection is gone for whoever
// still has it.
func (c *collection) close() {
	c.retire()
	c.mu.Lock()
	if !c.gone { // a writer may be looking whether it is
		c.gone = true
	}
	c.ids, c.free = newIDs(), nil
	c.fields.reset()
	if c.index != nil {
		c.index.close()
		c.index = nil
	}
	c.mu.Unlock()
}

// Can implements engine.Collection.
func (c *collection) Can() engine.Can { return c.store.Capabilities().Can }

// Schema implements engine.Collection.
func (c *collection) Schema() engine.Schema {
	s := c.schema
	if s.Index = engine.AutoIndex; c.declined.Load() { // which may be since it was opened
		s.Index = engine.NoIndex
	}
	return s
}

// load fills the memory from one state of the file. The caller alone knows the
// collection.
func (c *collection) load(ctx context.Context) error {
	if err := c.compactIfSparse(ctx, false); err != nil {
		return err
	}
	err := c.loadAll(ctx)
	if err != nil || c.hnsw != nil || c.saved.tag == "" || !isSparse(int64(c.ids.len()), int64(c.end)) {
		return err
	}
	if err := c.compactIfSparse(ctx, true); err != nil {
		return err
	}
	c.index.close()
	if c.index, err = c.newIndex(); err != nil {
		return err
	}
	return c.loadAll(ctx)
}

// loadAll is load without a change to the file.
func (c *collection) loadAll(ctx context.Context) error {
	for {
		again, err := c.loadOnce(ctx)
		if err != nil || !again {
			return err
		}
	}
}

// loadOnce is load. It asks to be called again if another process has put another
// snapshot in the place of the one that was to be loaded.
func (c *collection) loadOnce(ctx context.Context) (again bool, err error) {
	if c.store.watch != nil {
		pinned, end, err := c.store.pin(ctx)
		if err != nil {
			return false, err
		}
		defer end()
		ctx = pinned
		if c.loadedAt, err = lastCommit(ctx, c.store.read); err != nil {
			return false, err
		}
	}
	b, sv, err := c.indexInFile(ctx)
	if err != nil {
		return false, err
	}
	restored := false
	c.hnsw, c.saved = b, sv // none, perhaps, after there was one when this was tried before
	if b != nil {
		if err := c.plan(b); err != nil {
			return false, err
		}
	}
	if b != nil || sv.tag != "" && c.store.files == nil {
		if restored, again, err = c.restore(ctx); err != nil || again {
			return again, err
		}
	}
	return false, c.loadRest(ctx, restored)
}

// loadRest is what is to be done with or without a snapshot.
func (c *collection) loadRest(ctx context.Context, restored bool) error {
	if !restored {
		if err := c.loadRows(ctx); err != nil {
			return err
		}
		c.saved.noted = c.ids.len()
	}
	c.listFree()
	return nil
}

// loadRows fills the memory from the rows.
func (c *collection) loadRows(ctx context.Context) error {
	_, end, err := c.extent(ctx)
	if err != nil {
		return err
	}
	if err := c.store.reading(ctx, c.call("OpenCollection")); err != nil {
		return err
	}
	defer c.store.endReading()
	c.ids = newIDs()
	c.end = int32(end)
	held := c.store.held()
	if !held {
		c.index.reserve(int(end))
	}
	rows, err := c.store.read.QueryContext(ctx, fmt.Sprintf("SELECT r.%s, r.id, d.vector FROM %s r LEFT JOIN %s d USING (%[1]s)",
		rowColumn, rowsTable(c.schema.Name), dataTable(c.schema.Name)))
	if err != nil {
		return err
	}
	defer rows.Close()
	var row int32
	var id string
	var blob sql.RawBytes
	var buf engine.Vector
	for rows.Next() {
		if err := rows.Scan(&row, &id, &blob); err != nil {
			return err
		}
		if row < 0 || row >= c.end {
			return fmt.Errorf("%w: record %q in %q has row %d", errDamaged, id, c.schema.Name, row)
		}
		c.ids.put(row, id)
		if held && c.index.has(row) {
			continue
		}
		if buf, err = c.decodeVector(buf, id, blob); err != nil {
			return err
		}
		if err := c.index.set(row, buf); err != nil {
			return fmt.Errorf("%w: record %q in %q: %w", errDamaged, id, c.schema.Name, err)
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	return c.packIDs()
}

// packIDs makes the table of IDs small.
func (c *collection) packIDs() error {
	b, err := c.ids.pack(nil, c.end)
	if err != nil {
		return err
	}
	packed, _, err := parseIDs(b, nil, c.index.has)
	if err != nil {
		return err
	}
	c.ids.repack(packed)
	return nil
}

// sparse is how many more rows may be free than not before a collection is
// compacted when it is loaded: free rows take memory, too.
const sparse = 4096

// extent returns how many rows there are, and the first number after theirs.
func (c *collection) extent(ctx context.Context) (count, end int64, err error) {
	if err := c.store.reading(ctx, c.call("OpenCollection")); err != nil {
		return 0, 0, err
	}
	defer c.store.endReading()
	err = c.store.read.QueryRowContext(ctx, fmt.Sprintf("SELECT count(*), coalesce(max(%s) + 1, 0) FROM %s",
		rowColumn, rowsTable(c.schema.Name))).Scan(&count, &end)
	return count, end, err
}

func isSparse(count, end int64) bool { return end-count > count+sparse }

// compactIfSparse gives the rows of a collection without an index the lowest numbers
// there are, if most are free. If it has a snapshot, that is to be looked at first.
func (c *collection) compactIfSparse(ctx context.Context, looked bool) error {
	if c.store.readOnly || c.store.held() { // vectors that are held stay where they are
		return nil
	}
	if _, saved, err := c.indexInFile(ctx); err != nil || saved.tag != "" && !looked {
		return err
	}
	count, end, err := c.extent(ctx)
	if err != nil || !isSparse(count, end) {
		return err
	}
	return c.updateIndex(ctx, "OpenCollection", func(t *txn) error {
		if there, err := t.named(c.id, c.schema.Name); err != nil || !there {
			return errors.Join(engine.ErrNotFound, err)
		}
		var numbers []int64
		rows, err := t.tx.QueryContext(ctx, fmt.Sprintf("SELECT %s FROM %s ORDER BY 1", rowColumn, rowsTable(c.schema.Name)))
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var n int64
			if err := rows.Scan(&n); err != nil {
				return err
			}
			numbers = append(numbers, n)
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			return err
		}
		for _, table := range []string{rowsTable(c.schema.Name), dataTable(c.schema.Name)} {
			move, err := t.tx.PrepareContext(ctx, fmt.Sprintf("UPDATE %s SET %s = ? WHERE %[2]s = ?", table, rowColumn))
			if err != nil {
				return err
			}
			defer move.Close()
			for to, from := range numbers { // to is free: it is less than from, or equal
				if _, err := move.ExecContext(t.ctx, to, from); err != nil {
					return err
				}
			}
		}
		for to, from := range numbers {
			if err := c.moveWords(t, from, int64(to)); err != nil {
				return err
			}
		}
		t.moved = append(t.moved, c.id)
		return t.rowsMoved(c.schema.Name)
	})
}

// named reports whether the collection of an id has that name.
func (t *txn) named(id int64, name string) (there bool, err error) {
	err = t.tx.QueryRowContext(t.ctx, "SELECT count(*) FROM vecwire_collections WHERE id = ? AND name = ?", id, name).Scan(&there)
	return there, err
}

// decodeVector reads a stored vector into buf.
func (c *collection) decodeVector(buf engine.Vector, id string, blob []byte) (engine.Vector, error) {
	if want := c.schema.Dim * c.schema.Element.Size(); len(blob) != want {
		return buf, fmt.Errorf("%w: the vector of record %q in %q has %d bytes, want %d", errDamaged, id, c.schema.Name, len(blob), want)
	}
	var err error
	if c.schema.Element == codec.DOUBLE {
		buf.F64, err = codec.ParseBlob(buf.F64[:0], blob)
	} else {
		buf.F32, err = codec.ParseBlob(buf.F32[:0], blob)
	}
	return buf, err
}

// every is how many statements run between two looks at the caller's context.
const every = 256

// Insert implements engine.Collection.
func (c *collection) Insert(ctx context.Context, records []engine.Record) error {
	if tx := c.in(ctx); tx != nil {
		return tx.Insert(ctx, records)
	}
	return c.store.update(ctx, c.call("Insert"), func(t *txn) error { return c.insert(ctx, t, records) })
}

func (c *collection) insert(ctx context.Context, t *txn, records []engine.Record) error {
	if err := c.ready(); err != nil {
		return err
	}
	ch := t.change(c)
	for _, r := range records {
		if _, ok := ch.row(r.ID); ok {
			return fmt.Errorf("record %q %w", r.ID, engine.ErrExists)
		}
	}
	return c.upsert(ctx, t, records)
}

// Delete implements engine.Collection.
func (c *collection) Delete(ctx context.Context, ids []string) (n int, err error) {
	if tx := c.in(ctx); tx != nil {
		return tx.Delete(ctx, ids)
	}
	err = c.store.update(ctx, c.call("Delete"), func(t *txn) error {
		n, err = c.delete(ctx, t, ids)
		return err
	})
	return engine.Whole(n, err)
}

func (c *collection) delete(ctx context.Context, t *txn, ids []string) (n int, err error) {
	if err := c.ready(); err != nil {
		return 0, err
	}
	ch := t.change(c)
	for i, id := range ids {
		if i%every == 0 && ctx.Err() != nil {
			return 0, ctx.Err()
		}
		row, ok := ch.row(id)
		if !ok {
			continue
		}
		for _, query := range []string{c.writes.dropRow, c.writes.dropData} {
			if _, err := t.exec(query, []any{int64(row)}); err != nil {
				return 0, err
			}
		}
		ch.remove(id, row)
		n++
	}
	return n, nil
}

// DeleteWhere implements engine.Collection.
func (c *collection) DeleteWhere(ctx context.Context, f filter.Filter) (n int, err error) {
	if tx := c.in(ctx); tx != nil {
		return tx.DeleteWhere(ctx, f)
	}
	err = c.store.update(ctx, c.call("DeleteWhere"), func(t *txn) error {
		n, err = c.deleteWhere(ctx, t, f)
		return err
	})
	return engine.Whole(n, err)
}

func (c *collection) deleteWhere(ctx context.Context, t *txn, f filter.Filter) (int, error) {
	if err := c.ready(); err != nil {
		return 0, err
	}
	rows, err := c.rowsIn(ctx, t, f)
	if err != nil {
		return 0, err
	}
	ch := t.change(c)
	ids := make([]string, 0, rows.Count())
	for row := range rows.All() {
		ids = append(ids, ch.idOf(row))
	}
	return c.delete(ctx, t, ids)
}
