package pgvector

import (
	"strconv"

	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
	"github.com/vecwire/vecwire/internal/wire"
)

// ordered returns the condition of a page together with that of its filter, and
// what it is ordered by.
//
// What comes after a value and an ID is written as a bound for the value, for which
// an index can be used, and what is left of the records with that very value.
func (t *table) ordered(s engine.Scan, condition string, args []any) (where, order string, all []any) {
	id := t.name + "." + t.id // qualified, or ORDER BY would take the key as it is shown: as text
	if t.idKind == idText && !t.idSorts {
		id = `(` + t.id + `::text COLLATE "C")`
	}
	bind := func(v any, typ string) string {
		args = append(args, v)
		return "$" + strconv.Itoa(len(args)) + "::" + typ
	}
	less, direction := " > ", ""
	if s.Order.Desc {
		less, direction = " < ", " DESC"
	}
	if s.Order.Field != "" {
		var has string
		has, order = t.value(s.Order.Field)
		if s.Order.Missing {
			has = "(" + has + ") IS NOT TRUE"
		}
		condition = wire.And(condition, has)
	}
	switch after := s.After != ""; {
	case s.Order.Field == "" || s.Order.Missing:
		order = id
		if !s.Order.Missing {
			order += direction
		} else {
			less = " > "
		}
		if after {
			condition = wire.And(condition, id+less+bind(s.After, idTypes[t.idKind]))
		}
	default:
		if after {
			value := bind(s.Order.After, fieldTypes[s.Order.Type])
			condition = wire.And(condition, order+less[:2]+"= "+value+" AND ("+order+less+value+" OR "+id+" > "+bind(s.After, idTypes[t.idKind])+")")
		}
		order += direction + ", " + id
	}
	return condition, order, args
}

// value returns the condition that a record has a value of the field, and the
// value's expression, compared byte by byte. A table that others write may hold
// times that no Time can be, which count as missing here, too.
func (t *table) value(field string) (has, expression string) {
	expression, typ, _ := t.column(field)
	has = expression + " IS NOT NULL"
	if typ == filter.Time && !t.own {
		has = "isfinite(" + expression + ")" // unknown for NULL
	}
	return has, expression
}
