package iris

import (
	"slices"
	"strconv"
	"strings"

	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
)

// where is an SQL condition with its arguments. SQL's own logic is the one
// that filters have.
type where struct {
	t    *table
	sql  strings.Builder
	args [][]byte
}

// where writes a filter as a condition whose arguments follow those given; ""
// for a filter that lets every record pass.
func (t *table) where(f filter.Filter, args ...[]byte) (condition string, all [][]byte) {
	if f.IsZero() {
		return "", args
	}
	w := where{t: t, args: args}
	w.filter(f, false)
	return w.sql.String(), w.args
}

var opposites = map[filter.Op]filter.Op{
	filter.OpEq: filter.OpNe, filter.OpNe: filter.OpEq, filter.OpGt: filter.OpLe, filter.OpLe: filter.OpGt, filter.OpLt: filter.OpGe, filter.OpGe: filter.OpLt,
	filter.OpIn: filter.OpNotIn, filter.OpNotIn: filter.OpIn,
}

// filter writes f, or that it is not so. A negation goes inwards to the
// comparisons, where it costs no brackets.
func (w *where) filter(f filter.Filter, not bool) {
	op := f.Op()
	switch op {
	case filter.OpAnd, filter.OpOr, filter.OpAll:
		w.join(deepestFirst(f.Args()), (op == filter.OpOr) == not, not)
		return
	case filter.OpNot:
		w.filter(f.Args()[0], !not)
		return
	}
	if opposite, ok := opposites[op]; ok && not {
		op, not = opposite, false
	}
	column, typ := w.t.column(f.Field())
	values := f.Values()
	if not {
		w.sql.WriteString("NOT (")
		defer w.sql.WriteByte(')')
	}
	switch op {
	case filter.OpIn:
		w.list(column, typ, values, "")
	case filter.OpNotIn:
		w.list(column, typ, values, "NOT ")
	case filter.OpBetween:
		w.order(column, typ, " >= ", values[0])
		w.sql.WriteString(" AND ")
		w.order(column, typ, " <= ", values[1])
	case filter.OpPrefix:
		w.like(column, "", values[0].(string))
	case filter.OpContains:
		w.like(column, "%", values[0].(string))
	case filter.OpIsNull:
		w.sql.WriteString(column + " IS NULL")
	case filter.OpEq, filter.OpNe:
		w.sql.WriteString(column + engine.SQLOperator(op))
		w.bind(values[0], typ)
	default:
		w.order(column, typ, engine.SQLOperator(op), values[0])
	}
}

// column returns what a filter's field is in SQL, and its type.
func (t *table) column(field string) (string, filter.Type) {
	for i, f := range t.schema.Fields {
		if f.Name == field {
			return t.exactly(t.fields[i], f.Type), f.Type
		}
	}
	switch {
	case field == "text" && t.text == "":
		return "CAST(NULL AS VARCHAR(1))", filter.String
	case field == "text":
		return t.exactly(t.text, filter.String), filter.String
	}
	if t.idInt {
		return "CAST(" + t.id + " AS VARCHAR(20))", filter.String
	}
	return t.exactly(t.id, filter.String), filter.String
}

// exactly is a column compared byte by byte, as those of our own tables are. In
// existing tables IRIS ignores case unless it is told.
func (t *table) exactly(column string, typ filter.Type) string {
	if t.own || typ != filter.String {
		return column
	}
	return "%EXACT(" + column + ")"
}

func (w *where) bind(value any, typ filter.Type) {
	w.args = append(w.args, valueArg(value))
	w.sql.WriteString(argument(typ, len(w.args)))
}

// order compares by size. Strings keep a prefix on both sides: without, IRIS
// orders those that are numbers as numbers.
func (w *where) order(column string, typ filter.Type, operator string, value any) {
	if typ != filter.String {
		w.sql.WriteString(column + operator)
		w.bind(value, typ)
		return
	}
	w.args = append(w.args, valueArg(value))
	w.sql.WriteString("'~' || " + column + operator + "$" + strconv.Itoa(len(w.args)))
}

