package iris

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
	"github.com/vecwire/vecwire/internal/wire"
)

// Update implements engine.Collection, without conditions: the server does not say
// how many rows a statement changed, so it cannot be known which of two writers
// met its condition. Each change is one statement, stored for itself. What can be
// refused beforehand is: a change of a record that is missing, or that no column
// could hold. Afterwards each record is looked for.
func (c *collection) Update(ctx context.Context, changes []engine.Change) error {
	var unmet engine.Unmet
	for i := range changes {
		if !changes[i].If.IsZero() {
			return engine.Unsupported(engine.LackUpdateIf, engineName)
		}
		if err := c.checkChange(&changes[i]); err != nil {
			unmet.Add(i, err)
		}
	}
	if err := unmet.Err(); err != nil {
		return err
	}
	if len(changes) == 0 {
		return c.gone()
	}
	there, err := c.present(ctx, engine.ChangedIDs(changes))
	if err != nil {
		return err
	}
	for i := range changes {
		if !there[changes[i].ID] {
			unmet.Add(i, engine.ErrNotFound)
		}
	}
	if err := unmet.Err(); err != nil {
		return err
	}
	stored := 0
	for i := range changes {
		err := c.updateOne(ctx, &changes[i])
		switch {
		case err == nil:
			stored++
		case errors.Is(err, engine.ErrOtherText) || errors.Is(err, engine.ErrNotFound) && c.gone() == nil || refused(err):
			unmet.Add(i, err)
		case stored > 0:
			return fmt.Errorf("%d of %d records are changed: %w", stored, len(changes), err)
		default:
			return err
		}
	}
	err = unmet.Err()
	if refused, ok := errors.AsType[*engine.RefusedError](err); ok {
		refused.Stored = stored
	}
	return err
}

// checkChange refuses what a column of the table could not hold.
func (c *collection) checkChange(change *engine.Change) error {
	if c.idInt && checkIntegerID(change.ID) != nil {
		return engine.ErrNotFound // no key can be so
	}
	if err := change.CanHold(c.text != ""); err != nil {
		return err
	}
	r := engine.Record{ID: change.ID, Vector: change.Vector, Fields: make([]any, len(c.schema.Fields))}
	if change.Text != nil {
		r.Text = *change.Text
	}
	for _, f := range change.Fields {
		r.Fields[f.Place] = f.Value
	}
	return c.checkRecord(&r)
}

// present returns which of these records exist.
func (c *collection) present(ctx context.Context, ids []string) (map[string]bool, error) {
	there := make(map[string]bool, len(ids))
	err := lists(c.idArgs(ids), func(list [][]byte) error {
		return c.read(ctx, func(ctx context.Context, conn *session) error {
			columns := c.payload(conn, false, false)
			sql := "SELECT " + columns[0] + " FROM " + c.name + " WHERE " + within(c.key(), len(list), c.idArgument)
			return conn.query(ctx, sql, 1, list, func(row [][]byte) error {
				id, err := c.readID(conn, row[0])
				there[id] = true
				return err
			})
		})
	})
	return there, err
}

// updateOne changes a record and sees that it is there.
func (c *collection) updateOne(ctx context.Context, change *engine.Change) error {
	assign, args := c.assign(change.Fields, nil)
	set := func(column, place string, value []byte) {
		args = append(args, value)
		assign = append(assign, column+" = "+strings.Replace(place, "$", "$"+strconv.Itoa(len(args)), 1))
	}
	if change.HasVector() {
		set(c.vector, "TO_VECTOR($, "+elementType(c.schema.Element)+")", vectorText(change.Vector))
	}
	if change.Text != nil && c.text != "" {
		var text []byte
		if *change.Text != "" {
			text = guard(*change.Text)
		}
		set(c.text, "SUBSTRING($,2)", text)
	}
	where := func(n int) (string, [][]byte) {
		condition, args := c.key()+" = "+c.idArgument(n), [][]byte{guard(change.ID)}
		if change.Was != nil && c.text != "" {
			text := c.exactly(c.text, filter.String)
			if *change.Was == "" {
				return condition + " AND " + text + " IS NULL", args
			}
			return condition + " AND " + text + " = " + argument(filter.String, n+1), append(args, guard(*change.Was))
		}
		return condition, args
	}
	return c.write(ctx, func(ctx context.Context, conn *session) error {
		if len(assign) > 0 {
			condition, more := where(len(args) + 1)
			if err := conn.write(ctx, "UPDATE "+c.name+" SET "+strings.Join(assign, ", ")+" WHERE "+condition, append(args[:len(args):len(args)], more...)...); err != nil {
				return err
			}
		}
		condition, key := where(1)
		n, err := conn.count(ctx, "SELECT COUNT(*) AS n FROM "+c.name+" WHERE "+condition, key...)
		switch {
		case err != nil || n > 0:
			return err
		case change.Was == nil:
			return fmt.Errorf("%w: it was deleted meanwhile", engine.ErrNotFound)
		}
		return engine.ErrOtherText
	})
}

// assign returns the assignments of fields' values, with their arguments after
// those given.
func (t *table) assign(set []engine.FieldValue, args [][]byte) ([]string, [][]byte) {
	var out []string
	for _, f := range set {
		args = append(args, valueArg(f.Value))
		out = append(out, t.fields[f.Place]+" = "+argument(t.schema.Fields[f.Place].Type, len(args)))
	}
	return out, args
}

// UpdateWhere implements engine.Collection. The server does not say how many rows
// it changed, so they are counted before.
func (c *collection) UpdateWhere(ctx context.Context, f filter.Filter, set []engine.FieldValue) (n int, err error) {
	r := engine.Record{Fields: make([]any, len(c.schema.Fields))}
	for _, f := range set {
		r.Fields[f.Place] = f.Value
	}
	own := *c.table
	own.idInt = false // there is no ID to check
	if err := own.checkRecord(&r); err != nil {
		return 0, err
	}
	assign, args := c.assign(set, nil)
	condition, all := c.where(f, args...)
	count, counted := c.where(f)
	known := false
	err = c.write(ctx, func(ctx context.Context, conn *session) error {
		found, err := conn.count(ctx, "SELECT COUNT(*) AS n FROM "+c.name+wire.Where(count), counted...)
		if err != nil {
			return err
		}
		if !known { // a second try may find that the first one changed them
			n, known = found, true
		}
		if found == 0 {
			return nil
		}
		return conn.write(ctx, "UPDATE "+c.name+" SET "+strings.Join(assign, ", ")+wire.Where(condition), all...)
	})
	return n, err
}
