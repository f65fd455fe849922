package local

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"

	"github.com/vecwire/vecwire/internal/engine"
)

// Alter implements engine.Engine in one transaction. Whoever has the collection open
// finds it altered, because prepared statements and what was planned name its fields;
// what is in memory goes over to another one, before the next writer has its turn.
// Other processes learn of it as of any other commit.
func (s *store) Alter(ctx context.Context, a engine.Alter) error {
	if s.readOnly {
		return engine.ErrReadOnly
	}
	for {
		if err := s.awaitLinks(ctx, a.Name); err != nil {
			return err
		}
		again := false
		err := a.Alone(ctx, func() (err error) {
			again, err = s.alterAlone(ctx, a)
			return err
		})
		if err != nil || !again {
			return err
		}
	}
}

// awaitLinks waits until nobody changes the links of a collection, such as a
// BuildIndex, which takes long and is a call of its own.
func (s *store) awaitLinks(ctx context.Context, name string) error {
	opened, err := s.Open(ctx, name)
	if err != nil {
		return err
	}
	c, _ := opened.(*collection)
	if err := c.indexing.Acquire(ctx, 1); err != nil {
		return err
	}
	c.indexing.Release(1)
	return nil
}

// alterAlone alters a collection, while no call on it is under way here. It asks to be
// called again if another process was faster.
func (s *store) alterAlone(ctx context.Context, a engine.Alter) (again bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.follow(ctx); err != nil {
		return false, err
	}
	c, err := s.opened(ctx, a.Name)
	if err != nil {
		return false, err
	}
	if err := c.reloadIfBehind(ctx); err != nil {
		return false, err
	}
	if err := c.indexing.Acquire(ctx, 1); err != nil {
		return false, err
	}
	c.stopLinker()
	name, heir, err := s.alterInTurn(ctx, c, a)
	if name == "" { // nothing was altered
		c.startLinker()
		c.indexing.Release(1)
		if errors.Is(err, errBehind) || errors.Is(err, engine.ErrAltered) {
			return true, nil
		}
		return false, err
	}
	if heir == nil {
		if heir, err = s.opened(context.WithoutCancel(ctx), name); err == nil {
			a.Done(heir)
		}
	}
	return false, err
}

// alterInTurn is Alter for who may change the links of the collection. It returns the
// name that the collection has when it is altered, and the collection that stands in
// its place, if the memory could be taken over; then a.Done was called, and the links
// are let go.
func (s *store) alterInTurn(ctx context.Context, c *collection, a engine.Alter) (name string, heir *collection, err error) {
	if err := s.takeTurn(ctx, call{"AlterCollection", a.Name}); err != nil {
		return "", nil, err
	}
	defer s.endTurn()
	var was engine.Schema
	var to engine.Alteration
	var done *txn
	err = s.updateInTurn(ctx, c, func(t *txn) (err error) {
		if c.gone {
			return c.lost()
		}
		was = c.Schema()
		if to, err = a.Plan(was); err != nil || to.Same(was) {
			return err
		}
		done = t
		t.change(c).altered = true
		if otherKin(was, to) {
			t.change(c).then = func() {
				c.index.dropKin()
				c.saved = saved{noted: c.ids.len()}
			}
			if err := t.dropSnapshot(was.Name); err != nil { // which has their links
				return err
			}
		}
		return t.alter(ctx, was, to)
	})
	if err != nil || done == nil {
		return "", nil, err
	}
	ctx = context.WithoutCancel(ctx)
	c.endLife()
	c.indexing.Release(1) // for those who wait to find that it is gone
	s.named(was.Name, false)
	s.named(to.Schema.Name, true)
	heir, err = newCollection(s, to.Schema, c.id)
	if !s.succeed(ctx, c, heir, err, done.seq) {
		return to.Schema.Name, nil, nil
	}
	a.Done(heir)
	return to.Schema.Name, heir, nil
}

// alter brings the file from one schema to another.
func (t *txn) alter(ctx context.Context, was engine.Schema, to engine.Alteration) error {
	t.registry = true
	if err := t.alterFields(was, to); err != nil {
		return err
	}
	if err := t.alterIndexes(was, to); err != nil {
		return err
	}
	if err := t.alterWords(ctx, was, to.Schema); err != nil {
		return err
	}
	fields, err := marshalFields(to.Schema)
	if err != nil {
		return err
	}
	_, err = t.tx.ExecContext(t.ctx, "UPDATE vecwire_collections SET fields = ?, full_text = ? WHERE name = ?",
		fields, to.Schema.FullText.String(), was.Name)
	if err != nil {
		return err
	}
	return t.alterName(was.Name, to.Schema.Name) // what it renames is as the registry says
}

