package codec_test

import (
	"fmt"
	"math"
	"math/bits"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/codec"
)

func TestInt8(t *testing.T) {
	var all []int8
	for i := -128; i < 128; i++ {
		all = append(all, int8(i))
	}
	for i, x := range codec.ParseInt8([]float32{9}, all)[1:] {
		require.Equal(t, float32(i-128), x)
	}
	back, err := codec.AppendInt8([]int8{7}, codec.ParseInt8[float64](nil, all))
	require.NoError(t, err)
	require.Equal(t, append([]int8{7}, all...), back)
	for _, x := range []float32{-129, 128, 0.5, -127.5, float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1)), math.MaxFloat32} {
		var value *codec.ValueError
		back, err = codec.AppendInt8([]int8{7}, []float32{1, x})
		require.ErrorAs(t, err, &value, "%v", x)
		require.Equal(t, 1, value.Pos)
		require.Equal(t, []int8{7}, back)
	}
}

func TestBits(t *testing.T) {
	g := rand.New(rand.NewPCG(9, 0))
	for _, dim := range []int{1, 7, 8, 9, 64, 100, 1024} {
		var packed [2][]byte
		var v [2][]float32
		for n := range packed {
			packed[n] = make([]byte, (dim+7)/8)
			for i := range dim {
				packed[n][i/8] |= byte(g.IntN(2)) << (7 - i%8)
			}
			var err error
			v[n], err = codec.ParseBits[float32](nil, packed[n], dim)
			require.NoError(t, err)
			require.NoError(t, codec.Check(v[n], dim, codec.Cosine))
			back, err := codec.AppendBits([]byte{5}, v[n])
			require.NoError(t, err)
			require.Equal(t, append([]byte{5}, packed[n]...), back)
		}
		hamming, dot := 0, float32(0)
		for i := range packed[0] {
			hamming += bits.OnesCount8(packed[0][i] ^ packed[1][i])
		}
		for i := range dim {
			dot += v[0][i] * v[1][i]
		}
		require.Equal(t, float32(dim-2*hamming), dot)
	}
	var dim *codec.DimensionError
	var value *codec.ValueError
	for _, n := range []int{0, 1, 3} {
		got, err := codec.ParseBits([]float32{4}, make([]byte, n), 16)
		require.ErrorAs(t, err, &dim)
		require.Equal(t, []float32{4}, got)
	}
	_, err := codec.ParseBits[float32](nil, []byte{0b1010_0001}, 7)
	require.ErrorAs(t, err, &value)
	_, err = codec.ParseBits[float32](nil, nil, 0)
	require.ErrorAs(t, err, &value)
	for _, x := range []float64{0, 2, -1.5, math.NaN()} {
		got, err := codec.AppendBits([]byte{5}, []float64{1, -1, x})
		require.ErrorAs(t, err, &value)
		require.Equal(t, 2, value.Pos)
		require.Equal(t, []byte{5}, got)
	}
}

func FuzzBits(f *testing.F) {
	f.Add([]byte{0xa0}, 3)
	f.Fuzz(func(t *testing.T, packed []byte, dim int) {
		v, err := codec.ParseBits[float32](nil, packed, dim)
		if err != nil {
			return
		}
		back, err := codec.AppendBits(nil, v)
		require.NoError(t, err)
		require.Equal(t, packed, back)
	})
}

func ExampleParseBits() {
	// Twelve bits, as a model with binary embeddings gives them.
	v, err := codec.ParseBits[float32](nil, []byte{0b1010_0000, 0b1111_0000}, 12)
	fmt.Println(v, err)
	packed, err := codec.AppendBits(nil, v)
	fmt.Printf("%08b %v\n", packed, err)
	// Output:
	// [1 -1 1 -1 -1 -1 -1 -1 1 1 1 1] <nil>
	// [10100000 11110000] <nil>
}

func ExampleParseInt8() {
	v := codec.ParseInt8[float32](nil, []int8{-128, 0, 127})
	back, err := codec.AppendInt8(nil, v)
	fmt.Println(v, back, err)
	// Output:
	// [-128 0 127] [-128 0 127] <nil>
}
