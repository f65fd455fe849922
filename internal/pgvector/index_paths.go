package pgvector

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// indexPaths builds the indexes over the paths of a new field, unless they are there: an
// Alter that was cut off may have left some.
func (t *table) indexPaths(ctx context.Context, conn *pgx.Conn, i int, how string) error {
	for _, path := range t.schema.Fields[i].Paths {
		if err := t.indexPath(ctx, conn, i, "vecwire_path_", how, path, t.pathIndex); err != nil {
			return err
		}
	}
	return t.indexNumbers(ctx, conn, i, how)
}

// indexNumbers does the same for the numbers of a field's paths alone.
func (t *table) indexNumbers(ctx context.Context, conn *pgx.Conn, i int, how string) error {
	for _, path := range t.schema.Fields[i].Paths {
		if err := t.indexPath(ctx, conn, i, "vecwire_number_", how, path, t.numberIndex); err != nil {
			return err
		}
	}
	return nil
}

// indexPath builds an index by the statement that make writes, unless it is there. It is
// known by a name that is made of the numbers of table and column, which no other column
// ever has, and of the path.
func (t *table) indexPath(ctx context.Context, conn *pgx.Conn, i int, prefix, how, path string, make func(i int, how, path string) string) error {
	var name string
	var valid *bool // nil if there is none
	err := conn.QueryRow(ctx, `SELECT p.name, (SELECT x.indisvalid FROM pg_catalog.pg_index x JOIN pg_catalog.pg_class c ON c.oid = x.indexrelid
			WHERE x.indrelid = $1::text::regclass AND c.relname = p.name)
		FROM (SELECT $4::text || a.attrelid || '_' || a.attnum || '_' || left(md5($3::text), 16) AS name FROM pg_catalog.pg_attribute a
			WHERE a.attrelid = $1::text::regclass AND a.attname = $2::text AND NOT a.attisdropped) p`, t.name, unquote(t.fields[i]), path, prefix).Scan(&name, &valid)
	if err != nil || valid != nil && *valid {
		return err
	}
	if valid != nil { // its building was cut off
		if _, err := conn.Exec(ctx, "DROP INDEX "+how+quote(t.namespace)+"."+quote(name)); err != nil {
			return err
		}
	}
	_, err = conn.Exec(ctx, make(i, how+quote(name), path))
	return err
}
