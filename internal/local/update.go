package local

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
)

// Update implements engine.Collection.
func (c *collection) Update(ctx context.Context, changes []engine.Change) error {
	if tx := c.in(ctx); tx != nil {
		return tx.Update(ctx, changes)
	}
	return c.store.update(ctx, c.call("Update"), func(t *txn) error { return c.update(ctx, t, changes) })
}

// Update implements engine.Collection.
func (c *txCollection) Update(ctx context.Context, changes []engine.Change) error {
	return c.do(ctx, func(t *txn) error {
		changes = slices.Clone(changes)
		for i := range changes { // vectors live until the commit
			v := &changes[i].Vector
			v.F32, v.F64 = slices.Clone(v.F32), slices.Clone(v.F64)
		}
		return c.update(ctx, t, changes)
	})
}

func (c *collection) update(ctx context.Context, t *txn, changes []engine.Change) error {
	if err := c.ready(); err != nil {
		return err
	}
	ch := t.change(c)
	var unmet engine.Unmet
	for i := range changes {
		if i%every == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		change := &changes[i]
		row, ok := ch.row(change.ID)
		if !ok {
			unmet.Add(i, engine.ErrNotFound)
			continue
		}
		refused, err := c.updateRow(t, row, change)
		if err != nil {
			return err
		}
		if refused != nil {
			unmet.Add(i, refused)
			continue
		}
		ch.touched = append(ch.touched, row)
		if change.HasVector() {
			ch.store(engine.Record{ID: change.ID, Vector: change.Vector})
		}
	}
	return unmet.Err()
}

// updateRow writes one change, or says why the record refuses it.
func (c *collection) updateRow(t *txn, row int32, change *engine.Change) (refused, err error) {
	if change.Was != nil {
		var text sql.NullString
		err := t.tx.QueryRowContext(t.ctx, fmt.Sprintf("SELECT text FROM %s WHERE %s = ?", dataTable(c.schema.Name), rowColumn), row).Scan(&text)
		if err != nil {
			return nil, err
		}
		if text.String != *change.Was {
			return engine.ErrOtherText, nil
		}
	}
	if len(change.Fields) > 0 || !change.If.IsZero() {
		// A row without fields to change is written as it is, to see whether it passes.
		assign, args := c.assign(change.Fields)
		if len(change.Fields) == 0 {
			assign = rowColumn + " = " + rowColumn
		}
		query := fmt.Sprintf("UPDATE %s AS r SET %s WHERE r.%s = ?", rowsTable(c.schema.Name), assign, rowColumn)
		args = append(args, int64(row))
		if !change.If.IsZero() {
			where, more := c.compile(change.If)
			query += " AND (" + where + ")"
			args = append(args, more...)
		}
		n, err := t.exec(query, args)
		if err != nil {
			return nil, err
		}
		if n == 0 {
			return engine.ErrConflict, nil
		}
	}
	return nil, c.updateData(t, row, change)
}

// updateData writes the text and the vector of a change.
func (c *collection) updateData(t *txn, row int32, change *engine.Change) error {
	var assign []string
	var args []any
	if change.HasVector() && !c.store.held() {
		assign = append(assign, "vector = ?")
		args = append(args, appendVector(nil, change.Vector))
	}
	if change.Text != nil {
		old, err := c.oldTexts(t, []engine.Record{{ID: change.ID, Text: *change.Text}})
		if err != nil {
			return err
		}
		if old != nil {
			if err := c.putWords(t, row, old[0], *change.Text); err != nil {
				return err
			}
		}
		assign = append(assign, "text = ?")
		args = append(args, textColumn(*change.Text))
	}
	if assign == nil {
		return nil
	}
	_, err := t.exec(fmt.Sprintf("UPDATE %s SET %s WHERE %s = ?", dataTable(c.schema.Name), strings.Join(assign, ", "), rowColumn), append(args, int64(row)))
	return err
}

// textColumn returns a text as SQLite stores it.
func textColumn(text string) any {
	if text == "" {
		return nil
	}
	return text
}

// assign returns the assignments of fields' values, with their arguments.
func (c *collection) assign(set []engine.FieldValue) (string, []any) {
	var b strings.Builder
	args := make([]any, 0, len(set)+1)
	for i, f := range set {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(quote(c.schema.Fields[f.Place].Name) + " = ?")
		args = append(args, column(f.Value))
	}
	return b.String(), args
}

// UpdateWhere implements engine.Collection.
func (c *collection) UpdateWhere(ctx context.Context, f filter.Filter, set []engine.FieldValue) (n int, err error) {
	if tx := c.in(ctx); tx != nil {
		return tx.UpdateWhere(ctx, f, set)
	}
	err = c.store.update(ctx, c.call("UpdateWhere"), func(t *txn) error {
		n, err = c.updateWhere(ctx, t, f, set)
		return err
	})
	return engine.Whole(n, err)
}

// UpdateWhere implements engine.Collection.
func (c *txCollection) UpdateWhere(ctx context.Context, f filter.Filter, set []engine.FieldValue) (n int, err error) {
	err = c.do(ctx, func(t *txn) error {
		n, err = c.updateWhere(ctx, t, f, set)
		return err
	})
	return engine.Whole(n, err)
}

// updateRows is how many rows one statement changes, between two looks at the
// caller's context.
const updateRows = 4096

func (c *collection) updateWhere(ctx context.Context, t *txn, f filter.Filter, set []engine.FieldValue) (int, error) {
	if err := c.ready(); err != nil {
		return 0, err
	}
	rows, err := c.rowsIn(ctx, t, f)
	numbers := slices.Collect(rows.All())
	if err != nil || len(numbers) == 0 {
		return 0, err
	}
	assign, args := c.assign(set)
	query := fmt.Sprintf("UPDATE %s SET %s WHERE %s IN (SELECT value FROM json_each(?))", rowsTable(c.schema.Name), assign, rowColumn)
	for chunk := range slices.Chunk(numbers, updateRows) {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		list, err := json.Marshal(chunk)
		if err != nil {
			return 0, err
		}
		if _, err := t.exec(query, append(slices.Clone(args), string(list))); err != nil {
			return 0, err
		}
	}
	ch := t.change(c)
	ch.touched = append(ch.touched, numbers...)
	return len(numbers), nil
}
