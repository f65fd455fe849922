package local

import (
	"context"
	"errors"
	"fmt"

	"github.com/vecwire/vecwire/internal/engine"
)

// Swap implements engine.Swapper in one transaction: the tables are named after
// their collections, so they are renamed. Whoever has one of the two collections
// open finds it gone, because the statements that he prepared name the tables;
// what is in memory goes over to those who open them by their new names.
func (s *store) Swap(ctx context.Context, w engine.Swap) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	old, err := s.opened(ctx, w.Name)
	if err != nil {
		return err
	}
	next, err := s.opened(ctx, w.Next)
	if err != nil {
		return err
	}
	name := old.schema.Name
	err = s.update(ctx, func(t *txn) error {
		err := t.show(func(use func(engine.Collection) engine.Collection) error { return w.Settle(use(old), use(next)) })
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
	if w.Drop {
		s.shut(old)
	} else {
		s.reopen(old, w.Old)
	}
	s.reopen(next, name)
	return nil
}

// rename gives a collection another name in the file.
func (t *txn) rename(from, to string) error {
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
	for _, statement := range statements {
		if _, err := t.tx.ExecContext(t.ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

// reopen makes of a collection that is gone another one over the same memory,
// which has the given name. The caller holds s.mu. If that fails, the collection
// is loaded when it is opened.
func (s *store) reopen(c *collection, name string) {
	c.retire()
	schema := c.schema
	schema.Name = name
	heir, err := newCollection(s, schema)
	if err == nil {
		heir.rows, heir.ids, heir.free, heir.end, heir.index = c.rows, c.ids, c.free, c.end, c.index
		heir.hnsw = c.hnsw
		heir.startLinker()
	}
	s.shut(c)
	if err != nil {
		s.log.Warn("a collection could not be taken over from memory", "collection", name, "err", err)
		return
	}
	s.open[fold(name)] = heir
}

// shut ends a collection that is gone. The caller holds s.mu.
func (s *store) shut(c *collection) {
	delete(s.open, fold(c.schema.Name))
	c.retire()
	c.mu.Lock()
	c.rows, c.ids, c.free, c.index = nil, nil, nil, nil
	c.mu.Unlock()
	c.store.payloads.dropAll(c)
	c.close()
}
