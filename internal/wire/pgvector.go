package wire

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"strconv"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/internal/engine"
)

// The limits of pgvector's types (pgvector, README, "Vector Type") and of a
// B-tree's entries, which hold the IDs.
const (
	maxVectorDim = 16_000
	maxIDBytes   = 1024
)

// postgres is the engine over PostgreSQL with pgvector.
type postgres struct {
	*server
	*pgDialect
	schema string // where new collections and the registry go

	mu     sync.Mutex
	tables map[string]*tableState
}

// OpenPostgres opens a PostgreSQL database by its URL.
func OpenPostgres(ctx context.Context, o Options) (engine.Engine, error) {
	d := &pgDialect{}
	s, err := dial(ctx, o, d)
	if err != nil {
		return nil, err
	}
	e, err := connectPostgres(ctx, s, d)
	if errors.Is(err, errIsIRIS) {
		return OpenIRIS(ctx, o)
	}
	return e, err
}

// UsePostgres is OpenPostgres over a pool that stays its owner's: it is not
// closed with the engine, and its connections keep the types that the owner
// registered on them.
func UsePostgres(ctx context.Context, pool *pgxpool.Pool, o Options) (engine.Engine, error) {
	d := &pgDialect{}
	return connectPostgres(ctx, newServer(pool, o.Logger, d), d)
}

func connectPostgres(ctx context.Context, s *server, d *pgDialect) (engine.Engine, error) {
	e := &postgres{server: s, pgDialect: d, tables: map[string]*tableState{}}
	if err := e.lookUp(ctx); err != nil {
		s.close()
		return nil, err
	}
	return e, nil
}

// lookUp reads once for all connections what the database has: where the
// extension is, and the numbers of its types.
func (e *postgres) lookUp(ctx context.Context) error {
	var schema *string
	var x extension
	err := e.with(ctx, func(conn *pgx.Conn) error {
		if isIRIS(conn) {
			return errIsIRIS
		}
		return conn.QueryRow(ctx, `
			SELECT current_schema()::text, coalesce(n.nspname::text, ''), coalesce(x.extversion, ''),
			       coalesce(v.oid::int8, 0), coalesce(v.typarray::int8, 0)
			FROM (VALUES (1)) one
			LEFT JOIN pg_catalog.pg_extension x ON x.extname = 'vector'
			LEFT JOIN pg_catalog.pg_namespace n ON n.oid = x.extnamespace
			LEFT JOIN pg_catalog.pg_type v ON v.typname = 'vector' AND v.typnamespace = x.extnamespace`,
		).Scan(&schema, &x.schema, &x.version, &x.vector, &x.vectors)
	})
	if err != nil {
		err = e.failure(err)
		if _, ok := errors.AsType[*engine.ConnectError](err); !ok {
			err = &engine.ConnectError{Target: e.target, Err: err}
		}
		return err
	}
	if schema == nil {
		return &engine.ConnectError{
			Target: e.target, Err: errors.New("no schema of search_path exists"),
			Remedy: "set search_path to a schema that the user may create tables in",
		}
	}
	e.schema = *schema
	e.setExtension(x)
	return nil
}

// Capabilities implements engine.Engine.
func (e *postgres) Capabilities() engine.Capabilities {
	return engine.Capabilities{
		Engine: "postgres", L2: true, Doubles: true, MaxIDBytes: maxIDBytes, MaxDim: maxVectorDim,
		Transactions: true, Indexes: true, Attach: true, AtomicBatches: true, BatchRecords: 1000, Effort: true, CompressedIndexes: true, FullText: true,
	}
}

// Close implements engine.Engine.
func (e *postgres) Close() error {
	e.server.close()
	return nil
}

// registry is the table that remembers the collections.
func (e *postgres) registry() string { return quote(e.schema) + ".vecwire_collections" }

// spec is a collection's entry in the registry.
type spec struct {
	Name    string         `json:"name"`
	Dim     int            `json:"dim"`
	Element string         `json:"element"`
	Metric  string         `json:"metric"`
	Model   string         `json:"model,omitempty"`
	Fields  []engine.Field `json:"fields,omitempty"`
	// FullText is left out where there is none.
	FullText string `json:"full_text,omitempty"`
}

func specOf(s engine.Schema) spec {
	out := spec{s.Name, s.Dim, s.Element.String(), s.Metric.String(), s.Model, s.Fields, ""}
	if s.FullText != engine.NoFullText {
		out.FullText = s.FullText.String()
	}
	return out
}

func (s spec) schema() (engine.Schema, error) {
	out := engine.Schema{Name: s.Name, Dim: s.Dim, Model: s.Model, Fields: s.Fields}
	for _, out.Element = range []codec.Element{codec.FLOAT, codec.DOUBLE} {
		if out.Element.String() == s.Element {
			break
		}
	}
	for _, out.Metric = range []codec.Metric{codec.Cosine, codec.Dot, codec.L2} {
		if out.Metric.String() == s.Metric {
			break
		}
	}
	if out.Element.String() != s.Element || out.Metric.String() != s.Metric {
		return out, fmt.Errorf("the registry says element %q and metric %q, which this version does not know", s.Element, s.Metric)
	}
	var known bool
	if out.FullText, known = engine.ParseFullText(s.FullText); !known {
		return out, fmt.Errorf("the registry says full text %q, which this version does not know", s.FullText)
	}
	return out, nil
}

