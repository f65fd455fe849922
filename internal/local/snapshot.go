package local

import (
	"bytes"
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"time"

	"github.com/vecwire/vecwire/internal/ann"
	"github.com/vecwire/vecwire/internal/engine"
)

// A snapshot is a file beside the store with all that is in memory of a
// collection that has an index: vectors, links and IDs. The registry names the
// one that fits the store. A snapshot never changes: another one has another name,
// and takes its place in one transaction with the removal of the notes that it
// makes needless. So whatever the registry names, and the rows that were noted
// since, are the collection; a file that it does not name is rubbish.

// snapshotPath returns the file of a snapshot.
func (s *store) snapshotPath(tag string) string { return s.path + "." + tag + ".index" }

// sweep removes the snapshots that the registry does not name: a process that
// was killed while it wrote one, or before it removed one, left it.
func (s *store) sweep(ctx context.Context) error {
	rows, err := s.write.QueryContext(ctx, "SELECT snapshot FROM vecwire_indexes")
	if err != nil {
		return err
	}
	defer rows.Close()
	used := map[string]bool{}
	for rows.Next() {
		var tag string
		if err := rows.Scan(&tag); err != nil {
			return err
		}
		used[filepath.Base(s.snapshotPath(tag))] = true
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return err
	}
	files, err := os.ReadDir(filepath.Dir(s.path))
	if err != nil {
		return err
	}
	// The tags are those of rand.Text; what is unfinished has more behind its name.
	ours := regexp.MustCompile(`^` + regexp.QuoteMeta(filepath.Base(s.path)) + `\.[A-Z2-7]{26}\.index(\.[0-9]+\.tmp)?$`)
	for _, f := range files {
		if ours.MatchString(f.Name()) && !used[f.Name()] {
			s.remove(filepath.Join(filepath.Dir(s.path), f.Name()))
		}
	}
	return nil
}

// remove removes a snapshot that is not used any more.
func (s *store) remove(path string) {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		s.log.Warn("a file that is not used any more could not be removed", "file", path, "err", err)
	}
}

// dropSnapshot notes that the snapshot of a collection's index, if there is one,
// is not used any more when the transaction is committed.
func (t *txn) dropSnapshot(collection string) error {
	var tag string
	err := t.tx.QueryRowContext(t.ctx, "SELECT snapshot FROM vecwire_indexes WHERE collection = ?", collection).Scan(&tag)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if tag != "" {
		t.unused = append(t.unused, t.store.snapshotPath(tag))
	}
	return err
}

// note writes down which rows the transaction has changed that a snapshot holds.
// The caller has c.still.
func (t *txn) note(c *collection, ch *change) error {
	if c.hnsw == nil || t.store.path == "" || len(ch.vectors)+len(ch.freed) == 0 {
		return nil
	}
	rows := make([]int32, 0, len(ch.vectors)+len(ch.freed))
	for row := range ch.vectors {
		rows = append(rows, row)
	}
	list, err := json.Marshal(append(rows, ch.freed...))
	if err != nil {
		return err
	}
	// There is no index any more if the collection is dropped by the transaction.
	_, err = t.tx.ExecContext(t.ctx, `INSERT INTO vecwire_changed (id, row, since)
		SELECT i.id, j.value, ? FROM vecwire_indexes i, json_each(?) j WHERE i.id = ?
		ON CONFLICT DO UPDATE SET since = excluded.since`, c.hnsw.since, string(list), c.hnsw.id)
	return err
}

// saveIfDue writes a snapshot if there is none, or much has changed since.
func (c *collection) saveIfDue(ctx context.Context) {
	c.mu.RLock()
	due := c.hnsw.noted >= c.hnsw.saveAt
	c.mu.RUnlock()
	if due {
		c.trySave(ctx)
	}
}

// trySave writes a snapshot. If it cannot, the collection is loaded from the rows
// next time, and linked anew.
func (c *collection) trySave(ctx context.Context) {
	if c.store.path == "" {
		return
	}
	begun := time.Now()
	err := c.save(ctx)
	c.mu.Lock()
	c.hnsw.saveAt = c.hnsw.noted + max(c.store.leastSave, len(c.rows)/4)
	c.mu.Unlock()
	switch {
	case err == nil:
		c.store.log.DebugContext(ctx, "snapshot written", "collection", c.schema.Name, "took", time.Since(begun))
	case ctx.Err() == nil && !errors.Is(err, engine.ErrNotFound):
		c.store.log.WarnContext(ctx, "the snapshot of an index could not be written: the store opens more slowly without it",
			"collection", c.schema.Name, "err", err)
	}
}

func (c *collection) save(ctx context.Context) error {
	tag, b := rand.Text(), c.hnsw
	path := c.store.snapshotPath(tag)
	var since int64
	var noted int
	err := c.index.save(path, &c.still, func() ([]byte, error) {
		since, noted = b.since, b.noted
		b.since++
		return appendIDs([]byte(tag), c.ids), nil
	})
	if err != nil {
		return err
	}
	err = c.store.update(ctx, func(t *txn) error {
		if c.gone {
			return engine.ErrNotFound
		}
		if err := t.dropSnapshot(c.schema.Name); err != nil {
			return err
		}
		if _, err := t.tx.ExecContext(t.ctx, "UPDATE vecwire_indexes SET snapshot = ? WHERE id = ?", tag, b.id); err != nil {
			return err
		}
		_, err := t.tx.ExecContext(t.ctx, "DELETE FROM vecwire_changed WHERE id = ? AND since <= ?", b.id, since)
		t.change(c).then = func() { b.noted -= noted }
		return err
	})
	if err != nil {
		c.store.remove(path)
	}
	return err
}

