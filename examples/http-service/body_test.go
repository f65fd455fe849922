package main

import (
	"encoding/json"
	"math"
	"math/big"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

// FuzzExact reads any number: it is refused, or it is the same whole number, or the
// float64 next to one with a fraction.
func FuzzExact(f *testing.F) {
	for _, seed := range []string{"9007199254740993", "9007199254740993.0", "-0", "1e18", "0.1", "1e-400", "3.0000000000000000001", "9223372036854775807e0"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var number json.Number
		if json.Unmarshal([]byte(text), &number) != nil || strings.HasPrefix(strings.TrimSpace(text), `"`) || len(text) > maxDigits || strings.TrimSpace(text) == "null" {
			return
		}
		got, err := exact(number)
		if err != nil {
			return
		}
		if x, ok := got.(float64); ok && (x != math.Trunc(x) || math.Abs(x) >= 1<<63 || x == 0) {
			require.False(t, math.IsInf(x, 0))
			return // a fraction, or far from what an Int holds
		}
		want, ok := new(big.Rat).SetString(number.String())
		require.True(t, ok)
		is := new(big.Rat)
		switch x := got.(type) {
		case int64:
			is.SetInt64(x)
		case float64:
			is.SetFloat64(x)
		}
		require.Zero(t, want.Cmp(is), "%s became %v", text, got)
	})
}

// FuzzCheckText reads any string: it is refused, or no character of it is replaced.
func FuzzCheckText(f *testing.F) {
	for _, seed := range []string{`"\ud83d\ude00"`, `"\ud83d"`, `"\\ud83d"`, `"\ude00\ud83d"`, "\"\xff\"", `"\ufffd"`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var s string
		if checkText(body) != nil || json.Unmarshal(body, &s) != nil {
			return
		}
		meant := strings.Count(string(body), "\uFFFD") + strings.Count(strings.ToLower(string(body)), `\ufffd`)
		require.LessOrEqual(t, strings.Count(s, string(utf8.RuneError)), meant, "%q", body)
	})
}
