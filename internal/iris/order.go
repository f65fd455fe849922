package iris

import (
	"strconv"

	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
	"github.com/vecwire/vecwire/internal/wire"
)

// ordered returns the condition of a page, its arguments, and what the page is
// ordered by. IDs and strings are ordered by their bytes, also where IRIS would
// order numbers first, because the prefix makes none of them one.
func (t *table) ordered(s engine.Scan) (condition, order string, args [][]byte) {
	f := s.Filter
	if s.Order.Missing {
		f = filter.And(f, filter.IsNull(s.Order.Field))
	}
	condition, args = t.where(f)
	less, direction := " > ", ""
	if s.Order.Desc && !s.Order.Missing {
		less, direction = " < ", " DESC"
	}
	id := "'~' || " + t.id
	if t.idInt {
		id = t.id
	}
	beyond := func(less string) string {
		args = append(args, guard(s.After))
		if t.idInt {
			return id + less + t.idArgument(len(args))
		}
		return id + less + "$" + strconv.Itoa(len(args))
	}
	if s.Order.Field == "" || s.Order.Missing {
		if s.After != "" {
			condition = wire.And(condition, beyond(less))
		}
		return condition, id + direction, args
	}
	column, typ := t.column(s.Order.Field)
	order = column
	if typ == filter.String {
		order = "'~' || " + column
	}
	order += direction + ", " + id
	if s.After == "" {
		return wire.And(condition, column+" IS NOT NULL"), order, args
	}
	w := where{t: t, args: args}
	w.order(column, typ, less, s.Order.After)
	w.sql.WriteString(" OR (" + column + " = ")
	w.bind(s.Order.After, typ)
	w.sql.WriteString(" AND ")
	args = w.args
	return wire.And(condition, "("+w.sql.String()+beyond(" > ")+"))"), order, args
}
