package filter

import (
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
)

// What is wanted instead of a number that its field cannot hold.
var (
	wantInt      = fmt.Sprintf("Int from %d to %d", int64(math.MinInt64), int64(math.MaxInt64))
	wantWhole    = "Int: a whole number"
	wantExactInt = "Int: as a float, a whole number up to 2^53 either way; give the integer itself"
	wantExact    = "Float: an integer that a float64 holds exactly, as it does all up to 2^53 either way"
	wantFinite   = "a finite Float"
	wantNumber   = "a number as JSON writes it"
)

// intOf returns a float as an Int. Beyond 2^53 a float may stand for an integer
// that it cannot hold.
func intOf(x float64) (any, string) {
	switch {
	case x != math.Trunc(x) || math.IsInf(x, 0): // NaN too
		return nil, wantWhole
	case math.Abs(x) > maxExact:
		return nil, wantExactInt
	}
	return int64(x), ""
}

// convertNumber converts a number in JSON's text, which encoding/json gives
// where it is asked not to round, without rounding it either: an integer is kept
// exactly or refused. A fraction becomes the float64 nearest to it, and so does an
// integer whose digits are the fewest that stand for that float64: encoding/json and
// JavaScript write a large one with zeros behind these.
func (t Type) convertNumber(n json.Number) (any, string) {
	text := string(n)
	switch {
	case !isNumber(text):
		return nil, wantNumber
	case t == Int:
		digits, whole := wholeDigits(text)
		if !whole {
			return nil, wantWhole
		}
		i, err := strconv.ParseInt(digits, 10, 64)
		if err != nil {
			return nil, wantInt
		}
		return i, ""
	case t == Float:
		x, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return nil, wantFinite
		}
		if !strings.ContainsAny(text, ".eE") && text != strconv.FormatFloat(x, 'f', 0, 64) && text != strconv.FormatFloat(x, 'f', -1, 64) {
			return nil, wantExact
		}
		return x + 0, ""
	}
	return nil, t.String()
}

// integerOf returns what an integer in Go's syntax is: an int64, or a [json.Number]
// where that is too small.
func integerOf(literal string) any {
	if n, err := strconv.ParseInt(literal, 0, 64); err == nil {
		return n
	}
	n, _ := new(big.Int).SetString(literal, 0) // the parser has taken it for an integer
	return json.Number(n.String())
}

// fractionOf returns what a number with a point or an exponent in Go's syntax is: a
// float64, or a [json.Number] if the float64 would be written as another number. A JSON
// field compares it exactly; a Float takes the float64 nearest to it, if there is one.
func fractionOf(literal string) any {
	x, err := strconv.ParseFloat(literal, 64)
	if strings.ContainsAny(literal, "xX") && err == nil {
		return x // its digits are not decimal
	}
	text := jsonFraction(strings.ReplaceAll(literal, "_", ""))
	if mantissa, _, _ := strings.Cut(strings.ToLower(text), "e"); strings.Trim(mantissa, "-0.") == "" {
		return x // zero times anything
	}
	if err == nil {
		given, problem := plainNumber(text)
		rounded, _ := plainNumber(strconv.FormatFloat(x, 'f', -1, 64))
		if problem == "" && trimFraction(given) == trimFraction(rounded) {
			return x
		}
	}
	return json.Number(text)
}

// jsonFraction writes a decimal fraction as JSON wants it: without zeros before the
// digits, and with digits on either side of the point.
func jsonFraction(text string) string {
	digits, minus := strings.CutPrefix(text, "-")
	digits = strings.TrimLeft(digits, "0")
	if digits == "" || !isDigit(digits[0]) {
		digits = "0" + digits
	}
	if whole, rest, found := strings.Cut(digits, "."); found && (rest == "" || !isDigit(rest[0])) {
		digits = whole + ".0" + rest
	}
	if minus {
		return "-" + digits
	}
	return digits
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// trimFraction leaves out the zeros at the end of what [plainNumber] returns.
func trimFraction(plain string) string {
	if !strings.Contains(plain, ".") {
		return plain
	}
	return strings.TrimSuffix(strings.TrimRight(plain, "0"), ".")
}

// isNumber reports whether text is a number as RFC 8259 writes it, section 6.
func isNumber(text string) bool {
	rest := strings.TrimPrefix(text, "-")
	digits := func() int {
		n := len(rest) - len(strings.TrimLeft(rest, "0123456789"))
		rest = rest[n:]
		return n
	}
	zero := strings.HasPrefix(rest, "0")
	if n := digits(); n == 0 || zero && n > 1 {
		return false
	}
	if strings.HasPrefix(rest, ".") {
		if rest = rest[1:]; digits() == 0 {
			return false
		}
	}
	if strings.HasPrefix(rest, "e") || strings.HasPrefix(rest, "E") {
		if rest = rest[1:]; strings.HasPrefix(rest, "+") || strings.HasPrefix(rest, "-") {
			rest = rest[1:]
		}
		if digits() == 0 {
			return false
		}
	}
	return rest == ""
}

// wholeDigits returns the integer that a number in JSON's text is, written
// without point and exponent, and whether it is one. One of more digits than any
// Int has comes back as digits that are out of range.
func wholeDigits(text string) (digits string, whole bool) {
	const most = 20 // digits; an Int has 19
	sign := ""
	if strings.HasPrefix(text, "-") {
		sign, text = "-", text[1:]
	}
	mantissa, exponent := text, 0
	if i := strings.IndexAny(text, "eE"); i >= 0 {
		mantissa = text[:i]
		exponent = clampedInt(text[i+1:])
	}
	integer, fraction, _ := strings.Cut(mantissa, ".")
	digits = strings.TrimLeft(integer+fraction, "0")
	trimmed := strings.TrimRight(digits, "0")
	// digits are worth 10^(exponent-len(fraction)) each at their last place.
	places := exponent - len(fraction) + len(digits) - len(trimmed)
	switch {
	case trimmed == "":
		return "0", true
	case places < 0:
		return "", false
	case len(trimmed)+places > most:
		return sign + strings.Repeat("9", most), true
	}
	return sign + trimmed + strings.Repeat("0", places), true
}

// clampedInt reads an exponent; one beyond what any text could make up for with
// digits is cut off.
func clampedInt(text string) int {
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil && strings.HasPrefix(text, "-") {
		return math.MinInt32
	} else if err != nil {
		return math.MaxInt32
	}
	return int(n)
}
