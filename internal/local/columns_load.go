package local

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/columns"
	"github.com/vecwire/vecwire/internal/engine"
)

// columnKind says where the values of a column are.
type columnKind struct {
	field engine.Field
	path  string // into a JSON field
}

// kindOf returns the column that there is for the field of a condition.
func kindOf(s *engine.Schema, name string) (columnKind, bool) {
	field, _, isPath := strings.Cut(name, ".")
	i := slices.IndexFunc(s.Fields, func(f engine.Field) bool { return f.Name == field })
	if i < 0 {
		return columnKind{}, false
	}
	k := columnKind{field: s.Fields[i]}
	if k.field.Type != filter.JSON {
		return k, k.field.Index && !isPath
	}
	k.path = strings.TrimPrefix(name[len(field):], ".")
	return k, isPath && slices.Contains(k.field.Paths, k.path)
}

// builder returns an empty column.
func (k columnKind) builder() columns.Builder {
	elem, list := k.field.Type.Elem()
	if !list {
		elem = k.field.Type
	}
	text := columns.Options[string]{Lists: list, Key: textKey, Value: func(k string) any { return strings.Clone(k) }}
	switch elem {
	case filter.Int, filter.Bool, filter.Time:
		return columns.New(columns.Options[int64]{
			Lists: list,
			Key:   func(v any) int64 { n, _ := column(v).(int64); return n },
			Value: func(n int64) any { v, _ := value(elem, n); return v },
		})
	case filter.Float:
		if !list {
			return columns.New(columns.Options[float64]{
				Key:   func(v any) float64 { x, _ := v.(float64); return x },
				Value: func(x float64) any { return x },
			})
		}
		text.Value = func(k string) any { x, _ := strconv.ParseFloat(k, 64); return x }
	case filter.Bytes:
		text.Value = func(k string) any { return []byte(k) }
	case filter.JSON:
		text.Key = func(v any) string {
			if b, ok := v.([]byte); ok { // as it is stored
				return string(b)
			}
			return string(keyOf(v))
		}
		text.Kind = func(k string) (string, string) { return k[:1], string([]byte{k[0] + 1}) }
	}
	return columns.New(text)
}

// textKey returns a text, bytes or an element of a list of floats, as a key.
func textKey(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case []byte:
		return string(v)
	case float64:
		return floatText(v)
	}
	return ""
}

// What was spent on a column that pays at once when it has to be loaded again, and on
// one that must not be.
const (
	always = time.Duration(1 << 62)
	never  = -always
)

// loadColumns loads columns, or brings them up to date. The caller has t.loading, and
// the collection's mu for reading.
func (c *collection) loadColumns(ctx context.Context, missing []*fieldColumn) error {
	t := c.fields
	for _, k := range missing {
		t.mu.Lock()
		loaded, stale, spent := k.column, k.stale, k.spent
		t.mu.Unlock()
		column := loaded
		var err error
		switch {
		case loaded == nil:
			begun := time.Now()
			column, err = c.loadColumn(ctx, k.kind)
			spent = always
			c.store.log.DebugContext(ctx, "field loaded", "collection", c.schema.Name, "field", k.kind.field.Name, "path", k.kind.path, "took", time.Since(begun))
		case len(stale) > 0:
			err = c.freshen(ctx, k, stale)
		default: // somebody else was faster
			continue
		}
		var at int64
		if err == nil {
			at, err = c.stateRead(ctx)
		}
		if errors.Is(err, columns.ErrTooLarge) {
			column, spent, err = nil, never, nil // SQLite goes on to answer
		}
		t.mu.Lock()
		k.column, k.stale, k.spent = column, nil, spent
		if err != nil {
			k.column = nil // half changed, perhaps
		}
		k.at = max(k.at, at)
		t.mu.Unlock()
		if err != nil {
			return explain(err)
		}
	}
	return nil
}

