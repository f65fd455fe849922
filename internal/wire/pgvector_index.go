package wire

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/internal/engine"
)

// Where the caller leaves it open (for HNSW pgvector's own, README, "Index Options").
const (
	defaultM      = 16
	defaultEfC    = 64
	defaultProbes = 10
)

// pgIndex is a vector index that searches can use.
type pgIndex struct {
	kind string
	ours bool // made by BuildIndex
	indexKey
}

// String is what plans call the index.
func (i *pgIndex) String() string {
	if i.compress == engine.NoCompression {
		return i.kind
	}
	return i.kind + " " + i.compress.String()
}

// before reports whether i is to be searched rather than other: what was built by
// BuildIndex was asked for, and HNSW finds more than ivfflat.
func (i *pgIndex) before(other *pgIndex) bool {
	switch {
	case i.ours != other.ours:
		return i.ours
	case i.kind != other.kind:
		return i.kind == "hnsw"
	}
	return i.compress < other.compress
}

// candidates returns how many records are asked of an index, to be compared by
// the vectors themselves unless the index is over these.
func (i *pgIndex) candidates(s engine.Search) int {
	limit := s.K + spare
	switch {
	case !i.copies:
		return limit
	case s.Rescore && s.Candidates > 0:
		return max(s.K, s.Candidates)
	case i.compress == engine.Bits && s.Effort > 0:
		return max(limit, min(s.Effort, maxEf))
	case i.compress == engine.Bits && s.Rescore:
		return max(limit, min(bitSpare/copySpare*limit, maxEf))
	case i.compress == engine.Bits:
		return max(copySpare*limit, min(bitSpare*limit, maxEf))
	case s.Rescore:
		return limit
	}
	return copySpare * limit
}

// effort returns how many candidates a search of an index looks at: those of
// HNSW, or the lists of ivfflat.
func (i *pgIndex) effort(s engine.Search) int {
	switch {
	case i.kind == "ivfflat" && s.Effort == 0:
		return defaultProbes
	case s.Effort == 0 && i.compress == engine.Bits:
		return min(maxEf, max(defaultEf, i.candidates(s)))
	case s.Effort == 0:
		return min(maxEf, max(defaultEf, 2*(s.K+spare)))
	case i.kind == "ivfflat":
		return s.Effort
	}
	return min(maxEf, s.Effort)
}

// settings returns the statement that readies a transaction for a search through
// the index.
func (i *pgIndex) settings(s engine.Search, x extension) string {
	set := []string{"hnsw.ef_search", "hnsw.iterative_scan"}
	if i.kind == "ivfflat" {
		set = []string{"ivfflat.probes", "ivfflat.iterative_scan"}
	}
	sql := "SELECT set_config('" + set[0] + "', '" + strconv.Itoa(i.effort(s)) + "', true)"
	if x.atLeast(0, 8) { // it can go on with a scan that a filter left short
		sql += ", set_config('" + set[1] + "', 'relaxed_order', true)"
	}
	return sql
}

// atLeast reports whether the extension is of a version or a newer one.
func (x extension) atLeast(major, minor int) bool {
	first, rest, _ := strings.Cut(x.version, ".")
	second, _, _ := strings.Cut(rest, ".")
	is, _ := strconv.Atoi(first)
	then, _ := strconv.Atoi(second)
	return is > major || is == major && then >= minor
}

// indexState remembers whether a table has an index, so that a search need not
// ask. Another process may build or drop one, so what it says grows old.
type indexState struct {
	mu      sync.Mutex // never held while the server is asked
	looked  time.Time
	index   *pgIndex
	changes int // how often this process has built or dropped an index
	advised bool
}

const (
	indexStateAge = 30 * time.Second
	// adviseAt is the number of records from which an exact search takes long
	// enough (about 20 ms with 128 dimensions) to advise an index.
	adviseAt = 50_000
)

