package filter

import (
	"fmt"
	"go/scanner"
	"go/token"
	"slices"
	"strconv"
	"strings"
)

// word is a token of a filter's text.
type word struct {
	offset int
	tok    token.Token
	text   string // of names, literals and what is no token of Go
}

// words takes text apart. What Go has no token for comes as ILLEGAL.
func words(text string) []word {
	var list []word
	file := token.NewFileSet().AddFile("", -1, len(text))
	var s scanner.Scanner
	s.Init(file, []byte(text), func(token.Position, string) {}, scanner.ScanComments)
	for {
		pos, tok, lit := s.Scan()
		if tok == token.EOF {
			return list
		}
		list = append(list, word{file.Offset(pos), tok, lit})
	}
}

// isName reports whether a token may be the name of a field.
func (w word) isName() bool { return w.tok == token.IDENT || w.tok.IsKeyword() }

// ends reports whether a condition or value may end with the token.
func (w word) ends() bool {
	return w.isName() || w.tok.IsLiteral() || w.tok == token.RPAREN || w.tok == token.RBRACK
}

// compares reports whether the token is one of the six comparisons.
func (w word) compares() bool { _, ok := comparisons[w.tok]; return ok }

// is reports whether the token is a word of another language, in any case.
func (w word) is(name string) bool { return w.isName() && strings.EqualFold(w.text, name) }

// hint looks in a text that is no filter for what users of SQL, Python,
// JavaScript and other query languages write, and returns an error that says
// what to write instead, where the first such thing stands; nil if there is
// none up to the offset most.
func hint(text string, most int) *Error {
	h := hinter{words: slices.DeleteFunc(words(text), func(w word) bool { return w.tok == token.SEMICOLON && w.text == "\n" })}
	for i, w := range h.words {
		if w.offset > most {
			break
		}
		switch w.tok {
		case token.LPAREN, token.LBRACK, token.LBRACE:
			h.open++
		case token.RPAREN, token.RBRACK, token.RBRACE:
			h.open--
		}
		if msg := h.at(i); msg != "" {
			return &Error{Offset: w.offset, Msg: msg}
		}
	}
	return nil
}

type hinter struct {
	words []word
	open  int // brackets, at the token that is looked at
}

// get returns a token by its number, one that is nothing beside the text.
func (h hinter) get(i int) word {
	if i < 0 || i >= len(h.words) {
		return word{offset: -1}
	}
	return h.words[i]
}

// touches reports whether token i follows the one before without a space.
func (h hinter) touches(i int) bool {
	return i > 0 && h.words[i-1].offset+len(h.words[i-1].spelling()) == h.words[i].offset
}

func (w word) spelling() string {
	if w.text != "" {
		return w.text
	}
	return w.tok.String()
}

// at returns what to write instead of token i.
func (h hinter) at(i int) string {
	w, before, after := h.get(i), h.get(i-1), h.get(i+1)
	switch w.tok {
	case token.CHAR:
		return "use double quotes: " + strconv.Quote(unquoteSingle(w.text))
	case token.ILLEGAL:
		return illegal(w, after)
	case token.EQL, token.NEQ:
		if after.tok == token.ASSIGN && h.touches(i+1) {
			return fmt.Sprintf("write %s for %s=", w.tok, w.tok)
		}
	case token.ASSIGN, token.DEFINE, token.COLON:
		return fmt.Sprintf("write == for %s", w.tok)
	case token.LSS:
		if after.tok == token.GTR && h.touches(i+1) {
			return "write != for <>"
		}
	case token.ARROW:
		return "write a space between < and -"
	case token.TILDE:
		return "there are no regular expressions: write prefix or contains"
	case token.AND:
		return "write && for &"
	case token.OR:
		return "write || for |"
	case token.COMMA:
		if h.open == 0 {
			return "write && or || between conditions"
		}
	case token.LBRACE:
		return "a filter's text is no JSON: write conditions such as lang == \"go\" && year >= 2020"
	case token.LBRACK:
		if before.tok == token.COMMA || before.tok == token.LPAREN {
			return "write the values of a list without brackets: in(lang, \"go\", \"rust\")"
		}
	case token.SEMICOLON:
		return "write one filter, without ;"
	}
	if w.isName() {
		return h.name(i)
	}
	return ""
}

