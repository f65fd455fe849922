package local

import (
	"slices"
	"strings"
	"time"

	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/columns"
	"github.com/vecwire/vecwire/internal/engine"
)

// compile writes a filter as an SQL condition over the table r, with its values
// bound. SQL's own logic is the one that filters have.
func (c *collection) compile(f filter.Filter) (where string, args []any) {
	return compile(&c.schema, f)
}

func compile(s *engine.Schema, f filter.Filter) (where string, args []any) {
	c := compiler{schema: s, large: comparisons(f) > manyComparisons}
	c.filter(f)
	return c.sql.String(), c.args
}

type compiler struct {
	schema  *engine.Schema
	sql     strings.Builder
	args    []any
	large   bool
	negated bool // within a Not, where false and unknown are not the same
}

// SQLite prepares a statement in time that grows with the square of its terms:
// the planner compares each with each, and so does the code that keeps constants
// in registers (sqlite3ExprCodeRunJustOnce in its expr.c). Up to manyComparisons
// that is nothing beside the search for an index that it allows; a larger filter
// is hidden from the latter. Over 1,000 rows an Or of 4,000 pairs of
// comparisons took 2.6 s before, and takes 0.5 s.
const manyComparisons = 200

// comparisons returns how many comparisons a filter makes, lists counted once.
func comparisons(f filter.Filter) int {
	if len(f.Args()) == 0 {
		return 1
	}
	n := 0
	for _, arg := range f.Args() {
		n += comparisons(arg)
	}
	return n
}

func (c *compiler) filter(f filter.Filter) {
	if f.Op() > filter.OpNot && c.isJSON(f) {
		c.json(f)
		return
	}
	name, values := c.column(f.Field()), f.Values()
	switch f.Op() {
	case filter.OpAll:
		c.sql.WriteString("1")
	case filter.OpAnd:
		c.join(columns.Gather(f), " AND ", "1")
	case filter.OpOr:
		c.join(columns.Gather(f), " OR ", "0")
	case filter.OpNot:
		outer := c.negated
		c.negated = true
		c.sql.WriteString("NOT (")
		c.filter(f.Args()[0])
		c.sql.WriteByte(')')
		c.negated = outer
	case filter.OpIn:
		c.list(name+" IN (", values, "0")
	case filter.OpNotIn:
		c.list(name+" NOT IN (", values, "1")
	case filter.OpBetween:
		c.sql.WriteString(name + " BETWEEN ")
		c.bind(values[0])
		c.sql.WriteString(" AND ")
		c.bind(values[1])
	case filter.OpPrefix:
		c.prefix(name, values[0].(string))
	case filter.OpContains:
		c.sql.WriteString("instr(" + name + ", ")
		c.bind(values[0])
		c.sql.WriteString(") > 0")
	case filter.OpIsNull:
		c.sql.WriteString(name + " IS NULL")
	case filter.OpContainsAny, filter.OpContainsAll:
		c.contains(f)
	case filter.OpLike:
		c.sql.WriteString(likeFunction + "(" + name + ", ")
		c.bind(values[0])
		c.sql.WriteByte(')')
	case filter.OpWords:
		c.allWords(values[0].(string))
	default:
		c.sql.WriteString(name + engine.SQLOperator(f.Op()))
		c.bind(values[0])
	}
}

// isJSON reports whether a filter is over a JSON field, or what it holds.
func (c *compiler) isJSON(f filter.Filter) bool {
	field, _ := f.Path()
	return slices.ContainsFunc(c.schema.Fields, func(s engine.Field) bool { return s.Name == field && s.Type == filter.JSON })
}

// join writes a balanced tree: SQLite limits how deep one may be.
func (c *compiler) join(args []filter.Filter, operator, none string) {
	switch len(args) {
	case 0:
		c.sql.WriteString(none)
	case 1:
		c.sql.WriteByte('(')
		c.filter(args[0])
		c.sql.WriteByte(')')
	default:
		half := len(args) / 2
		c.sql.WriteByte('(')
		c.join(args[:half], operator, none)
		c.sql.WriteString(operator)
		c.join(args[half:], operator, none)
		c.sql.WriteByte(')')
	}
}

func (c *compiler) list(open string, values []any, none string) {
	if len(values) == 0 {
		c.sql.WriteString(none)
		return
	}
	c.sql.WriteString(open)
	for i, v := range values {
		if i > 0 {
			c.sql.WriteString(", ")
		}
		if len(values) <= 2 { // written as comparisons by SQLite
			c.bind(v)
			continue
		}
		c.sql.WriteByte('?')
		c.args = append(c.args, column(v))
	}
	c.sql.WriteByte(')')
}

// prefix writes a range, which an index can answer: the strings with a prefix
// are those from it up to the next string that lacks it.
func (c *compiler) prefix(name, prefix string) {
	c.sql.WriteString("(" + name + " >= ")
	c.bind(prefix)
	// No byte of valid UTF-8 is 0xFF, so adding one to the last never overflows.
	if prefix != "" {
		next := []byte(prefix)
		next[len(next)-1]++
		c.sql.WriteString(" AND " + name + " < ")
		c.bind(string(next))
	}
	c.sql.WriteByte(')')
}

// bind writes a value's place. In a large filter it must not look like a
// constant, and what may be random is none, though nothing here ever is: no value
// is NULL.
func (c *compiler) bind(v any) {
	if c.large {
		c.sql.WriteString("coalesce(?, random())")
	} else {
		c.sql.WriteByte('?')
	}
	c.args = append(c.args, column(v))
}

// column returns a field's value as SQLite stores it.
func column(v any) any {
	switch x := v.(type) {
	case bool:
		if x {
			return int64(1)
		}
		return int64(0)
	case time.Time:
		return x.UnixMicro()
	case []byte:
		if x == nil {
			return []byte{} // the driver would bind NULL
		}
	case []string, []int64, []float64:
		text, _ := listText(v)
		return text
	case map[string]any, []any:
		return jsonText(v)
	}
	return v
}

// value returns what SQLite stored as a field's value, and false if that is of
// another type.
func value(t filter.Type, v any) (any, bool) {
	if v == nil {
		return nil, true
	}
	if _, list := t.Elem(); list {
		return parseList(t, v)
	}
	if t == filter.JSON {
		return parseJSON(v)
	}
	switch t {
	case filter.String:
		x, ok := v.(string)
		return x, ok
	case filter.Float:
		x, ok := v.(float64)
		return x, ok
	case filter.Bytes:
		x, ok := v.([]byte)
		if ok && x == nil {
			x = []byte{} // the driver's form of an empty one
		}
		return x, ok
	}
	n, ok := v.(int64)
	switch t {
	case filter.Bool:
		return n != 0, ok
	case filter.Time:
		return time.UnixMicro(n).UTC(), ok
	}
	return n, ok
}
