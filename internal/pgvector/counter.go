package pgvector

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
)

// A bounded collection has to know at every write how many records there are, and to
// count them takes as long as there are many. So its table has triggers that keep their
// number in a row of vecwire_counts: in the transaction that changes it, whoever writes
// and by whatever statement. Where the triggers cannot be made, the records are counted.
//
// A statement that inserts or deletes locks that row first and its records then, so that
// two that do both wait for each other and do not deadlock.

// counterTriggers are the triggers by name, and what CREATE TRIGGER says around the table.
var counterTriggers = [...]struct{ name, when, referencing string }{
	{"vecwire_count_first", "BEFORE INSERT OR DELETE", ""},
	{"vecwire_count_insert", "AFTER INSERT", "REFERENCING NEW TABLE AS changed"},
	{"vecwire_count_delete", "AFTER DELETE", "REFERENCING OLD TABLE AS changed"},
	{"vecwire_count_truncate", "AFTER TRUNCATE", ""},
}

// counterFunction is what the triggers run. It runs as its owner, since others who may
// write to the table need not be allowed to write to the counts, and so nobody else may
// give it to a table. It asks for the table's schema, which may be renamed.
const counterFunction = `CREATE FUNCTION %s RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $vecwire$
DECLARE
	n bigint;
	mine text := format('%%I.vecwire_counts', TG_TABLE_SCHEMA);
BEGIN
	IF TG_WHEN = 'BEFORE' THEN
		EXECUTE 'SELECT FROM ' || mine || ' WHERE table_name = $1 FOR UPDATE' USING TG_TABLE_NAME::text;
	ELSIF TG_OP = 'TRUNCATE' THEN
		EXECUTE 'UPDATE ' || mine || ' SET records = 0 WHERE table_name = $1' USING TG_TABLE_NAME::text;
	ELSE
		SELECT CASE TG_OP WHEN 'INSERT' THEN count(*) ELSE -count(*) END INTO n FROM changed;
		IF n <> 0 THEN
			EXECUTE 'UPDATE ' || mine || ' SET records = records + $2 WHERE table_name = $1' USING TG_TABLE_NAME::text, n;
		END IF;
	END IF;
	RETURN NULL;
END $vecwire$`

// counts is the table of the numbers.
func (e *database) counts() string { return quote(e.schema) + ".vecwire_counts" }

// bounded reports whether a schema has a bound that package lru keeps to.
func bounded(s engine.Schema) bool {
	return slices.ContainsFunc(s.Fields, func(f engine.Field) bool { return f.Bound > 0 })
}

// Size implements engine.Collection.
func (c *collection) Size(ctx context.Context) (int, error) {
	if !c.state.counted.Load() {
		return c.Count(ctx, filter.Filter{})
	}
	var n int
	var known bool
	err := c.read(ctx, func(conn *pgx.Conn) error {
		err := conn.QueryRow(ctx, "SELECT records FROM "+c.db.counts()+" WHERE table_name = $1::text", c.relation).Scan(&n)
		known = err == nil
		if errors.Is(err, pgx.ErrNoRows) { // another process has taken the bound away
			return nil
		}
		return err
	})
	if err == nil && !known {
		return c.Count(ctx, filter.Filter{})
	}
	return n, err
}

// keepCount has the records of a bounded collection counted by triggers. If it cannot,
// the log says why, and Size counts them.
func (c *collection) keepCount(ctx context.Context) {
	if !bounded(c.schema) || c.place.remote() || c.state.counted.Load() {
		return
	}
	var right bool
	err := c.db.Read(ctx, func(conn *pgx.Conn) (err error) {
		right, err = c.isCounted(ctx, conn)
		return err
	})
	if !right && (err == nil || errors.Is(err, engine.ErrNotFound)) {
		err = c.db.change(ctx, nil, func(conn *pgx.Conn) error { return c.beginCount(ctx, conn) })
	}
	c.state.counted.Store(err == nil)
	if err != nil {
		c.db.Log.InfoContext(ctx, "the table of a collection with MaxRecords has no triggers that keep the number of records, so every write counts them",
			"server", c.db.Target, "collection", c.schema.Name, "err", err)
	}
}

