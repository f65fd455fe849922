package local

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"

	"golang.org/x/sync/semaphore"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
)

// collection is a collection and its copy in memory.
type collection struct {
	store      *store
	schema     engine.Schema
	rowQueries rowQueries
	put        [2]*sql.Stmt // into the two tables
	drop       [2]*sql.Stmt // from the two tables, by row

	// mu is held for reading by searches, and for writing while a commit is
	// applied. Under it the memory is what SQLite has committed. The writer may
	// read without it, since nobody else writes.
	mu    sync.RWMutex
	gone  bool             // dropped, or open under another name
	rows  map[string]int32 // row numbers by ID
	ids   []string         // IDs by row number, "" for a free row
	free  []int32          // row numbers below end that are free
	end   int32            // the first row number never used
	index index
	hnsw  *built // nil without an approximate index

	// still is held while a commit is noted and applied, and while a snapshot is
	// written, beside which searches go on.
	still    sync.Mutex
	indexing *semaphore.Weighted // of one: who has it may change links and linker
	linker   *linker             // nil without one
	woken    chan struct{}       // tells the linker of a commit
	life     context.Context     // ends with the collection
	endLife  context.CancelFunc
}

func newCollection(s *store, schema engine.Schema) (*collection, error) {
	c := &collection{
		store: s, schema: schema, rowQueries: rowQueries{text: map[rowsKey]string{}}, rows: map[string]int32{},
		indexing: semaphore.NewWeighted(1), woken: make(chan struct{}, 1),
	}
	c.life, c.endLife = context.WithCancel(context.Background())
	var err error
	if c.index, err = newIndex(schema); err != nil {
		return nil, err
	}
	rows, data := rowsTable(schema.Name), dataTable(schema.Name)
	columns, marks, updates := rowColumn+", id", "?, ?", "id = excluded.id"
	for _, f := range schema.Fields {
		columns += ", " + quote(f.Name)
		marks += ", ?"
		updates += fmt.Sprintf(", %s = excluded.%[1]s", quote(f.Name))
	}
	statements := []struct {
		to  **sql.Stmt
		sql string
	}{
		{&c.put[0], fmt.Sprintf("INSERT INTO %s (%s) VALUES (%s) ON CONFLICT (%s) DO UPDATE SET %s", rows, columns, marks, rowColumn, updates)},
		{&c.put[1], fmt.Sprintf(`INSERT INTO %s (%s, vector, text) VALUES (?, ?, ?)
			ON CONFLICT (%[2]s) DO UPDATE SET vector = excluded.vector, text = excluded.text`, data, rowColumn)},
		{&c.drop[0], fmt.Sprintf("DELETE FROM %s WHERE %s = ?", rows, rowColumn)},
		{&c.drop[1], fmt.Sprintf("DELETE FROM %s WHERE %s = ?", data, rowColumn)},
	}
	for _, st := range statements {
		if *st.to, err = s.write.Prepare(st.sql); err != nil {
			c.close()
			return nil, explain(err)
		}
	}
	return c, nil
}

// close ends the linker and releases the prepared statements.
func (c *collection) close() {
	c.retire()
	for _, st := range append(c.put[:], c.drop[:]...) {
		if st != nil {
			st.Close()
		}
	}
}

// Schema implements engine.Collection.
func (c *collection) Schema() engine.Schema { return c.schema }

// load fills the memory from the file.
func (c *collection) load(ctx context.Context) error {
	snapshot, err := c.registered(ctx)
	if err != nil {
		return err
	}
	restored := false
	if c.hnsw != nil {
		if restored, err = c.restore(ctx, snapshot); err != nil {
			return err
		}
	}
	if !restored {
		if err := c.loadRows(ctx); err != nil {
			return err
		}
		if c.hnsw != nil {
			c.hnsw.noted = len(c.rows)
		}
	}
	for row := c.end - 1; row >= 0; row-- { // the lowest is taken first
		if c.ids[row] == "" {
			c.free = append(c.free, row)
		}
	}
	c.startLinker()
	return nil
}

// loadRows fills the memory from the rows.
func (c *collection) loadRows(ctx context.Context) error {
	count, end, err := c.extent(ctx)
	if err != nil {
		return err
	}
	if end-count > count+sparse {
		if end, err = c.compact(ctx); err != nil {
			return err
		}
	}
	if err := c.store.reading(ctx); err != nil {
		return err
	}
	defer c.store.endReading()
	c.rows = make(map[string]int32, count)
	c.ids = make([]string, end)
	c.end = int32(end)
	c.index.reserve(int(end))
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
		if buf, err = c.decodeVector(buf, id, blob); err != nil {
			return err
		}
		c.rows[id], c.ids[row] = row, id
		if err := c.index.set(row, buf); err != nil {
			return fmt.Errorf("%w: record %q in %q: %w", errDamaged, id, c.schema.Name, err)
		}
	}
	return rows.Err()
}