// alterFields drops, renames and adds columns. A column is renamed by way of a name
// that no field has, since fields may change names with each other.
func (t *txn) alterFields(was engine.Schema, to engine.Alteration) error {
	var statements, rename, add []string
	table := "ALTER TABLE " + rowsTable(was.Name)
	for _, i := range to.Dropped(was) {
		if err := t.dropIndexes(was.Name, was.Fields[i]); err != nil {
			return err
		}
		statements = append(statements, table+" DROP COLUMN "+quote(was.Fields[i].Name))
	}
	for i, f := range to.Schema.Fields {
		from := to.From[i]
		switch {
		case from < 0:
			add = append(add, table+" ADD COLUMN "+quote(f.Name)+" "+columnTypes[f.Type])
		case was.Fields[from].Name != f.Name:
			between := quote(fmt.Sprint("vecwire_field_", i))
			statements = append(statements, table+" RENAME COLUMN "+quote(was.Fields[from].Name)+" TO "+between)
			rename = append(rename, table+" RENAME COLUMN "+between+" TO "+quote(f.Name))
			if hasValues(was.Fields[from]) {
				between := fmt.Sprint("vecwire_field_", i)
				statements = append(statements, renameValues(was.Name, was.Fields[from].Name, between))
				rename = append(rename, renameValues(was.Name, between, f.Name))
			}
		}
	}
	return execAll(t.ctx, t.tx, append(append(statements, rename...), add...))
}

// alterIndexes makes and drops the indexes of fields, whose columns have their new
// names.
func (t *txn) alterIndexes(was engine.Schema, to engine.Alteration) error {
	for i, f := range to.Schema.Fields {
		had := to.From[i] >= 0 && was.Fields[to.From[i]].Index
		switch {
		case had && !f.Index:
			before := f
			before.Index = true
			if err := t.dropIndexes(was.Name, before); err != nil {
				return err
			}
		case f.Index && !had:
			if err := execAll(t.ctx, t.tx, createFieldIndex(was.Name, f, rand.Text())); err != nil {
				return err
			}
		}
		if to.From[i] >= 0 {
			continue
		}
		for n, path := range f.Paths {
			if err := execAll(t.ctx, t.tx, []string{createPath(was.Name, f.Name, path, fmt.Sprint(n, ".", rand.Text()))}); err != nil {
				return err
			}
		}
	}
	return nil
}

// hasValues reports whether a field has a table of values.
func hasValues(f engine.Field) bool {
	_, list := f.Type.Elem()
	return list && f.Index
}

// dropIndexes drops what there is to find records by a field: the index over its
// column, those over its paths, or the table of its values with what keeps it. The
// names of most of these have a tag in them, and stay when the field gets another name,
// so they are looked for.
func (t *txn) dropIndexes(collection string, f engine.Field) error {
	query, about := `SELECT s.name FROM sqlite_schema s
		WHERE s.type = 'index' AND s.sql IS NOT NULL AND s.tbl_name = ? COLLATE NOCASE
		AND (SELECT group_concat(i.name) FROM pragma_index_info(s.name) i) = ?`, f.Name
	kind, also := "INDEX", []string(nil)
	switch {
	case hasValues(f):
		query = `SELECT s.name FROM sqlite_schema s
			WHERE s.type = 'trigger' AND s.tbl_name = ? COLLATE NOCASE AND instr(lower(s.sql), lower(?)) > 0`
		kind, about, also = "TRIGGER", valuesTable(collection, f.Name), []string{"DROP TABLE " + valuesTable(collection, f.Name)}
	case len(f.Paths) > 0:
		query = `SELECT s.name FROM sqlite_schema s
			WHERE s.type = 'index' AND s.tbl_name = ? COLLATE NOCASE AND instr(s.sql, ?) > 0`
		about = keyFunction + "(" + quote(f.Name) + ", "
	case !f.Index:
		return nil
	}
	rows, err := t.tx.QueryContext(t.ctx, query, collection+".rows", about)
	if err != nil {
		return err
	}
	defer rows.Close()
	var statements []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return err
		}
		statements = append(statements, "DROP "+kind+" "+quote(name))
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return err
	}
	return execAll(t.ctx, t.tx, slices.Concat(statements, also))
}

// alterWords makes or drops the table of words. The caller may end it, since it takes
// as long as the texts are many.
func (t *txn) alterWords(ctx context.Context, was, to engine.Schema) error {
	if was.FullText == to.FullText {
		return nil
	}
	if was.FullText != engine.NoFullText {
		if err := dropWords(t.ctx, t.tx, was.Name); err != nil {
			return err
		}
	}
	if to.FullText == engine.NoFullText {
		return nil
	}
	to.Name = was.Name
	return makeWords(ctx, t.tx, to)
}

// alterName renames the collection. SQLite takes names that differ only in case for
// the same, so the tables of such a one stay.
func (t *txn) alterName(from, to string) error {
	switch {
	case from == to:
		return nil
	case fold(from) == fold(to):
		_, err := t.tx.ExecContext(t.ctx, "UPDATE vecwire_collections SET name = ? WHERE name = ?", to, from)
		return err
	}
	return t.rename(from, to)
}
