package codec_test

import (
	"encoding/base64"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/codec"
)

func ExampleParseBase64() {
	v, err := codec.ParseBase64[float32](nil, []byte("AACAPwAAIMA="))
	fmt.Println(v, err)
	_, err = codec.ParseBase64[float64](nil, []byte("AACAPwAAIMA"))
	fmt.Println(err)
	// Output:
	// [1 -2.5] <nil>
	// not base64 of 8 bytes an element at byte 8
}

func TestParseBase64(t *testing.T) {
	for _, n := range []int{1, 2, 384, 5000} { // the last is more than fits on the stack
		v := make([]float32, n)
		for i := range v {
			v[i] = float32(i) - 1.5
		}
		s := []byte(base64.StdEncoding.EncodeToString(codec.AppendBlob(nil, v)))
		got, err := codec.ParseBase64([]float32{7}, s)
		require.NoError(t, err)
		require.Equal(t, append([]float32{7}, v...), got)
	}
	for _, s := range []string{"", "A", "AAAA", "AAAAAAA", "AAAAAA==A", "AAA_AA==", "AAAAAAAA"} {
		got, err := codec.ParseBase64([]float32{7}, []byte(s))
		var syntax *codec.SyntaxError
		require.ErrorAs(t, err, &syntax, s)
		require.Equal(t, []float32{7}, got, s)
	}
}

func TestParseBase64Allocates(t *testing.T) {
	dst, s := make([]float32, 0, 384), []byte(base64.StdEncoding.EncodeToString(make([]byte, 4*384)))
	require.Zero(t, testing.AllocsPerRun(10, func() { dst, _ = codec.ParseBase64(dst[:0], s) }))
}