// name returns what to write instead of a name that is a word of another
// language, where it stands as one.
func (h hinter) name(i int) string {
	w, before, after := h.get(i), h.get(i-1), h.get(i+1)
	infix := before.ends() && before.tok != token.RBRACK
	switch {
	case infix && w.is("and"):
		return "write && for " + w.text
	case infix && w.is("or"):
		return "write || for " + w.text
	case infix && w.is("xor"):
		return "there is no " + w.text + ": write a && !b || !a && b"
	case infix && w.is("not") && after.is("in"):
		return fmt.Sprintf("write notIn(%s, …)", field(before))
	case infix && w.is("not") && (after.is("like") || after.is("ilike")):
		return "write !(…) and in the brackets " + strings.TrimPrefix(like(field(before), h.get(i+2)), "write ")
	case infix && w.is("not") && after.is("between"):
		return fmt.Sprintf("write !between(%s, low, high)", field(before))
	case w.is("not") && !infix && (after.isName() || after.tok == token.LPAREN) && h.negates(i):
		return "write ! for " + w.text + ", before a condition in brackets"
	case infix && w.is("is") && after.is("not"):
		return fmt.Sprintf("write !isNull(%s)", field(before))
	case infix && w.is("is"):
		return fmt.Sprintf("write isNull(%s)", field(before))
	case infix && w.is("in") && before.isName():
		return fmt.Sprintf("write in(%s, …)", field(before))
	case infix && w.is("in") && after.isName():
		return fmt.Sprintf("write contains(%s, %s)", after.text, before.text)
	case infix && w.is("between"):
		return fmt.Sprintf("write between(%s, low, high)", field(before))
	case infix && (w.is("like") || w.is("ilike")):
		return like(field(before), after)
	case infix && (w.is("contains") || w.is("startsWith") || w.is("matches")):
		return fmt.Sprintf("write contains(%s, …) or prefix(%[1]s, …)", field(before))
	case i == 0 && (w.is("where") || w.is("select")) && after.tok != token.EOF && !after.compares() && after.offset >= 0:
		return "leave out " + w.text + ": a filter is the condition alone"
	case before.compares() || after.compares():
		return h.value(i)
	}
	return ""
}

// negates reports whether the name at i stands for "not" and for no field: what
// follows begins a condition.
func (h hinter) negates(i int) bool {
	after := h.get(i + 1)
	return after.isName() || h.get(i+2).isName() // not a …, not (a …
}

// value returns what to write instead of a name that stands for a value in
// another language, on either side of a comparison.
func (h hinter) value(i int) string {
	w, op, other := h.get(i), h.get(i-1), h.get(i-2)
	if !op.compares() {
		op, other = h.get(i+1), h.get(i+2)
		if other.isName() && (other.is("nil") || other.is("null") || other.is("none") || other.is("undefined") || other.is("true") || other.is("false")) {
			return "" // it is the field that other is compared with
		}
	}
	switch {
	case w.is("null") || w.is("none") || w.is("nil") && w.text != "nil" || w.is("undefined") || w.is("na"):
		if !other.isName() {
			return "" // a field of that name
		}
		if op.tok == token.NEQ {
			return fmt.Sprintf("%s is no value: write !isNull(%s)", w.text, other.text)
		}
		return fmt.Sprintf("%s is no value: write isNull(%s)", w.text, other.text)
	case (w.is("true") || w.is("false")) && w.text != strings.ToLower(w.text) && other.isName():
		return "write " + strings.ToLower(w.text)
	}
	return ""
}

// field returns the name of the field before an operator.
func field(w word) string {
	if w.isName() {
		return w.text
	}
	return "field"
}

// like returns how to say the pattern of a LIKE.
func like(field string, pattern word) string {
	text := ""
	switch pattern.tok {
	case token.STRING:
		text, _ = strconv.Unquote(pattern.text)
	case token.CHAR:
		text = unquoteSingle(pattern.text)
	}
	part := strings.Trim(text, "%")
	switch {
	case part == "" || strings.ContainsAny(part, "%_"):
	case text == part:
		return fmt.Sprintf("write %s == %q", field, part)
	case text == part+"%":
		return fmt.Sprintf("write prefix(%s, %q)", field, part)
	case text == "%"+part+"%":
		return fmt.Sprintf("write contains(%s, %q)", field, part)
	}
	return fmt.Sprintf("write prefix(%s, …) or contains(%[1]s, …)", field)
}

func unquoteSingle(text string) string {
	return strings.Trim(text, "'")
}

// illegal says what to write instead of what is no token of Go.
func illegal(w, after word) string {
	switch w.text {
	case "“", "”", "„", "‘", "’", "«", "»":
		return "use straight double quotes: \"…\""
	case "?", "$", "@":
		return "write the value itself, or join Parse's filter with your own by And: there are no placeholders"
	case "≠":
		return "write != for ≠"
	case "≤", "≥":
		return fmt.Sprintf("write %s= for %s", map[string]string{"≤": "<", "≥": ">"}[w.text], w.text)
	}
	return ""
}
