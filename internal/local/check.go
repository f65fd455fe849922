package local

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/vecwire/vecwire/internal/engine"
)

// Check implements engine.Engine. One state of the file is compared with itself, and
// then with what is in memory of the open collections.
func (s *store) Check(ctx context.Context) (engine.Checked, error) {
	k := &checker{store: s, unread: map[int64]bool{}}
	err := k.checkFile(ctx)
	if err == nil {
		err = k.checkMemory(ctx)
	}
	return k.report, explain(err)
}

// checker is one check.
type checker struct {
	store  *store
	tx     *sql.Tx // that reads the state which is checked
	conn   *sql.Conn
	report engine.Checked
	unread map[int64]bool // the ids of collections that could not be read whole
}

func (k *checker) add(collection, id, format string, args ...any) {
	k.report.Add(engine.Problem{Collection: collection, ID: id, What: fmt.Sprintf(format, args...)})
}

// isDamage reports whether an error is about what was read and not about reading.
func isDamage(ctx context.Context, err error) bool {
	if err == nil || ctx.Err() != nil {
		return false
	}
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		switch e.Code() & 0xff {
		case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR: // the last for a table that is not there
			return true
		}
		return false
	}
	return errors.Is(err, errDamaged)
}

// try runs a part of the check, and makes damage that ends it a problem.
func (k *checker) try(ctx context.Context, collection, what string, err error) error {
	if isDamage(ctx, err) {
		k.add(collection, "", "%s: %v", what, err)
		return nil
	}
	return err
}

func (k *checker) checkFile(ctx context.Context) error {
	s := k.store
	if err := s.reading(ctx, call{verb: "Check"}); err != nil {
		return err
	}
	defer s.endReading()
	pinned, end, err := s.pin(ctx)
	if err != nil {
		return k.try(ctx, "", "the changes cannot be read", err)
	}
	defer end()
	p := pinned.Value(pinKey{s}).(*pin)
	k.tx, k.conn = p.tx, p.conn
	whole, err := k.integrity(pinned)
	if err != nil {
		return err
	}
	return k.eachCollection(pinned, func(c registered) error { return k.checkCollection(pinned, c, whole) })
}

// eachCollection does something with each collection of the registry, as far as that can
// be read.
func (k *checker) eachCollection(ctx context.Context, do func(registered) error) error {
	collections, err := k.registered(ctx)
	if err := k.try(ctx, "", "the registry cannot be read", err); err != nil {
		return err
	}
	for _, c := range collections {
		if err := do(c); err != nil {
			return err
		}
	}
	return nil
}

// integrity lets SQLite check the whole file.
func (k *checker) integrity(ctx context.Context) (whole bool, err error) {
	k.renewWords(ctx)
	faults, err := k.pragma(ctx, fmt.Sprintf("PRAGMA integrity_check(%d)", engine.MostProblems))
	for _, fault := range faults {
		k.add("", "", "SQLite finds: %s", fault)
	}
	return len(faults) == 0 && err == nil, k.try(ctx, "", "SQLite cannot check the file", err)
}

// pragma returns what SQLite's check finds wrong.
func (k *checker) pragma(ctx context.Context, statement string) (faults []string, err error) {
	err = k.each(ctx, statement, nil, func(values []any) {
		if fault := fmt.Sprint(values[0]); fault != "ok" {
			faults = append(faults, fault)
		}
	})
	return faults, err
}

// each runs a query of the state that is checked, whatever its values are.
func (k *checker) each(ctx context.Context, query string, args []any, f func(values []any)) error {
	return eachRow(ctx, k.tx, query, args, f)
}

func eachRow(ctx context.Context, q queryer, query string, args []any, f func(values []any)) error {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return err
	}
	values, to := make([]any, len(columns)), make([]any, len(columns))
	for i := range to {
		to[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(to...); err != nil {
			return err
		}
		f(values)
	}
	return rows.Err()
}

type registered struct {
	id   int64
	name string
}

// registered returns the collections, and says which index is of none.
func (k *checker) registered(ctx context.Context) (all []registered, err error) {
	err = k.each(ctx, "SELECT id, name FROM vecwire_collections ORDER BY name COLLATE BINARY", nil, func(v []any) {
		id, isID := v[0].(int64)
		name, isName := v[1].(string)
		if !isID || !isName {
			k.add("", "", "the registry names a collection %v with the number %v", v[1], v[0])
			return
		}
		all = append(all, registered{id, name})
	})
	if err != nil {
		return all, err
	}
	return all, k.each(ctx, "SELECT collection FROM vecwire_indexes WHERE collection NOT IN (SELECT name FROM vecwire_collections)", nil, func(v []any) {
		k.add(fmt.Sprint(v[0]), "", "it has an index, and is not in the registry")
	})
}

// checkCollection checks one collection in the file. If the file is not whole, it asks
// SQLite which of the collection's tables are not.
func (k *checker) checkCollection(ctx context.Context, r registered, whole bool) error {
	schemas, _, err := readSchemas(ctx, k.tx, "WHERE id = ?", r.id)
	if err == nil && len(schemas) == 0 {
		err = fmt.Errorf("%w: it is not in the registry by its number", errDamaged)
	}
	if err != nil {
		k.unread[r.id] = true
		return k.try(ctx, r.name, "its schema cannot be read", err)
	}
	c, err := newCollection(k.store, schemas[0], r.id)
	if err != nil {
		return err
	}
	defer c.index.close()
	if !whole {
		if err := k.tables(ctx, c); err != nil {
			return err
		}
	}
	f := &found{c: c, last: -1}
	if c.schema.FullText != engine.NoFullText {
		f.words = map[int64]*wordSum{}
	}
	if err := k.records(ctx, f); err != nil {
		return err
	}
	k.report.Collections = append(k.report.Collections, engine.CheckedCollection{Name: r.name, Records: f.count})
	parts := []struct {
		what  string
		check func(context.Context, *found) error
	}{
		{"its records cannot be told apart", k.twice},
		{"its vectors cannot be read", k.orphans},
		{"its indexed lists cannot be read", k.lists},
		{"its full text cannot be read", k.fullText},
		{"its tables cannot be looked up", k.triggers},
		{"its snapshot cannot be compared", k.snapshot},
	}
	for _, p := range parts {
		if err := k.try(ctx, r.name, p.what, p.check(ctx, f)); err != nil {
			return err
		}
	}
	return nil
}
