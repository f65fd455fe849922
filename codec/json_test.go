package codec

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// checkJSON holds ParseJSON against encoding/json and ParseText.
func checkJSON[T Float](t *testing.T, b string) {
	v, n, err := ParseJSON([]T{42}, []byte(b))
	if err != nil {
		require.IsType(t, &SyntaxError{}, err, "%q", b)
		require.Equal(t, []T{42}, v)
		if i := strings.IndexByte(b, ']'); i >= 0 && strings.HasPrefix(b, "[") { // a list without others in it
			var want []T
			if json.Unmarshal([]byte(b[:i+1]), &want) == nil && !strings.Contains(b[:i], "null") {
				require.Empty(t, want, "%q", b)
			}
		}
		return
	}
	require.Equal(t, byte(']'), b[n-1])
	require.True(t, json.Valid([]byte(b[:n])), "%q", b[:n])
	want, err := ParseText([]T{42}, b[:n])
	require.NoError(t, err)
	require.Equal(t, want, v)
	for _, x := range v {
		require.False(t, math.IsNaN(float64(x)) || math.IsInf(float64(x), 0))
	}
}

var numbersOfAllKinds = []string{
	"0", "-0", "1", "12", "-1.5", "0.123456789", "-0.0123456789012345", "1e5", "1E-05", "-1.25e+3", "3.4028235e38", "1e400", "00", "01", "-01.5", "00.5",
	".5", "5.", "+1", "-", "--1", "1e", "0x1", "NaN", "Infinity", "null", `"1"`, "[1]", "", "1 2", "1.2.3", "16777217", strings.Repeat("7", 40), "0." + strings.Repeat("7", 40),
	"1.", "0.", "-.5", "0.5.", "1.e5",
}

func TestParseJSON(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	read := 0
	for range 50_000 {
		b := []byte{'['}
		for i := range 1 + rng.IntN(6) {
			if i > 0 {
				b = append(b, []string{",", ", ", " ,", ",\n", ",\v", ""}[rng.IntN(200)%(1+rng.IntN(6))]...)
			}
			some := numbersOfAllKinds
			if rng.IntN(4) > 0 {
				some = some[:11]
			}
			b = append(b, some[rng.IntN(len(some))]...)
		}
		b = append(b, []string{"]", " ]", "]}", "] , 5]", "}", "", "],[1]"}[rng.IntN(7)]...)
		checkJSON[float32](t, string(b))
		checkJSON[float64](t, string(b))
		if _, _, err := ParseJSON([]float32(nil), b); err == nil {
			read++
		}
	}
	require.Greater(t, read, 5000)
	for _, b := range []string{"", "[", "]", "[]", "[ ]", "1,2", " [1]"} {
		_, _, err := ParseJSON([]float32(nil), []byte(b))
		require.Error(t, err, "%q", b)
	}
}

func FuzzParseJSON(f *testing.F) {
	for _, n := range numbersOfAllKinds {
		f.Add("[" + n + ", 0.25,-1.5e-3," + n + "] ")
	}
	f.Fuzz(func(t *testing.T, b string) {
		checkJSON[float32](t, b)
		checkJSON[float64](t, b)
	})
}
