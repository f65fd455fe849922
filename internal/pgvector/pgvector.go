package pgvector

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/semaphore"

	"github.com/vecwire/vecwire/internal/engine"
	"github.com/vecwire/vecwire/internal/wire"
)

// The limits of pgvector's types (pgvector, README, "Vector Type") and of a
// B-tree's entries, which hold the IDs.
const (
	maxVectorDim = 16_000
	maxIDBytes   = 1024
)

// database is the engine over PostgreSQL with pgvector.
type database struct {
	*wire.Server
	*dialect
	schema string // where new collections and the registry go
	local  string // what sets, in a transaction, what a pooler keeps connections from; "" for nothing

	altering *semaphore.Weighted // of one Alter at a time

	mu       sync.Mutex
	tables   map[string]*tableState
	identity string // of the database, see identitySQL

	// They are set before the database is used.
	history  string // see historySQL
	together bool   // see lookUpCitus

	joins sync.Map // who works on which of the callers' connections: *pgx.Conn to *joined
}

// Open opens a PostgreSQL database by its URL. If InterSystems IRIS answers it
// returns wire.ErrIsIRIS.
func Open(ctx context.Context, o wire.Options) (engine.Engine, error) {
	o.Params, o.Notice = maps.Clone(settings), noteUnsettled
	for {
		d := &dialect{}
		s, err := wire.Dial(ctx, o, d)
		if err != nil {
			return nil, err
		}
		e, err := connect(ctx, s, d, true)
		if !withoutRefused(err, o.Params) {
			return e, err
		}
	}
}

// Use is Open over a pool that stays its owner's: it is not closed with the
// engine, and its connections keep the types that the owner registered on them.
func Use(ctx context.Context, pool *pgxpool.Pool, o wire.Options) (engine.Engine, error) {
	d := &dialect{}
	return connect(ctx, wire.NewServer(pool, o.Logger, d), d, false)
}

// connect opens a database over connections that are ours, or a pool's owner's.
func connect(ctx context.Context, s *wire.Server, d *dialect, ours bool) (engine.Engine, error) {
	e := &database{Server: s, dialect: d, altering: semaphore.NewWeighted(1), tables: map[string]*tableState{}}
	err := e.lookUp(ctx, e.With)
	if err == nil {
		err = e.lookUpCitus(ctx)
	}
	if err == nil {
		err = e.checkSettings(ctx, ours)
	}
	if err != nil {
		s.Close()
		return nil, err
	}
	return e, nil
}

// lookUp reads once for all connections what the database has: where the
// extension is, and the numbers of its types. To ask it uses run.
func (e *database) lookUp(ctx context.Context, run func(context.Context, func(*pgx.Conn) error) error) error {
	var schema *string
	var x extension
	var identity string
	var citus bool
	err := run(ctx, func(conn *pgx.Conn) error {
		if wire.IsIRIS(conn) {
			return wire.ErrIsIRIS
		}
		if err := e.refuseForks(ctx, conn); err != nil {
			return err
		}
		return conn.QueryRow(ctx, `
			SELECT current_schema()::text, coalesce(n.nspname::text, ''), coalesce(x.extversion, ''),
			       coalesce(v.oid::int8, 0), coalesce(v.typarray::int8, 0), `+identitySQL+`, to_regclass('pg_dist_partition') IS NOT NULL
			FROM (VALUES (1)) one
			LEFT JOIN pg_catalog.pg_extension x ON x.extname = 'vector'
			LEFT JOIN pg_catalog.pg_namespace n ON n.oid = x.extnamespace
			LEFT JOIN pg_catalog.pg_type v ON v.typname = 'vector' AND v.typnamespace = x.extnamespace`,
		).Scan(&schema, &x.schema, &x.version, &x.vector, &x.vectors, &identity, &citus)
	})
	if err != nil {
		err = e.Failure(err)
		if _, ok := errors.AsType[*engine.ConnectError](err); !ok {
			err = &engine.ConnectError{Target: e.Target, Err: err}
		}
		return err
	}
	if schema == nil {
		return &engine.ConnectError{
			Target: e.Target, Err: errors.New("no schema of search_path exists"),
			Remedy: "set search_path to a schema that the user may create tables in",
		}
	}
	e.schema = *schema
	e.setExtension(x)
	e.citus.Store(citus)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.identity = identity
	return nil
}

