package local

import (
	"context"
	"errors"
	"fmt"

	"github.com/vecwire/vecwire/internal/engine"
)

// Swap implements engine.Engine in one transaction: the tables are named after
// their collections, so they are renamed. Whoever has one of the two collections
// open finds it gone, because the statements that he prepared name the tables;
// what is in memory goes over to those who open them by their new names.
func (s *store) Swap(ctx context.Context, w engine.Swap) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.follow(ctx); err != nil {
		return err
	}
	old, err := s.opened(ctx, w.Name)
	if err != nil {
		return err
	}
	next, err := s.opened(ctx, w.Next)
	if err != nil {
		return err
	}
	for _, c := range []*collection{old, next} {
		if err := c.reloadIfBehind(ctx); err != nil {
			return err
		}
	}
	name := old.schema.Name
	var done *txn
	err = s.update(ctx, call{"Swap", name}, func(t *txn) error {
		done = t
		if old.gone || next.gone { // by another process
			return engine.ErrNotFound
		}
		err := t.show(ctx, func(ctx context.Context) error { return w.Settle(ctx, old, next) })
		if err != nil {
			return err
		}
		if w.Drop {
			err = t.drop(name)
		} else {
			err = t.rename(name, w.Old)
		}
		if err != nil {
			return err
		}
		t.change(old).gone, t.change(next).gone = true, true
		return t.rename(next.schema.Name, name)
	})
	if err != nil {
		return err
	}
	s.named(next.schema.Name, false)
	if w.Drop {
		s.shut(old)
	} else {
		s.named(w.Old, true)
		s.reopen(ctx, old, w.Old, done.seq)
	}
	s.reopen(ctx, next, name, done.seq)
	return nil
}

// rename gives a collection another name in the file.
func (t *txn) rename(from, to string) error {
	t.registry = true
	renamed, err := t.tx.ExecContext(t.ctx, `UPDATE OR IGNORE vecwire_collections SET name = ? WHERE name = ?`, to, from)
	if err != nil {
		return err
	}
	if n, err := renamed.RowsAffected(); err != nil || n == 0 {
		return errors.Join(fmt.Errorf("the collection %s %w", to, engine.ErrExists), err)
	}
	statements := renameTables(from, to)
	var hasWords bool
	if err := t.tx.QueryRowContext(t.ctx, `SELECT full_text <> 'none' FROM vecwire_collections WHERE name = ?`, to).Scan(&hasWords); err != nil {
		return err
	}
	if hasWords {
		statements = append(statements, "ALTER TABLE "+wordsTable(from)+" RENAME TO "+wordsTable(to))
	}
	fields, err := t.valueFields(from)
	if err != nil {
		return err
	}
	for _, field := range fields {
		statements = append(statements, "ALTER TABLE "+valuesTable(from, field)+" RENAME TO "+valuesTable(to, field))
	}
	for _, statement := range statements {
		if _, err := t.tx.ExecContext(t.ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

// reopen makes of a collection that is gone another one over the same memory,
// which has the given name, and is as the commit left it. The caller holds s.mu. If
// that fails, the collection is loaded when it is opened.
func (s *store) reopen(ctx context.Context, c *collection, name string, commit int64) {
	c.retire()
	schema := c.Schema()
	schema.Name = name
	ctx = context.WithoutCancel(ctx)
	heir, err := newCollection(s, schema, c.id)
	if s.succeed(ctx, c, heir, err, commit) {
		return
	}
	s.log.Warn("a collection could not be taken over from memory", "collection", name)
}

// succeed puts a collection in the place of one that is gone, whose memory it takes
// over, as the commit left it. It reports false, and why not is in the log, if there
// is none, because of err or since too much was written meanwhile: then the collection
// is loaded when it is opened. The caller holds s.mu.
func (s *store) succeed(ctx context.Context, c, heir *collection, err error, commit int64) bool {
	if err == nil {
		heir.index.close()
		heir.ids, heir.free, heir.end, heir.index = c.ids, c.free, c.end, c.index
		heir.outside = c.outside
		heir.outside.rename(heir.schema.Name)
		heir.index.setCodes(heir.schema.Codes)
		heir.behind, heir.asleep = c.behind, c.asleep // then it is loaded when it is opened
		heir.hnsw, heir.saved, heir.loadedAt, heir.loadedFrom = c.hnsw, c.saved, commit, c.loadedFrom
		if s.held() {
			s.publish(heir) // somebody has the vectors at any moment
		}
		c.mu.Lock()
		c.index = nil // it is the heir's
		c.ids = newIDs()
		c.mu.Unlock()
	}
	s.shut(c)
	joined := false
	if err == nil {
		if joined, err = s.add(ctx, heir); joined {
			heir.startLinker()
		} else {
			heir.close()
		}
	}
	if err != nil {
		s.log.Warn("a collection could not be taken over from memory", "collection", heir.schema.Name, "err", err)
	}
	return joined
}

// shut ends a collection that is gone.
func (s *store) shut(c *collection) {
	s.maps.Lock()
	if s.open[fold(c.schema.Name)] == c {
		delete(s.open, fold(c.schema.Name))
	}
	s.maps.Unlock()
	c.retire()
	c.store.payloads.dropAll(c)
	c.close()
}
