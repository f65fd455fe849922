package pgvector

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
	"github.com/vecwire/vecwire/internal/wire"
	"github.com/vecwire/vecwire/internal/words"
)

// Update implements engine.Collection. Each change is a statement of its own, and
// all of them go in one round trip. They are in the order in which Upsert locks
// records. A statement that waits for another writer looks at its condition again
// when it goes on, so nothing has to be locked beforehand.
func (c *collection) Update(ctx context.Context, changes []engine.Change) error {
	if err := c.gone(); err != nil || len(changes) == 0 {
		return err
	}
	var unmet engine.Unmet
	order := make([]int, 0, len(changes)) // places of the changes that are sent
	ids := make([]string, 0, len(changes))
	for i := range changes {
		if err := changes[i].CanHold(c.text != ""); err != nil {
			unmet.Add(i, err)
		} else if err := c.checkMoved(changes[i].Fields); err != nil {
			unmet.Add(i, err)
		} else if c.checkID(changes[i].ID) != nil {
			unmet.Add(i, engine.ErrNotFound) // no key can be so
		} else {
			order, ids = append(order, i), append(ids, changes[i].ID)
		}
	}
	if err := unmet.Err(); err != nil && len(order) == 0 {
		return err
	}
	slices.SortFunc(order, func(a, b int) int { return strings.Compare(changes[a].ID, changes[b].ID) })
	return c.runner(ctx).change(ctx, c.storedBy(ids), func(conn *pgx.Conn) error {
		unmet, left := unmet, order
		for try := 1; len(left) > 0; try++ {
			missed, err := c.sendChanges(ctx, conn, changes, left)
			if err != nil {
				return err
			}
			if left, err = c.whyMissed(ctx, conn, changes, missed, try, &unmet); err != nil {
				return err
			}
		}
		return unmet.Err()
	})
}

// A change that misses a record which is there is sent so often: another transaction may
// have deleted and stored it while the change waited for that, which makes it a row that
// only a statement which begins later meets. Under a condition the second miss is taken
// for the condition's.
const (
	updateTries   = 5
	updateIfTries = 2
)

// sendChanges sends the changes at some places, and returns the places of those
// that met no record.
func (c *collection) sendChanges(ctx context.Context, conn *pgx.Conn, changes []engine.Change, order []int) (missed []int, err error) {
	var batch pgx.Batch
	for _, i := range order {
		sql, args := c.updateSQL(&changes[i])
		batch.Queue(sql, args...)
	}
	results := conn.SendBatch(ctx, &batch)
	for _, i := range order {
		tag, err := results.Exec()
		if err != nil {
			return nil, errors.Join(err, results.Close())
		}
		if tag.RowsAffected() == 0 {
			missed = append(missed, i)
		}
	}
	return missed, results.Close()
}

// whyMissed notes why some changes met no record. Within the transaction, whoever
// changed one of them is done. It returns those that may meet theirs if they are sent
// again, after so many tries.
func (c *collection) whyMissed(ctx context.Context, conn *pgx.Conn, changes []engine.Change, missed []int, try int, unmet *engine.Unmet) (again []int, err error) {
	if len(missed) == 0 {
		return nil, nil
	}
	ids := make([]string, len(missed))
	for at, i := range missed {
		ids[at] = changes[i].ID
	}
	text := "NULL::text"
	if c.text != "" {
		text = c.text + "::text"
	}
	condition, args := c.byIDs(ids)
	rows, err := conn.Query(ctx, "SELECT "+c.id+"::text, coalesce("+text+", '') FROM "+c.name+" WHERE "+condition, args...)
	if err != nil {
		return nil, err
	}
	texts := map[string]string{}
	var id, is string
	if _, err := pgx.ForEachRow(rows, []any{&id, &is}, func() error {
		texts[id] = is
		return nil
	}); err != nil {
		return nil, err
	}
	for _, i := range missed {
		is, known := texts[changes[i].ID]
		free := changes[i].Was == nil && changes[i].If.IsZero()
		switch {
		case known && free && try < updateTries, known && !free && try < updateIfTries:
			again = append(again, i)
		case !known || free:
			unmet.Add(i, engine.ErrNotFound)
		case changes[i].Was != nil && *changes[i].Was != is:
			unmet.Add(i, engine.ErrOtherText)
		default:
			unmet.Add(i, engine.ErrConflict)
		}
	}
	return again, nil
}

// updateSQL is the statement of one change, with its arguments.
func (c *collection) updateSQL(change *engine.Change) (string, []any) {
	w := where{t: c.table}
	c.assign(&w, change.Fields)
	set := func(column, cast string, value any) {
		if len(w.args) > 0 {
			w.sql.WriteString(", ")
		}
		w.args = append(w.args, value)
		w.sql.WriteString(column + " = $" + strconv.Itoa(len(w.args)) + cast)
	}
	switch {
	case change.Vector.F64 != nil:
		set(c.vector, "::double precision[]", doublesArg(change.Vector.F64))
	case change.Vector.F32 != nil && c.vectorKind == asHalf:
		set(c.vector, "::"+c.ext+".vector::"+c.ext+".halfvec", vectorArg(change.Vector.F32))
	case change.Vector.F32 != nil:
		set(c.vector, "::"+c.ext+".vector", vectorArg(change.Vector.F32))
	}
	if change.Text != nil && c.text != "" {
		var text, lexemes any
		if *change.Text != "" {
			text = *change.Text
		}
		set(c.text, "::text", text)
		if c.schema.FullText != engine.NoFullText {
			if text != nil {
				lexemes = string(appendLexemes(nil, lexemesOf(words.Named(c.schema.FullText.String()), *change.Text)))
			}
			set(wordsColumn, "::text::tsvector", lexemes)
		}
	}
	if len(w.args) == 0 { // nothing changes, and the record is looked for all the same
		w.sql.WriteString(c.id + " = " + c.id)
	}
	assignments := w.sql.String()
	w.args = append(w.args, change.ID)
	var condition string
	condition, w.args = c.isID(w.args)
	if change.Was != nil && c.text != "" {
		w.args = append(w.args, *change.Was)
		condition += " AND coalesce(" + c.text + "::text, '') = $" + strconv.Itoa(len(w.args)) + "::text"
	}
	more, args := c.where(change.If, w.args...)
	return "UPDATE " + c.name + " SET " + assignments + wire.Where(wire.And(condition, more)), args
}

// assign writes the assignments of fields' values.
func (t *table) assign(w *where, set []engine.FieldValue) {
	for i, f := range set {
		if i > 0 {
			w.sql.WriteString(", ")
		}
		w.sql.WriteString(t.fields[f.Place] + " = ")
		typ, value := t.schema.Fields[f.Place].Type, f.Value
		text, ok := fieldText(value)
		if !ok {
			w.bind(value, typ)
			continue
		}
		w.args = append(w.args, text) // in every mode of execution alike
		w.sql.WriteString("$" + strconv.Itoa(len(w.args)) + "::text::" + fieldTypes[typ])
	}
}

// UpdateWhere implements engine.Collection.
func (c *collection) UpdateWhere(ctx context.Context, f filter.Filter, set []engine.FieldValue) (int, error) {
	if err := c.checkMoved(set); err != nil {
		return 0, err
	}
	w := where{t: c.table}
	c.assign(&w, set)
	condition, args := c.where(f, w.args...)
	return c.affected(ctx, "UPDATE "+c.name+" SET "+w.sql.String()+wire.Where(condition), args...)
}