// isCounted reports whether the table has its triggers and the number is right, as of one
// moment. It is wrong if somebody wrote with triggers off, as some do who restore a dump.
func (c *collection) isCounted(ctx context.Context, conn *pgx.Conn) (right bool, err error) {
	var names []string
	for _, trigger := range counterTriggers {
		names = append(names, trigger.name)
	}
	err = conn.QueryRow(ctx, `SELECT records = (SELECT count(*) FROM `+c.name+`) AND $3::int = (SELECT count(*) FROM pg_catalog.pg_trigger
			WHERE tgrelid = $2::text::regclass AND tgname = ANY($4::text[]) AND tgenabled IN ('O', 'A'))
		FROM `+c.db.counts()+` WHERE table_name = $1::text`, c.relation, c.name, len(names), names).Scan(&right)
	if errors.Is(err, pgx.ErrNoRows) {
		return false, nil
	}
	return right, err
}

// beginCount makes the triggers and counts once, while nobody writes.
func (c *collection) beginCount(ctx context.Context, conn *pgx.Conn) error {
	run := func(statements ...string) error {
		for _, statement := range statements {
			if _, err := conn.Exec(ctx, statement); err != nil {
				return err
			}
		}
		return nil
	}
	err := run(fmt.Sprintf("SET LOCAL lock_timeout = %d", lockWait.Milliseconds()),
		fmt.Sprintf("SELECT pg_advisory_xact_lock(%d)", createLock),
		"CREATE TABLE IF NOT EXISTS "+c.db.counts()+` (table_name text COLLATE "C" PRIMARY KEY, records bigint NOT NULL)`)
	if err != nil {
		return err
	}
	function := quote(c.db.schema) + ".vecwire_count()"
	var made bool
	if err := conn.QueryRow(ctx, "SELECT to_regprocedure($1::text) IS NOT NULL", function).Scan(&made); err != nil {
		return err
	}
	var statements []string
	if !made {
		statements = append(statements, fmt.Sprintf(counterFunction, function), "REVOKE ALL ON FUNCTION "+function+" FROM PUBLIC")
	}
	statements = append(statements, "LOCK TABLE "+c.name+" IN SHARE ROW EXCLUSIVE MODE")
	for _, t := range counterTriggers {
		statements = append(statements, c.dropTrigger(t.name),
			fmt.Sprintf("CREATE TRIGGER %s %s ON %s %s FOR EACH STATEMENT EXECUTE FUNCTION %s", t.name, t.when, c.name, t.referencing, function))
	}
	if err := run(statements...); err != nil {
		return err
	}
	_, err = conn.Exec(ctx, "INSERT INTO "+c.db.counts()+" (table_name, records) SELECT $1::text, count(*) FROM "+c.name+
		" ON CONFLICT (table_name) DO UPDATE SET records = EXCLUDED.records", c.relation)
	return err
}

func (t *table) dropTrigger(name string) string {
	return "DROP TRIGGER IF EXISTS " + name + " ON " + t.name
}

// endCount removes the triggers of a collection that is bounded no longer.
func (c *collection) endCount(ctx context.Context, conn *pgx.Conn) error {
	for _, t := range counterTriggers {
		if _, err := conn.Exec(ctx, c.dropTrigger(t.name)); err != nil {
			return err
		}
	}
	return c.db.forgetCount(ctx, conn, c.relation)
}

// forgetCount removes the number of a table's records.
func (e *database) forgetCount(ctx context.Context, conn *pgx.Conn, relation string) error {
	var there bool
	err := conn.QueryRow(ctx, "SELECT to_regclass($1::text) IS NOT NULL", e.counts()).Scan(&there)
	if err == nil && there {
		_, err = conn.Exec(ctx, "DELETE FROM "+e.counts()+" WHERE table_name = $1::text", relation)
	}
	return err
}
