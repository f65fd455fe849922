package filter

import (
	"encoding/hex"
	"go/ast"
	"go/token"
	"reflect"
	"strconv"
	"strings"
)

// functions are those of the text form, by their names in any case.
var functions = map[string]Op{
	"in": OpIn, "notin": OpNotIn, "between": OpBetween, "prefix": OpPrefix, "contains": OpContains, "isnull": OpIsNull,
	"containsany": OpContainsAny, "containsall": OpContainsAll,
	"like": OpLike, "words": OpWords,
}

// valuesOf says how many values a function has, if that is fixed.
var valuesOf = map[Op]int{OpBetween: 2, OpPrefix: 1, OpContains: 1, OpIsNull: 0, OpLike: 1, OpWords: 1}

// meant names the function that another language calls by name.
func meant(name string) string {
	switch strings.ToLower(strings.ReplaceAll(name, "_", "")) {
	case "startswith", "beginswith", "hasprefix":
		return "; write prefix"
	case "includes", "has", "instr", "strpos", "icontains":
		return "; write contains"
	case "isnull", "isnone", "missing", "isempty":
		return "; write isNull"
	case "exists", "isnotnull", "has_value", "notnull":
		return "; write !isNull"
	case "notin", "nin":
		return "; write notIn"
	case "anyof", "oneof", "any":
		return "; write in, or containsAny for a list"
	case "ilike":
		return "; write like"
	case "match", "matches", "search":
		return "; write words"
	case "allof", "all", "hasall":
		return "; write containsAll"
	case "hasany", "overlaps":
		return "; write containsAny"
	case "range":
		return "; write between"
	case "not":
		return "; write !"
	case "and", "or":
		return "; write && or || between conditions"
	}
	return ""
}

func (p reader) call(x *ast.CallExpr) (Filter, error) {
	fun, ok := x.Fun.(*ast.Ident)
	if !ok || x.Ellipsis.IsValid() {
		if method, ok := x.Fun.(*ast.SelectorExpr); ok {
			return Filter{}, p.fail(x, "not a function: a field comes first in the brackets%s", meant(method.Sel.Name))
		}
		return Filter{}, p.fail(x, "not a function")
	}
	op, known := functions[strings.ToLower(fun.Name)]
	if !known {
		return Filter{}, p.fail(x, "no function %q: there are in, notIn, between, prefix, contains, containsAny, containsAll, like, words and isNull%s", p.name(fun), meant(p.name(fun)))
	}
	want, bounded := valuesOf[op]
	if len(x.Args) == 0 {
		return Filter{}, p.fail(x, "%s needs a field", op)
	}
	field, ok := p.field(x.Args[0])
	if !ok {
		return Filter{}, p.fail(x.Args[0], "not a field")
	}
	values := make([]any, 0, len(x.Args)-1)
	for _, arg := range x.Args[1:] {
		v, err := p.value(arg)
		if err != nil {
			return Filter{}, err
		}
		values = append(values, v)
	}
	if bounded && len(values) != want {
		s := "s"
		if want == 1 {
			s = ""
		}
		return Filter{}, p.fail(x, "%s needs a field and %d value%s", op, want, s)
	}
	return compare(op, field, values...), nil
}

func (p reader) value(expr ast.Expr) (any, error) {
	switch x := expr.(type) {
	case *ast.ParenExpr:
		return p.value(x.X)
	case *ast.BasicLit:
		return p.literal(x, "")
	case *ast.UnaryExpr:
		lit, ok := x.X.(*ast.BasicLit)
		if !ok || (lit.Kind != token.INT && lit.Kind != token.FLOAT) {
			break
		}
		switch x.Op {
		case token.SUB:
			return p.literal(lit, "-")
		case token.ADD:
			return p.literal(lit, "")
		}
	case *ast.Ident:
		switch x.Name {
		case "true":
			return true, nil
		case "false":
			return false, nil
		case "nil":
			return nil, p.fail(x, "nil is not a value here: compare with == nil")
		}
		return nil, p.fail(x, "%s is not a value: put text in quotes", p.name(x))
	case *ast.CallExpr:
		if fun, ok := x.Fun.(*ast.Ident); ok && fun.Name == "list" && !x.Ellipsis.IsValid() {
			return p.list(x)
		}
		return p.hex(x)
	case *ast.BinaryExpr:
		if x.Op == token.SUB {
			return nil, p.fail(expr, wantTime)
		}
	}
	return nil, p.fail(expr, "not a value")
}

// list reads list("a", "b"), which is a value of a list field.
func (p reader) list(x *ast.CallExpr) (any, error) {
	values := make([]any, 0, len(x.Args))
	for _, arg := range x.Args {
		v, err := p.value(arg)
		if err != nil {
			return nil, err
		}
		if isList(reflect.ValueOf(v)) {
			return nil, p.fail(arg, "a list has no lists within")
		}
		values = append(values, v)
	}
	return values, nil
}

func (p reader) literal(lit *ast.BasicLit, sign string) (any, error) {
	switch lit.Kind {
	case token.STRING:
		s, err := strconv.Unquote(lit.Value)
		if err != nil {
			return nil, p.fail(lit, "not a string")
		}
		return s, nil
	case token.INT:
		return integerOf(sign + lit.Value), nil
	case token.FLOAT:
		return fractionOf(sign + lit.Value), nil
	}
	return nil, p.fail(lit, "not a string in double quotes, nor a number")
}

func (p reader) hex(x *ast.CallExpr) (any, error) {
	fun, ok := x.Fun.(*ast.Ident)
	if !ok || fun.Name != "hex" || len(x.Args) != 1 {
		return nil, p.fail(x, "not a value")
	}
	v, err := p.value(x.Args[0])
	if err != nil {
		return nil, err
	}
	s, _ := v.(string)
	b, err := hex.DecodeString(s)
	if err != nil || (s == "" && v != "") {
		return nil, p.fail(x.Args[0], "not hexadecimal digits in quotes")
	}
	return b, nil
}
