package local

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
)

// ordered writes the query for a page in another order than that of ascending IDs.
//
// The rows of the page are chosen before anything is read of their texts and
// vectors: where no index has the order, SQLite looks at every row that passes the
// filter. What comes after a value and an ID is written as a bound for the value, for
// which an index can be used, and what is left of the records with that very value.
func (c *collection) ordered(ctx context.Context, q queryer, s engine.Scan, p parts) (query string, args []any, err error) {
	where, args := c.compile(s.Filter)
	walk, err := c.walksInOrder(ctx, q, s, where, args)
	if err != nil {
		return "", nil, err
	}
	less, direction := " > ", ""
	if s.Order.Desc {
		less, direction = " < ", " DESC"
	}
	key := "r." + quote(s.Order.Field)
	order := key + direction + ", r.id"
	chosen := order
	switch walk {
	case walks:
		where = "+(" + where + ")" // no index answers that
	case sorts:
		chosen = "+" + order
	}
	switch after := s.After != ""; {
	case s.Order.Backwards():
		order = "r.id DESC"
		chosen = order
		if after {
			where, args = "r.id < ? AND ("+where+")", slices.Concat([]any{s.After}, args)
		}
	case after:
		value := column(s.Order.After)
		where = fmt.Sprintf("%[1]s%[2]s= ? AND (%[1]s%[3]s? OR r.id > ?) AND (%[4]s)", key, strings.TrimRight(less, " "), less, where)
		args = slices.Concat([]any{value, value, s.After}, args)
	default:
		has := key + " IS NOT NULL"
		if walk == walks || s.Filter.IsZero() {
			// Else SQLite takes an index over a condition that most rows pass for a bad
			// one, looks at all of them and sorts them.
			has = "unlikely(" + has + ")"
		}
		where = has + " AND (" + where + ")"
	}
	table := rowsTable(c.schema.Name)
	page := fmt.Sprintf("SELECT r.%s AS vecwire_page FROM %s r WHERE %s ORDER BY %s LIMIT ?", rowColumn, table, where, chosen)
	query = fmt.Sprintf("SELECT %s FROM (%s) CROSS JOIN %s r ON r.%s = vecwire_page CROSS JOIN %s d ON d.%[4]s = vecwire_page ORDER BY %[6]s",
		strings.Join(append([]string{"r.id"}, c.columns(p)...), ", "), page, table, rowColumn, dataTable(c.schema.Name), order)
	return query, append(args, s.Limit), nil
}

// choice is what the planner of SQLite is told.
type choice uint8

const (
	planner choice = iota // nothing
	walks
	sorts
)

// walksInOrder decides whether a page walks along the index over the field that
// orders it, testing the filter on each row, or sorts what an index says to pass the
// filter. SQLite keeps no statistics here, and takes any index for a good one. Of n
// rows of which m pass, the one looks at n/m rows for each record of the page and the
// other at m; so the walk is shorter from m*m = n * page on. It takes no longer to
// count as far as that. A filter over the same field is a bound of the walk.
func (c *collection) walksInOrder(ctx context.Context, q queryer, s engine.Scan, where string, args []any) (choice, error) {
	indexed := slices.ContainsFunc(c.schema.Fields, func(f engine.Field) bool { return f.Name == s.Order.Field && f.Index })
	if !indexed || s.Filter.IsZero() || mentions(s.Filter, s.Order.Field) {
		return planner, nil
	}
	enough, n := int(math.Sqrt(float64(c.ids.len())*float64(s.Limit))), 0
	err := q.QueryRowContext(ctx, fmt.Sprintf("SELECT count(*) FROM (SELECT 1 FROM %s r WHERE %s LIMIT ?)", rowsTable(c.schema.Name), where),
		append(slices.Clone(args), enough)...).Scan(&n)
	if err != nil {
		return planner, explain(err)
	}
	if n < enough {
		return sorts, nil
	}
	return walks, nil
}

// mentions reports whether a filter compares a field.
func mentions(f filter.Filter, field string) bool {
	return f.Field() == field || slices.ContainsFunc(f.Args(), func(arg filter.Filter) bool { return mentions(arg, field) })
}
