package iris

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
	"github.com/vecwire/vecwire/internal/wire"
)

// engineName is the engine's name.
const engineName = "iris"

// What an IRIS table takes. A VARCHAR counts UTF-16 units, of which a string
// never has more than bytes.
const (
	maxID   = 255
	maxDim  = 16_000
	maxText = 1_000_000
)

// The server works on ten statements at a time, in threads, and goes on with
// those whose clients have left: a pool must stay well below.
const (
	defaultConns = 4
	maxConns     = 8
)

// statementTimeout bounds a statement whose caller has set no deadline. The server
// never answers some statements.
const statementTimeout = 30 * time.Second

// database is the engine over InterSystems IRIS behind iris-pgwire.
type database struct {
	*wire.Server
	timeout time.Duration

	proof        sync.Mutex           // held while it is found out
	transactions atomic.Pointer[bool] // whether there are any; nil before it was tried

	mu     sync.Mutex
	tables map[string]*tableState
}

// tableState is what all who have a table open know about it.
type tableState struct {
	dropped atomic.Bool
	indexed atomic.Bool // there is an index over the vectors
	single  atomic.Bool // the engine took no statement of several rows
}

// Open opens InterSystems IRIS by a URL like iris://user:password@host:5432/NAMESPACE.
func Open(ctx context.Context, o wire.Options) (engine.Engine, error) {
	s, err := dial(ctx, o)
	if err != nil {
		return nil, err
	}
	e := &database{Server: s, timeout: statementTimeout, tables: map[string]*tableState{}}
	if o.StatementTimeout > 0 {
		e.timeout = o.StatementTimeout
	}
	if err := e.look(ctx); err != nil {
		s.Close()
		if _, ok := errors.AsType[*engine.ConnectError](err); !ok {
			err = &engine.ConnectError{Target: e.Target, Err: err}
		}
		return nil, err
	}
	return e, nil
}

// dial makes a pool of few, long-lived connections. pgx's own ping is never
// sent: the server takes it for a statement, or does not answer it.
func dial(ctx context.Context, o wire.Options) (*wire.Server, error) {
	fail := func(err error) error {
		return &engine.ConnectError{
			Target: wire.DescribeURL(o.URL), Err: err,
			Remedy: "write iris://user:password@host:5432/NAMESPACE and percent-encode special characters",
		}
	}
	target := o.URL
	if u, err := url.Parse(o.URL); err == nil && u.Scheme == "iris" {
		u.Scheme = "postgres"
		target = u.String()
	}
	cfg, err := pgxpool.ParseConfig(target)
	if err != nil {
		return nil, fail(wire.ParseError(target, err))
	}
	if !strings.Contains(target, "pool_max_conns") {
		cfg.MaxConns = defaultConns
	}
	const forever = 10 * 365 * 24 * time.Hour
	cfg.MaxConnLifetime, cfg.MaxConnIdleTime, cfg.MaxConnLifetimeJitter = forever, forever, 0
	o.Apply(cfg)
	cfg.MaxConns = min(cfg.MaxConns, maxConns)
	cfg.MinConns = min(max(cfg.MinConns, int32(min(o.MinConns, maxConns))), cfg.MaxConns)
	cfg.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeExec
	cfg.ShouldPing = healthy
	cfg.PrepareConn = func(_ context.Context, conn *pgx.Conn) (bool, error) { return !conn.IsClosed(), nil }
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return nil, fail(err)
	}
	s := wire.NewServer(pool, o.Logger, dialect{})
	s.Owned = true
	s.Target = "iris" + strings.TrimPrefix(s.Target, "postgres")
	return s, nil
}

