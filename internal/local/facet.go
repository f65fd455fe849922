package local

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
)

// Facet implements engine.Collection.
func (c *collection) Facet(ctx context.Context, f engine.Facet) (counts []engine.FacetCount, err error) {
	if tx := c.in(ctx); tx != nil {
		err = tx.do(ctx, func(t *txn) error {
			counts, err = c.facet(ctx, t.tx, f)
			return err
		})
		return counts, err
	}
	err = c.reads(ctx, "Facet", func(ctx context.Context) error {
		var done bool
		if counts, done, err = c.facetOfColumn(ctx, f); done || err != nil {
			return err
		}
		begun := time.Now()
		counts, err = c.facet(ctx, c.store.read, f)
		c.spend(f.Filter, f.Field, time.Since(begun))
		return err
	})
	if err != nil {
		return nil, err
	}
	return counts, nil
}

// facet has SQLite put the records without a value first, so that the limit does
// not cut them off. An index over the field is of use only where all rows count: to
// walk along it and test a filter on each row costs more than to look at the rows
// that an index over another field finds, or at all of them as they lie.
func (c *collection) facet(ctx context.Context, q queryer, f engine.Facet) ([]engine.FacetCount, error) {
	elem, list := f.Type.Elem()
	if list {
		return c.facetOfLists(ctx, q, f, elem)
	}
	where, args := c.compile(f.Filter)
	name := "r." + quote(f.Field)
	if !f.Filter.IsZero() {
		name = "+" + name
	}
	rows, err := q.QueryContext(ctx, fmt.Sprintf("SELECT %s AS v, count(*) AS n FROM %s r WHERE %s GROUP BY v ORDER BY v IS NOT NULL, n DESC, v",
		name, rowsTable(c.schema.Name), where), args...)
	if err != nil {
		return nil, explain(err)
	}
	return c.facetCounts(rows, f, f.Limit, func(stored any) (any, bool) { return value(f.Type, stored) })
}

// facetOfLists counts each value of lists: from the table of values, if there is one and
// all rows count, and otherwise from the lists. Floats are text in both, so their order
// is made here.
func (c *collection) facetOfLists(ctx context.Context, q queryer, f engine.Facet, elem filter.Type) ([]engine.FacetCount, error) {
	where, args := c.compile(f.Filter)
	rowsOf, name := rowsTable(c.schema.Name)+" r", "r."+quote(f.Field)
	values := fmt.Sprintf("SELECT v, count(*) AS n FROM (SELECT DISTINCT r.%s, j.value AS v FROM %s, json_each(%s) j WHERE %s) GROUP BY v", rowColumn, rowsOf, name, where)
	all := slices.Concat(args, args)
	indexed := slices.ContainsFunc(c.schema.Fields, func(s engine.Field) bool { return s.Name == f.Field && s.Index })
	if indexed && f.Filter.IsZero() {
		values, all = "SELECT value AS v, count(*) AS n FROM "+valuesTable(c.schema.Name, f.Field)+" GROUP BY value", args
	}
	rows, err := q.QueryContext(ctx, fmt.Sprintf("SELECT v, n FROM (SELECT NULL AS v, count(*) AS n FROM %s WHERE %s IS NULL AND (%s) UNION ALL %s) WHERE n > 0 ORDER BY v IS NOT NULL, n DESC, v",
		rowsOf, name, where, values), all...)
	if err != nil {
		return nil, explain(err)
	}
	if elem != filter.Float {
		return c.facetCounts(rows, f, f.Limit, func(stored any) (any, bool) { return value(elem, stored) })
	}
	counts, err := c.facetCounts(rows, f, math.MaxInt, func(stored any) (any, bool) {
		text, ok := stored.(string)
		if !ok {
			return nil, stored == nil
		}
		x, err := strconv.ParseFloat(text, 64)
		return x, err == nil
	})
	slices.SortStableFunc(counts, func(a, b engine.FacetCount) int {
		x, has := a.Value.(float64)
		y, hasToo := b.Value.(float64)
		if !has || !hasToo {
			return 0 // the one without a value, which is the last
		}
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(x, y))
	})
	if n := len(counts); n > 0 && counts[n-1].Value == nil {
		return append(counts[:min(n-1, f.Limit)], counts[n-1]), err
	}
	return counts[:min(len(counts), f.Limit)], err
}

// facetCounts reads values and their counts, up to so many values.
func (c *collection) facetCounts(rows *sql.Rows, f engine.Facet, most int, valueOf func(stored any) (v any, ok bool)) ([]engine.FacetCount, error) {
	defer rows.Close()
	var counts, missing []engine.FacetCount
	for len(counts) < most && rows.Next() {
		var stored any
		var n int
		if err := rows.Scan(&stored, &n); err != nil {
			return nil, explain(err)
		}
		v, ok := valueOf(stored)
		if !ok {
			return nil, fmt.Errorf("%w: field %q of %q holds a %T", errDamaged, f.Field, c.schema.Name, stored)
		}
		if v == nil {
			missing = append(missing, engine.FacetCount{Count: n})
		} else {
			counts = append(counts, engine.FacetCount{Value: v, Count: n})
		}
	}
	return append(counts, missing...), explain(rows.Err())
}
