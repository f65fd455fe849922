package codec

import (
	"math"
	"strconv"
	"unsafe"
)

// AppendText appends v as text, such as [1,2.5,-3e-05], to dst: what PostgreSQL
// with pgvector, IRIS's TO_VECTOR and JSON read. Each number has the fewest
// digits that read back as exactly the same float, with the sign of zero. It
// does not allocate if dst has room: 16 bytes for each float32 or 25 for each
// float64, and 32 more, are always enough.
//
// NaN and infinities, which Check refuses, are written as NaN, Infinity and
// -Infinity; ParseText refuses them.
func AppendText[T Float](dst []byte, v []T) []byte {
	var zero T
	dst = append(dst, '[')
	for i, x := range v {
		if i > 0 {
			dst = append(dst, ',')
		}
		if unsafe.Sizeof(zero) == 4 {
			dst = appendFloat32(dst, float32(x))
		} else {
			dst = appendFloat64(dst, float64(x))
		}
	}
	return append(dst, ']')
}

// ParseText reads one vector from all of s, appends its elements to dst, and
// returns the result; it does not allocate if dst has room. On an error it
// returns dst as it was, and a *SyntaxError that says at which byte.
//
// It reads what servers print: numbers as JSON has them, and also as in .5, 5.,
// +1 and 1E-05, separated by commas, with or without brackets around all of
// them, and white space around numbers, commas and brackets. Each number is
// rounded to the nearest T, which may be zero. It refuses all else: NaN,
// infinities and what would round to one, hexadecimal, underscores, an empty
// element, an empty vector, a number of more than 800 bytes. How many elements
// there should be is for Check to judge.
func ParseText[T Float, S string | []byte](dst []T, s S) ([]T, error) {
	var text string
	switch s := any(s).(type) {
	case string:
		text = s
	case []byte:
		text = unsafe.String(unsafe.SliceData(s), len(s)) // read here only, and not kept
	}
	return parseText(dst, text)
}

func parseText[T Float](dst []T, s string) ([]T, error) {
	v := dst
	i := skipSpace(s, 0)
	opened := i < len(s) && s[i] == '['
	if opened {
		i = skipSpace(s, i+1)
	}
	for {
		v, i = appendPlain(v, s, i)
		i = skipSpace(s, i)
		x, end, problem := parseNumber[T](s, i)
		if problem != "" {
			return dst, &SyntaxError{Offset: int64(i), Msg: problem}
		}
		v = append(v, x)
		i = skipSpace(s, end)
		if i == len(s) || s[i] != ',' {
			break
		}
		i = skipSpace(s, i+1)
	}
	if opened {
		if i == len(s) || s[i] != ']' {
			return dst, &SyntaxError{Offset: int64(i), Msg: "want a comma or the closing bracket"}
		}
		i = skipSpace(s, i+1)
	}
	if i < len(s) {
		return dst, &SyntaxError{Offset: int64(i), Msg: "want the end of the vector"}
	}
	return v, nil
}

// maxNumber is the length up to which strconv rounds correctly. It keeps 800
// digits and takes a whole number of more to be smaller than it is; it stops
// reading an exponent at 10,000, which as many zeros could make up for. No
// server prints the half of it.
const maxNumber = 800

// parseNumber reads the number at s[i] and returns where it ends, or the problem.
func parseNumber[T Float](s string, i int) (x T, end int, problem string) {
	start := i
	var neg uint32
	if i < len(s) {
		switch s[i] {
		case '-':
			neg = 1
			i++
		case '+':
			i++
		}
	}
	d, end, problem := scanDecimal(s, i)
	if problem != "" {
		return 0, start, problem
	}
	if end-start > maxNumber {
		return 0, start, "number is longer than 800 bytes"
	}
	if unsafe.Sizeof(x) == 4 {
		if f, ok := d.float32(); ok {
			return T(math.Float32frombits(math.Float32bits(f) | neg<<31)), end, ""
		}
	} else if f, ok := d.float64(); ok {
		return T(math.Float64frombits(math.Float64bits(f) | uint64(neg)<<63)), end, ""
	}
	f, err := strconv.ParseFloat(s[start:end], int(unsafe.Sizeof(x))*8)
	if err != nil {
		return 0, start, "number is out of the range of " + ElementOf[T]().String()
	}
	return T(f), end, ""
}

// skipSpace returns the first place from i on where s has no white space, as
// PostgreSQL's scanner defines it.
func skipSpace(s string, i int) int {
	for i < len(s) && (s[i] == ' ' || '\t' <= s[i] && s[i] <= '\r') {
		i++
	}
	return i
}
