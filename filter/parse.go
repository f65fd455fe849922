package filter

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"slices"
	"strconv"
	"strings"
)

// maxText is how long a filter's text may be, in bytes.
const maxText = 1 << 20

// Parse reads a filter from text in the syntax of Go's expressions:
//
//	lang == "go" && year >= 2020
//	!(draft || between(year, 1990, 1999)) && title != nil
//	in(lang, "go", "rust") && prefix(path, "net/") && contains(title, "http")
//	like(title, "%http_") && words(text, "keep alive")
//	containsAny(tags, "go", "slices") || tags == list("go")
//	meta.author.name == "gopher" && meta["content-type"] != nil
//
// The operators are ==, !=, <, <=, >, >=, &&, || and !. The functions are in,
// notIn, between, prefix, contains, containsAny, containsAll, like, words and isNull,
// named as in this package. A
// field on its own means that it is true; `field == nil` means [IsNull]; true
// and false on their own let every record pass, and none. Values are strings,
// numbers, true, false, hex("00ff") for bytes and list("a", "b") for lists; a time
// is a string such as
// "2006-01-02" or "2006-01-02T15:04:05Z". Empty text is the filter that lets
// every record pass.
//
// White space, ends of lines too, separates words and means nothing else.
// Integers are decimal, or 0x1f, 0o17, 0b11; one that begins with another 0 is
// refused, since some read it as octal and some do not.
//
// Parse does not know which fields there are: [Filter.Check] does. It returns
// an [*Error] with the offset at which the text goes wrong, and what to write
// instead of what other languages write: AND, <>, IS NULL, 'text' and the like.
func Parse(text string) (Filter, error) {
	if strings.TrimSpace(text) == "" {
		return Filter{}, nil
	}
	if len(text) > maxText {
		return Filter{}, &Error{Offset: maxText, Msg: fmt.Sprintf("more than %d bytes of text", maxText)}
	}
	f, err := parse(text)
	if err == nil {
		return f, nil
	}
	// What is foreign is where the text goes wrong, or before it.
	if h := hint(text, err.Offset+1); h != nil {
		return Filter{}, h
	}
	return Filter{}, err
}

func parse(text string) (Filter, *Error) {
	p := reader{fset: token.NewFileSet()}
	source, err := p.mask(text)
	if err != nil {
		return Filter{}, err
	}
	expr, parseErr := parser.ParseExprFrom(p.fset, "", source, parser.SkipObjectResolution)
	if parseErr != nil {
		return Filter{}, syntaxError(parseErr)
	}
	f, readErr := p.filter(expr, 0)
	var wrong *Error
	if errors.As(readErr, &wrong) {
		return Filter{}, wrong
	}
	return f, nil
}

func syntaxError(err error) *Error {
	var list scanner.ErrorList
	if errors.As(err, &list) && len(list) > 0 {
		msg := list[0].Msg
		if strings.HasPrefix(msg, "expected 'EOF'") {
			msg = "expected && or || or the end" + strings.TrimPrefix(msg, "expected 'EOF'")
		}
		return &Error{Offset: list[0].Pos.Offset, Msg: msg}
	}
	return &Error{Offset: 0, Msg: err.Error()}
}

// reader turns the tree that go/parser made into a filter.
type reader struct {
	fset     *token.FileSet
	keywords map[int]string // fields named like Go's keywords, by offset
}

// mask returns text as go/parser can read it: with Go's keywords, which are good
// names for fields, overwritten by underscores, and with spaces for those ends of
// lines that would end a statement in Go. It notes where each keyword was. It
// refuses comments, since one in the text of a user could hide what a program
// has put behind it, and integers that begin with 0.
func (p *reader) mask(text string) ([]byte, *Error) {
	p.keywords = map[int]string{}
	source := []byte(text)
	list := words(text)
	for i, w := range list {
		for space := w.offset - 1; space >= 0 && strings.IndexByte(" \t\r\n", source[space]) >= 0; space-- {
			source[space] = ' '
		}
		switch {
		case w.tok == token.COMMENT:
			return nil, &Error{Offset: w.offset, Msg: "a comment"}
		case w.tok == token.SEMICOLON && w.text == "\n" && w.offset < len(source):
			source[w.offset] = ' '
		case w.tok == token.INT && isOldOctal(w.text):
			return nil, octalError(list[:i+1])
		case w.tok.IsKeyword():
			p.keywords[w.offset] = w.text
			copy(source[w.offset:], strings.Repeat("_", len(w.text)))
		}
	}
	return source, nil
}

// octalError says what to write instead of the last of these words, an integer
// that begins with 0: a time, if it is in a chain such as 2026-01-31.
func octalError(list []word) *Error {
	last := len(list) - 1
	first := last
	for first >= 2 && list[first-1].tok == token.SUB && list[first-2].tok == token.INT {
		first -= 2
	}
	if first < last {
		return &Error{Offset: list[first].offset, Msg: wantTime}
	}
	text := list[last].text
	digits := strings.TrimLeft(text, "0_")
	if digits == "" {
		digits = "0"
	}
	return &Error{Offset: list[last].offset, Msg: fmt.Sprintf("%s begins with 0: write %s, or 0o%[2]s for an octal number", text, digits)}
}

