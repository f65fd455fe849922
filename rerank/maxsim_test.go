package rerank_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/rerank"
)

func tokenVectors(g *rand.Rand, n, dim int) [][]float32 {
	out := make([][]float32, n)
	for i := range out {
		out[i] = make([]float32, dim)
		for j := range out[i] {
			out[i][j] = float32(g.NormFloat64())
		}
	}
	return out
}

// plainMaxSim is the formula, in float64.
func plainMaxSim(query, tokens [][]float32) float64 {
	sum := 0.0
	for _, q := range query {
		best := math.Inf(-1)
		for _, d := range tokens {
			dot := 0.0
			for i := range q {
				dot += float64(q[i]) * float64(d[i])
			}
			best = max(best, dot)
		}
		sum += best
	}
	return sum
}

// TestMaxSim compares scores with the formula over what was packed, also where vectors
// are alike, so that rounding could choose another one.
func TestMaxSim(t *testing.T) {
	g := rand.New(rand.NewPCG(3, 0))
	for _, dim := range []int{1, 3, 16, 31, 128, 384, 1000} {
		query := tokenVectors(g, 1+g.IntN(9), dim)
		m, err := rerank.NewMaxSim(query)
		require.NoError(t, err)
		for range 20 {
			vectors := tokenVectors(g, 1+g.IntN(40), dim)
			for i := 1; i < len(vectors); i += 2 { // nearly the same
				copy(vectors[i], vectors[i-1])
				vectors[i][g.IntN(dim)] *= 1.000001
			}
			packed, err := rerank.PackTokens(vectors)
			require.NoError(t, err)
			unpacked, err := rerank.UnpackTokens(packed)
			require.NoError(t, err)
			for i, v := range vectors {
				largest := 0.0
				for _, x := range v {
					largest = max(largest, math.Abs(float64(x)))
				}
				for j, x := range v {
					require.InDelta(t, x, unpacked[i][j], largest/254*1.0001)
				}
			}
			score, err := m.Score(packed)
			require.NoError(t, err)
			want := plainMaxSim(query, unpacked)
			require.InDelta(t, want, score, 1e-6*(1+math.Abs(want)), "float32 holds an unpacked element, and rounds it")
		}
	}
}

// TestMaxSimExact uses scales that are powers of two, where unpacking rounds nothing.
func TestMaxSimExact(t *testing.T) {
	g := rand.New(rand.NewPCG(4, 0))
	query := tokenVectors(g, 5, 200)
	m, err := rerank.NewMaxSim(query)
	require.NoError(t, err)
	for range 50 {
		vectors := make([][]float32, 30)
		for i := range vectors {
			scale := math.Ldexp(1, g.IntN(7)-3)
			vectors[i] = make([]float32, 200)
			for j := range vectors[i] {
				vectors[i][j] = float32(scale * float64(g.IntN(255)-127))
			}
			vectors[i][0] = float32(scale * 127)
		}
		packed, err := rerank.PackTokens(vectors)
		require.NoError(t, err)
		unpacked, err := rerank.UnpackTokens(packed)
		require.NoError(t, err)
		require.Equal(t, vectors, unpacked)
		score, err := m.Score(packed)
		require.NoError(t, err)
		want := plainMaxSim(query, vectors)
		require.InDelta(t, want, score, 1e-12*math.Abs(want))
	}
}

