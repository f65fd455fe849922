package pgvector

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/vecwire/vecwire/internal/engine"
	"github.com/vecwire/vecwire/internal/wire"
)

// Alter implements engine.Engine. What takes long is done beforehand, while others
// read and write: columns of new fields are added, which no statement of this
// package names as long as the registry does not, and indexes are built. One short
// transaction then changes the rest, together with the registry. If it is cut off
// before that, the registry knows nothing of what was prepared, and the next Alter
// goes on with it.
//
// Full text is the exception: the words of all texts are written in the transaction.
func (e *database) Alter(ctx context.Context, a engine.Alter) error {
	if err := e.altering.Acquire(ctx, 1); err != nil {
		return err
	}
	defer e.altering.Release(1)
	if err := e.renewIndexes(ctx, a.Name); err != nil {
		return err
	}
	was, to, err := e.planned(ctx, a)
	if err != nil || to.Same(was.schema) {
		return err
	}
	if err := e.prepareFields(ctx, was, to); err != nil {
		return err
	}
	return a.Alone(ctx, func() error {
		var done *collection
		err := e.unlessLocked(ctx, func(conn *pgx.Conn) error {
			done = nil
			was, err := e.entry(ctx, conn, a.Name)
			if err != nil {
				return err
			}
			to, err := a.Plan(was.schema)
			if err != nil || to.Same(was.schema) {
				return err
			}
			if done, err = e.alter(ctx, conn, was, to); err != nil {
				return err
			}
			done.state = e.state(done.name)
			return nil
		})
		if err == nil && done != nil {
			done.state.counted.Store(false)
			done.keepCount(ctx)
			a.Done(done)
		}
		return err
	})
}

// planned reads what the registry says, and what is to become of it.
func (e *database) planned(ctx context.Context, a engine.Alter) (was *collection, to engine.Alteration, err error) {
	c, err := e.Open(ctx, a.Name)
	if err != nil {
		return nil, to, err
	}
	was, _ = c.(*collection)
	to, err = a.Plan(was.schema)
	return was, to, err
}

// lockWait is how long an alteration waits for the table's lock before it lets those
// pass who wait behind it, and tries again: the lock keeps everyone out, so they would
// wait for whoever is before it.
const lockWait = 500 * time.Millisecond

// unlessLocked runs a change in a transaction, again and again while others use the
// table for longer than lockWait, until ctx ends.
func (e *database) unlessLocked(ctx context.Context, op func(*pgx.Conn) error) error {
	for pause := 50 * time.Millisecond; ; pause = min(2*pause, wire.LastPause) {
		err := e.change(ctx, nil, func(conn *pgx.Conn) error {
			if _, err := conn.Exec(ctx, fmt.Sprintf("SET LOCAL lock_timeout = %d", lockWait.Milliseconds())); err != nil {
				return err
			}
			return op(conn)
		})
		if !isCode(err, "55P03") {
			return err
		}
		e.Log.InfoContext(ctx, "an alteration waits for others who use the table", "server", e.Target, "err", err)
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return fmt.Errorf("%w: others use the table: %w", ctx.Err(), err)
		case <-timer.C:
		}
	}
}

// prepareFields adds the columns of new fields, and builds the indexes that are
// wanted. It leaves out a field whose column has another field's name now.
func (e *database) prepareFields(ctx context.Context, was *collection, to engine.Alteration) error {
	t := newTable(e.schema, was.relation, to.Schema, e.extension())
	for i, f := range to.Schema.Fields {
		from := to.From[i]
		if from < 0 && slices.Contains(was.fields, t.fields[i]) {
			continue
		}
		if from < 0 {
			err := e.unlessLocked(ctx, func(conn *pgx.Conn) error {
				is, err := e.entry(ctx, conn, was.schema.Name) // locked, so that one adds it
				if err != nil || slices.Contains(is.fields, t.fields[i]) {
					return err
				}
				return t.addColumn(ctx, conn, i)
			})
			if err != nil {
				return err
			}
		}
		if from < 0 {
			if err := e.Write(ctx, func(conn *pgx.Conn) error { return t.indexPaths(ctx, conn, i, "CONCURRENTLY ") }); err != nil {
				return err
			}
		}
		if !f.Index || from >= 0 && was.schema.Fields[from].Index {
			continue
		}
		column := t.fields[i] // or its name before
		if from >= 0 {
			column = was.fields[from]
		}
		if err := e.buildFieldIndex(ctx, t, i, column); err != nil {
			return err
		}
	}
	return nil
}