const wantTime = "not a value: put a time in quotes, \"2026-01-31\""

// isOldOctal reports whether an integer begins with 0 and a digit.
func isOldOctal(text string) bool {
	return len(text) > 1 && text[0] == '0' && (text[1] == '_' || text[1] >= '0' && text[1] <= '9')
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

// maxNesting bounds brackets and negations within each other in a text. Each
// level of a filter takes at most a negation and a bracket.
const maxNesting = 2 * (maxDepth + 1)

func (p reader) filter(expr ast.Expr, depth int) (Filter, error) {
	if depth > maxNesting {
		return Filter{}, p.fail(expr, "more than %d brackets and negations within each other", maxNesting)
	}
	switch x := expr.(type) {
	case *ast.ParenExpr:
		return p.filter(x.X, depth+1)
	case *ast.UnaryExpr:
		if x.Op != token.NOT {
			return Filter{}, p.fail(x, "%s is not a condition", x.Op)
		}
		f, err := p.filter(x.X, depth+1)
		if err != nil {
			return Filter{}, err
		}
		return Not(f), nil
	case *ast.BinaryExpr:
		if x.Op == token.LAND || x.Op == token.LOR {
			return p.join(x, depth)
		}
		return p.comparison(x)
	case *ast.CallExpr:
		return p.call(x)
	case *ast.Ident:
		switch x.Name {
		case "true":
			return Filter{}, nil
		case "false":
			return Or(), nil
		}
	}
	if field, ok := p.field(expr); ok {
		return Eq(field, true), nil
	}
	return Filter{}, p.fail(expr, "not a condition")
}

// join reads a && b && c, which go/parser nests to the left, without nesting
// its own calls: such chains may be long.
func (p reader) join(x *ast.BinaryExpr, depth int) (Filter, error) {
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
		f, err := p.filter(operand, depth)
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
		return Filter{}, &Error{Offset: p.fset.Position(x.OpPos).Offset, Msg: x.Op.String() + " is not a comparison"}
	}
	left, right := x.X, x.Y
	field, ok := p.field(left)
	if !ok {
		left, right, op = right, left, mirrored[op]
		if field, ok = p.field(left); !ok {
			return Filter{}, p.fail(x, "comparison without a field%s", remedy(x))
		}
	}
	if id, ok := right.(*ast.Ident); ok && id.Name == "nil" {
		switch op {
		case OpEq:
			return IsNull(field), nil
		case OpNe:
			return Not(IsNull(field)), nil
		}
		return Filter{}, p.fail(right, "nil has no order")
	}
	v, err := p.value(right)
	if err != nil {
		return Filter{}, err
	}
	return compare(op, field, v), nil
}

// remedy says what to write where Go's operators bind otherwise than meant.
func remedy(x *ast.BinaryExpr) string {
	for _, side := range []ast.Expr{x.X, x.Y} {
		switch side := side.(type) {
		case *ast.UnaryExpr:
			if side.Op == token.NOT {
				return ": put what ! negates in brackets, !(a == 1)"
			}
		case *ast.BinaryExpr:
			if _, ok := comparisons[side.Op]; ok {
				return ": compare twice, 1 < a && a < 5, or write between(a, 1, 5)"
			}
		case *ast.IndexExpr:
			if key, ok := side.Index.(*ast.BasicLit); ok && key.Kind == token.STRING && strings.Contains(key.Value, ".") {
				return ": a key with a dot cannot be named"
			}
		}
	}
	return ""
}

// field reads the name of a field, which may lead into a JSON field. A key that is no
// name of Go stands in brackets and quotes.
func (p reader) field(expr ast.Expr) (name string, ok bool) {
	var keys []string
	for {
		switch x := expr.(type) {
		case *ast.Ident:
			if !isField(x) {
				return "", false
			}
			keys = append(keys, p.name(x))
			slices.Reverse(keys)
			return strings.Join(keys, "."), true
		case *ast.SelectorExpr:
			keys = append(keys, p.name(x.Sel))
			expr = x.X
		case *ast.IndexExpr:
			lit, ok := x.Index.(*ast.BasicLit)
			if !ok || lit.Kind != token.STRING {
				return "", false
			}
			key, err := strconv.Unquote(lit.Value)
			if err != nil || strings.Contains(key, ".") {
				return "", false
			}
			keys = append(keys, key)
			expr = x.X
		default:
			return "", false
		}
	}
}

// isField reports whether a name stands for a field and not for a value.
func isField(id *ast.Ident) bool {
	switch id.Name {
	case "true", "false", "nil", "_":
		return false
	}
	return true
}