func TestMaxSimRefuses(t *testing.T) {
	var value *codec.ValueError
	var dim *codec.DimensionError
	_, err := rerank.NewMaxSim(nil)
	require.ErrorAs(t, err, &value)
	_, err = rerank.NewMaxSim([][]float32{{}})
	require.ErrorAs(t, err, &value)
	_, err = rerank.PackTokens([][]float32{{1, 2}, {1}})
	require.ErrorAs(t, err, &dim)
	require.ErrorContains(t, err, "token 1")
	_, err = rerank.PackTokens([][]float32{{1, float32(math.NaN())}})
	require.ErrorAs(t, err, &value)
	m, err := rerank.NewMaxSim([][]float32{{1, 0}})
	require.NoError(t, err)
	none, err := rerank.PackTokens(nil)
	require.NoError(t, err)
	score, err := m.Score(none)
	require.NoError(t, err)
	require.Equal(t, -math.MaxFloat64, score)
	zeros, err := rerank.PackTokens([][]float32{{0, 0}})
	require.NoError(t, err)
	score, err = m.Score(zeros)
	require.NoError(t, err)
	require.Zero(t, score)
	other, err := rerank.PackTokens([][]float32{{1, 2, 3}})
	require.NoError(t, err)
	_, err = m.Score(other)
	require.ErrorAs(t, err, &dim)
	for _, b := range [][]byte{nil, {2}, {1}, {1, 2}, {1, 2, 1}, other[:len(other)-1], append(other, 0), {1, 0x80}, {1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 1}} {
		_, err = m.Score(b)
		require.ErrorAs(t, err, &value, "%v", b)
		_, err = rerank.UnpackTokens(b)
		require.ErrorAs(t, err, &value, "%v", b)
	}
	huge, err := rerank.PackTokens([][]float32{{math.MaxFloat32, -math.MaxFloat32}})
	require.NoError(t, err)
	big, err := rerank.NewMaxSim([][]float32{{math.MaxFloat32, 0}})
	require.NoError(t, err)
	score, err = big.Score(huge)
	require.NoError(t, err)
	require.InEpsilon(t, math.MaxFloat32*math.MaxFloat32, score, 1e-6, "more than a float32 holds")
}

func FuzzUnpackTokens(f *testing.F) {
	for _, vectors := range [][][]float32{nil, {{1}}, {{1, 2}, {-3, 4}}} {
		b, err := rerank.PackTokens(vectors)
		require.NoError(f, err)
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, err := rerank.UnpackTokens(b); err != nil {
			return
		}
		m, err := rerank.NewMaxSim([][]float32{{1, 2}})
		require.NoError(t, err)
		_, _ = m.Score(b)
	})
}

// BenchmarkMaxSim compares with the formula as a loop would have it, over float32.
func BenchmarkMaxSim(b *testing.B) {
	g := rand.New(rand.NewPCG(5, 0))
	for _, dim := range []int{128, 384} {
		query, vectors := tokenVectors(g, 32, dim), tokenVectors(g, 180, dim)
		packed, err := rerank.PackTokens(vectors)
		require.NoError(b, err)
		m, err := rerank.NewMaxSim(query)
		require.NoError(b, err)
		b.Run(fmt.Sprintf("dim=%d/packed", dim), func(b *testing.B) {
			for b.Loop() {
				if _, err := m.Score(packed); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(fmt.Sprintf("dim=%d/loop", dim), func(b *testing.B) {
			for b.Loop() {
				sum := float32(0)
				for _, q := range query {
					best := float32(math.Inf(-1))
					for _, d := range vectors {
						dot := float32(0)
						for i, x := range q {
							dot += x * d[i]
						}
						best = max(best, dot)
					}
					sum += best
				}
			}
		})
	}
}

func ExampleMaxSim() {
	// The vectors of the tokens of two texts and of a question, as a model makes them.
	texts := [][][]float32{{{1, 0}, {0.6, 0.8}}, {{0, 1}, {0.8, 0.6}}}
	question := [][]float32{{0, 1}, {1, 0}}
	m, err := rerank.NewMaxSim(question)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, text := range texts {
		packed, err := rerank.PackTokens(text) // what is stored
		if err != nil {
			fmt.Println(err)
			return
		}
		score, err := m.Score(packed)
		fmt.Printf("%.1f %v\n", score, err)
	}
	// Output:
	// 1.8 <nil>
	// 1.8 <nil>
}
