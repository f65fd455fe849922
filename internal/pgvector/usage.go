package pgvector

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/vecwire/vecwire/internal/engine"
)

// Usage implements engine.Collection: what the table and its indexes take on the
// server, on all shards where Citus spreads them.
func (c *collection) Usage(ctx context.Context) ([]engine.Part, error) {
	if c.place.remote() && c.runner(ctx) != runner(c.db) { // as advise has it
		return nil, fmt.Errorf("%w: %s inside a transaction by the postgres engine with Citus", engine.ErrUnsupported, engine.LackUsage)
	}
	var table, all int64
	sql := fmt.Sprintf("SELECT (%s), (%s)", c.tableSizeSQL(), c.totalSizeSQL())
	err := c.read(ctx, func(conn *pgx.Conn) error { return conn.QueryRow(ctx, sql, c.name).Scan(&table, &all) })
	return []engine.Part{{Name: "table", Server: table}, {Name: "indexes", Server: all - table}}, err
}

// totalSizeSQL is tableSizeSQL with the table's indexes. Not every release of Citus has a
// function for it.
func (c *collection) totalSizeSQL() string {
	if c.place.remote() {
		return `SELECT coalesce(sum(result::int8), 0)::int8 FROM run_command_on_shards($1::text::regclass, $$SELECT pg_total_relation_size('%s')$$) WHERE success`
	}
	return "SELECT pg_total_relation_size($1::text::regclass)"
}
