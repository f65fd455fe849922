package codec

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAppendText(t *testing.T) {
	negZero := math.Copysign(0, -1)
	tests := []struct {
		v      []float64
		single string
		double string // if it differs
	}{
		{v: []float64{1, 2.5, -3e-05}, single: "[1,2.5,-3e-05]"},
		{v: nil, single: "[]"},
		{v: []float64{0, negZero}, single: "[0,-0]"},
		{v: []float64{7, 10, 99, 100, 255, -1024, 16777215, 16777216}, single: "[7,10,99,100,255,-1024,16777215,16777216]"},
		{v: []float64{0.1, 0.01, 0.001, 0.0001, 0.00001}, single: "[0.1,0.01,0.001,0.0001,1e-05]"},
		{v: []float64{999999984, 1e9, 1.5e10, -1e20}, single: "[1e+09,1e+09,1.5e+10,-1e+20]", double: "[999999984,1e+09,1.5e+10,-1e+20]"},
		{v: []float64{123.456, 99999.99, 0.3333333432674408}, single: "[123.456,99999.99,0.33333334]", double: "[123.456,99999.99,0.3333333432674408]"},
		{v: []float64{math.MaxFloat32}, single: "[3.4028235e+38]", double: "[3.4028234663852886e+38]"},
		{v: []float64{math.SmallestNonzeroFloat32}, single: "[1e-45]", double: "[1.401298464324817e-45]"},
		{v: []float64{math.NaN(), math.Inf(1), math.Inf(-1)}, single: "[NaN,Infinity,-Infinity]"},
	}
	for _, tt := range tests {
		require.Equal(t, "x"+tt.single, string(AppendText([]byte("x"), singles(tt.v))))
		if tt.double == "" {
			tt.double = tt.single
		}
		require.Equal(t, "x"+tt.double, string(AppendText([]byte("x"), tt.v)))
	}
}

// reference prints x as AppendText must, with strconv alone.
func reference(dst []byte, x float32) []byte {
	start := len(dst)
	dst = strconv.AppendFloat(dst, float64(x), 'e', -1, 32)
	e := strings.LastIndexByte(string(dst), 'e')
	if exp, _ := strconv.Atoi(string(dst[e+1:])); minPlainExp <= exp && exp <= maxPlainExp {
		dst = strconv.AppendFloat(dst[:start], float64(x), 'f', -1, 32)
	}
	return dst
}

// TestFloat32Patterns prints one float32 in 2,003 and reads it back; with
// VECWIRE_EXHAUSTIVE=1 each of the 2**32 (some minutes).
func TestFloat32Patterns(t *testing.T) {
	step := uint64(2003)
	if os.Getenv("VECWIRE_EXHAUSTIVE") != "" {
		step = 1
	}
	const workers = 2
	var wg sync.WaitGroup
	for w := range uint64(workers) {
		wg.Go(func() {
			var got, want []byte
			var back []float32
			for u := w * step; u < 1<<32; u += workers * step {
				got, want, back = checkPattern(t, uint32(u), got, want, back)
				if t.Failed() {
					return
				}
			}
		})
	}
	wg.Wait()
}

func TestFloat32Edges(t *testing.T) {
	var got, want []byte
	var back []float32
	for exponent := range uint32(256) {
		for _, fraction := range []uint32{0, 1, 2, 3, 1 << 22, 1<<22 - 1, 1<<22 + 1, 1<<23 - 2, 1<<23 - 1} {
			for sign := range uint32(2) {
				got, want, back = checkPattern(t, sign<<31|exponent<<23|fraction, got, want, back)
			}
		}
	}
}

func TestFloat32ShortDecimals(t *testing.T) {
	var got, want []byte
	var back []float32
	for exp := -45; exp <= 38; exp++ {
		for digits := 1; digits < 3000; digits += 7 {
			x, _ := strconv.ParseFloat(strconv.Itoa(digits)+"e"+strconv.Itoa(exp-3), 32)
			for _, u := range []uint32{math.Float32bits(float32(x)) - 1, math.Float32bits(float32(x)), math.Float32bits(float32(x)) + 1} {
				got, want, back = checkPattern(t, u, got, want, back)
			}
		}
	}
}

// checkPattern compares what is printed for the float32 with bits u with
// strconv, and reads it back. Its other arguments are buffers.
func checkPattern(t *testing.T, u uint32, got, want []byte, back []float32) ([]byte, []byte, []float32) {
	x := math.Float32frombits(u)
	if x-x != 0 {
		return got, want, back
	}
	got, want = appendFloat32(got[:0], x), reference(want[:0], x)
	if string(got) != string(want) {
		t.Errorf("%#08x is printed as %s, want %s", u, got, want)
	}
	back, err := ParseText(back[:0], got)
	if err != nil || len(back) != 1 || math.Float32bits(back[0]) != u {
		t.Errorf("%#08x, printed as %s, reads back as %v, %v", u, got, back, err)
	}
	return got, want, back
}

