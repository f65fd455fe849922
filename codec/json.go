package codec

import "unsafe"

// ParseJSON reads the JSON list of numbers at the beginning of b, appends its elements to
// dst, and returns the result and how many bytes the list has; it does not allocate if dst
// has room. What stands behind the list is for the caller to read. On an error it returns
// dst as it was, and a *SyntaxError that says at which byte.
//
// It reads JSON and nothing else, unlike ParseText: so no other program has to look
// whether the list is JSON. Numbers are read as ParseText reads them. An empty list is an
// error, as an empty vector is there.
func ParseJSON[T Float](dst []T, b []byte) (v []T, n int, err error) {
	s := unsafe.String(unsafe.SliceData(b), len(b)) // read here only, and not kept
	if s == "" || s[0] != '[' {
		return dst, 0, &SyntaxError{Msg: "want a list"}
	}
	v = dst
	for i := skipJSONSpace(s, 1); ; i = skipJSONSpace(s, i+1) {
		v, i = appendPlain(v, s, i)
		i = skipJSONSpace(s, i)
		x, end, problem := parseNumber[T](s, i)
		if problem == "" && !isJSONNumber(s[i:end]) {
			problem = "want a number as JSON has it"
		}
		if problem != "" {
			return dst, 0, &SyntaxError{Offset: int64(i), Msg: problem}
		}
		v = append(v, x)
		i = skipJSONSpace(s, end)
		switch {
		case i < len(s) && s[i] == ']':
			return v, i + 1, nil
		case i == len(s) || s[i] != ',':
			return dst, 0, &SyntaxError{Offset: int64(i), Msg: "want a comma or the closing bracket"}
		}
	}
}

// isJSONNumber reports whether a number that parseNumber has read is written as in JSON:
// without a plus, with a digit on both sides of a point, without a zero before others.
func isJSONNumber(s string) bool {
	if s[0] == '-' {
		s = s[1:]
	}
	whole := 0
	for whole < len(s) && s[whole]-'0' < 10 {
		whole++
	}
	if whole == 0 || s[0] == '0' && whole > 1 {
		return false
	}
	return whole == len(s) || s[whole] != '.' || whole+1 < len(s) && s[whole+1]-'0' < 10
}

func skipJSONSpace(s string, i int) int {
	for i < len(s) && (s[i] == ' ' || s[i] == '\n' || s[i] == '\r' || s[i] == '\t') {
		i++
	}
	return i
}
