package pgvector

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
	"github.com/vecwire/vecwire/internal/wire"
)

// Facet implements engine.Collection. The records without a value come first from
// the server, so that the limit does not cut them off.
func (c *collection) Facet(ctx context.Context, f engine.Facet) ([]engine.FacetCount, error) {
	condition, args := c.where(f.Filter)
	has, value := c.value(f.Field)
	if has != value+" IS NOT NULL" {
		value = "CASE WHEN " + has + " THEN " + value + " END"
	}
	counted := fmt.Sprintf("SELECT %s AS v FROM %s%s", value, c.name, wire.Where(condition))
	elem, list := f.Type.Elem()
	if list {
		f.Type = elem
		counted = c.elements(value, elem, condition)
	}
	sql := fmt.Sprintf("SELECT v, count(*) FROM (%s) counted GROUP BY v ORDER BY v IS NOT NULL, 2 DESC, v LIMIT %d",
		counted, max(f.Limit, f.Limit+1))
	var counts []engine.FacetCount
	err := c.read(ctx, func(conn *pgx.Conn) error {
		counts = nil
		rows, err := conn.Query(ctx, sql, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		d := c.decoder(conn.TypeMap(), true, false)
		missing := 0
		for rows.Next() {
			v, err := d.value(f.Type, rows.RawValues()[0], rows.FieldDescriptions()[0])
			if err != nil {
				return fmt.Errorf("field %q: %w", f.Field, err)
			}
			var n int
			if err := rows.Scan(nil, &n); err != nil {
				return err
			}
			if v == nil {
				missing = n
			} else if len(counts) < f.Limit {
				counts = append(counts, engine.FacetCount{Value: v, Count: n})
			}
		}
		if missing > 0 {
			counts = append(counts, engine.FacetCount{Count: missing})
		}
		return rows.Err()
	})
	return counts, err
}

// elements writes the query for the values in the lists of the records, once for each
// record, and NULL for a record without a list. An array that no list can be is none, as
// it is when it is read.
func (c *collection) elements(list string, elem filter.Type, condition string) string {
	if !c.own {
		list = fmt.Sprintf("CASE WHEN array_ndims(%s) = 1 AND array_position(%[1]s, NULL) IS NULL OR cardinality(%[1]s) = 0 THEN %[1]s END", list)
	}
	value, collate := "v", ""
	if elem == filter.String {
		collate = ` COLLATE "C"`
		value += collate + " AS v"
	}
	if c.place.spread() { // to the shards Citus sends no query over each record's list
		return fmt.Sprintf("SELECT v FROM (SELECT DISTINCT %s AS k, %s AS key, unnest(CASE WHEN %s IS NULL THEN array_append(%[3]s, NULL) ELSE %[3]s END)%s AS v FROM %s%s) e",
			quote(c.place.column), c.id, list, collate, c.name, wire.Where(condition))
	}
	return fmt.Sprintf("SELECT e.v FROM (SELECT %s AS list FROM %s%s) l CROSS JOIN LATERAL (SELECT DISTINCT %s FROM unnest(l.list) u(v) UNION ALL SELECT NULL WHERE l.list IS NULL) e",
		list, c.name, wire.Where(condition), value)
}
