package iris

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/vecwire/vecwire/internal/engine"
	"github.com/vecwire/vecwire/internal/wire"
)

// Swap implements engine.Engine. Tables cannot be renamed through the server,
// and there are no transactions to rely on. So tables keep their names, and one
// UPDATE of the entry that bears Name makes it mean the other table. Around it
// entries are written and removed so that at any moment each table is in the
// registry and Name has one:
//
//	          Name   Next   Old
//	before    old    next   -
//	keep      old    next   old
//	switch    next   next   old
//	forget    next   -      old
//	drop      next   -      -      if the old one is to be dropped
//
// Each step is done only if what is there says so, so that all can be done again.
func (e *database) Swap(ctx context.Context, w engine.Swap) error {
	name, nextName, oldName := strings.ToLower(w.Name), strings.ToLower(w.Next), strings.ToLower(w.Old)
	var old, next *entry
	err := e.read(ctx, func(ctx context.Context, c *session) (err error) {
		if old, err = c.wanted(ctx, name); err == nil {
			next, err = c.wanted(ctx, nextName)
		}
		return err
	})
	if err != nil {
		return err
	}
	if old.table == next.table {
		return fmt.Errorf("%w: %s is %s already", engine.ErrExists, w.Next, w.Name)
	}
	if err := w.Settle(ctx, e.openEntry(old), e.openEntry(next)); err != nil {
		return err
	}
	if err := e.keep(ctx, oldName, w.Old, old); err != nil {
		return err
	}
	if err := e.point(ctx, name, old, next); err != nil {
		return err
	}
	e.renew(old.table)
	e.renew(next.table)
	if err := e.Drop(ctx, nextName); err != nil {
		return err
	}
	if w.Drop {
		return e.Drop(ctx, oldName)
	}
	return nil
}

// wanted reads an entry of the registry that has to be there.
func (c *session) wanted(ctx context.Context, name string) (*entry, error) {
	entry, err := c.registered(ctx, name)
	if err == nil && entry == nil {
		err = engine.ErrNotFound
	}
	if err == nil && !isOurs(entry.table) {
		err = fmt.Errorf("the registry names the table %q, which vecwire did not make", entry.table)
	}
	return entry, err
}

// keep makes an entry of another name for a table.
func (e *database) keep(ctx context.Context, name, shown string, of *entry) error {
	token := wire.NewToken()
	spec, index, err := of.texts(shown)
	if err != nil {
		return err
	}
	return e.write(ctx, func(ctx context.Context, c *session) error {
		err := c.write(ctx, "INSERT INTO "+registry+" (name, table_name, token, spec, vec_index) "+
			"VALUES (SUBSTRING($1,2), SUBSTRING($2,2), SUBSTRING($3,2), SUBSTRING($4,2), SUBSTRING($5,2))",
			guard(name), guard(of.table), guard(token), spec, index)
		if err != nil && !isSQLCode(err, -119) {
			return err
		}
		is, err := c.wanted(ctx, name)
		if err == nil && is.table != of.table {
			err = fmt.Errorf("the collection %s %w", shown, engine.ErrExists)
		}
		return err
	})
}

// point makes an entry mean the table of another one, and sees that it does.
func (e *database) point(ctx context.Context, name string, from, to *entry) error {
	spec, index, err := to.texts(from.schema.Name)
	if err != nil {
		return err
	}
	return e.write(ctx, func(ctx context.Context, c *session) error {
		err := c.write(ctx, "UPDATE "+registry+" SET table_name = SUBSTRING($1,2), spec = SUBSTRING($2,2), vec_index = SUBSTRING($3,2) "+
			"WHERE name = SUBSTRING($4,2) AND table_name = SUBSTRING($5,2)",
			guard(to.table), spec, index, guard(name), guard(from.table))
		if err != nil {
			return err
		}
		is, err := c.wanted(ctx, name)
		if err == nil && is.table != to.table {
			err = fmt.Errorf("the collection %s has the table %s, and should have %s: %w", name, is.table, to.table, errNotStored)
		}
		return err
	})
}

// texts returns what the registry holds about an entry's schema, under a name,
// and about its index.
func (entry *entry) texts(name string) (spec, index []byte, err error) {
	s := entry.schema
	s.Name = name
	text, err := json.Marshal(wire.SpecOf(s))
	if err != nil || entry.index == nil {
		return guard(string(text)), nil, err
	}
	built, err := json.Marshal(entry.index)
	return guard(string(text)), guard(string(built)), err
}

// openEntry opens the collection of an entry.
func (e *database) openEntry(entry *entry) *collection {
	t := newTable(entry.schema)
	t.name = entry.table
	state := e.state(t.name)
	state.indexed.Store(entry.index != nil)
	return e.open(t, state)
}

// sharers counts the entries that have a table: more than one while a swap is
// under way.
func (c *session) sharers(ctx context.Context, table string) (int, error) {
	return c.count(ctx, "SELECT COUNT(*) AS n FROM "+registry+" WHERE table_name = SUBSTRING($1,2)", guard(table))
}
