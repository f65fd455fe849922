package local

import (
	"strings"
	"time"

	"github.com/vecwire/vecwire/filter"
)

// compile writes a filter as an SQL condition over the table r, with its values
// bound. SQL's own logic is the one that filters have.
func compile(f filter.Filter) (where string, args []any) {
	var c compiler
	c.filter(f)
	return c.sql.String(), c.args
}

type compiler struct {
	sql  strings.Builder
	args []any
}

var operators = map[filter.Op]string{
	filter.OpEq: " = ", filter.OpNe: " <> ", filter.OpGt: " > ", filter.OpGe: " >= ", filter.OpLt: " < ", filter.OpLe: " <= ",
}

func (c *compiler) filter(f filter.Filter) {
	name, values := "r."+quote(f.Field()), f.Values()
	switch f.Op() {
	case filter.OpAll:
		c.sql.WriteString("1")
	case filter.OpAnd:
		c.join(f.Args(), " AND ", "1")
	case filter.OpOr:
		c.join(f.Args(), " OR ", "0")
	case filter.OpNot:
		c.sql.WriteString("NOT (")
		c.filter(f.Args()[0])
		c.sql.WriteByte(')')
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
	default:
		c.sql.WriteString(name + operators[f.Op()])
		c.bind(values[0])
	}
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
		c.bind(v)
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

func (c *compiler) bind(v any) {
	c.sql.WriteByte('?')
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
	}
	return v
}

// value returns what SQLite stored as a field's value, and false if that is of
// another type.
func value(t filter.Type, v any) (any, bool) {
	if v == nil {
		return nil, true
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
