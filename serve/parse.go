package serve

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/filter"
)

// values are the members of an object that was read by its shape: string, int64,
// float64, bool, []any of those, values, numbers, filter.Filter, or the JSON of a
// free object. A member that is missing or null is not there.
type values map[string]any

// get returns a member, or the zero value.
func get[T any](v values, key string) T {
	x, _ := v[key].(T)
	return x
}

// numbers is the JSON of a vector, which is read when the type of its elements is
// known.
type numbers []byte

// maxDepth bounds how deep a value may be nested.
const maxDepth = 100

// parse reads exactly one JSON value of a shape. Package encoding/json would fold
// the case of keys, take the last of two that are the same, replace what is not
// UTF-8, and say in Go's words what is wrong. It returns a [*problem].
func parse(body []byte, s *shape) (any, error) {
	if !utf8.Valid(body) {
		return nil, malformed("the body is not valid UTF-8")
	}
	p := parser{b: body}
	v, err := p.value(s, 0)
	if err == nil {
		if p.space(); p.i < len(body) {
			err = p.syntax("want the end of the body after one JSON value")
		}
	}
	return v, err
}

// parser reads JSON from b[i:].
type parser struct {
	b []byte
	i int
}

func (p *parser) space() {
	for p.i < len(p.b) && (p.b[p.i] == ' ' || p.b[p.i] == '\n' || p.b[p.i] == '\r' || p.b[p.i] == '\t') {
		p.i++
	}
}

// peek returns the next byte that is no space, 0 at the end.
func (p *parser) peek() byte {
	p.space()
	if p.i == len(p.b) {
		return 0
	}
	return p.b[p.i]
}

// take passes over the next byte if it is c.
func (p *parser) take(c byte) bool {
	if p.peek() != c {
		return false
	}
	p.i++
	return true
}

func (p *parser) syntax(msg string) error {
	return malformed(fmt.Sprintf("not JSON: %s at byte %d", msg, p.i))
}

// value reads a value of a shape.
func (p *parser) value(s *shape, depth int) (any, error) {
	if depth > maxDepth {
		return nil, p.syntax(fmt.Sprintf("more than %d levels", maxDepth))
	}
	c := p.peek()
	switch {
	case s.kind == object && c == '{':
		return p.object(s, depth)
	case s.kind == list && c == '[':
		return p.list(s, depth)
	case s.kind == vector && c == '[':
		return p.numbers()
	case s.kind == condition && c == '"':
		text, err := p.text()
		if err != nil {
			return nil, err
		}
		f, err := filter.Parse(text)
		return f, at("", err)
	}
	start := p.i
	if err := p.skip(depth); err != nil {
		return nil, err
	}
	raw := p.b[start:p.i]
	if c == '{' && (s.kind == condition || s.kind == free) {
		if path := codec.KeyTwice(raw, false); path != nil { // package encoding/json would take the last
			return nil, invalid(pointerTo(path), "the member once", "twice")
		}
	}
	switch s.kind {
	case text:
		if c != '"' {
			break
		}
		v, err := unquote(raw)
		if err != nil {
			return nil, err
		}
		if s.allows(v) {
			return v, nil
		}
	case whole:
		if n, ok := integer(raw); ok && (s.max == 0 || s.min <= n && n <= s.max) {
			return n, nil
		}
	case number:
		x, err := strconv.ParseFloat(string(raw), 64)
		if err == nil && (s.low == nil || x >= *s.low) && (s.high == nil || x <= *s.high) {
			return x, nil
		}
	case boolean:
		if c == 't' || c == 'f' {
			return c == 't', nil
		}
	case vector:
		if c == '"' {
			return numbers(raw), nil
		}
	case condition:
		if c == '{' {
			f, err := filter.FromJSON(raw)
			return f, at("", err)
		}
	case free:
		if c == '{' {
			return json.RawMessage(raw), nil
		}
	}
	return nil, invalid("", s.want(), describe(raw))
}

// allows reports whether a string is as the shape wants it.
func (s *shape) allows(v string) bool {
	if s.enum != nil {
		for _, e := range s.enum {
			if v == e {
				return true
			}
		}
		return false
	}
	if s.pattern != nil && !s.pattern.MatchString(v) {
		return false
	}
	return s.max == 0 || s.min <= int64(len(v)) && int64(len(v)) <= s.max
}

