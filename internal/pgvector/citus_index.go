package pgvector

import (
	"context"
	"errors"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/vecwire/vecwire/internal/engine"
)

// What the catalog of this server says about the indexes of a table on workers is about
// an empty shell. So the shards are asked. %s stands for the name of each of them.
const (
	onShardsProgress = `SELECT json_build_object('phase', min(phase), 'done', coalesce(sum(blocks_done), 0), 'total', coalesce(sum(blocks_total), 0), 'builds', count(*))
		FROM pg_stat_progress_create_index WHERE relid = '%s'::regclass`
	onShardsSizes = `SELECT coalesce(json_agg(json_build_object('key', pg_get_indexdef(i.oid, 1, true) || ' ' || o.opcname || ' ' || coalesce(array_to_string(i.reloptions, ','), '') || ' ' || coalesce(pg_get_expr(x.indpred, x.indrelid), ''),
		'bytes', coalesce(pg_relation_size(i.oid), 0))), '[]') FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_am m ON m.oid = i.relam
		JOIN pg_opclass o ON o.oid = x.indclass[0] WHERE x.indrelid = '%s'::regclass AND m.amname IN (` + kindsList + `)`
)

// building returns how far the builds of indexes over the table are, and how many there
// are.
func (c *collection) building(ctx context.Context) (p engine.IndexProgress, builds int, err error) {
	sql, args := `SELECT coalesce(min(phase), ''), coalesce(sum(blocks_done), 0)::int8, coalesce(sum(blocks_total), 0)::int8, count(*)
		FROM pg_catalog.pg_stat_progress_create_index WHERE relid = $1::text::regclass`, []any{c.name}
	if c.place.remote() {
		sql = `SELECT coalesce(min(r.result::json->>'phase'), ''), coalesce(sum((r.result::json->>'done')::int8), 0)::int8,
			coalesce(sum((r.result::json->>'total')::int8), 0)::int8, coalesce(sum((r.result::json->>'builds')::int8), 0)::int8
			FROM run_command_on_shards($1::text::regclass, $2::text) r`
		args = append(args, onShardsProgress)
	}
	err = c.read(ctx, func(conn *pgx.Conn) error {
		return conn.QueryRow(ctx, sql, args...).Scan(&p.Phase, &p.Done, &p.Total, &builds)
	})
	return p, builds, err
}

// sizes gives indexes their size on the shards. The name of an index there is another
// one, so they are told apart by what they are over.
func (c *collection) sizes(ctx context.Context, found []foundIndex) error {
	if !c.place.remote() || len(found) == 0 {
		return nil
	}
	var bytes map[string]int64
	err := c.read(ctx, func(conn *pgx.Conn) error {
		bytes = map[string]int64{}
		rows, err := conn.Query(ctx, `SELECT x->>'key', sum((x->>'bytes')::int8)::int8 FROM run_command_on_shards($1::text::regclass, $2::text) r,
			json_array_elements(CASE WHEN r.success THEN r.result::json ELSE '[]' END) x GROUP BY 1`, c.name, onShardsSizes)
		if err != nil {
			return err
		}
		var key string
		var size int64
		_, err = pgx.ForEachRow(rows, []any{&key, &size}, func() error {
			bytes[key] = size
			return nil
		})
		return err
	})
	if err != nil {
		return err
	}
	for i := range found {
		found[i].Bytes = bytes[found[i].over]
	}
	return nil
}

// endBuildSQL ends a build of an index that goes on in the process without its client,
// and says how many it ended.
func (c *collection) endBuildSQL(process uint32, index string) (string, []any) {
	if c.place.remote() { // the process waits for those of the workers
		return `SELECT count(pg_terminate_backend(pid)) > 0 FROM pg_catalog.pg_stat_activity
			WHERE pid = $1::int8 AND strpos(query, $2::text) = 1 AND state = 'active'`, []any{int64(process), buildSQL + quote(index)}
	}
	return `SELECT count(pg_terminate_backend(pid)) > 0 FROM pg_catalog.pg_stat_progress_create_index
		WHERE pid = $1::int8 AND relid = $2::text::regclass`, []any{int64(process), c.name}
}

// buildSQL is how the statement begins that builds an index.
const buildSQL = "CREATE INDEX CONCURRENTLY "

// tableSizeSQL is the query for the size of the table of the first argument.
func (c *collection) tableSizeSQL() string {
	if c.place.remote() {
		return "SELECT citus_table_size($1::text::regclass)"
	}
	return "SELECT pg_table_size($1::text::regclass)"
}

// overKey is what sizes tells indexes apart by.
func overKey(definition, class, options, predicate string) string {
	return strings.Join([]string{definition, class, options, predicate}, " ")
}

// everywhere runs a statement that Citus passes on to no other server, such as COMMENT, on
// all servers that can be connected to. Citus before 11 has no function for it, and but one
// such server.
func (c *collection) everywhere(ctx context.Context, sql string) error {
	return c.db.Write(ctx, func(conn *pgx.Conn) error {
		var able bool
		if err := conn.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_catalog.pg_proc WHERE proname = 'run_command_on_all_nodes')").Scan(&able); err != nil {
			return err
		}
		if !able {
			_, err := conn.Exec(ctx, sql)
			return err
		}
		var failed string
		err := conn.QueryRow(ctx, "SELECT coalesce(string_agg(result, '; ') FILTER (WHERE NOT success), '') FROM run_command_on_all_nodes($1::text)", sql).Scan(&failed)
		if err == nil && failed != "" {
			err = &engine.ConnectError{
				Target: c.db.Target, Err: errors.New(failed),
				Remedy: "a server of Citus does not know yet what the index is over: when it is there, build the index again, which takes no time",
			}
		}
		return err
	})
}