// createLock keeps two sessions from making the registry at the same time.
const createLock = 0x7665637769726500 // "vecwire"

// Create implements engine.Engine.
func (e *postgres) Create(ctx context.Context, s engine.Schema) (engine.Collection, error) {
	if err := e.ensureExtension(ctx); err != nil {
		return nil, err
	}
	entry, err := json.Marshal(specOf(s))
	if err != nil {
		return nil, err
	}
	var t *table
	err = inTx(ctx, e, func(conn *pgx.Conn) error {
		if _, err := conn.Exec(ctx, `SELECT pg_advisory_xact_lock(`+strconv.Itoa(createLock)+`)`); err != nil {
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
		return nil
	})
	if isCode(err, "42P07") {
		return nil, fmt.Errorf("%w: the table %s, which is not a collection", engine.ErrExists, t.name)
	}
	if err != nil {
		return nil, err
	}
	return e.open(t, e.renew(t.name)), nil
}

// Open implements engine.Engine.
func (e *postgres) Open(ctx context.Context, name string) (engine.Collection, error) {
	var table string
	var found spec
	err := e.read(ctx, func(conn *pgx.Conn) error {
		return conn.QueryRow(ctx, `SELECT table_name, spec FROM `+e.registry()+` WHERE name = $1::text`,
			strings.ToLower(name)).Scan(&table, &found)
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, engine.ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	schema, err := found.schema()
	if err != nil {
		return nil, err
	}
	t := newTable(e.schema, table, schema, e.extension())
	return e.open(t, e.state(t.name)), nil
}

// List implements engine.Engine.
func (e *postgres) List(ctx context.Context) ([]engine.Schema, error) {
	var specs []spec
	err := e.read(ctx, func(conn *pgx.Conn) error {
		rows, err := conn.Query(ctx, `SELECT spec FROM `+e.registry()+` ORDER BY spec->>'name' COLLATE "C"`)
		if err != nil {
			return err
		}
		specs, err = pgx.CollectRows(rows, pgx.RowTo[spec])
		return err
	})
	if errors.Is(err, engine.ErrNotFound) {
		return nil, nil // no registry yet
	}
	schemas := make([]engine.Schema, len(specs))
	for i, s := range specs {
		if err == nil {
			schemas[i], err = s.schema()
		}
	}
	return schemas, err
}

// Drop implements engine.Engine.
func (e *postgres) Drop(ctx context.Context, name string) error {
	var table string
	err := inTx(ctx, e, func(conn *pgx.Conn) (err error) {
		table, err = e.drop(ctx, conn, name)
		return err
	})
	if err == nil {
		e.renew(table)
	}
	return err
}

// drop removes a collection inside a transaction, and returns its table.
func (e *postgres) drop(ctx context.Context, conn *pgx.Conn, name string) (table string, err error) {
	err = conn.QueryRow(ctx, `DELETE FROM `+e.registry()+` WHERE name = $1::text RETURNING table_name`, strings.ToLower(name)).Scan(&table)
	if errors.Is(err, pgx.ErrNoRows) {
		return "", engine.ErrNotFound
	}
	if err != nil {
		return "", err
	}
	table = quote(e.schema) + "." + quote(table)
	_, err = conn.Exec(ctx, `DROP TABLE IF EXISTS `+table)
	return table, err
}

// ensureExtension makes the extension where it is missing.
func (e *postgres) ensureExtension(ctx context.Context) error {
	if e.extension().vector != 0 {
		return nil
	}
	if err := e.lookUp(ctx); err != nil || e.extension().vector != 0 {
		return err
	}
	err := e.write(ctx, func(conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, `CREATE EXTENSION IF NOT EXISTS vector`)
		return err
	})
	if err == nil || isCode(err, "23505") { // another session made it at the same time
		return e.lookUp(ctx)
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
	return &engine.ConnectError{Target: e.target, Err: fmt.Errorf("the extension vector is missing: %w", err), Remedy: remedy}
}

// state returns what is known about a table, the same for all who have it open.
func (e *postgres) state(table string) *tableState {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.tables[table] == nil {
		e.tables[table] = &tableState{}
	}
	return e.tables[table]
}

// renew begins a table's state anew and ends the one before it: who has that
// one open finds the collection gone, even if another of its name takes its place.
func (e *postgres) renew(table string) *tableState {
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
func (e *postgres) freeName(ctx context.Context, conn *pgx.Conn, collection string) (string, error) {
	name := tableName(collection)
	var taken bool
	err := conn.QueryRow(ctx, `SELECT EXISTS (SELECT FROM `+e.registry()+` WHERE table_name = $1::text AND name <> $2::text)`,
		name, strings.ToLower(collection)).Scan(&taken)
	if taken {
		name = fmt.Sprintf("vecwire_%.27s_%.12s", name, newToken())
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

// fingerprint returns 16 hexadecimal digits that tell texts apart.
func fingerprint(text string) string {
	h := fnv.New64a()
	h.Write([]byte(text))
	return fmt.Sprintf("%016x", h.Sum64())
}