// Capabilities implements engine.Engine.
func (e *database) Capabilities() engine.Capabilities {
	return engine.Capabilities{Engine: "postgres", MaxIDBytes: maxIDBytes, MaxDim: maxVectorDim, BatchRecords: 1000, Can: engine.Can{
		L2: true, Doubles: true, WideDoubles: true, Transactions: true, Serializable: !e.citus.Load(), Join: true, Attach: true, Swap: true, Alter: true, AtomicBatches: true,
		Insert: true, Update: true, UpdateIf: true, Merge: true, FullText: true, Effort: true, Indexes: true, CompressedIndexes: true, PartialIndexes: true, PrefixIndexes: true, IndexMethods: true, Lists: true, Facets: true, Usage: true, JSON: true, TextFilters: true, Like: true,
		Snapshots: !e.spreads(), Distributed: e.spreads(),
	}}
}

// Close implements engine.Engine.
func (e *database) Close() error {
	e.Server.Close()
	return nil
}

// registry is the table that remembers the collections.
func (e *database) registry() string { return quote(e.schema) + ".vecwire_collections" }

// createLock keeps two sessions from making the registry at the same time.
const createLock int64 = 0x7665637769726500 // "vecwire"

// Create implements engine.Engine.
func (e *database) Create(ctx context.Context, s engine.Schema) (engine.Collection, error) {
	if err := e.ensureExtension(ctx); err != nil {
		return nil, err
	}
	s.Dated = false // that of a collection of which this one takes the place
	entry, err := json.Marshal(wire.SpecOf(s))
	if err != nil {
		return nil, err
	}
	var t *table
	err = e.change(ctx, nil, func(conn *pgx.Conn) error {
		if _, err := conn.Exec(ctx, `SELECT pg_advisory_xact_lock(`+strconv.FormatInt(createLock, 10)+`)`); err != nil {
			return err
		}
		if _, err := conn.Exec(ctx, `CREATE TABLE IF NOT EXISTS `+e.registry()+` (
			name text COLLATE "C" PRIMARY KEY, -- in lower case
			table_name text NOT NULL,
			spec jsonb NOT NULL,
			created_at timestamptz NOT NULL DEFAULT now())`); err != nil {
			return err
		}
		name, err := e.freeName(ctx, conn, s.Name)
		if err != nil {
			return err
		}
		t = newTable(e.schema, name, s, e.extension())
		tag, err := conn.Exec(ctx, `INSERT INTO `+e.registry()+` (name, table_name, spec) VALUES ($1::text, $2::text, $3::jsonb)
			ON CONFLICT DO NOTHING`, strings.ToLower(s.Name), name, string(entry))
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			return engine.ErrExists
		}
		for _, statement := range t.create() {
			if _, err := conn.Exec(ctx, statement); err != nil {
				return err
			}
		}
		if err := e.distribute(ctx, conn, t); err != nil {
			return err
		}
		return e.placed(ctx, conn, t)
	})
	if isCode(err, "42P07") {
		return nil, fmt.Errorf("%w: the table %s, which is not a collection", engine.ErrExists, t.name)
	}
	if err != nil {
		return nil, err
	}
	c := e.open(t, e.renew(t.name))
	c.keepCount(ctx)
	return c, nil
}