func (p *parser) object(s *shape, depth int) (any, error) {
	p.i++
	out := values{}
	var seen uint64 // members by their place; shapes have fewer than 64
	for first := true; !p.take('}'); first = false {
		if !first && !p.take(',') {
			return nil, p.syntax("want a comma or the end of the object")
		}
		if p.peek() != '"' {
			return nil, p.syntax("want a key in quotes")
		}
		key, err := p.text()
		if err != nil {
			return nil, err
		}
		if !p.take(':') {
			return nil, p.syntax("want a colon")
		}
		place := -1
		for i := range s.members {
			if s.members[i].key == key {
				place = i
			}
		}
		switch {
		case place < 0:
			return nil, invalid("/"+pointerOf(key), "no such member: "+s.want(), "one")
		case seen&(1<<place) != 0:
			return nil, invalid("/"+key, "the member once", "twice")
		}
		seen |= 1 << place
		m := &s.members[place]
		if p.peek() == 'n' && !m.required {
			if err := p.skip(depth); err != nil {
				return nil, err
			}
			continue
		}
		v, err := p.value(m.shape, depth+1)
		if err != nil {
			return nil, within("/"+key, err)
		}
		out[key] = v
	}
	for i := range s.members {
		if m := &s.members[i]; m.required && seen&(1<<i) == 0 {
			return nil, invalid("/"+m.key, m.shape.want(), "nothing")
		}
	}
	return out, nil
}

func (p *parser) list(s *shape, depth int) (any, error) {
	p.i++
	out := []any{}
	for !p.take(']') {
		if len(out) > 0 && !p.take(',') {
			return nil, p.syntax("want a comma or the end of the list")
		}
		if s.max > 0 && int64(len(out)) == s.max {
			return nil, invalid("", s.want(), "more")
		}
		v, err := p.value(s.items, depth+1)
		if err != nil {
			return nil, within("/"+strconv.Itoa(len(out)), err)
		}
		out = append(out, v)
	}
	if s.max > 0 && int64(len(out)) < s.min {
		return nil, invalid("", s.want(), fmt.Sprintf("%d of them", len(out)))
	}
	return out, nil
}

// numbers passes over a list of numbers, which nothing nests in. What stands in
// it is read by codec.ParseText.
func (p *parser) numbers() (any, error) {
	n := bytes.IndexByte(p.b[p.i:], ']')
	if n < 0 {
		p.i = len(p.b)
		return nil, p.syntax("want the end of the list")
	}
	raw := p.b[p.i : p.i+n+1]
	p.i += n + 1
	return numbers(raw), nil
}

// text reads a string.
func (p *parser) text() (string, error) {
	start := p.i
	if err := p.skipString(); err != nil {
		return "", err
	}
	return unquote(p.b[start:p.i])
}

// skip passes over any value, and checks that it is one.
func (p *parser) skip(depth int) error {
	if depth > maxDepth {
		return p.syntax(fmt.Sprintf("more than %d levels", maxDepth))
	}
	switch c := p.peek(); {
	case c == '"':
		return p.skipString()
	case c == '{' || c == '[':
		end := c + 2 // the closing bracket's code
		p.i++
		for first := true; !p.take(end); first = false {
			if !first && !p.take(',') {
				return p.syntax("want a comma or the end")
			}
			if c == '{' {
				if p.peek() != '"' {
					return p.syntax("want a key in quotes")
				}
				if _, err := p.text(); err != nil {
					return err
				}
				if !p.take(':') {
					return p.syntax("want a colon")
				}
			}
			if err := p.skip(depth + 1); err != nil {
				return err
			}
		}
		return nil
	case c == '-' || '0' <= c && c <= '9':
		start := p.i
		for p.i < len(p.b) && strings.IndexByte("+-.eE0123456789", p.b[p.i]) >= 0 {
			p.i++
		}
		if !json.Valid(p.b[start:p.i]) {
			p.i = start
			return p.syntax("want a number")
		}
		return nil
	}
	for _, word := range []string{"true", "false", "null"} {
		if bytes.HasPrefix(p.b[p.i:], []byte(word)) {
			p.i += len(word)
			return nil
		}
	}
	return p.syntax("want a value")
}

func (p *parser) skipString() error {
	for i := p.i + 1; i < len(p.b); i++ {
		i += plain(p.b[i:])
		if i == len(p.b) {
			break
		}
		switch c := p.b[i]; {
		case c == '"':
			p.i = i + 1
			return nil
		case c == '\\':
			i++
		case c < ' ':
			p.i = i
			return p.syntax("a string has a control character, which must be escaped,")
		}
	}
	p.i = len(p.b)
	return p.syntax("want the end of the string")
}

