package codec

import (
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/internal/pair"
)

// Numbers as embeddings are written, among them those that lie closest to the middle
// of two floats, are read as strconv reads them, wherever they stand.
func TestPlainNumbersRound(t *testing.T) {
	n := 300_000
	if testing.Short() {
		n = 20_000
	}
	rng := rand.New(rand.NewPCG(3, 4))
	digit := func(precision int) string {
		x := rng.Float64() * math.Pow(10, 1-float64(rng.IntN(6)))
		if rng.IntN(2) == 0 { // the middle of two float32s, and what is next to it
			below := float32(x)
			x = (float64(below) + float64(math.Nextafter32(below, 100))) / 2
			x = math.Float64frombits(math.Float64bits(x) + uint64(rng.IntN(9)) - 4)
		}
		text := strconv.FormatFloat(min(x, 9.9), 'f', precision, 64)
		if rng.IntN(2) == 0 {
			return "-" + text
		}
		return text
	}
	var texts []string
	for range n {
		texts = append(texts, digit(rng.IntN(26)))
	}
	texts = append(texts, "-0.0", "0.0", "9.999999999999999", "0.000000000000001", "9007199254740993e0", "0.0e1", "9.223372036854775807", "9.223372036854775808", "9.999999999999999999999", "0.0000000000000000000001", "0.00000000000000000000001")
	rng.Shuffle(len(texts), func(i, j int) { texts[i], texts[j] = texts[j], texts[i] })
	text := "[" + strings.Join(texts, ",") + "]"
	want32, want64 := make([]float32, len(texts)), make([]float64, len(texts))
	for i, s := range texts {
		x, err := strconv.ParseFloat(s, 32)
		require.NoError(t, err)
		want32[i] = float32(x)
		want64[i], err = strconv.ParseFloat(s, 64)
		require.NoError(t, err)
	}
	got32, err := ParseText[float32](nil, text)
	require.NoError(t, err)
	requireSameBits(t, want32, got32)
	got64, err := ParseText[float64](nil, text)
	require.NoError(t, err)
	requireSameBits(t, want64, got64)
}

// BenchmarkParseTextLong pairs a vector whose numbers were printed in 64 bits, as most
// programs print them, with the same in 32 bits.
func BenchmarkParseTextLong(b *testing.B) {
	short := randomUnit(384)
	long := make([]float64, len(short))
	for i, x := range short {
		long[i] = float64(x)
	}
	v := make([]float32, 0, 384)
	parse := func(s string) func() {
		return func() {
			if _, err := ParseText(v, s); err != nil {
				b.Fatal(err)
			}
		}
	}
	pair.Run(b, parse(string(AppendText(nil, long))), parse(string(AppendText(nil, short))))
}

// BenchmarkParseTextVersusNumbers pairs a vector of an embedding model with the same
// numbers behind a space, for which the steps of parseNumber are taken.
func BenchmarkParseTextVersusNumbers(b *testing.B) {
	text := string(AppendText(nil, randomUnit(384)))
	spaced := strings.ReplaceAll(text, ",", " ,")
	v := make([]float32, 0, 384)
	parse := func(s string) func() {
		return func() {
			if _, err := ParseText(v, s); err != nil {
				b.Fatal(err)
			}
		}
	}
	pair.Run(b, parse(text), parse(spaced))
}