// loadColumn reads a column. Its index has the values in their order.
func (c *collection) loadColumn(ctx context.Context, kind columnKind) (columns.Builder, error) {
	table, list := rowsTable(c.schema.Name), quote(kind.field.Name)
	key, from := list, table
	var present columns.Set
	if _, ok := kind.field.Type.Elem(); ok {
		key, from = "value", valuesTable(c.schema.Name, kind.field.Name)
		present = columns.Set{}
		err := c.eachPair(ctx, fmt.Sprintf("SELECT 1, group_concat(%s) FROM %s WHERE %s IS NOT NULL", rowColumn, table, list), func(_, joined driver.Value) error {
			for _, row := range appendNumbers(nil, joined) {
				present.Add(row)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	if kind.path != "" {
		key = pathKey("", kind.field.Name, kind.path)
	}
	b := kind.builder()
	var last int32
	add := func(value driver.Value, rows []int32) error {
		last = max(last, slices.Max(rows))
		return b.Add(value, rows)
	}
	from = fmt.Sprintf("%s WHERE %s IS NOT NULL", from, key)
	few, err := c.eachGroup(ctx, key, from, add)
	if err == nil && !few {
		b = kind.builder()
		err = c.eachPair(ctx, fmt.Sprintf("SELECT %s, %s FROM %s ORDER BY 1", key, rowColumn, from), func(value, row driver.Value) error {
			n, _ := row.(int64)
			return add(value, []int32{int32(n)})
		})
	}
	if err == nil {
		err = b.Built(present)
	}
	c.fields.reach(max(columns.Words(int(last)+1), len(present)))
	return b, err
}

// eachGroup passes on each value with the rows that have it, which SQLite joins into one
// text. It stops and reports false if the first values are those of few rows each:
// then it takes longer to join than to pass on each row.
func (c *collection) eachGroup(ctx context.Context, key, from string, each func(value driver.Value, rows []int32) error) (few bool, err error) {
	const sample, least = 1000, 4
	var rows []int32
	groups, all := 0, 0
	errMany := errors.New("many values")
	err = c.eachPair(ctx, fmt.Sprintf("SELECT %s, group_concat(%s) FROM %s GROUP BY 1 ORDER BY 1", key, rowColumn, from), func(value, joined driver.Value) error {
		rows = appendNumbers(rows[:0], joined)
		groups++
		if all += len(rows); groups == sample && all < least*sample {
			return errMany
		}
		return each(value, rows)
	})
	if errors.Is(err, errMany) {
		return false, nil
	}
	return true, err
}

// eachPair passes on the two columns of each row of a query.
func (c *collection) eachPair(ctx context.Context, query string, each func(first, second driver.Value) error) error {
	n := 0
	return c.store.borrow(ctx, func(conn *conn) error {
		return conn.ask(query, nil, func(values []driver.Value) error {
			if n++; n%every == 0 && ctx.Err() != nil {
				return ctx.Err()
			}
			return each(values[0], values[1])
		})
	})
}

// reach makes sets so long at least.
func (t *fieldColumns) reach(words int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.words = max(t.words, words)
}

// freshen reads what rows of a column hold now.
func (c *collection) freshen(ctx context.Context, k *fieldColumn, stale []int32) error {
	slices.Sort(stale)
	stale = slices.Compact(stale)
	var numbers columns.Set
	for _, row := range stale {
		numbers.Add(row)
	}
	name, list := "r."+quote(k.kind.field.Name), false
	value, from := name, rowsTable(c.schema.Name)+" r"
	if _, list = k.kind.field.Type.Elem(); list {
		value, from = "j.value", from+" LEFT JOIN json_each("+name+") j"
	}
	if k.kind.path != "" {
		value = pathKey("r.", k.kind.field.Name, k.kind.path)
	}
	rows, err := c.store.read.QueryContext(ctx, fmt.Sprintf("SELECT r.%s, %s FROM %s WHERE r.%[1]s IN (SELECT n.value FROM json_each(?) n) AND %[4]s IS NOT NULL",
		rowColumn, value, from, name), joinNumbers(numbers))
	if err != nil {
		return err
	}
	defer rows.Close()
	var now []columns.Entry
	var present columns.Set
	for rows.Next() {
		var e columns.Entry
		if err := rows.Scan(&e.Row, &e.Value); err != nil {
			return err
		}
		if list {
			present.Add(e.Row)
		}
		if e.Value != nil {
			now = append(now, e)
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	c.fields.reach(columns.Words(int(stale[len(stale)-1]) + 1))
	return k.column.Change(stale, now, present)
}
