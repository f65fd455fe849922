package engine

import "github.com/vecwire/vecwire/filter"

var sqlOperators = [...]string{
	filter.OpEq: " = ", filter.OpNe: " <> ", filter.OpGt: " > ", filter.OpGe: " >= ", filter.OpLt: " < ", filter.OpLe: " <= ",
}

// SQLOperator returns how every dialect of SQL writes a comparison with one
// value, with a space on either side. It is for OpEq, OpNe, OpGt, OpGe, OpLt
// and OpLe, and panics for other operations, which the dialects write each in
// their own way.
func SQLOperator(op filter.Op) string {
	return sqlOperators[op]
}