// plain returns how many of b's first bytes, eight at a time, stand in a string as they
// are: no quote, no backslash, no control character.
func plain(b []byte) (n int) {
	const ones, tops = 0x0101010101010101, 0x8080808080808080
	zero := func(x uint64) uint64 { return (x - ones) &^ x } // the top bit of each byte that is 0, and perhaps of those above
	for ; n+8 <= len(b); n += 8 {
		x := binary.LittleEndian.Uint64(b[n:])
		if (zero(x^ones*'"')|zero(x^ones*'\\')|(x-ones*' ')&^x)&tops != 0 {
			break
		}
	}
	return n
}

// unquote returns the string that a JSON string stands for. It refuses half a
// surrogate pair, which encoding/json would replace.
func unquote(raw []byte) (string, error) {
	inner := raw[1 : len(raw)-1]
	if bytes.IndexByte(inner, '\\') < 0 {
		return string(inner), nil
	}
	var s string
	if err := json.Unmarshal(raw, &s); err != nil {
		return "", malformed("not JSON: a string has an escape that JSON does not know")
	}
	replaced := strings.Count(s, "\ufffd")
	if replaced > bytes.Count(inner, []byte("\ufffd"))+strings.Count(strings.ToLower(string(inner)), `\ufffd`) {
		return "", malformed("a string has half a surrogate pair")
	}
	return s, nil
}

// integer reads a whole number, which may be written as 1.0 or 1e3.
func integer(raw []byte) (int64, bool) {
	if n, err := strconv.ParseInt(string(raw), 10, 64); err == nil {
		return n, true
	}
	x, err := strconv.ParseFloat(string(raw), 64)
	if err != nil || x != math.Trunc(x) || math.Abs(x) > 1<<53 {
		return 0, false
	}
	return int64(x), true
}

// describe says what a JSON value is, for a problem. Long ones are cut.
func describe(raw []byte) string {
	const most = 40
	switch {
	case len(raw) == 0:
		return "nothing"
	case raw[0] == '{':
		return "an object"
	case raw[0] == '[':
		return "a list"
	case len(raw) > most:
		return fmt.Sprintf("%s… (%d bytes)", bytes.ToValidUTF8(raw[:most], nil), len(raw))
	}
	return string(raw)
}

// pointerOf escapes a key for a JSON pointer, and cuts a long one.
func pointerOf(key string) string {
	const most = 64
	if len(key) > most {
		key = strings.ToValidUTF8(key[:most], "") + "…"
	}
	return strings.NewReplacer("~", "~0", "/", "~1").Replace(key)
}

// pointerTo is the JSON pointer to where a path leads.
func pointerTo(path []any) string {
	var b strings.Builder
	for _, step := range path {
		b.WriteString("/" + pointerOf(fmt.Sprint(step)))
	}
	return b.String()
}

// read returns the vector for a collection's elements, one of the two. With a room the
// vector is in it where it can be.
func (n numbers) read(s vecwire.Schema, room *scratch) (f32 []float32, f64 []float64, err error) {
	if n == nil {
		return nil, nil, nil
	}
	dim := min(s.Dim, 1<<16)
	if s.Element != vecwire.DOUBLE {
		if room != nil {
			f32 = room.vector(dim)
		} else {
			f32 = make([]float32, 0, dim)
		}
	}
	switch {
	case n[0] == '"' && s.Element == vecwire.DOUBLE:
		f64, err = fromBase64([]float64(nil), n)
	case n[0] == '"':
		f32, err = fromBase64(f32, n)
	case s.Element == vecwire.DOUBLE:
		f64, err = codec.ParseText(make([]float64, 0, dim), []byte(n))
	default:
		f32, err = codec.ParseText(f32, []byte(n))
	}
	if bad, ok := errors.AsType[*codec.SyntaxError](err); ok {
		err = invalid("", "a list of numbers", fmt.Sprintf("a list that is broken at byte %d (%s)", bad.Offset, bad.Msg))
	}
	return f32, f64, err
}

func fromBase64[T codec.Float](dst []T, raw []byte) ([]T, error) {
	encoded := raw[1 : len(raw)-1]
	if bytes.IndexByte(encoded, '\\') >= 0 { // some write \/ for /
		s, err := unquote(raw)
		if err != nil {
			return nil, err
		}
		encoded = []byte(s)
	}
	if v, err := codec.ParseBase64(dst, encoded); err == nil {
		return v, nil
	}
	return nil, invalid("", fmt.Sprintf("base64 of %d bytes an element, little-endian", codec.ElementOf[T]().Size()), describe(raw))
}
