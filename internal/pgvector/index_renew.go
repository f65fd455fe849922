package pgvector

import (
	"context"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/vecwire/vecwire/internal/wire"
)

// renewIndexes makes of the indexes over the fields and words of a collection what create
// makes of them now, while others read and write: those over lists and words keep less
// aside, and numbers of paths get indexes of their own. The registry says when it is done,
// and until then statements are written for the indexes of before.
//
// One who does not own the table, or may not write, goes on with the indexes of before.
func (e *database) renewIndexes(ctx context.Context, name string) error {
	opened, err := e.Open(ctx, name)
	if err != nil {
		return err
	}
	c, _ := opened.(*collection)
	if !c.schema.Dated {
		return nil
	}
	e.Log.InfoContext(ctx, "the indexes of a collection are brought up to date", "server", e.Target, "collection", c.schema.Name)
	if err = e.renewGIN(ctx, c); err == nil {
		err = e.Write(ctx, func(conn *pgx.Conn) error {
			for i := range c.fields {
				if err := c.indexNumbers(ctx, conn, i, "CONCURRENTLY "); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err == nil {
		err = e.change(ctx, nil, func(conn *pgx.Conn) error {
			_, err := conn.Exec(ctx, `UPDATE `+e.registry()+` SET spec = jsonb_set(spec, '{indexes}', '`+strconv.Itoa(wire.IndexesFormat)+`')
				WHERE name = $1::text AND table_name = $2::text`, strings.ToLower(c.schema.Name), c.relation)
			return err
		})
	}
	if isCode(err, "42501") || isCode(err, "25006") || isCode(err, "42P07") { // the last: another does the same
		e.Log.InfoContext(ctx, "the indexes of a collection stay as an earlier version made them", "server", e.Target, "collection", c.schema.Name, "err", err)
		return nil
	}
	return err
}

// renewGIN bounds what the GIN indexes of a table keep aside, but for those of which
// somebody has said it, and brings it in.
func (e *database) renewGIN(ctx context.Context, c *collection) error {
	type index struct {
		Name  string
		Words bool
	}
	var indexes []index
	err := e.Read(ctx, func(conn *pgx.Conn) error {
		rows, err := conn.Query(ctx, `SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname), a.attname = $2::text
			FROM pg_catalog.pg_index x
			JOIN pg_catalog.pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = x.indkey[0]
			JOIN pg_catalog.pg_class c ON c.oid = x.indexrelid
			JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
			JOIN pg_catalog.pg_am m ON m.oid = c.relam
			WHERE x.indrelid = $1::text::regclass AND m.amname = 'gin' AND coalesce(array_to_string(c.reloptions, ' '), '') !~ 'gin_pending_list_limit|fastupdate'`, c.name, wordsColumn)
		if err != nil {
			return err
		}
		indexes, err = pgx.CollectRows(rows, pgx.RowToStructByPos[index])
		return err
	})
	for _, x := range indexes {
		pending := pendingLists
		if x.Words {
			pending = pendingWords
		}
		if err != nil {
			return err
		}
		err = e.unlessLocked(ctx, func(conn *pgx.Conn) error {
			_, err := conn.Exec(ctx, "ALTER INDEX "+x.Name+" SET ("+pending+")")
			return err
		})
		if err == nil && !c.place.remote() {
			err = e.Write(ctx, func(conn *pgx.Conn) error {
				_, err := conn.Exec(ctx, "SELECT gin_clean_pending_list($1::text::regclass)", x.Name)
				return err
			})
		}
	}
	return err
}