// usable returns the index that searches can use, or nil.
func (c *pgCollection) usable(ctx context.Context) (*pgIndex, error) {
	if err := c.gone(); err != nil {
		return nil, err
	}
	s := &c.state.index
	s.mu.Lock()
	index, known, changes, advised := s.index, !s.looked.IsZero(), s.changes, s.advised
	if known && time.Since(s.looked) < indexStateAge {
		s.mu.Unlock()
		return index, nil
	}
	if known {
		s.looked = time.Now() // others go on with what is known until this one has looked
	}
	s.mu.Unlock()

	found, err := c.catalog(ctx)
	if err != nil {
		return nil, err
	}
	index = nil
	for _, f := range found {
		if !f.usable {
			continue
		}
		found := &pgIndex{kind: f.Kind, ours: f.ours, indexKey: f.key}
		if index == nil || found.before(index) {
			index = found
		}
	}
	if index == nil && !advised {
		if advised, err = c.advise(ctx); err != nil {
			return nil, err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.changes == changes {
		s.index, s.looked, s.advised = index, time.Now(), advised
	}
	return index, nil
}

// advise says that a large table has no index, and reports whether it has said so.
func (c *pgCollection) advise(ctx context.Context) (bool, error) {
	var bytes int64
	err := c.read(ctx, func(conn *pgx.Conn) error {
		return conn.QueryRow(ctx, "SELECT pg_table_size($1::text::regclass)", c.name).Scan(&bytes)
	})
	if err != nil {
		return false, err
	}
	// The catalog does not count the records of a table that was just filled.
	records := bytes / int64(c.schema.Dim*c.schema.Element.Size()+64)
	if records < adviseAt || c.schema.Dim > maxHalfDim && c.schema.Metric == codec.L2 {
		return false, nil
	}
	c.db.log.WarnContext(ctx, "searches compare the query with every record: build an index with Collection.BuildIndex",
		"collection", c.schema.Name, "records_about", records)
	return true, nil
}

// foundIndex is what the catalog says about an index.
type foundIndex struct {
	engine.Index
	ours   bool // made by BuildIndex
	usable bool // by searches of this collection
	key    indexKey
}

// catalog reads the vector indexes of the table.
func (c *pgCollection) catalog(ctx context.Context) ([]foundIndex, error) {
	var out []foundIndex
	err := c.read(ctx, func(conn *pgx.Conn) error {
		out = nil
		rows, err := conn.Query(ctx, `
			SELECT i.relname::text, m.amname::text, x.indisvalid AND x.indisready, pg_relation_size(i.oid),
			       coalesce(array_to_string(i.reloptions, ','), ''), o.opcname::text, x.indpred IS NOT NULL,
			       pg_get_indexdef(i.oid, 1, true)
			FROM pg_catalog.pg_index x
			JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid
			JOIN pg_catalog.pg_am m ON m.oid = i.relam
			JOIN pg_catalog.pg_opclass o ON o.oid = x.indclass[0]
			WHERE x.indrelid = $1::text::regclass AND m.amname IN ('hnsw', 'ivfflat')
			ORDER BY i.relname`, c.name)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var f foundIndex
			var options, class, definition string
			var partial bool
			if err := rows.Scan(&f.Name, &f.Kind, &f.Valid, &f.Bytes, &options, &class, &partial, &definition); err != nil {
				return err
			}
			for option := range strings.SplitSeq(options, ",") {
				key, value, _ := strings.Cut(option, "=")
				switch n, _ := strconv.Atoi(value); key {
				case "m":
					f.M = n
				case "ef_construction":
					f.EfConstruction = n
				}
			}
			if f.Kind == "hnsw" {
				f.M, f.EfConstruction = cmp.Or(f.M, defaultM), cmp.Or(f.EfConstruction, defaultEfC)
			}
			f.ours = f.Name == c.indexName() || f.Name == c.nextIndexName()
			f.key, f.usable = c.keyOf(definition, class)
			f.Compress, f.usable = f.key.compress, f.usable && f.Valid && !partial
			out = append(out, f)
		}
		return rows.Err()
	})
	return out, err
}

// forget makes the next search look for an index anew.
func (c *pgCollection) forget() {
	c.state.index.mu.Lock()
	defer c.state.index.mu.Unlock()
	c.state.index.looked = time.Time{}
	c.state.index.changes++
}

// Indexes implements engine.Indexer.
func (c *pgCollection) Indexes(ctx context.Context) ([]engine.Index, error) {
	found, err := c.catalog(ctx)
	out := make([]engine.Index, len(found))
	for i, f := range found {
		out[i] = f.Index
	}
	return out, err
}

// DropIndex implements engine.Indexer.
func (c *pgCollection) DropIndex(ctx context.Context, name string) error {
	found, err := c.catalog(ctx)
	if err != nil {
		return err
	}
	defer c.forget()
	for _, f := range found {
		if f.Name == name {
			return c.write(ctx, func(conn *pgx.Conn) error {
				_, err := conn.Exec(ctx, "DROP INDEX CONCURRENTLY IF EXISTS "+c.beside(name))
				return err
			})
		}
	}
	return fmt.Errorf("%w: the index %s", engine.ErrNotFound, name)
}

// beside returns a name in the schema of the table, quoted.
func (c *pgCollection) beside(name string) string {
	return pgx.Identifier{c.namespace, name}.Sanitize()
}

// BuildIndex implements engine.Indexer.
func (c *pgCollection) BuildIndex(ctx context.Context, p engine.IndexPlan) error {
	if c.runner != runner(c.db) {
		return fmt.Errorf("%w: building an index inside a transaction by the postgres engine", engine.ErrUnsupported)
	}
	p.M, p.EfConstruction = cmp.Or(p.M, defaultM), cmp.Or(p.EfConstruction, max(defaultEfC, 2*p.M))
	if err := checkIndex(p); err != nil {
		return err
	}
	key, err := c.keyFor(p.Compress, c.db.extension())
	if err != nil {
		return err
	}
	found, err := c.catalog(ctx)
	if err != nil {
		return err
	}
	there := "" // the index that is wanted
	var replaced []string
	for _, f := range found {
		switch {
		case f.ours && !f.Valid:
			if err := c.repair(ctx, f.Name); err != nil {
				return err
			}
		case f.usable && there == "" && f.Kind == "hnsw" && f.M == p.M && f.EfConstruction == p.EfConstruction && f.Compress == key.compress:
			there = f.Name
		case f.ours:
			replaced = append(replaced, f.Name)
		}
	}
	if there != "" && len(replaced) == 0 {
		return nil
	}
	defer c.forget()
	if there == "" {
		there = c.indexName()
		if len(replaced) > 0 {
			if there = c.nextIndexName(); slices.Contains(replaced, there) { // both names are taken
				if err := c.DropIndex(ctx, there); err != nil {
					return err
				}
			}
		}
		if err := c.build(ctx, there, key, p); err != nil {
			return err
		}
	}
	for _, old := range replaced {
		if old == there {
			continue
		}
		if err := c.DropIndex(ctx, old); err != nil && !errors.Is(err, engine.ErrNotFound) {
			return err
		}
	}
	if there != c.nextIndexName() {
		return nil
	}
	return c.write(ctx, func(conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, "ALTER INDEX "+c.beside(there)+" RENAME TO "+quote(c.indexName()))
		return err
	})
}

