package pgvector

import (
	"strconv"
	"strings"
	"time"

	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
)

// where is an SQL condition with its arguments. SQL's own logic is the one that
// filters have.
type where struct {
	t    *table
	sql  strings.Builder
	args []any
	// negated says that the condition is within a Not, where no and unknown are not
	// the same.
	negated bool
	// plain says that the condition is an index's predicate, whose text stays the same
	// from version to version.
	plain bool
	// planOnce hides the values of lists from the planner. It knows which elements are
	// frequent, and would plan every search again because of that, which takes as long as
	// to find a hundred records.
	planOnce bool
}

// where writes a filter as a condition whose arguments follow those given; ""
// for a filter that lets every record pass.
func (t *table) where(f filter.Filter, args ...any) (condition string, all []any) {
	if f.IsZero() {
		return "", args
	}
	w := where{t: t, args: args}
	w.filter(f)
	return w.sql.String(), w.args
}

// predicate is where for an index of the records that pass a filter.
func (t *table) predicate(f filter.Filter) (condition string, all []any) {
	w := where{t: t, plain: true}
	w.filter(f)
	return w.sql.String(), w.args
}

func (w *where) filter(f filter.Filter) {
	switch f.Op() {
	case filter.OpAll:
		w.sql.WriteString("TRUE")
		return
	case filter.OpAnd:
		w.join(f.Args(), " AND ", "TRUE")
		return
	case filter.OpOr:
		w.join(f.Args(), " OR ", "FALSE")
		return
	case filter.OpNot:
		outer := w.negated
		w.negated = true
		w.sql.WriteString("NOT (")
		w.filter(f.Args()[0])
		w.sql.WriteByte(')')
		w.negated = outer
		return
	}
	if column, paths, ok := w.t.jsonColumn(f); ok {
		w.json(f, column, paths)
		return
	}
	column, typ, short := w.t.column(f.Field())
	values := f.Values()
	if short && (f.Op() == filter.OpEq || f.Op() == filter.OpIn) && len(values) > 0 && allShort(values) {
		// What equals a short value is short. To say so lets the index be used.
		w.sql.WriteString(isShort(column) + " AND ")
	}
	w.compare(f.Op(), column, typ, values)
}

// compare writes a comparison of a column with values of one type.
func (w *where) compare(op filter.Op, column string, typ filter.Type, values []any) {
	switch op {
	case filter.OpIn:
		w.list(column+" = ANY(", typ, values, "FALSE")
	case filter.OpNotIn:
		w.list(column+" <> ALL(", typ, values, "TRUE")
	case filter.OpBetween:
		w.sql.WriteString(column + " BETWEEN ")
		w.bind(values[0], typ)
		w.sql.WriteString(" AND ")
		w.bind(values[1], typ)
	case filter.OpPrefix:
		w.sql.WriteString("starts_with(" + column + ", ")
		w.bind(values[0], typ)
		w.sql.WriteByte(')')
	case filter.OpContains:
		w.sql.WriteString("strpos(" + column + ", ")
		w.bind(values[0], typ)
		w.sql.WriteString(") > 0")
	case filter.OpLike:
		w.like(column, values[0].(string))
	case filter.OpWords:
		w.allWords(values[0].(string))
	case filter.OpContainsAny:
		w.overlap(column, " && ", typ, values, "FALSE")
	case filter.OpContainsAll:
		w.overlap(column, " @> ", typ, values, "TRUE")
	case filter.OpIsNull:
		w.sql.WriteString(column + " IS NULL")
	default:
		w.sql.WriteString(column + engine.SQLOperator(op))
		w.bind(values[0], typ)
	}
}

// jsonColumn returns the column of a filter over a JSON field, or what it holds, and
// the paths that have an index.
func (t *table) jsonColumn(f filter.Filter) (column string, paths []string, ok bool) {
	field, _ := f.Path()
	for i, s := range t.schema.Fields {
		if s.Name == field && s.Type == filter.JSON {
			switch {
			case t.own:
				return t.fields[i], s.Paths, true
			case t.sorts[i]:
				return t.fields[i], nil, true
			}
			return t.fields[i] + "::jsonb", nil, true
		}
	}
	return "", nil, false
}

// column returns what a filter's field is in SQL, compared byte by byte, and
// whether its index holds short values only.
func (t *table) column(field string) (expression string, typ filter.Type, short bool) {
	for i, f := range t.schema.Fields {
		if f.Name != field {
			continue
		}
		if f.Type == filter.String && !t.sorts[i] {
			return "(" + t.fields[i] + `::text COLLATE "C")`, f.Type, false
		}
		if _, list := f.Type.Elem(); list && !t.sorts[i] {
			return t.fields[i] + "::" + fieldTypes[f.Type], f.Type, false
		}
		return t.fields[i], f.Type, t.short != nil && t.short[i]
	}
	switch {
	case field == "text" && t.text == "":
		return "NULL::text", filter.String, false
	case field == "text":
		return "(" + t.text + `::text COLLATE "C")`, filter.String, false
	case t.idKind == idText && t.idSorts:
		return t.id, filter.String, false
	}
	return "(" + t.id + `::text COLLATE "C")`, filter.String, false
}

func allShort(values []any) bool {
	for _, v := range values {
		switch v := v.(type) {
		case string:
			if len(v) > maxIndexed {
				return false
			}
		case []byte:
			if len(v) > maxIndexed {
				return false
			}
		}
	}
	return true
}

func (w *where) join(args []filter.Filter, operator, none string) {
	if len(args) == 0 {
		w.sql.WriteString(none)
		return
	}
	for i, arg := range args {
		if i > 0 {
			w.sql.WriteString(operator)
		}
		w.sql.WriteByte('(')
		w.filter(arg)
		w.sql.WriteByte(')')
	}
}

func (w *where) bind(value any, typ filter.Type) {
	w.args = append(w.args, value)
	w.sql.WriteString("$" + strconv.Itoa(len(w.args)) + "::" + fieldTypes[typ])
}

// list binds all values as one array, so that neither their number nor the
// statement's text grows with them.
func (w *where) list(comparison string, typ filter.Type, values []any, none string) {
	if len(values) == 0 {
		w.sql.WriteString(none)
		return
	}
	w.args = append(w.args, arrayOf(typ, values))
	w.sql.WriteString(comparison + "$" + strconv.Itoa(len(w.args)) + "::" + fieldTypes[typ] + "[])")
}

// arrayOf returns checked values as a slice of their own type, which pgx knows.
func arrayOf(typ filter.Type, values []any) any {
	switch typ {
	case filter.String:
		return sliceOf[string](values)
	case filter.Int:
		return sliceOf[int64](values)
	case filter.Float:
		return sliceOf[float64](values)
	case filter.Bool:
		return sliceOf[bool](values)
	case filter.Time:
		return sliceOf[time.Time](values)
	default:
		return sliceOf[[]byte](values)
	}
}

func sliceOf[T any](values []any) []T {
	out := make([]T, len(values))
	for i, v := range values {
		out[i] = v.(T)
	}
	return out
}
