package pgvector

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
)

// Merge implements engine.Collection. The server compares the records, so that none
// has to be read back.
func (c *collection) Merge(ctx context.Context, records []engine.Record) (inserted, updated int, err error) {
	records, err = c.sorted(records)
	if err = errors.Join(err, c.gone()); err != nil || len(records) == 0 {
		return 0, 0, err
	}
	sql := c.unnest() + c.changed() + " RETURNING xmax = 0"
	for part := range slices.Chunk(records, copyRecords) {
		var was [2]int // updated, inserted
		err := c.runner(ctx).change(ctx, c.storedBy(engine.IDs(part)), func(conn *pgx.Conn) error {
			was = [2]int{}
			rows, err := conn.Query(ctx, sql, c.arrays(part)...)
			if err != nil {
				return err
			}
			var isNew bool
			_, err = pgx.ForEachRow(rows, []any{&isNew}, func() error {
				if isNew {
					was[1]++
				} else {
					was[0]++
				}
				return nil
			})
			return err
		})
		if err != nil {
			return inserted, updated, err
		}
		updated, inserted = updated+was[0], inserted+was[1]
	}
	return inserted, updated, nil
}

// changed is the condition under which merge writes a record that is there. The
// operator for vectors is named in full, since the extension's schema need not be
// on search_path.
func (c *collection) changed() string {
	var differ []string
	for _, column := range c.columns()[1:] {
		if column == wordsColumn {
			continue // they are the text's
		}
		is, was := "EXCLUDED."+column, c.name+"."+column
		if column == c.vector && c.vectorKind != asDoubles {
			differ = append(differ, fmt.Sprintf("%s IS NULL OR NOT %s OPERATOR(%s.=) %[1]s", was, is, c.ext))
		} else {
			if c.isPlainJSON(column) { // which has no equality
				was, is = was+"::jsonb", is+"::jsonb"
			}
			differ = append(differ, fmt.Sprintf("%s IS DISTINCT FROM %s", was, is))
		}
	}
	return " WHERE " + strings.Join(differ, " OR ")
}

// isPlainJSON reports whether a column is of the type json.
func (t *table) isPlainJSON(column string) bool {
	i := slices.Index(t.fields, column)
	return i >= 0 && t.schema.Fields[i].Type == filter.JSON && !t.sorts[i]
}
