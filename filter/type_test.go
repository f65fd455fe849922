package filter_test

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/filter"
)

type (
	namedString string
	namedInt    int32
	namedFloat  float64
	namedBool   bool
	namedBytes  []byte
)

func TestConvert(t *testing.T) {
	tests := []struct {
		typ      filter.Type
		in, want any
	}{
		{filter.String, "x", "x"},
		{filter.String, "", ""},
		{filter.String, namedString("x"), "x"},
		{filter.String, "e\u0301 😀 \u2028", "e\u0301 😀 \u2028"},
		{filter.Int, 7, int64(7)},
		{filter.Int, namedInt(-7), int64(-7)},
		{filter.Int, uint64(math.MaxInt64), int64(math.MaxInt64)},
		{filter.Int, int64(math.MinInt64), int64(math.MinInt64)},
		{filter.Int, 3.0, int64(3)},
		{filter.Int, math.Copysign(0, -1), int64(0)},
		{filter.Int, float64(1 << 53), int64(1 << 53)},
		{filter.Int, float32(-2), int64(-2)},
		{filter.Int, 2 * time.Second, int64(2e9)},
		{filter.Float, 0.1, 0.1},
		{filter.Float, float32(0.1), float64(float32(0.1))},
		{filter.Float, namedFloat(2), 2.0},
		{filter.Float, int64(1 << 53), float64(1 << 53)},
		{filter.Float, int64(-(1 << 53)), -float64(1 << 53)},
		{filter.Float, uint(3), 3.0},
		{filter.Float, math.MaxFloat64, math.MaxFloat64},
		{filter.Float, math.SmallestNonzeroFloat64, math.SmallestNonzeroFloat64},
		{filter.Int, json.Number("9007199254740993"), int64(9007199254740993)},
		{filter.Int, json.Number("-9223372036854775808"), int64(math.MinInt64)},
		{filter.Int, json.Number("9223372036854775807"), int64(math.MaxInt64)},
		{filter.Int, json.Number("9007199254740993.000"), int64(9007199254740993)},
		{filter.Int, json.Number("9223372036854775.807E+3"), int64(math.MaxInt64)},
		{filter.Int, json.Number("1200e-2"), int64(12)},
		{filter.Int, json.Number("-0"), int64(0)},
		{filter.Int, json.Number("0e999999999999"), int64(0)},
		{filter.Float, json.Number("0.1"), 0.1},
		{filter.Float, json.Number("-0"), 0.0},
		{filter.Float, json.Number("-7"), -7.0},
		{filter.Float, json.Number("100000000000000000000"), 1e20}, // as encoding/json writes 1e20
		{filter.Float, json.Number("9223372036854776000"), 0x1p63}, // as encoding/json writes 2^63, which is …5808
		{filter.Float, json.Number("9223372036854775808"), 0x1p63},
		{filter.Float, json.Number("-18446744073709552000"), -0x1p64},
		{filter.Float, json.Number("1e300"), 1e300},
		{filter.Bool, true, true},
		{filter.Bool, namedBool(true), true},
		{filter.Bytes, []byte("x\x00\xff"), []byte("x\x00\xff")},
		{filter.Bytes, []byte{}, []byte{}},
		{filter.Bytes, namedBytes("x"), []byte("x")},
		{filter.Bytes, json.RawMessage("{}"), []byte("{}")},
		{filter.Time, "2024-01-15", time.Date(2024, 1, 15, 0, 0, 0, 0, time.UTC)},
		{filter.Time, namedString("2024-01-15T10:00:00+02:00"), time.Date(2024, 1, 15, 8, 0, 0, 0, time.UTC)},
		{filter.Time, "2024-01-15T10:00:00.123456789Z", time.Date(2024, 1, 15, 10, 0, 0, 123456000, time.UTC)},
		{filter.Time, time.Date(1969, 12, 31, 23, 59, 59, 999_999_999, time.UTC), time.Date(1969, 12, 31, 23, 59, 59, 999_999_000, time.UTC)},
		{filter.Time, time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC)},
		{filter.Time, time.Date(9999, 12, 31, 23, 0, 0, 0, time.UTC), time.Date(9999, 12, 31, 23, 0, 0, 0, time.UTC)},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprintf("%s from %T %v", tt.typ, tt.in, tt.in), func(t *testing.T) {
			got, err := tt.typ.Convert("f", tt.in)
			require.NoError(t, err)
			require.Equal(t, tt.want, got)
			again, err := tt.typ.Convert("f", got)
			require.NoError(t, err)
			require.Equal(t, got, again, "converting twice changes the value")
		})
	}
}

func TestConvertDropsTheSignOfZero(t *testing.T) {
	got, err := filter.Float.Convert("f", math.Copysign(0, -1))
	require.NoError(t, err)
	require.False(t, math.Signbit(got.(float64)))
}

func TestConvertCopiesBytes(t *testing.T) {
	b := []byte("abc")
	got, err := filter.Bytes.Convert("f", b)
	require.NoError(t, err)
	b[0] = 'X'
	require.Equal(t, []byte("abc"), got)
}