// registered reads from the registry whether the collection has an index, and
// plans its graph. It returns the tag of the snapshot, if there is one.
func (c *collection) registered(ctx context.Context) (snapshot string, err error) {
	if err := c.store.reading(ctx); err != nil {
		return "", err
	}
	defer c.store.endReading()
	b := &built{}
	err = c.store.read.QueryRowContext(ctx, `SELECT id, m, ef, snapshot,
			coalesce((SELECT max(since) FROM vecwire_changed n WHERE n.id = i.id), 0)
		FROM vecwire_indexes i WHERE collection = ?`, c.schema.Name).Scan(&b.id, &b.m, &b.ef, &snapshot, &b.since)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	if err == nil {
		c.hnsw = b
		err = c.index.plan(b.options())
	}
	return snapshot, err
}

// restore fills the memory from the snapshot and the rows that changed since, and
// reports whether it could. If not, the memory is empty, and the rows are to be
// loaded and linked.
func (c *collection) restore(ctx context.Context, snapshot string) (bool, error) {
	err := fmt.Errorf("%w: it was never written", ann.ErrSnapshot)
	var stamp []byte
	if snapshot != "" {
		stamp, err = c.index.load(c.store.snapshotPath(snapshot))
	}
	if err == nil {
		err = c.takeIDs(stamp, snapshot)
	}
	if err == nil {
		c.hnsw.whole, c.hnsw.saveAt = true, max(c.store.leastSave, len(c.rows)/4)
		err = c.replay(ctx)
		return err == nil, err
	}
	c.store.log.WarnContext(ctx, "an index has no usable snapshot and is built anew", "collection", c.schema.Name, "err", err)
	if c.index, err = newIndex(c.schema); err != nil {
		return false, err
	}
	if err := c.index.plan(c.hnsw.options()); err != nil {
		return false, err
	}
	c.index.publish()
	return false, nil
}

// rowsMoved makes the snapshot of a collection useless, whose rows have other
// numbers than it says.
func (t *txn) rowsMoved(collection string) error {
	if err := t.dropSnapshot(collection); err != nil {
		return err
	}
	_, err := t.tx.ExecContext(t.ctx, "UPDATE vecwire_indexes SET snapshot = '' WHERE collection = ?", collection)
	return err
}

// appendIDs writes the IDs of a collection's rows: how many rows, then the length
// of each ID, 0 for a free row, and the ID.
func appendIDs(dst []byte, ids []string) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(ids)))
	for _, id := range ids {
		dst = append(binary.AppendUvarint(dst, uint64(len(id))), id...)
	}
	return dst
}

// takeIDs reads what appendIDs has written behind the tag, if it fits the index.
func (c *collection) takeIDs(stamp []byte, tag string) error {
	stamp, ok := bytes.CutPrefix(stamp, []byte(tag))
	if !ok {
		return fmt.Errorf("%w: it is another one", ann.ErrSnapshot)
	}
	all := string(stamp) // the IDs are parts of it
	next := func() (uint64, bool) {
		n, size := binary.Uvarint(stamp)
		if size <= 0 {
			return 0, false
		}
		stamp, all = stamp[size:], all[size:]
		return n, true
	}
	count, ok := next()
	if !ok || count > uint64(len(stamp)) {
		return fmt.Errorf("%w: it has no IDs", ann.ErrSnapshot)
	}
	ids := make([]string, count)
	live := 0
	for row := range ids {
		n, ok := next()
		if !ok || n > uint64(len(all)) || c.index.has(int32(row)) != (n > 0) {
			return fmt.Errorf("%w: the ID of row %d does not fit", ann.ErrSnapshot, row)
		}
		if ids[row] = all[:n]; n > 0 {
			live++
		}
		stamp, all = stamp[n:], all[n:]
	}
	c.ids, c.end = ids, int32(count)
	c.rows = make(map[string]int32, live)
	for row, id := range ids {
		if id != "" {
			c.rows[id] = int32(row)
		}
	}
	return nil
}

// replay reads the rows again that changed after the snapshot was written.
func (c *collection) replay(ctx context.Context) error {
	rows, err := c.store.read.QueryContext(ctx, fmt.Sprintf(`SELECT n.row, r.id, d.vector FROM vecwire_changed n
		LEFT JOIN %s r ON r.%s = n.row LEFT JOIN %s d ON d.%[2]s = n.row WHERE n.id = ?`,
		rowsTable(c.schema.Name), rowColumn, dataTable(c.schema.Name)), c.hnsw.id)
	if err != nil {
		return err
	}
	defer rows.Close()
	var row int32
	var id sql.NullString
	var blob sql.RawBytes
	var buf engine.Vector
	for rows.Next() {
		if err := rows.Scan(&row, &id, &blob); err != nil {
			return err
		}
		if row < 0 {
			return fmt.Errorf("%w: row %d of %q has changed", errDamaged, row, c.schema.Name)
		}
		c.hnsw.noted++
		for row >= c.end {
			c.ids = append(c.ids, "")
			c.end++
		}
		if old := c.ids[row]; old != "" && c.rows[old] == row { // it may have another row by now
			delete(c.rows, old)
		}
		c.ids[row] = id.String
		if !id.Valid {
			c.index.remove(row)
			continue
		}
		if buf, err = c.decodeVector(buf, id.String, blob); err != nil {
			return err
		}
		c.rows[id.String] = row
		if err := c.index.set(row, buf); err != nil {
			return fmt.Errorf("%w: record %q in %q: %w", errDamaged, id.String, c.schema.Name, err)
		}
	}
	return rows.Err()
}