func TestFloat64RoundTrip(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	v := []float64{math.MaxFloat64, math.SmallestNonzeroFloat64, 0x1p-1022, 1 << 53, 1<<53 + 2, 1e22, 1e23, 99999999, 1e8, -5}
	for range 50_000 {
		if x := math.Float64frombits(r.Uint64()); x-x == 0 {
			v = append(v, x, r.NormFloat64())
		}
	}
	text := AppendText(nil, v)
	got, err := ParseText[float64](nil, text)
	require.NoError(t, err)
	requireSameBits(t, v, got)

	var fromJSON []float64
	require.NoError(t, json.Unmarshal(text, &fromJSON))
	requireSameBits(t, v, fromJSON)
}

func TestParseText(t *testing.T) {
	for s, want := range map[string][]float64{
		"[1,2.5,-3e-05]":                          {1, 2.5, -3e-05},
		"1,2.5,-3E-05":                            {1, 2.5, -3e-05},
		" [ 1 , 2\t,\n3 ] ":                       {1, 2, 3},
		"\v1 ,\f2\r":                              {1, 2},
		"1":                                       {1},
		"1.0,.5,-.5,5.,+1,-0,+.0,007":             {1, .5, -.5, 5, 1, math.Copysign(0, -1), 0, 7},
		"1E-05,1e+05,1e5,1e0005":                  {1e-05, 1e5, 1e5, 1e5},
		"0.000000000000000000000000000000000015":  {15e-36},
		"123456789012345678901234567890":          {123456789012345678901234567890},
		"1e-400,-1e-99999999999999999999":         {0, math.Copysign(0, -1)},
		"0e99999999999999999999":                  {0},
		"0." + strings.Repeat("0", 790) + "1e791": {1},
		strings.Repeat("9", 795) + "e-795":        {1},
		"16777217,16777217.0000001,16777219":      {16777217, 16777217.0000001, 16777219},
	} {
		got, err := ParseText([]float64{42}, s)
		require.NoError(t, err, s)
		requireSameBits(t, append([]float64{42}, want...), got)
		single, err := ParseText([]float32{42}, []byte(s))
		require.NoError(t, err, s)
		requireSameBits(t, append([]float32{42}, singles(want)...), single)
	}
}

func TestParseTextRefuses(t *testing.T) {
	for s, offset := range map[string]int64{
		"": 0, " ": 1, "[]": 1, "[ ]": 2, "[": 1, "]": 0, "[1": 2, "1]": 1, "[1]]": 3, "[[1]]": 1, "[1],": 3, "[1] x": 4,
		"1,": 2, ",1": 0, "1,,2": 2, "[1, ,2]": 4, "1 2": 2, "1;2": 1, "(1)": 0, "{1}": 0, "'1'": 0,
		"nan": 0, "1,NaN": 2, "inf": 0, "-inf": 0, "Infinity": 0, "1,-Infinity": 2,
		"0x10": 1, "0x1p3": 1, "1_000": 1, "1e1_0": 3, "0b1": 1, "0o7": 1, "1f": 1, "1d5": 1,
		"-": 0, "+": 0, "--1": 0, "+-1": 0, "- 1": 0, ".": 0, "-.": 0, "1..2": 2, "1.2.3": 3, "1e": 0, "1e+": 0, "2,1e-": 2, "1e5.5": 3, ".e5": 0, "e5": 0,
		"1,1e400": 2, "1e99999999999999999999": 0, "-1e309": 0,
		"1\x00": 1, "1\u00a02": 1, "\u0661": 0, "１": 0, "12345678\xff": 8, "1.2345678\x80": 9,
	} {
		dst := []float64{42}
		got, err := ParseText(dst, s)
		require.Equal(t, dst, got)
		var syntax *SyntaxError
		require.ErrorAs(t, err, &syntax, s)
		require.Equal(t, offset, syntax.Offset, "%q: %v", s, err)

		_, err = ParseText[float32](nil, s)
		require.ErrorAs(t, err, &syntax, s)
		require.Equal(t, offset, syntax.Offset, "%q: %v", s, err)
	}
	_, err := ParseText[float32](nil, "1,"+strings.Repeat("9", 900)+"e-900") // it is 1, but strconv says 0
	require.EqualError(t, err, "number is longer than 800 bytes at byte 2")
	_, err = ParseText[float32](nil, "1,3.4028236e+38")
	require.EqualError(t, err, "number is out of the range of FLOAT at byte 2")
	_, err = ParseText[float32](nil, "1000000000000000000e22")
	require.EqualError(t, err, "number is out of the range of FLOAT at byte 0")
	_, err = ParseText[float32](nil, "1,-3.4028235e+38")
	require.NoError(t, err)
}

