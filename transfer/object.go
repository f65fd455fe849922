package transfer

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"strconv"
	"unicode/utf8"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/codec"
)

// checkObject returns an error unless b is one JSON object in UTF-8. What reads
// its parts relies on that. Nesting is bounded by encoding/json, at 10,000. Long lists
// are taken down, unless lists is nil.
func checkObject(b []byte, lists *longLists) error {
	if !utf8.Valid(b) {
		return errors.New("not valid UTF-8")
	}
	if !validJSON(b, lists) {
		err := json.Unmarshal(b, new(json.RawMessage)) // which knows why
		return fmt.Errorf("not a JSON object: %w", err)
	}
	if kind := kindOf(trim(b)); kind != "an object" {
		return fmt.Errorf("not a JSON object, but %s", kind)
	}
	return nil
}

// members yields the keys and the values of an object, as they stand in the
// line. Package encoding/json would fold the case of keys, take the last of two
// that are the same, and copy each vector. The ends of the long lists are known from
// checkObject, if they were taken down.
func members(object []byte, lists *longLists) iter.Seq2[[]byte, []byte] {
	return func(yield func(key, value []byte) bool) {
		rest := trim(object[1:])
		for rest[0] != '}' {
			key := rest[:length(rest)]
			rest = trim(rest[len(key):])
			rest = trim(rest[1:]) // the colon
			value := rest[:lists.length(rest)]
			if !yield(key, value) {
				return
			}
			rest = trim(rest[len(value):])
			if rest[0] == ',' {
				rest = trim(rest[1:])
			}
		}
	}
}

// once returns an error if an object within a value has a key twice, of which
// encoding/json would take the last. Keys that differ in case alone are the same to it.
func once(value []byte) error {
	if path := codec.KeyTwice(value, true); path != nil {
		name, _ := path[len(path)-1].(string)
		return twice(shorten(name))
	}
	return nil
}

// elements yields the values of an array, as they stand in the line.
func elements(array []byte) iter.Seq[[]byte] {
	return func(yield func(value []byte) bool) {
		rest := trim(array[1:])
		for rest[0] != ']' {
			value := rest[:length(rest)]
			if !yield(value) {
				return
			}
			rest = trim(rest[len(value):])
			if rest[0] == ',' {
				rest = trim(rest[1:])
			}
		}
	}
}

func trim(b []byte) []byte { return bytes.TrimLeft(b, " \t\r\n") }

// length returns how many bytes the value at the beginning of b has.
func length(b []byte) int {
	depth := 0
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '"':
			i += lengthOfString(b[i:]) - 1
			if depth == 0 {
				return i + 1
			}
		case '{', '[':
			depth++
		case '}', ']':
			depth--
			if depth == 0 {
				return i + 1
			}
			if depth < 0 { // of what holds the value
				return i
			}
		case ',', ' ', '\t', '\r', '\n':
			if depth == 0 {
				return i
			}
		}
	}
	return len(b)
}

func lengthOfString(b []byte) int {
	for i := 1; ; i++ {
		switch b[i] {
		case '"':
			return i + 1
		case '\\':
			i++
		}
	}
}

// kindOf names what begins a value, for an error.
func kindOf(value []byte) string {
	switch value[0] {
	case '{':
		return "an object"
	case '[':
		return "an array"
	case '"':
		return "a string"
	case 't', 'f':
		return "a bool"
	case 'n':
		return "null"
	default:
		return "a number"
	}
}

// unquote returns the string that a JSON string stands for. It refuses half a
// surrogate pair, which encoding/json would replace.
func unquote(field string, value []byte) (string, error) {
	inner := value[1 : len(value)-1]
	if bytes.IndexByte(inner, '\\') < 0 {
		return string(inner), nil
	}
	if loneSurrogate(inner) {
		return "", &vecwire.ValueError{Field: field, Pos: -1, Want: "String in valid UTF-8", Got: "one with half a surrogate pair"}
	}
	var s string
	err := json.Unmarshal(value, &s)
	return s, err
}

func loneSurrogate(inner []byte) bool {
	high := false // the escape just before was the first half of a pair
	for i := 0; i < len(inner); i++ {
		unit := uint64(0)
		if inner[i] == '\\' {
			i++
			if inner[i] == 'u' {
				unit, _ = strconv.ParseUint(string(inner[i+1:i+5]), 16, 16)
				i += 4
			}
		}
		low := 0xdc00 <= unit && unit < 0xe000
		if low != high {
			return true
		}
		high = 0xd800 <= unit && unit < 0xdc00
	}
	return high
}

// text reads a value that must be a string.
func text(field string, value []byte) (string, error) {
	if value[0] != '"' {
		return "", mismatch(field, vecwire.String.String(), value)
	}
	return unquote(field, value)
}

// mismatch reports a JSON value that its field cannot hold.
func mismatch(field, want string, value []byte) error {
	const most = 40
	got := kindOf(value)
	if value[0] != '{' && value[0] != '[' {
		got = string(value[:min(most, len(value))])
		if len(value) > most {
			got = fmt.Sprintf("%s… (%d bytes)", bytes.ToValidUTF8([]byte(got), nil), len(value))
		}
	}
	return &vecwire.ValueError{Field: field, Pos: -1, Want: want, Got: got}
}
