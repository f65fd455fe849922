package pgvector

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/vecwire/vecwire/internal/engine"
)

// Citus is an extension that keeps tables on other servers, its workers, as shards. A
// statement about such a table is taken apart by the server that was connected to, its
// coordinator. This file says where a table is; what differs because of that is asked of
// a placement where the statement is written:
//
//	                 local  reference  oneShard  shards
//	Delete             |       |          |      takes no locks beforehand
//	Insert             |       |          |      is done again if COPY fails, see copied
//	a search's index   |      what it needs is set by SET LOCAL in a transaction, see searchBatch
//	the candidates     |       |          |      of a compressed index come here, see indexSQL
//	full text          |       |          |      is ranked on the shards, see textSQL
//	a lost commit      |      rows do not tell who wrote them, see storedBy
//	BuildIndex         |      its memory and workers cannot be set, see checkPlace
//	progress, sizes    |      are those of the shards, see citus_index.go
//
// No statement names the schema of what Citus has: that is always found first, since it
// is in pg_catalog, and tests put their own in its place where Citus is not.

// placeKind is one of the ways in which Citus keeps a table.
type placeKind uint8

const (
	local     placeKind = iota // as without Citus
	reference                  // as a whole on every server
	oneShard                   // as a whole on one worker, as all tables of a distributed schema are
	shards                     // spread over workers by the hash of a column
)

// placement is where a table is.
type placement struct {
	kind   placeKind
	column string // of shards: what decides where a record is, not quoted
	shards int
}

// remote reports whether statements go to other servers.
func (p placement) remote() bool { return p.kind != local }

// spread reports whether a statement may go to several servers, each of which knows its
// part alone.
func (p placement) spread() bool { return p.kind == shards }

// placementSQL reads a placement. How Citus writes it down: a table that is 'n', not
// distributed by a column, is a reference table if writes go to all servers ('t', in two
// phases), and otherwise on one shard if it is colocated with others; else it is local
// and merely known to Citus.
const placementSQL = `SELECT p.partmethod::text, p.repmodel::text, p.colocationid > 0,
	coalesce(CASE WHEN p.partmethod <> 'n' THEN column_to_column_name(p.logicalrelid, p.partkey::text) END, ''),
	(SELECT count(*) FROM pg_dist_shard s WHERE s.logicalrelid = p.logicalrelid)
	FROM pg_dist_partition p WHERE p.logicalrelid = to_regclass($1::text)`

// lookUpCitus reads once what a database with Citus is like: its history, and whether
// all tables of the schema for collections are kept together on one worker.
func (e *database) lookUpCitus(ctx context.Context) error {
	if !e.citus.Load() {
		return nil
	}
	e.lookUpHistory(ctx)
	return e.Server.Read(ctx, func(conn *pgx.Conn) error {
		var knows bool // since Citus 12
		err := conn.QueryRow(ctx, "SELECT to_regclass('pg_dist_schema') IS NOT NULL").Scan(&knows)
		if err == nil && knows {
			err = conn.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_dist_schema WHERE schemaid = to_regnamespace(quote_ident($1::text)))", e.schema).Scan(&e.together)
		}
		return err
	})
}

// spreads reports whether collections may be on several servers.
func (e *database) spreads() bool { return e.citus.Load() && !e.together }

// place finds out where a table is.
func (e *database) place(ctx context.Context, t *table) error {
	if !e.citus.Load() {
		return nil
	}
	return e.Read(ctx, func(conn *pgx.Conn) error { return e.placed(ctx, conn, t) })
}

// placed is place on a connection.
func (e *database) placed(ctx context.Context, conn *pgx.Conn, t *table) error {
	if !e.citus.Load() {
		return nil
	}
	var method, model string
	var colocated bool
	var p placement
	err := conn.QueryRow(ctx, placementSQL, t.name).Scan(&method, &model, &colocated, &p.column, &p.shards)
	switch {
	case errors.Is(err, pgx.ErrNoRows): // not known to Citus
		err = nil
	case err != nil:
	case method != "n":
		p.kind = shards
	case model == "t":
		p.kind = reference
	case colocated:
		p.kind = oneShard
	}
	t.place = p
	return err
}

// distribute makes a table that was just created one of shards, and the registry one
// that every server has, so that each of them can be connected to.
func (e *database) distribute(ctx context.Context, conn *pgx.Conn, t *table) error {
	if t.schema.Distributed == engine.NotDistributed {
		return nil
	}
	var workers int
	if err := conn.QueryRow(ctx, "SELECT count(*) FROM citus_get_active_worker_nodes()").Scan(&workers); err != nil {
		return err
	}
	// One shard a worker: every search asks every shard, and each takes a search's time.
	// The default of Citus is 32. It is colocated with nothing, since tables of others
	// could then not be where they are, or not have another collation.
	_, err := conn.Exec(ctx, "SELECT create_distributed_table($1::text::regclass, $2::text, shard_count => $3::int, colocate_with => 'none')",
		t.name, strings.Trim(t.spreadBy(), `"`), max(1, workers))
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, "SELECT create_reference_table(to_regclass($1::text)) WHERE NOT EXISTS (SELECT FROM pg_dist_partition WHERE logicalrelid = to_regclass($1::text))", e.registry())
	return err
}

// spreadBy is the column by which Create distributes the table, quoted.
func (t *table) spreadBy() string {
	if t.schema.Distributed == engine.ByNamespace {
		return quote(engine.NamespaceField)
	}
	return t.id
}

// checkPlace refuses what cannot be set for a build on other servers: CREATE INDEX
// CONCURRENTLY runs outside transactions, and Citus passes on a setting within one only.
func (p placement) checkPlace(plan engine.IndexPlan) error {
	name := ""
	switch {
	case !p.remote():
		return nil
	case plan.MemoryBytes > 0:
		name = "MemoryBytes"
	case plan.Workers > 0:
		name = "Workers"
	default:
		return nil
	}
	setting := map[string]string{"MemoryBytes": "maintenance_work_mem", "Workers": "max_parallel_maintenance_workers"}[name]
	return fmt.Errorf("%w: IndexOptions.%s for a table on the workers of Citus by the postgres engine: set %s on the workers, as by "+
		"SELECT run_command_on_workers('ALTER SYSTEM SET %[3]s = …') and pg_reload_conf()", engine.ErrUnsupported, name, setting)
}
