package iris

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
	"github.com/vecwire/vecwire/internal/wire"
)

// Facet implements engine.Collection. The server counts. Which values are the most
// frequent is found here, because it would order strings that are numbers in
// another way.
func (c *collection) Facet(ctx context.Context, f engine.Facet) (counts []engine.FacetCount, err error) {
	condition, args := c.where(f.Filter)
	column, typ := c.column(f.Field)
	missing := 0
	err = c.read(ctx, func(ctx context.Context, conn *session) error {
		counts, missing = nil, 0
		shown := column
		if typ == filter.String || typ == filter.Time {
			shown = conn.shown(column)
		}
		sql := "SELECT " + shown + " AS v, COUNT(*) AS n FROM " + c.name + wire.Where(condition) + " GROUP BY " + column
		return conn.query(ctx, sql, 2, args, func(row [][]byte) error {
			v, err := conn.readValue(f.Type, row[0])
			if err != nil {
				return fmt.Errorf("field %q: %w", f.Field, err)
			}
			n, err := strconv.Atoi(string(row[1]))
			if err != nil {
				return fmt.Errorf("the server returned %.40q for a count", row[1])
			}
			if v == nil {
				missing += n
			} else {
				counts = append(counts, engine.FacetCount{Value: v, Count: n})
			}
			return nil
		})
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(counts, func(a, b engine.FacetCount) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), compareValues(a.Value, b.Value))
	})
	counts = counts[:min(f.Limit, len(counts))]
	if missing > 0 {
		counts = append(counts, engine.FacetCount{Count: missing})
	}
	return counts, nil
}

// compareValues orders two values of one type.
func compareValues(a, b any) int {
	switch x := a.(type) {
	case string:
		return strings.Compare(x, b.(string))
	case int64:
		return cmp.Compare(x, b.(int64))
	case float64:
		return cmp.Compare(x, b.(float64))
	case time.Time:
		return x.Compare(b.(time.Time))
	case bool:
		if x == b.(bool) {
			return 0
		} else if x {
			return 1
		}
	}
	return -1
}