func checkIndex(p engine.IndexPlan) error {
	bad := func(field, want string, got int) error {
		return &codec.ValueError{Field: field, Pos: -1, Want: want, Got: strconv.Itoa(got)}
	}
	switch {
	case p.M < 2 || p.M > 100:
		return bad("M", "2 to 100", p.M)
	case p.EfConstruction < 4 || p.EfConstruction > 1000:
		return bad("EfConstruction", "4 to 1000", p.EfConstruction)
	case p.EfConstruction < 2*p.M:
		return bad("EfConstruction", fmt.Sprintf("at least twice M, %d", 2*p.M), p.EfConstruction)
	}
	return nil
}

// indexName names the index that BuildIndex makes. No collection's table can
// have such a name.
func (c *pgCollection) indexName() string {
	name := "vecwire_" + c.relation + "_hnsw"
	if len(name) > 59 { // a table of others: names have 63 bytes, and "_new" may follow
		name = "vecwire_" + fingerprint(c.relation) + "_hnsw"
	}
	return name
}

// nextIndexName names an index that is to replace that one.
func (c *pgCollection) nextIndexName() string { return c.indexName() + "_new" }

// repair removes what an interrupted build left, unless it goes on still.
func (c *pgCollection) repair(ctx context.Context, name string) error {
	var building bool
	err := c.read(ctx, func(conn *pgx.Conn) error {
		return conn.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_catalog.pg_stat_progress_create_index
			WHERE index_relid = $1::text::regclass)`, c.beside(name)).Scan(&building)
	})
	if err != nil {
		return err
	}
	if building {
		return fmt.Errorf("%w: another session is building the index %s", engine.ErrExists, name)
	}
	return c.DropIndex(ctx, name)
}

// build makes the index on a connection of its own, whose settings end with it
// and which the queries of the pool do not wait for.
func (c *pgCollection) build(ctx context.Context, name string, key indexKey, p engine.IndexPlan) error {
	noted := make(chan *pgconn.Notice, 16)
	conn, err := c.db.alone(ctx, func(n *pgconn.Notice) {
		select {
		case noted <- n:
		default: // more than enough said
		}
	})
	if err != nil {
		return c.db.failure(err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	settings := "SELECT set_config('statement_timeout', '0', false)"
	if p.MemoryBytes > 0 {
		settings += fmt.Sprintf(", set_config('maintenance_work_mem', '%dkB', false)", max(1024, p.MemoryBytes/1024))
	}
	if p.Workers > 0 {
		settings += fmt.Sprintf(", set_config('max_parallel_maintenance_workers', '%d', false)", p.Workers)
	}
	if _, err := conn.Exec(ctx, settings); err != nil {
		return c.db.failure(err)
	}
	column := key.column
	if key.copies {
		column = "(" + column + ")"
	}
	sql := fmt.Sprintf("CREATE INDEX CONCURRENTLY %s ON %s USING hnsw (%s %s.%s) WITH (m = %d, ef_construction = %d)",
		quote(name), c.name, column, c.ext, key.class, p.M, p.EfConstruction)

	stop := c.watch(ctx, p.Progress)
	_, err = conn.Exec(ctx, sql)
	stop()
	close(noted)
	for n := range noted {
		c.db.log.WarnContext(ctx, "building an index: "+n.Message, "collection", c.schema.Name, "detail", n.Detail, "hint", n.Hint,
			"advice", "a larger IndexOptions.MemoryBytes makes it faster")
	}
	switch {
	case err == nil:
		_, err = conn.Exec(ctx, "ANALYZE "+c.name)
		if err != nil {
			return c.db.failure(err)
		}
		return nil
	case isCode(err, "42P07"):
		return fmt.Errorf("%w: another session is building the index %s", engine.ErrExists, name)
	}
	// What is left behind is invalid and costs every write. If it cannot be
	// removed here, the next BuildIndex does it.
	clean, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	if dropped := c.DropIndex(clean, name); dropped != nil && !errors.Is(dropped, engine.ErrNotFound) {
		c.db.log.WarnContext(ctx, "an invalid index is left: build it again, or drop it", "index", name, "err", dropped)
	}
	return c.db.failure(err)
}

// alone connects outside the pool, in the way the pool does.
func (e *postgres) alone(ctx context.Context, notice func(*pgconn.Notice)) (*pgx.Conn, error) {
	cfg := e.pool.Config()
	c := cfg.ConnConfig.Copy()
	c.OnNotice = func(_ *pgconn.PgConn, n *pgconn.Notice) { notice(n) }
	if cfg.BeforeConnect != nil {
		if err := cfg.BeforeConnect(ctx, c); err != nil {
			return nil, err
		}
	}
	return pgx.ConnectConfig(ctx, c)
}

// watch reports how far the building of an index is, until stop is called.
func (c *pgCollection) watch(ctx context.Context, report func(engine.IndexProgress)) (stop func()) {
	if report == nil {
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(200 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			var p engine.IndexProgress
			err := c.read(ctx, func(conn *pgx.Conn) error {
				return conn.QueryRow(ctx, `SELECT phase, blocks_done, blocks_total FROM pg_catalog.pg_stat_progress_create_index
					WHERE relid = $1::text::regclass LIMIT 1`, c.name).Scan(&p.Phase, &p.Done, &p.Total)
			})
			if err == nil && ctx.Err() == nil {
				report(p)
			}
		}
	}()
	return func() { cancel(); <-done }
}