// addColumn adds the column of a field that the registry does not know, in a
// transaction that has locked its entry. One that is there was left by an Alter that
// was cut off, and holds nothing.
func (t *table) addColumn(ctx context.Context, conn *pgx.Conn, i int) error {
	var fits *bool // nil if there is none
	err := conn.QueryRow(ctx, `SELECT (SELECT atttypid = to_regtype($3::text) FROM pg_catalog.pg_attribute
		WHERE attrelid = $1::text::regclass AND attname = $2::text AND NOT attisdropped)`, t.name, unquote(t.fields[i]), fieldTypes[t.schema.Fields[i].Type]).Scan(&fits)
	if err != nil || fits != nil && *fits {
		return err
	}
	if fits != nil {
		if _, err := conn.Exec(ctx, "ALTER TABLE "+t.name+" DROP COLUMN "+t.fields[i]); err != nil {
			return err
		}
	}
	_, err = conn.Exec(ctx, "ALTER TABLE "+t.name+" ADD COLUMN "+t.columnOf(i))
	return err
}

func unquote(column string) string { return strings.ReplaceAll(strings.Trim(column, `"`), `""`, `"`) }

// buildFieldIndex builds the index over a field's column while others write, unless
// there is one: an Alter that was cut off left it.
func (e *database) buildFieldIndex(ctx context.Context, t *table, i int, column string) error {
	name := quote(fieldIndexName())
	return e.Write(ctx, func(conn *pgx.Conn) error {
		found, err := fieldIndexes(ctx, conn, t, column)
		if err != nil {
			return err
		}
		for _, x := range found {
			if x.Valid {
				return nil
			}
			if _, err := conn.Exec(ctx, "DROP INDEX CONCURRENTLY IF EXISTS "+x.Name); err != nil { // its building was cut off
				return err
			}
		}
		_, err = conn.Exec(ctx, t.fieldIndex(i, "CONCURRENTLY "+name, column))
		return err
	})
}

// fieldIndexName returns a name for an index, which no other has.
func fieldIndexName() string { return "vecwire_field_" + wire.NewToken()[:16] }

// alter brings a collection's table and its entry from one schema to another, inside
// a transaction.
func (e *database) alter(ctx context.Context, conn *pgx.Conn, was *collection, to engine.Alteration) (*collection, error) {
	t := newTable(e.schema, was.relation, to.Schema, e.extension())
	t.place = was.place
	next := e.open(t, &tableState{})
	run := func(sql string) error {
		_, err := conn.Exec(ctx, sql)
		return err
	}
	for _, i := range to.Dropped(was.schema) {
		if err := run("ALTER TABLE " + t.name + " DROP COLUMN " + was.fields[i]); err != nil { // and its index
			return nil, err
		}
	}
	if err := e.alterColumns(ctx, conn, was, t, to); err != nil {
		return nil, err
	}
	if err := e.alterWords(ctx, conn, was.schema.FullText, next); err != nil {
		return nil, err
	}
	if bounded(was.schema) && !bounded(to.Schema) {
		if err := next.endCount(ctx, conn); err != nil {
			return nil, err
		}
	}
	entry, err := json.Marshal(wire.SpecOf(to.Schema))
	if err != nil {
		return nil, err
	}
	_, err = conn.Exec(ctx, `UPDATE `+e.registry()+` SET name = $2::text, spec = $3::jsonb WHERE name = $1::text`,
		strings.ToLower(was.schema.Name), strings.ToLower(to.Schema.Name), string(entry))
	if isCode(err, "23505") {
		err = fmt.Errorf("the collection %s %w", to.Schema.Name, engine.ErrExists)
	}
	return next, err
}

