package filter

import (
	"encoding/hex"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// maxText is how long a filter's text may be, in bytes.
const maxText = 1 << 20

// Parse reads a filter from text in the syntax of Go's expressions:
//
//	lang == "go" && year >= 2020
//	!(draft || between(year, 1990, 1999)) && title != nil
//	in(lang, "go", "rust") && prefix(path, "net/") && contains(title, "http")
//
// The operators are ==, !=, <, <=, >, >=, &&, || and !. The functions are in,
// notIn, between, prefix, contains and isNull, named as in this package. A
// field on its own means that it is true; `field == nil` means [IsNull]; true
// and false on their own let every record pass, and none. Values are strings,
// numbers, true, false and hex("00ff") for bytes; a time is a string such as
// "2006-01-02" or "2006-01-02T15:04:05Z". Empty text is the filter that lets
// every record pass.
//
// Parse does not know which fields there are: [Filter.Check] does. It returns
// an [*Error] with the offset at which the text goes wrong.
func Parse(text string) (Filter, error) {
	if strings.TrimSpace(text) == "" {
		return Filter{}, nil
	}
	if len(text) > maxText {
		return Filter{}, &Error{Offset: maxText, Msg: "text too long"}
	}
	p := reader{fset: token.NewFileSet()}
	source, err := p.maskKeywords(text)
	if err != nil {
		return Filter{}, err
	}
	expr, err := parser.ParseExprFrom(p.fset, "", source, parser.SkipObjectResolution)
	if err != nil {
		return Filter{}, syntaxError(err)
	}
	return p.filter(expr)
}

func syntaxError(err error) error {
	var list scanner.ErrorList
	if errors.As(err, &list) && len(list) > 0 {
		return &Error{Offset: list[0].Pos.Offset, Msg: list[0].Msg}
	}
	return &Error{Offset: 0, Msg: err.Error()}
}

// reader turns the tree that go/parser made into a filter.
type reader struct {
	fset     *token.FileSet
	keywords map[int]string // fields named like Go's keywords, by offset
}

// maskKeywords returns text with Go's keywords, which are good names for fields,
// overwritten by underscores, and notes where each was. It refuses comments: one
// in the text of a user could hide what a program has put behind it.
func (p *reader) maskKeywords(text string) ([]byte, error) {
	p.keywords = map[int]string{}
	source := []byte(text)
	file := token.NewFileSet().AddFile("", -1, len(source))
	var s scanner.Scanner
	s.Init(file, []byte(text), func(token.Position, string) {}, scanner.ScanComments) // go/parser reports what is wrong
	for {
		pos, tok, word := s.Scan()
		if tok == token.EOF {
			return source, nil
		}
		if tok == token.COMMENT {
			return nil, &Error{Offset: file.Offset(pos), Msg: "a comment"}
		}
		if tok.IsKeyword() {
			offset := file.Offset(pos)
			p.keywords[offset] = word
			copy(source[offset:], strings.Repeat("_", len(word)))
		}
	}
}

// name returns an identifier as it was written.
func (p reader) name(id *ast.Ident) string {
	if word, ok := p.keywords[p.offset(id)]; ok {
		return word
	}
	return id.Name
}

func (p reader) offset(n ast.Node) int { return p.fset.Position(n.Pos()).Offset }

func (p reader) fail(at ast.Node, format string, args ...any) error {
	return &Error{Offset: p.offset(at), Msg: fmt.Sprintf(format, args...)}
}

var comparisons = map[token.Token]Op{
	token.EQL: OpEq, token.NEQ: OpNe, token.GTR: OpGt, token.GEQ: OpGe, token.LSS: OpLt, token.LEQ: OpLe,
}

// mirrored is the operation that says the same with its two sides swapped.
var mirrored = map[Op]Op{OpEq: OpEq, OpNe: OpNe, OpGt: OpLt, OpGe: OpLe, OpLt: OpGt, OpLe: OpGe}

func (p reader) filter(expr ast.Expr) (Filter, error) {
	switch x := expr.(type) {
	case *ast.ParenExpr:
		return p.filter(x.X)
	case *ast.UnaryExpr:
		if x.Op != token.NOT {
			return Filter{}, p.fail(x, "%s is not a condition", x.Op)
		}
		f, err := p.filter(x.X)
		if err != nil {
			return Filter{}, err
		}
		return Not(f), nil
	case *ast.BinaryExpr:
		if x.Op == token.LAND || x.Op == token.LOR {
			return p.join(x)
		}
		return p.comparison(x)
	case *ast.CallExpr:
		return p.call(x)
	case *ast.Ident:
		switch {
		case isField(x):
			return Eq(p.name(x), true), nil
		case x.Name == "true":
			return Filter{}, nil
		case x.Name == "false":
			return Or(), nil
		}
	}
	return Filter{}, p.fail(expr, "not a condition")
}

// join reads a && b && c, which go/parser nests to the left, without nesting
// its own calls: such chains may be long.
func (p reader) join(x *ast.BinaryExpr) (Filter, error) {
	operands := []ast.Expr{x.Y}
	left := x.X
	for {
		b, ok := left.(*ast.BinaryExpr)
		if !ok || b.Op != x.Op {
			break
		}
		operands = append(operands, b.Y)
		left = b.X
	}
	operands = append(operands, left)
	filters := make([]Filter, len(operands))
	for i, operand := range operands {
		f, err := p.filter(operand)
		if err != nil {
			return Filter{}, err
		}
		filters[len(filters)-1-i] = f
	}
	if x.Op == token.LAND {
		return And(filters...), nil
	}
	return Or(filters...), nil
}

func (p reader) comparison(x *ast.BinaryExpr) (Filter, error) {
	op, ok := comparisons[x.Op]
	if !ok {
		return Filter{}, p.fail(x, "%s is not a comparison", x.Op)
	}
	left, right := x.X, x.Y
	field, ok := left.(*ast.Ident)
	if !ok || !isField(field) {
		left, right, op = right, left, mirrored[op]
		if field, ok = left.(*ast.Ident); !ok || !isField(field) {
			return Filter{}, p.fail(x, "comparison without a field")
		}
	}
	if id, ok := right.(*ast.Ident); ok && id.Name == "nil" {
		switch op {
		case OpEq:
			return IsNull(p.name(field)), nil
		case OpNe:
			return Not(IsNull(p.name(field))), nil
		}
		return Filter{}, p.fail(right, "nil has no order")
	}
	v, err := p.value(right)
	if err != nil {
		return Filter{}, err
	}
	return compare(op, p.name(field), v), nil
}

// isField reports whether a name stands for a field and not for a value.
func isField(id *ast.Ident) bool {
	switch id.Name {
	case "true", "false", "nil", "_":
		return false
	}
	return true
}

func (p reader) call(x *ast.CallExpr) (Filter, error) {
	fun, ok := x.Fun.(*ast.Ident)
	if !ok || x.Ellipsis.IsValid() {
		return Filter{}, p.fail(x, "not a function")
	}
	var op Op
	want := -1 // the number of values, -1 for any
	switch fun.Name {
	case "in":
		op = OpIn
	case "notIn":
		op = OpNotIn
	case "between":
		op, want = OpBetween, 2
	case "prefix":
		op, want = OpPrefix, 1
	case "contains":
		op, want = OpContains, 1
	case "isNull":
		op, want = OpIsNull, 0
	default:
		return Filter{}, p.fail(x, "no function %q: there are in, notIn, between, prefix, contains and isNull", p.name(fun))
	}
	if len(x.Args) == 0 {
		return Filter{}, p.fail(x, "%s needs a field", fun.Name)
	}
	field, ok := x.Args[0].(*ast.Ident)
	if !ok || !isField(field) {
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
	if want >= 0 && len(values) != want {
		s := "s"
		if want == 1 {
			s = ""
		}
		return Filter{}, p.fail(x, "%s needs a field and %d value%s", fun.Name, want, s)
	}
	return compare(op, p.name(field), values...), nil
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
		return p.hex(x)
	}
	return nil, p.fail(expr, "not a value")
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
		n, err := strconv.ParseInt(sign+lit.Value, 0, 64)
		if err != nil {
			return nil, p.fail(lit, "integer out of range")
		}
		return n, nil
	case token.FLOAT:
		x, err := strconv.ParseFloat(sign+lit.Value, 64)
		if err != nil {
			return nil, p.fail(lit, "number out of range")
		}
		return x, nil
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

// String returns the filter as text that [Parse] reads back, "" for the zero
// filter.
func (f Filter) String() string {
	var b strings.Builder
	f.write(&b)
	return b.String()
}

func (f Filter) write(b *strings.Builder) {
	switch f.op {
	case OpAll:
	case OpAnd, OpOr:
		f.writeJoined(b)
	case OpNot:
		b.WriteString("!(")
		if f.args[0].IsZero() {
			b.WriteString("true")
		}
		f.args[0].write(b)
		b.WriteByte(')')
	case OpEq, OpNe, OpGt, OpGe, OpLt, OpLe:
		b.WriteString(f.field + " " + f.op.String() + " ")
		writeValue(b, f.values[0])
	default:
		b.WriteString(f.op.String() + "(" + f.field)
		for _, v := range f.values {
			b.WriteString(", ")
			writeValue(b, v)
		}
		b.WriteByte(')')
	}
}

func (f Filter) writeJoined(b *strings.Builder) {
	if len(f.args) == 0 {
		b.WriteString("false") // Or without filters; And without filters is the zero Filter
	}
	for i, arg := range f.args {
		if i > 0 {
			b.WriteString(" " + f.op.String() + " ")
		}
		if arg.op == OpOr {
			b.WriteByte('(')
			arg.write(b)
			b.WriteByte(')')
			continue
		}
		arg.write(b)
	}
}

func writeValue(b *strings.Builder, v any) {
	if x, ok := v.(time.Time); ok {
		b.WriteString(`"` + x.Format(time.RFC3339Nano) + `"`)
		return
	}
	rv := reflect.ValueOf(v)
	switch {
	case rv.Kind() == reflect.String:
		b.WriteString(strconv.Quote(rv.String()))
	case isBytes(rv):
		b.WriteString(`hex("` + hex.EncodeToString(rv.Bytes()) + `")`)
	case rv.CanFloat():
		s := strconv.FormatFloat(rv.Float(), 'g', -1, 64)
		if !strings.ContainsAny(s, ".eNI") { // a Float, not an Int; NaN and Inf cannot be read back
			s += ".0"
		}
		b.WriteString(s)
	case rv.CanInt():
		b.WriteString(strconv.FormatInt(rv.Int(), 10))
	default:
		fmt.Fprint(b, v)
	}
}