// TestParseTextRounds reads what is as hard as can be to round: the middle of
// two floats, and numbers very close to it.
func TestParseTextRounds(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	check := func(s string) {
		t.Helper()
		single, err := strconv.ParseFloat(s, 32)
		if err == nil {
			got, err := ParseText[float32](nil, s)
			require.NoError(t, err)
			require.Equal(t, math.Float32bits(float32(single)), math.Float32bits(got[0]), s)
		}
		double, err := strconv.ParseFloat(s, 64)
		require.NoError(t, err)
		got, err := ParseText[float64](nil, s)
		require.NoError(t, err)
		require.Equal(t, math.Float64bits(double), math.Float64bits(got[0]), s)
	}
	for range 20_000 {
		x := math.Float32frombits(r.Uint32())
		if x-x != 0 {
			continue
		}
		middle := (float64(x) + float64(math.Nextafter32(x, 0))) / 2
		for _, y := range []float64{middle, math.Nextafter(middle, 0), math.Nextafter(middle, math.Inf(1))} {
			check(strconv.FormatFloat(y, 'e', -1, 64))
			check(strconv.FormatFloat(y, 'e', 30, 64))
		}
		check(strconv.FormatUint(r.Uint64()>>r.IntN(64), 10) + "." + strconv.FormatUint(r.Uint64()>>r.IntN(64), 10))
		check(strconv.FormatUint(r.Uint64()>>r.IntN(64), 10) + "e" + strconv.Itoa(r.IntN(50)-25))
	}
	for n := uint64(1) << 24; n < 1<<25; n += 9973 {
		check(strconv.FormatUint(n|1, 10)) // exact middles
	}
}

func TestTextDoesNotAllocate(t *testing.T) {
	v := randomUnit(128)
	text := AppendText(nil, v)
	buf, raw, floats := make([]byte, 0, 16*len(v)+32), string(text), make([]float32, 0, len(v))
	require.Zero(t, testing.AllocsPerRun(100, func() { buf = AppendText(buf[:0], v) }))
	require.Zero(t, testing.AllocsPerRun(100, func() { floats, _ = ParseText(floats[:0], text) }))
	require.Zero(t, testing.AllocsPerRun(100, func() { floats, _ = ParseText(floats[:0], raw) }))
	double, buf64 := []float64{0.1, 2, -math.MaxFloat64}, make([]byte, 0, 25*3+32)
	require.Zero(t, testing.AllocsPerRun(100, func() { buf64 = AppendText(buf64[:0], double) }))
}

var (
	number  = `[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?`
	list    = `[ \t-\r]*` + number + `[ \t-\r]*(?:,[ \t-\r]*` + number + `[ \t-\r]*)*`
	grammar = regexp.MustCompile(`\A(?:` + list + `|[ \t-\r]*\[` + list + `\][ \t-\r]*)\z`)
)

func FuzzParseText(f *testing.F) {
	for _, s := range []string{
		"", "[]", "[1,2.5,-3e-05]", " [ 1 , 2 ] ", "1,2", ".5,-.5,5.,+1,1E-05", "[1,NaN]", "1e39", "[1,,2]", "0x1p-2", "1_0",
		"[0.25,-0.5,0.12345678,-1.123456789012345,0.1234567890123456,0.5,0.5,0.5,0.5,0.5,0.5]", "0.25,-0.5e3,0.,0.5 ,0.5,0.5,0.5,0.5,0.5,0.5",
		"0.1234567890123456789012345,123456789012345678901234567890", "16777217", "1e-46", "-0", "[1", "1]", "12345678,1234567.8,1e99999999999999999999",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		fuzzParse[float32](t, s)
		fuzzParse[float64](t, s)
	})
}

func fuzzParse[T Float](t *testing.T, s string) {
	size := ElementOf[T]().Size() * 8
	valid := grammar.MatchString(s)
	var want []T
	if valid {
		for part := range strings.SplitSeq(strings.Trim(s, "[] \t\n\v\f\r"), ",") {
			x, err := strconv.ParseFloat(strings.Trim(part, " \t\n\v\f\r"), size)
			valid = valid && err == nil && len(strings.Trim(part, " \t\n\v\f\r")) <= maxNumber
			want = append(want, T(x))
		}
	}
	got, err := ParseText[T](nil, s)
	if !valid {
		var syntax *SyntaxError
		require.ErrorAs(t, err, &syntax)
		require.True(t, 0 <= syntax.Offset && syntax.Offset <= int64(len(s)))
		require.Nil(t, got)
		return
	}
	require.NoError(t, err)
	requireSameBits(t, want, got)
	again, err := ParseText[T](nil, AppendText(nil, got))
	require.NoError(t, err)
	requireSameBits(t, want, again)
}

// randomUnit returns a random vector of length 1, as an embedding model gives it.
func randomUnit(dim int) []float32 {
	r := rand.New(rand.NewPCG(1, 2))
	v, sum := make([]float32, dim), 0.0
	for i := range v {
		v[i] = float32(r.NormFloat64())
		sum += float64(v[i]) * float64(v[i])
	}
	for i := range v {
		v[i] /= float32(math.Sqrt(sum))
	}
	return v
}
