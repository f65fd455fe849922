package transfer

import (
	"encoding/json"
	"sync"
)

// outlines keeps what outlines of lines were made in.
var outlines = sync.Pool{New: func() any { return new([]byte) }}

// validJSON is json.Valid, which takes longer over a vector than reading it does. It is
// asked about an outline in which long lists of numbers and long plain strings are empty.
// An outline is JSON if and only if what it is of is: a list of numbers is a value, or a
// part of a string, as an empty one is; and what lies between two quotes without any
// other mark is a whole string or the end of one, as nothing is, or stands where no value
// may, as an empty string does there.
func validJSON(b []byte, lists *longLists) bool {
	if len(b) < 4*longRun {
		return json.Valid(b)
	}
	kept := outlines.Get().(*[]byte)
	*kept = appendOutline((*kept)[:0], b, lists)
	ok := json.Valid(*kept)
	if cap(*kept) <= 1<<20 {
		outlines.Put(kept)
	}
	return ok
}

// longRun is from how many bytes on something is left out.
const longRun = 64

func appendOutline(dst, b []byte, lists *longLists) []byte {
	from := 0 // of what was not appended yet
	for i := 0; i < len(b); i++ {
		n := 0
		switch b[i] {
		case '[':
			n = lists.in(b, i)
		case '"':
			n = plainIn(b[i+1:])
		}
		if n < longRun {
			continue
		}
		dst = append(dst, b[from:i+1]...)
		i += n + 1 // at the closing mark
		from = i
	}
	return append(dst, b[from:]...)
}

// plainIn returns how many letters, digits, + / and = stand before a quote, 0 if another
// byte does.
func plainIn(b []byte) int {
	for i, c := range b {
		if !isPlain[c] {
			if c == '"' {
				return i
			}
			return 0
		}
	}
	return 0
}

var isPlain = func() (is [256]bool) {
	for _, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=") {
		is[c] = true
	}
	return is
}()

// numbersIn returns how many bytes of JSON's numbers with commas between stand before a
// closing bracket, 0 if anything else does.
func numbersIn(b []byte) int {
	i := spaces(b, 0)
	for {
		end := numberEnd(b, i)
		if end == i {
			return 0
		}
		if i = spaces(b, end); i == len(b) {
			return 0
		}
		switch b[i] {
		case ']':
			return i
		case ',':
			i = spaces(b, i+1)
		default:
			return 0
		}
	}
}

// spaces passes over the one kind of space that may stand in a string, too.
func spaces(b []byte, i int) int {
	for i < len(b) && b[i] == ' ' {
		i++
	}
	return i
}

func digits(b []byte, i int) int {
	for i < len(b) && b[i]-'0' <= 9 {
		i++
	}
	return i
}

// numberEnd returns where the number ends that begins at i, i if there is none.
func numberEnd(b []byte, i int) int {
	begin := i
	if i < len(b) && b[i] == '-' {
		i++
	}
	whole := digits(b, i)
	if whole == i || b[i] == '0' && whole > i+1 {
		return begin
	}
	i = whole
	if i < len(b) && b[i] == '.' {
		end := digits(b, i+1)
		if end == i+1 {
			return begin
		}
		i = end
	}
	if i < len(b) && b[i]|0x20 == 'e' {
		at := i + 1
		if at < len(b) && (b[at] == '+' || b[at] == '-') {
			at++
		}
		end := digits(b, at)
		if end == at {
			return begin
		}
		i = end
	}
	return i
}