// healthy asks a connection that has long been idle for a sign of life, and
// closes it if there is none. It never lets the pool ping by itself.
func healthy(ctx context.Context, p pgxpool.ShouldPingParams) bool {
	const idle, patience = 30 * time.Second, 5 * time.Second
	if p.IdleDuration < idle {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	c := session{conn: p.Conn, timeout: patience}
	if _, err := c.text(ctx, "SELECT 1"); err != nil {
		_ = p.Conn.Close(ctx)
	}
	return false
}

// look finds out whether the server is what it should be, and how it has to be
// talked to.
func (e *database) look(ctx context.Context) error {
	var traits traits
	// Once: who opens a database that does not answer is told so after one timeout, and
	// not after those of all retries.
	err := e.With(ctx, func(conn *pgx.Conn) error {
		c, err := e.conn(ctx, conn)
		if err == nil {
			traits = c.traits
		}
		return err
	})
	if err != nil {
		return e.Failure(err)
	}
	if traits.refusal != nil {
		e.Log.WarnContext(ctx, "the server hides the errors of writes: writes are refused", "server", e.Target, "err", traits.refusal)
	}
	return nil
}

// Capabilities implements engine.Engine.
func (e *database) Capabilities() engine.Capabilities {
	proved := e.transactions.Load()
	return engine.Capabilities{Engine: engineName, MaxIDBytes: maxID, MaxDim: maxDim, BatchRecords: 5 * maxRows, Can: engine.Can{
		Doubles: true, Transactions: proved != nil && *proved, Attach: true, Swap: true, Update: true, Indexes: true, Facets: true, TextFilters: true,
	}}
}

// Close implements engine.Engine.
func (e *database) Close() error {
	e.Server.Close()
	return nil
}

// read runs an operation that changes nothing.
func (e *database) read(ctx context.Context, op func(context.Context, *session) error) error {
	return e.Retry(ctx, 0, func() error {
		return e.With(ctx, func(conn *pgx.Conn) error {
			c, err := e.conn(ctx, conn)
			if err != nil {
				return err
			}
			return op(ctx, c)
		})
	})
}

// write runs an operation that may be run again: its statements come to the same
// when they are repeated. A server that hides the errors of writes gets none.
func (e *database) write(ctx context.Context, op func(context.Context, *session) error) error {
	leave, err := e.EnterWriters(ctx)
	if err != nil {
		return err
	}
	defer leave()
	return e.read(ctx, func(ctx context.Context, c *session) error {
		if c.refusal != nil {
			return c.refusal
		}
		return op(ctx, c)
	})
}

// The registry remembers the collections. A name is there in lower case; the
// token tells who made the entry.
const registry = "vecwire_collections"

var registryColumns = fmt.Sprintf("(name VARCHAR(%d) COLLATE %%EXACT NOT NULL PRIMARY KEY, table_name VARCHAR(200) COLLATE %%EXACT, "+
	"token VARCHAR(40) COLLATE %%EXACT, spec VARCHAR(%d), vec_index VARCHAR(1000))", maxID, maxText)

// Create implements engine.Engine.
func (e *database) Create(ctx context.Context, s engine.Schema) (engine.Collection, error) {
	t := newTable(s)
	entry, err := json.Marshal(wire.SpecOf(s))
	if err != nil {
		return nil, err
	}
	if len(entry) > maxText {
		return nil, fmt.Errorf("the schema takes %d bytes as text, want at most %d", len(entry), maxText)
	}
	name, token, own := strings.ToLower(s.Name), wire.NewToken(), t.name
	err = e.write(ctx, func(ctx context.Context, c *session) error {
		if err := c.run(ctx, "CREATE TABLE IF NOT EXISTS "+registry+" "+registryColumns); err != nil && !isSQLCode(err, -201) {
			return err
		}
		others, err := c.count(ctx, "SELECT COUNT(*) AS n FROM "+registry+" WHERE table_name = SUBSTRING($1,2) AND name <> SUBSTRING($2,2)",
			guard(own), guard(name))
		if err != nil {
			return err
		}
		if t.name = own; others > 0 { // of a collection that was given another name
			t.name = own + "_" + token[:12]
		}
		err = c.write(ctx, "INSERT INTO "+registry+" (name, table_name, token, spec) VALUES (SUBSTRING($1,2), SUBSTRING($2,2), SUBSTRING($3,2), SUBSTRING($4,2))",
			guard(name), guard(t.name), guard(token), guard(string(entry)))
		if err == nil || !isSQLCode(err, -119) {
			return err
		}
		// Either somebody was faster, or this is the second try of ours.
		entry, err := c.registered(ctx, name)
		if err == nil && (entry == nil || entry.token != token) {
			err = engine.ErrExists
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	err = e.write(ctx, func(ctx context.Context, c *session) error {
		if err := c.verify(ctx, registry, "name", [][]byte{guard(name)}, func(n int) string { return argument(filter.String, n) }); err != nil {
			return err
		}
		if strings.HasPrefix(name, "vecwire_") { // of no other program, so it is what an interrupted call left
			if err := c.run(ctx, "DROP TABLE IF EXISTS "+t.name); err != nil && !isSQLCode(err, -30) {
				return err
			}
		}
		for _, statement := range t.create() {
			if err := c.run(ctx, statement); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		if isSQLCode(err, -201) {
			err = fmt.Errorf("%w: the table %s, which is not a collection: %w", engine.ErrExists, t.name, err)
		}
		return nil, errors.Join(err, e.forget(context.WithoutCancel(ctx), name, token))
	}
	return e.open(t, e.renew(t.name)), nil
}

// forget removes an entry of the registry, if it is still the one with the token.
func (e *database) forget(ctx context.Context, name, token string) error {
	ctx, cancel := context.WithTimeout(ctx, e.timeout)
	defer cancel()
	return e.write(ctx, func(ctx context.Context, c *session) error {
		return c.write(ctx, "DELETE FROM "+registry+" WHERE name = SUBSTRING($1,2) AND token = SUBSTRING($2,2)", guard(name), guard(token))
	})
}

// entry is what the registry says about a collection.
type entry struct {
	table, token string
	schema       engine.Schema
	index        *builtIndex // nil for none
}

// registered reads entries of the registry: one, or all for "".
func (c *session) registered(ctx context.Context, name string) (*entry, error) {
	entries, err := c.entries(ctx, " WHERE name = SUBSTRING($1,2)", guard(name))
	if err != nil || len(entries) == 0 {
		return nil, err
	}
	return &entries[0], nil
}

func (c *session) entries(ctx context.Context, where string, args ...[]byte) ([]entry, error) {
	var out []entry
	var columns []string
	for _, name := range []string{"table_name", "token", "spec", "vec_index"} {
		columns = append(columns, c.shown(name))
	}
	sql := "SELECT " + strings.Join(columns, ", ") + " FROM " + registry + where
	err := c.query(ctx, sql, len(columns), args, func(row [][]byte) error {
		entry, err := c.readEntry(row)
		if err != nil {
			return fmt.Errorf("an entry of %s cannot be read: %w", registry, err)
		}
		out = append(out, entry)
		return nil
	})
	if isSQLCode(err, -30) { // no registry yet
		return nil, nil
	}
	return out, err
}

func (c *session) readEntry(row [][]byte) (entry entry, err error) {
	var texts [4]*string
	for i := range texts {
		if texts[i], err = c.readText(row[i]); err != nil {
			return entry, err
		}
	}
	if texts[0] == nil || texts[1] == nil || texts[2] == nil {
		return entry, errors.New("a column is NULL")
	}
	entry.table, entry.token = *texts[0], *texts[1]
	var found wire.Spec
	if err := json.Unmarshal([]byte(*texts[2]), &found); err != nil {
		return entry, err
	}
	if texts[3] != nil {
		if err := json.Unmarshal([]byte(*texts[3]), &entry.index); err != nil {
			return entry, err
		}
	}
	entry.schema, err = found.Schema()
	return entry, err
}

// Open implements engine.Engine.
func (e *database) Open(ctx context.Context, name string) (engine.Collection, error) {
	var entry *entry
	err := e.read(ctx, func(ctx context.Context, c *session) (err error) {
		entry, err = c.wanted(ctx, strings.ToLower(name))
		return err
	})
	if err != nil {
		return nil, err
	}
	return e.openEntry(entry), nil
}

// List implements engine.Engine.
func (e *database) List(ctx context.Context) ([]engine.Schema, error) {
	var schemas []engine.Schema
	err := e.read(ctx, func(ctx context.Context, c *session) error {
		schemas = nil
		entries, err := c.entries(ctx, "")
		for _, entry := range entries {
			schemas = append(schemas, entry.schema)
		}
		return err
	})
	slices.SortFunc(schemas, func(a, b engine.Schema) int { return strings.Compare(a.Name, b.Name) })
	return schemas, err
}

// Drop implements engine.Engine. The entry goes last, so that a Drop that was
// interrupted can be done again. A table that another entry has, too, stays.
func (e *database) Drop(ctx context.Context, name string) error {
	name = strings.ToLower(name)
	var entry *entry
	shared := 0
	err := e.write(ctx, func(ctx context.Context, c *session) (err error) {
		found, err := c.registered(ctx, name)
		if err != nil {
			return err
		}
		if found == nil {
			if entry == nil {
				return engine.ErrNotFound
			}
			return nil // the try before this one got as far
		}
		entry = found
		if !isOurs(entry.table) {
			return fmt.Errorf("the registry names the table %q, which vecwire did not make", entry.table)
		}
		if shared, err = c.sharers(ctx, entry.table); err != nil {
			return err
		}
		if shared == 1 {
			if err := c.run(ctx, "DROP TABLE IF EXISTS "+entry.table); err != nil && !isSQLCode(err, -30) {
				return err
			}
		}
		return c.write(ctx, "DELETE FROM "+registry+" WHERE name = SUBSTRING($1,2) AND token = SUBSTRING($2,2)", guard(name), guard(entry.token))
	})
	if err == nil && shared == 1 {
		e.renew(entry.table)
	}
	return err
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