func TestConvertRefusals(t *testing.T) {
	tests := []struct {
		typ       filter.Type
		in        any
		want, got string
	}{
		{filter.String, 1, "String", "Int 1"},
		{filter.String, []byte("x"), "String", "Bytes of length 1"},
		{filter.String, true, "String", "Bool true"},
		{filter.String, nil, "String", "nothing"},
		{filter.String, time.Date(2024, 1, 2, 3, 4, 5, 0, time.UTC), "String", "Time 2024-01-02T03:04:05Z"},
		{filter.String, "a\xff", "String in valid UTF-8", `String "a\xff"`},
		{filter.String, "a\x00b", "String without NUL", `String "a\x00b"`},
		{filter.String, strings.Repeat("x", 100) + "\x00", "String without NUL", "(101 bytes)"},
		{filter.String, struct{}{}, "String", "Go type struct {}"},
		{filter.String, new("x"), "String", "Go type *string"},
		{filter.Int, "7", "Int", `String "7"`},
		{filter.Int, 1.5, "Int", "Float 1.5"},
		{filter.Int, uint64(math.MaxInt64 + 1), "Int from -9223372036854775808 to 9223372036854775807", "Int 9223372036854775808"},
		{filter.Int, uint64(math.MaxUint64), "Int from -9223372036854775808 to 9223372036854775807", "Int 18446744073709551615"},
		{filter.Int, json.Number("18446744073709551615"), "Int from -9223372036854775808 to 9223372036854775807", `Number "18446744073709551615"`},
		{filter.Int, json.Number("1e1000000000"), "Int from", "Number"},
		{filter.Int, json.Number("1" + strings.Repeat("0", 400)), "Int from", "(401 bytes)"},
		{filter.Int, json.Number("1e-1000000000000"), "a whole number", "Number"},
		{filter.Int, json.Number("1.5"), "a whole number", `Number "1.5"`},
		{filter.Int, json.Number(""), "a number as JSON writes it", `Number ""`},
		{filter.Int, json.Number("0x10"), "a number as JSON writes it", `Number "0x10"`},
		{filter.Int, json.Number("010"), "a number as JSON writes it", `Number "010"`},
		{filter.Int, json.Number("1."), "a number as JSON writes it", "Number"},
		{filter.Int, json.Number("1e"), "a number as JSON writes it", "Number"},
		{filter.Float, json.Number("NaN"), "a number as JSON writes it", "Number"},
		{filter.Float, json.Number("1e999"), "a finite Float", "Number"},
		{filter.Float, json.Number("9007199254740993"), "exactly", `Number "9007199254740993"`},
		{filter.Float, json.Number("9223372036854776001"), "exactly", "Number"},
		{filter.Float, json.Number("9223372036854775807"), "exactly", "Number"},
		{filter.String, json.Number("12"), "String", `Number "12"`},
		{filter.Time, json.Number("12"), "Time", `Number "12"`},
		{filter.Bool, json.Number("1"), "Bool", `Number "1"`},
		{filter.Bytes, json.Number("1"), "Bytes", `Number "1"`},
		{filter.Int, float64(1<<53) * 2, "Int", "Float 1.8014398509481984e+16"},
		{filter.Int, math.NaN(), "Int", "Float NaN"},
		{filter.Int, math.Inf(1), "Int", "Float +Inf"},
		{filter.Int, true, "Int", "Bool true"},
		{filter.Float, "1.5", "Float", `String "1.5"`},
		{filter.Float, int64(1<<53 + 1), "2^53", "Int 9007199254740993"},
		{filter.Float, int64(-(1<<53 + 1)), "Float", "Int -9007199254740993"},
		{filter.Float, uint64(1<<53 + 1), "2^53", "Int 9007199254740993"},
		{filter.Float, math.NaN(), "a finite Float", "Float NaN"},
		{filter.Float, math.Inf(-1), "a finite Float", "Float -Inf"},
		{filter.Float, float32(math.Inf(1)), "a finite Float", "Float +Inf"},
		{filter.Float, complex(1, 0), "Float", "Go type complex128"},
		{filter.Bool, 1, "Bool", "Int 1"},
		{filter.Bool, "true", "Bool", `String "true"`},
		{filter.Time, 5, "Time", "Int 5"},
		{filter.Time, "yesterday", "Time", `String "yesterday"`},
		{filter.Time, "2024-13-01", "Time", `String "2024-13-01"`},
		{filter.Time, time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC), "years 1 to 9999", "Time 10000-01-01T00:00:00Z"},
		{filter.Time, time.Date(0, 12, 31, 0, 0, 0, 0, time.UTC), "years 1 to 9999", "Time 0000-12-31T00:00:00Z"},
		{filter.Time, "9999-12-31T23:59:59-01:00", "years 1 to 9999", "String"},
		{filter.Bytes, "x", "Bytes", `String "x"`},
		{filter.Bytes, []int{1}, "Bytes", "Go type []int"},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprintf("%s from %T %.30v", tt.typ, tt.in, tt.in), func(t *testing.T) {
			_, err := tt.typ.Convert("f", tt.in)
			var e *codec.ValueError
			require.ErrorAs(t, err, &e)
			require.Equal(t, "f", e.Field)
			require.Equal(t, -1, e.Pos)
			require.Contains(t, e.Want, tt.want)
			require.Contains(t, e.Got, tt.got)
		})
	}
}

func TestTypeNames(t *testing.T) {
	for typ, name := range map[filter.Type]string{
		filter.String: "String", filter.Int: "Int", filter.Float: "Float", filter.Bool: "Bool", filter.Time: "Time", filter.Bytes: "Bytes",
		filter.Strings: "Strings", filter.Ints: "Ints", filter.Floats: "Floats", filter.JSON: "JSON",
	} {
		require.Equal(t, name, typ.String())
		require.True(t, typ.Valid())
	}
	require.False(t, filter.Type(100).Valid())
	require.Equal(t, "Type(100)", filter.Type(100).String())
}
