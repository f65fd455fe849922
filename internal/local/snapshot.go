package local

import (
	"context"
	"crypto/rand"
	"database/sql"
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
// collection: vectors, codes, links and IDs. The registry names the
// one that fits the store. A snapshot never changes: another one has another name,
// and takes its place in one transaction with the removal of the notes that it
// makes needless. So whatever the registry names, and the rows that were noted
// since, are the collection; a file that it does not name is rubbish.

// snapshotPath returns the file of a snapshot.
func (s *store) snapshotPath(tag string) string { return s.path + "." + tag + ".index" }

// sweep removes the snapshots that the registry does not name: a process that
// was killed while it wrote one, or before it removed one, left it.
func (s *store) sweep(ctx context.Context) error {
	// While another process writes one, it is not in the registry yet.
	if free, err := s.saveLock.TryLock(); !free {
		return err
	}
	defer func() { _ = s.saveLock.Unlock() }() // it fails only for a lock that is gone
	rows, err := s.write.QueryContext(ctx, "SELECT tag FROM vecwire_snapshots")
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

// dropSnapshot removes the snapshot of a collection, if there is one, when the
// transaction is committed.
func (t *txn) dropSnapshot(collection string) error {
	var tag string
	err := t.tx.QueryRowContext(t.ctx, `DELETE FROM vecwire_snapshots
		WHERE collection = (SELECT id FROM vecwire_collections WHERE name = ?) RETURNING tag`, collection).Scan(&tag)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	t.unused = append(t.unused, t.store.snapshotPath(tag))
	return err
}

// saved is what is known of a collection's snapshot. It changes as what is in memory
// does, and its counters under still alone.
type saved struct {
	tag    string // of the one that the registry names, "" for none
	upto   int64  // the last commit in it, when it was read
	noted  int    // how many changed rows there are about that it lacks
	saveAt int    // of these, how many the next one waits for at least
	idleAt int    // and how many while nothing is written
}

// isSaved reports whether the collection has a snapshot, or is to have one: without an
// index only if reading its rows takes a while. The caller has c.mu.
func (c *collection) isSaved() bool {
	return c.store.path != "" && !c.store.readOnly && c.store.files == nil && (c.hnsw != nil || c.ids.len() >= c.store.leastSave)
}

// wait sets how many changes the next snapshot waits for. Without an index there is
// less to be lost, and rows may come fast: all snapshots together are no larger than
// twice the last. The caller has c.mu.
func (c *collection) wait() {
	more := max(c.ids.len(), c.unhurried())
	if c.hnsw != nil {
		more = c.ids.len() / 4
	}
	c.saved.saveAt = c.saved.noted + max(c.store.leastSave, more)
	c.saved.idleAt = c.saved.noted + c.store.leastSave/16 + 1
}

const (
	unhurriedSaves = 8         // times leastSave
	unhurriedBytes = 192 << 20 // of vectors and codes
)

// unhurried is how many changes of a collection without an index a snapshot waits for at
// least while records come without a break, from which it would take the disk and the
// processor. They must not take too much memory either, as only what is in a snapshot is
// mapped.
func (c *collection) unhurried() int {
	return min(unhurriedSaves*c.store.leastSave, unhurriedBytes/(c.schema.Dim*(c.schema.Element.Size()+1)))
}

// saveIfDue writes a snapshot if there is none, or much has changed since.
func (c *collection) saveIfDue(ctx context.Context) {
	c.mu.RLock()
	due := c.isSaved() && c.saved.noted >= c.saved.saveAt &&
		(c.hnsw != nil || c.saved.tag != "" || c.saved.noted >= c.unhurried())
	c.mu.RUnlock()
	if due {
		_ = c.trySave(ctx) // the log says it; the next one is written later
	}
}

// unsaved reports whether a snapshot is to be written when there is time.
func (c *collection) unsaved() bool {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.isSaved() && c.saved.noted >= c.saved.idleAt
}

// trySave writes a snapshot. If it cannot, the collection is loaded from the rows
// next time, and linked again.
func (c *collection) trySave(ctx context.Context) error {
	if c.store.path == "" || c.store.readOnly {
		return nil
	}
	begun := time.Now()
	err := c.save(ctx)
	if errors.Is(err, ann.ErrDamaged) {
		if _, failed := c.heal(ctx); failed == nil && !c.isBehind() {
			err = c.save(ctx)
		}
	}
	c.mu.Lock()
	c.wait()
	c.mu.Unlock()
	switch {
	case err == nil:
		c.store.log.DebugContext(ctx, "snapshot written", "collection", c.schema.Name, "took", time.Since(begun))
	case errors.Is(err, errOvertaken):
		c.store.log.DebugContext(ctx, "snapshot not written", "collection", c.schema.Name, "err", err)
	case ctx.Err() == nil && !errors.Is(err, engine.ErrNotFound):
		c.store.log.WarnContext(ctx, "the snapshot of a collection could not be written: the store opens more slowly without it",
			"collection", c.schema.Name, "err", err)
	}
	return err
}

func (c *collection) save(ctx context.Context) error {
	return c.store.whileSaving(ctx, func() error {
		if needed, err := c.lacksMore(ctx); err != nil || !needed {
			return err
		}
		tag := rand.Text()
		path := c.store.snapshotPath(tag)
		c.mu.RLock()
		b := c.hnsw
		outside := c.outside != nil
		c.mu.RUnlock()
		if outside { // what is only in the log has to be kept in the snapshot
			c.store.watch.checkpoint()
		}
		var upto int64
		var noted int
		var ids []byte
		var table *idTable
		err := c.index.save(ctx, path, &c.still, &c.mu, func() (_ []byte, err error) {
			if c.isBehind() {
				return nil, errOvertaken
			}
			upto, noted, table = c.store.seq.Load(), c.saved.noted, c.ids
			ids, err = c.ids.pack([]byte(tag), c.end)
			return ids, err
		})
		if err != nil {
			return err
		}
		if err := c.register(ctx, b, saved{tag: tag, upto: upto, noted: noted}, table, ids); err != nil {
			c.store.remove(path)
			return err
		}
		return nil
	})
}

// lacksMore reports whether the snapshot still lacks something, when it is this
// process's turn to write one: another one may have written it just now.
func (c *collection) lacksMore(ctx context.Context) (bool, error) {
	if err := c.store.followOnly(ctx); err != nil {
		return false, err
	}
	c.still.Lock()
	defer c.still.Unlock()
	return c.saved.noted > 0 || c.saved.tag == "", nil
}

// register makes a snapshot that was written the one of the collection.
func (c *collection) register(ctx context.Context, b *built, written saved, table *idTable, ids []byte) error {
	return c.updateIndex(ctx, "snapshot", func(t *txn) error {
		if c.gone {
			return engine.ErrNotFound
		}
		if complete, err := t.followable(c.id, written.upto); err != nil {
			return err
		} else if !complete {
			return errOvertaken
		}
		// Another process may have built another index, or written a later snapshot.
		now, err := readIndex(t.ctx, t.tx, c.schema.Name)
		if err != nil {
			return err
		}
		before, err := readSaved(t.ctx, t.tx, c.id)
		if err != nil {
			return err
		}
		if (now == nil) != (b == nil) || b != nil && now.id != b.id || before.upto > written.upto {
			return errOvertaken
		}
		if err := t.dropSnapshot(c.schema.Name); err != nil {
			return err
		}
		if _, err := t.tx.ExecContext(t.ctx, "INSERT INTO vecwire_snapshots (collection, tag, upto) VALUES (?, ?, ?)", c.id, written.tag, written.upto); err != nil {
			return err
		}
		packed, _, err := parseIDs(ids, []byte(written.tag), nil)
		if err != nil {
			return err
		}
		t.registry = true
		t.change(c).then = func() {
			c.saved.noted = max(0, c.saved.noted-written.noted)
			c.saved.tag = written.tag
			if c.ids == table {
				table.repack(packed)
			}
		}
		return t.trimSnapshot(c.id, written.upto)
	})
}

// errOvertaken says that a snapshot is of no use any more.
var errOvertaken = errors.New("other processes have gone on meanwhile")

// whileSaving runs f while no other process does so for this store, and no other
// collection of it in this one: f writes a snapshot, or removes those that are not used.
func (s *store) whileSaving(ctx context.Context, f func() error) error {
	if err := s.saving.Acquire(ctx, 1); err != nil {
		return err
	}
	defer s.saving.Release(1)
	free, err := whenFree(ctx, time.Now().Add(s.lockTimeout), s.saveLock.TryLock)
	if err != nil {
		return err
	}
	if !free {
		return errOvertaken
	}
	defer func() { _ = s.saveLock.Unlock() }() // it fails only for a lock that is gone
	return f()
}

// indexInFile returns what the registry says of the collection's index, nil if it has
// none, and of its snapshot.
func (c *collection) indexInFile(ctx context.Context) (*built, saved, error) {
	if err := c.store.reading(ctx, c.call("OpenCollection")); err != nil {
		return nil, saved{}, err
	}
	defer c.store.endReading()
	b, err := readIndex(ctx, c.store.read, c.schema.Name)
	if err != nil {
		return nil, saved{}, err
	}
	s, err := readSaved(ctx, c.store.read, c.id)
	return b, s, err
}

func readIndex(ctx context.Context, q queryer, collection string) (*built, error) {
	b := &built{}
	err := q.QueryRowContext(ctx, "SELECT id, m, ef FROM vecwire_indexes WHERE collection = ?", collection).Scan(&b.id, &b.m, &b.ef)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return b, err
}

// readSaved returns what the registry says of a collection's snapshot.
func readSaved(ctx context.Context, q queryer, collection int64) (s saved, err error) {
	err = q.QueryRowContext(ctx, "SELECT tag, upto FROM vecwire_snapshots WHERE collection = ?", collection).Scan(&s.tag, &s.upto)
	if errors.Is(err, sql.ErrNoRows) {
		return saved{}, nil
	}
	return s, err
}

// restore fills the memory from the snapshot and the rows that changed since, and
// reports whether it could. If not, the memory is empty, and the rows are to be
// loaded and linked. It asks to be called again, with what the registry says then, if
// another process has put another snapshot in the place of this one.
func (c *collection) restore(ctx context.Context) (restored, again bool, err error) {
	snapshot := c.saved.tag
	err = fmt.Errorf("%w: it was never written", ann.ErrSnapshot)
	var stamp []byte
	if c.store.files != nil {
		err = fmt.Errorf("%w: the store is not in a file of its own", ann.ErrSnapshot)
	} else if snapshot != "" && snapshot == c.distrusted {
		err = fmt.Errorf("%w: it was changed while it was in use", ann.ErrSnapshot)
	} else if snapshot != "" {
		stamp, err = c.index.load(c.store.snapshotPath(snapshot))
	}
	if err == nil {
		err = c.takeIDs(stamp, snapshot)
	}
	if err == nil {
		c.loadedFrom = snapshot
		if c.outside != nil {
			if err := c.outside.lookUp(ctx); err != nil {
				return false, false, err
			}
		}
		if c.hnsw != nil {
			c.hnsw.whole = true
		}
		c.wait()
		err = c.replay(ctx)
		return err == nil, false, err
	}
	if c.store.watch != nil {
		now, asked := readSaved(ctx, c.store.read.DB, c.id)
		again = asked != nil || now.tag != snapshot
	}
	switch {
	case again:
	case c.hnsw != nil:
		c.store.log.WarnContext(ctx, "an index has no usable snapshot and is built anew", "collection", c.schema.Name, "err", err)
	default:
		c.store.log.WarnContext(ctx, "a snapshot cannot be used: the collection is loaded from its records", "collection", c.schema.Name, "err", err)
	}
	c.index.close()
	if c.index, err = c.newIndex(); err != nil || again {
		return false, again, err
	}
	if c.hnsw == nil {
		return false, false, nil
	}
	if err := c.plan(c.hnsw); err != nil {
		return false, false, err
	}
	c.index.publish()
	return false, false, nil
}

// rowsMoved makes the snapshot of a collection useless, whose rows have other
// numbers than it says.
func (t *txn) rowsMoved(collection string) error {
	t.registry = true
	return t.dropSnapshot(collection)
}

// takeIDs takes over what pack has written behind the tag, if it fits the index.
func (c *collection) takeIDs(stamp []byte, tag string) error {
	packed, live, err := parseIDs(stamp, []byte(tag), c.index.has)
	if err != nil {
		return err
	}
	c.ids, c.end = newIDs(), int32(packed.count)
	c.ids.packed, c.ids.live = packed, live
	return nil
}

// replay reads the rows again that changed after the snapshot was written.
func (c *collection) replay(ctx context.Context) error {
	rows, err := changesOf(ctx, c.store.read, c.id, c.saved.upto)
	if err != nil {
		return err
	}
	return c.refresh(ctx, c.store.read, rows)
}