// Open implements engine.Engine.
func (e *database) Open(ctx context.Context, name string) (engine.Collection, error) {
	var table string
	var found wire.Spec
	err := e.Read(ctx, func(conn *pgx.Conn) error {
		return conn.QueryRow(ctx, `SELECT table_name, spec FROM `+e.registry()+` WHERE name = $1::text`,
			strings.ToLower(name)).Scan(&table, &found)
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, engine.ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	schema, err := found.Schema()
	if err == nil && e.extension().vector == 0 { // another process has made it since
		err = e.lookUp(ctx, e.Read)
	}
	if err != nil {
		return nil, err
	}
	t := newTable(e.schema, table, schema, e.extension())
	if err := e.place(ctx, t); err != nil {
		return nil, err
	}
	c := e.open(t, e.state(t.name))
	if found.ServerWords() {
		if err := e.convertWords(ctx, c); err != nil {
			return nil, err
		}
	}
	c.keepCount(ctx)
	return c, nil
}

// List implements engine.Engine.
func (e *database) List(ctx context.Context) ([]engine.Schema, error) {
	var specs []wire.Spec
	err := e.Read(ctx, func(conn *pgx.Conn) error {
		rows, err := conn.Query(ctx, `SELECT spec FROM `+e.registry()+` ORDER BY spec->>'name' COLLATE "C"`)
		if err != nil {
			return err
		}
		specs, err = pgx.CollectRows(rows, pgx.RowTo[wire.Spec])
		return err
	})
	if errors.Is(err, engine.ErrNotFound) {
		return nil, nil // no registry yet
	}
	schemas := make([]engine.Schema, len(specs))
	for i, s := range specs {
		if err == nil {
			schemas[i], err = s.Schema()
		}
	}
	return schemas, err
}

// Drop implements engine.Engine.
func (e *database) Drop(ctx context.Context, name string) error {
	var table string
	err := e.change(ctx, nil, func(conn *pgx.Conn) (err error) {
		table, err = e.drop(ctx, conn, name)
		return err
	})
	if err == nil {
		e.renew(table)
	}
	return err
}

// drop removes a collection inside a transaction, and returns its table.
func (e *database) drop(ctx context.Context, conn *pgx.Conn, name string) (table string, err error) {
	var found wire.Spec
	err = conn.QueryRow(ctx, `DELETE FROM `+e.registry()+` WHERE name = $1::text RETURNING table_name, spec`, strings.ToLower(name)).Scan(&table, &found)
	if errors.Is(err, pgx.ErrNoRows) {
		return "", engine.ErrNotFound
	}
	if err != nil {
		return "", err
	}
	if bounded(engine.Schema{Fields: found.Fields}) {
		if err := e.forgetCount(ctx, conn, table); err != nil {
			return "", err
		}
	}
	table = quote(e.schema) + "." + quote(table)
	_, err = conn.Exec(ctx, `DROP TABLE IF EXISTS `+table)
	return table, err
}

// ensureExtension makes the extension where it is missing.
func (e *database) ensureExtension(ctx context.Context) error {
	if e.extension().vector != 0 {
		return nil
	}
	if err := e.lookUp(ctx, e.Read); err != nil || e.extension().vector != 0 {
		return err
	}
	err := e.Write(ctx, func(conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, `CREATE EXTENSION IF NOT EXISTS vector`)
		return err
	})
	if err == nil || isCode(err, "23505") { // another session made it at the same time
		return e.lookUp(ctx, e.Read)
	}
	remedy := ""
	switch {
	case isCode(err, "42501"):
		remedy = "ask the database's administrator to run, in this database: CREATE EXTENSION vector"
	case isCode(err, "0A000"), isCode(err, "58P01"), isCode(err, "22023"):
		remedy = "ask the server's administrator to install pgvector, such as Debian's package postgresql-<version>-pgvector, " +
			"and then to run, in this database: CREATE EXTENSION vector"
	default:
		return err
	}
	return &engine.ConnectError{Target: e.Target, Err: fmt.Errorf("the extension vector is missing: %w", err), Remedy: remedy}
}

// state returns what is known about a table, the same for all who have it open.
func (e *database) state(table string) *tableState {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.tables[table] == nil {
		e.tables[table] = &tableState{}
	}
	return e.tables[table]
}

// renew begins a table's state again and ends the one before it: a collection that
// is open with that one is gone, even if another of its name takes its place.
func (e *database) renew(table string) *tableState {
	e.mu.Lock()
	defer e.mu.Unlock()
	if old := e.tables[table]; old != nil {
		old.dropped.Store(true)
	}
	e.tables[table] = &tableState{}
	return e.tables[table]
}

// freeName returns a name for the table of a new collection, another one if the
// table of that name belongs to a collection that was given another name.
func (e *database) freeName(ctx context.Context, conn *pgx.Conn, collection string) (string, error) {
	name := tableName(collection)
	var taken bool
	err := conn.QueryRow(ctx, `SELECT EXISTS (SELECT FROM `+e.registry()+` WHERE table_name = $1::text AND name <> $2::text)`,
		name, strings.ToLower(collection)).Scan(&taken)
	if taken {
		name = fmt.Sprintf("vecwire_%.27s_%.12s", name, wire.NewToken())
	}
	return name, err
}

// tableName returns the name that a collection's table has where it can. A table
// brings a type of its name with it, which must not be one of the extension's.
func tableName(collection string) string {
	switch name := strings.ToLower(collection); name {
	case "vector", "halfvec", "sparsevec":
		return "vecwire_" + name
	default:
		return name
	}
}

func quote(name string) string { return pgx.Identifier{name}.Sanitize() }
