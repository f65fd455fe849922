package codec

import (
	"bytes"
	"encoding/json"
	"strings"
)

// KeyTwice returns the path of the first key that an object in b has twice, of which
// package encoding/json takes the last without a word; nil if there is none. The path has
// a string for each key and an int for each place in a list. With fold keys are the same,
// too, that differ in case alone, as they are to json.Unmarshal into a struct.
//
// b must be JSON in UTF-8, as json.Valid and utf8.Valid have it.
func KeyTwice(b []byte, fold bool) []any {
	s := keyScanner{b: b, fold: fold}
	s.value()
	return s.path
}

// keyScanner looks at the keys of valid JSON.
type keyScanner struct {
	b    []byte
	i    int
	fold bool
	keys [][]byte // of the objects that are open
	path []any    // to the key that is there twice, from its end, as it is found
}

func (s *keyScanner) space() {
	for s.i < len(s.b) && s.b[s.i] <= ' ' {
		s.i++
	}
}

// value passes over a value. It reports whether it found a key that is there twice.
func (s *keyScanner) value() bool {
	s.space()
	if s.i == len(s.b) {
		return false
	}
	switch s.b[s.i] {
	case '{':
		return s.object()
	case '[':
		return s.list()
	case '"':
		s.text()
		return false
	}
	begin := s.i
	for s.i < len(s.b) && s.b[s.i] > ' ' && s.b[s.i] != ',' && s.b[s.i] != ']' && s.b[s.i] != '}' {
		s.i++
	}
	if s.i == begin {
		s.i = len(s.b) // it is no JSON
	}
	return false
}

// text passes over a string and returns it with its quotes.
func (s *keyScanner) text() []byte {
	begin := s.i
	for s.i++; s.i < len(s.b) && s.b[s.i] != '"'; s.i++ {
		if s.b[s.i] == '\\' {
			s.i++
		}
	}
	s.i = min(s.i+1, len(s.b))
	return s.b[begin:s.i]
}

// more passes over the mark before the next part of an object or list, and reports
// whether there is one.
func (s *keyScanner) more(end byte) bool {
	s.space()
	if s.i == len(s.b) {
		return false
	}
	c := s.b[s.i]
	if c == end || c == ',' {
		s.i++
	}
	s.space()
	return c != end && s.i < len(s.b)
}

func (s *keyScanner) list() bool {
	s.i++
	for n := 0; s.more(']'); n++ {
		if s.value() {
			s.path = append([]any{n}, s.path...)
			return true
		}
	}
	return false
}

// manyKeys is from how many on the keys of an object are looked up in a map.
const manyKeys = 32

func (s *keyScanner) object() bool {
	s.i++
	from := len(s.keys)
	defer func() { s.keys = s.keys[:from] }()
	var all map[string]bool
	for s.more('}') {
		if s.b[s.i] != '"' {
			s.i = len(s.b) // it is no JSON
			return false
		}
		key := unquoteKey(s.text())
		switch n := len(s.keys) - from; {
		case n < manyKeys:
			for _, other := range s.keys[from:] {
				if bytes.Equal(key, other) || s.fold && bytes.EqualFold(key, other) {
					s.path = []any{string(key)}
					return true
				}
			}
		case n == manyKeys:
			all = make(map[string]bool, 2*manyKeys)
			for _, other := range s.keys[from:] {
				all[s.folded(other)] = true
			}
			fallthrough
		default:
			if all[s.folded(key)] {
				s.path = []any{string(key)}
				return true
			}
			all[s.folded(key)] = true
		}
		s.keys = append(s.keys, key)
		s.space()
		s.i = min(s.i+1, len(s.b)) // behind the colon
		if s.value() {
			s.path = append([]any{string(key)}, s.path...)
			return true
		}
	}
	return false
}

func (s *keyScanner) folded(key []byte) string {
	if s.fold {
		return strings.ToLower(string(key))
	}
	return string(key)
}

// unquoteKey returns the key that a string in JSON is.
func unquoteKey(quoted []byte) []byte {
	inner := quoted[1:max(1, len(quoted)-1)]
	if bytes.IndexByte(inner, '\\') < 0 {
		return inner
	}
	var key string
	_ = json.Unmarshal(quoted, &key) // of valid JSON it cannot fail
	return []byte(key)
}