// alterColumns renames and adds columns, and drops and makes indexes. A column is
// renamed by way of a name that no field has, since fields may change names with each
// other.
func (e *database) alterColumns(ctx context.Context, conn *pgx.Conn, was *collection, t *table, to engine.Alteration) error {
	var statements, rename []string
	table := "ALTER TABLE " + t.name
	had := func(i int) bool { return to.From[i] >= 0 && was.schema.Fields[to.From[i]].Index }
	for i, f := range to.Schema.Fields {
		from := to.From[i]
		if from < 0 {
			continue
		}
		if had(i) && !f.Index {
			found, err := fieldIndexes(ctx, conn, t, was.fields[from])
			if err != nil {
				return err
			}
			for _, x := range found {
				statements = append(statements, "DROP INDEX "+x.Name)
			}
		}
		if was.fields[from] != t.fields[i] {
			between := quote(fmt.Sprint("vecwire_field_", i))
			statements = append(statements, table+" RENAME COLUMN "+was.fields[from]+" TO "+between)
			rename = append(rename, table+" RENAME COLUMN "+between+" TO "+t.fields[i])
		}
	}
	run := func(statements ...string) error {
		for _, statement := range statements {
			if _, err := conn.Exec(ctx, statement); err != nil {
				return err
			}
		}
		return nil
	}
	if err := run(slices.Concat(statements, rename)...); err != nil {
		return err
	}
	for i, f := range to.Schema.Fields {
		if to.From[i] < 0 {
			if err := t.addColumn(ctx, conn, i); err != nil {
				return err
			}
			if err := t.indexPaths(ctx, conn, i, ""); err != nil {
				return err
			}
		}
		if !f.Index || had(i) {
			continue
		}
		found, err := fieldIndexes(ctx, conn, t, t.fields[i])
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(found, func(x fieldIndex) bool { return x.Valid }) { // it could not be built beforehand
			if err := run(t.fieldIndex(i, quote(fieldIndexName()), t.fields[i])); err != nil {
				return err
			}
		}
	}
	return nil
}

// fieldIndex is an index over a column alone, as fields have them.
type fieldIndex struct {
	Name  string // quoted, with its schema
	Valid bool   // false if its building was cut off, or goes on
}

func fieldIndexes(ctx context.Context, conn *pgx.Conn, t *table, column string) ([]fieldIndex, error) {
	rows, err := conn.Query(ctx, `SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname), x.indisvalid
		FROM pg_catalog.pg_index x
		JOIN pg_catalog.pg_class c ON c.oid = x.indexrelid
		JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
		JOIN pg_catalog.pg_am m ON m.oid = c.relam
		JOIN pg_catalog.pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = x.indkey[0]
		WHERE x.indrelid = $1::text::regclass AND a.attname = $2::text AND x.indnkeyatts = 1 AND NOT x.indisunique
		AND m.amname NOT IN ('hnsw', 'ivfflat')`, t.name, unquote(column))
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[fieldIndex])
}

// alterWords makes the column of words, drops it, or fills it with others.
func (e *database) alterWords(ctx context.Context, conn *pgx.Conn, was engine.FullText, next *collection) error {
	is := next.schema.FullText
	if was == is {
		return nil
	}
	run := func(sql string) error {
		_, err := conn.Exec(ctx, sql)
		return err
	}
	if was != engine.NoFullText {
		if err := run("ALTER TABLE " + next.name + " DROP COLUMN " + wordsColumn + " CASCADE"); err != nil {
			return err
		}
	}
	if is == engine.NoFullText {
		return nil
	}
	if err := run("ALTER TABLE " + next.name + " ADD COLUMN " + wordsColumn + " tsvector"); err != nil {
		return err
	}
	if err := next.fillWords(ctx, conn); err != nil {
		return err
	}
	if err := run("ALTER TABLE " + next.name + " ADD " + wordsCheck); err != nil {
		return err
	}
	return run(next.wordsIndex())
}