// sparse is how many more rows may be free than not before a collection is
// compacted when it is loaded: free rows take memory, too.
const sparse = 4096

// extent returns how many rows there are, and the first number after theirs.
func (c *collection) extent(ctx context.Context) (count, end int64, err error) {
	if err := c.store.reading(ctx); err != nil {
		return 0, 0, err
	}
	defer c.store.endReading()
	err = c.store.read.QueryRowContext(ctx, fmt.Sprintf("SELECT count(*), coalesce(max(%s) + 1, 0) FROM %s",
		rowColumn, rowsTable(c.schema.Name))).Scan(&count, &end)
	return count, end, err
}

// compact gives the rows the lowest numbers there are, and returns the first
// number after theirs.
func (c *collection) compact(ctx context.Context) (end int64, err error) {
	err = c.store.update(ctx, func(t *txn) error {
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
		end = int64(len(numbers))
		return t.rowsMoved(c.schema.Name)
	})
	return end, err
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

func appendVector(dst []byte, v engine.Vector) []byte {
	if v.F64 != nil {
		return codec.AppendBlob(dst, v.F64)
	}
	return codec.AppendBlob(dst, v.F32)
}

// every is how many statements run between two looks at the caller's context.
const every = 256

// Upsert implements engine.Collection.
func (c *collection) Upsert(ctx context.Context, records []engine.Record) error {
	return c.store.update(ctx, func(t *txn) error { return c.upsert(ctx, t, records) })
}

func (c *collection) upsert(ctx context.Context, t *txn, records []engine.Record) error {
	if c.gone {
		return engine.ErrNotFound
	}
	ch := t.change(c)
	putRow, putData := t.tx.StmtContext(t.ctx, c.put[0]), t.tx.StmtContext(t.ctx, c.put[1])
	args := make([]any, 2, 2+len(c.schema.Fields))
	var blob []byte
	for i, r := range records {
		if i%every == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		row := ch.store(c, r)
		args = append(args[:0], row, r.ID)
		for _, v := range r.Fields {
			args = append(args, column(v))
		}
		if _, err := putRow.ExecContext(t.ctx, args...); err != nil {
			return err
		}
		blob = appendVector(blob[:0], r.Vector)
		text := sql.NullString{String: r.Text, Valid: r.Text != ""}
		if _, err := putData.ExecContext(t.ctx, row, blob, text); err != nil {
			return err
		}
	}
	return nil
}

// Insert implements engine.Inserter.
func (c *collection) Insert(ctx context.Context, records []engine.Record) error {
	return c.store.update(ctx, func(t *txn) error { return c.insert(ctx, t, records) })
}

func (c *collection) insert(ctx context.Context, t *txn, records []engine.Record) error {
	if c.gone {
		return engine.ErrNotFound
	}
	ch := t.change(c)
	for _, r := range records {
		if _, ok := ch.row(c, r.ID); ok {
			return fmt.Errorf("record %q %w", r.ID, engine.ErrExists)
		}
	}
	return c.upsert(ctx, t, records)
}

// Delete implements engine.Collection.
func (c *collection) Delete(ctx context.Context, ids []string) (n int, err error) {
	err = c.store.update(ctx, func(t *txn) error {
		n, err = c.delete(ctx, t, ids)
		return err
	})
	return n, err
}

func (c *collection) delete(ctx context.Context, t *txn, ids []string) (n int, err error) {
	if c.gone {
		return 0, engine.ErrNotFound
	}
	ch := t.change(c)
	for i, id := range ids {
		if i%every == 0 && ctx.Err() != nil {
			return 0, ctx.Err()
		}
		row, ok := ch.row(c, id)
		if !ok {
			continue
		}
		for _, st := range c.drop {
			if _, err := t.tx.StmtContext(t.ctx, st).ExecContext(t.ctx, row); err != nil {
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
	err = c.store.update(ctx, func(t *txn) error {
		n, err = c.deleteWhere(ctx, t, f)
		return err
	})
	return n, err
}

func (c *collection) deleteWhere(ctx context.Context, t *txn, f filter.Filter) (int, error) {
	if c.gone {
		return 0, engine.ErrNotFound
	}
	where, args := compile(f)
	rows, err := t.tx.QueryContext(ctx, fmt.Sprintf("SELECT id FROM %s r WHERE %s", rowsTable(c.schema.Name), where), args...)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	var ids []string
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return 0, err
		}
		ids = append(ids, id)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return 0, err
	}
	return c.delete(ctx, t, ids)
}