var likeEscapes = strings.NewReplacer("!", "!!", "%", "!%", "_", "!_")

// like looks for a part of a text, which any text has if it is empty.
func (w *where) like(column, before, part string) {
	if part == "" {
		w.sql.WriteString("(" + column + " = " + column + ")") // unknown for NULL, as a comparison is
		return
	}
	w.args = append(w.args, guard(before+likeEscapes.Replace(part)+"%"))
	w.sql.WriteString(column + " LIKE SUBSTRING($" + strconv.Itoa(len(w.args)) + ",2) ESCAPE '!'")
}

// join writes a conjunction or a disjunction of its arguments, each of them
// negated if not is set, in nested halves: parsers bear no chain of thousands.
func (w *where) join(args []filter.Filter, and, not bool) {
	none, between := "1 = 0", " OR "
	if and {
		none, between = "1 = 1", " AND "
	}
	switch n := len(args); n {
	case 0:
		w.sql.WriteString(none)
	case 1:
		bracket := joined(args[0])
		if bracket {
			w.sql.WriteByte('(')
		}
		w.filter(args[0], not)
		if bracket {
			w.sql.WriteByte(')')
		}
	default:
		for i, half := range [][]filter.Filter{args[:n/2], args[n/2:]} {
			if i > 0 {
				w.sql.WriteString(between)
			}
			if len(half) > 1 {
				w.sql.WriteByte('(')
			}
			w.join(half, and, not)
			if len(half) > 1 {
				w.sql.WriteByte(')')
			}
		}
	}
}

// joined reports whether a filter's SQL is made of several conditions.
func joined(f filter.Filter) bool {
	switch f.Op() {
	case filter.OpAnd, filter.OpOr, filter.OpBetween:
		return true
	case filter.OpNot:
		return joined(f.Args()[0])
	}
	return false
}

// deepestFirst puts the arguments with the most levels first: a parser keeps all
// that stands before a bracket until the bracket is closed.
func deepestFirst(args []filter.Filter) []filter.Filter {
	byDepth := func(a, b filter.Filter) int { return depth(b) - depth(a) }
	if slices.IsSortedFunc(args, byDepth) {
		return args
	}
	return slices.SortedStableFunc(slices.Values(args), byDepth)
}

func depth(f filter.Filter) int {
	most := 0
	for _, arg := range f.Args() {
		most = max(most, 1+depth(arg))
	}
	return most
}

// longList is the length from which on a list is bound as one text: the server's
// time grows faster than the number of arguments.
const longList = 50

var listEscapes = strings.NewReplacer("~", "~~", "|", "~!")

// list writes the condition that a column is one of the values. Of many values
// it makes a text in which each stands between bars, and looks for the column's.
//
// A list of nothing is no value's, and that without exception.
func (w *where) list(column string, typ filter.Type, values []any, not string) {
	if len(values) == 0 {
		w.join(nil, not != "", false)
		return
	}
	if len(values) < longList || typ == filter.Float {
		w.sql.WriteString(column + " " + not + "IN (")
		for i, v := range values {
			if i > 0 {
				w.sql.WriteString(", ")
			}
			w.bind(v, typ)
		}
		w.sql.WriteByte(')')
		return
	}
	switch typ {
	case filter.String:
		column = "REPLACE(REPLACE(" + column + ",'~','~~'),'|','~!')"
	case filter.Int, filter.Bool:
		column = "CAST(" + column + " AS VARCHAR(20))"
	}
	list := []byte("~|")
	for _, v := range values {
		text := string(valueArg(v))
		if typ != filter.Bool {
			text = listEscapes.Replace(text[1:])
		}
		list = append(append(list, text...), '|')
	}
	w.args = append(w.args, list)
	w.sql.WriteString(not + "($" + strconv.Itoa(len(w.args)) + " [ ('|' || " + column + " || '|'))")
}
