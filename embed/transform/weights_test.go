package transform

import (
	"crypto/sha256"
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/embed"
)

// bfloat rounds to bfloat16, toward zero.
func bfloat(x float32) uint16 { return uint16(math.Float32bits(x) >> 16) }

func TestHalf(t *testing.T) {
	for bits, want := range map[uint16]float64{ // IEEE 754-2019, binary16
		0x0000: 0, 0x3c00: 1, 0xc000: -2, 0x7bff: 65504, 0x0400: 0x1p-14, 0x0001: 0x1p-24, 0x83ff: -0x3ffp-24, 0x3555: 0.333251953125,
		0x7c00: math.Inf(1), 0xfc00: math.Inf(-1),
	} {
		require.Equal(t, want, float64(half(bits)), "%04x", bits)
	}
	require.True(t, math.Signbit(float64(half(0x8000))))
	require.True(t, math.IsNaN(float64(half(0x7e00))))
}

func TestWeightsInBFloat16(t *testing.T) {
	m := newTinyModel()
	for _, x := range m.tensors {
		for i := range x {
			x[i] = math.Float32frombits(uint32(bfloat(x[i])) << 16)
		}
	}
	var vectors [][]float32
	for _, kind := range []string{"F32", "BF16"} {
		dir := t.TempDir()
		require.NoError(t, m.write(dir))
		raw, err := m.safetensors(kind)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(dir, "model.safetensors"), raw, 0o644))
		v, err := mustOpen(t, dir, Options{}).Embed(t.Context(), []string{"read a file"}, embed.Document)
		require.NoError(t, err)
		vectors = append(vectors, v[0])
	}
	require.Equal(t, vectors[0], vectors[1])
}

func safetensorsFile(header string, data []byte) []byte {
	return append(append(binary.LittleEndian.AppendUint64(nil, uint64(len(header))), header...), data...)
}

func readTensor(t testing.TB, raw []byte) ([]float32, error) {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "model.safetensors"), raw, 0o644))
	w, err := (&modelDir{path: dir, sum: sha256.New()}).weights()
	if err != nil {
		return nil, err
	}
	defer w.file.Close()
	return w.read("x", 2, 2)
}

func TestBadWeights(t *testing.T) {
	data := make([]byte, 16)
	for name, raw := range map[string][]byte{
		"empty":                       {},
		"no header":                   binary.LittleEndian.AppendUint64(nil, 5),
		"a header beyond the limit":   binary.LittleEndian.AppendUint64(nil, math.MaxUint64),
		"another type":                safetensorsFile(`{"x":{"dtype":"I8","shape":[2,2],"data_offsets":[0,4]}}`, data),
		"another shape":               safetensorsFile(`{"x":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}`, data),
		"no such tensor":              safetensorsFile(`{"y":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]}}`, data),
		"too few elements":            safetensorsFile(`{"x":{"dtype":"F32","shape":[2,2],"data_offsets":[0,12]}}`, data),
		"half an element":             safetensorsFile(`{"x":{"dtype":"F16","shape":[2,2],"data_offsets":[0,9]}}`, data),
		"an end behind the file's":    safetensorsFile(`{"x":{"dtype":"F32","shape":[2,2],"data_offsets":[4,20]}}`, data),
		"a beginning before the data": safetensorsFile(`{"x":{"dtype":"F32","shape":[2,2],"data_offsets":[-4,12]}}`, data),
		"an end before the beginning": safetensorsFile(`{"x":{"dtype":"F32","shape":[2,2],"data_offsets":[16,0]}}`, data),
	} {
		_, err := readTensor(t, raw)
		var value *codec.ValueError
		require.ErrorAs(t, err, &value, name)
	}
	for _, header := range []string{`[]`, `{"x":3}`, `{`, ``} {
		_, err := readTensor(t, safetensorsFile(header, data))
		require.ErrorContains(t, err, "header", header)
	}
	got, err := readTensor(t, safetensorsFile(`{"x":{"dtype":"F16","shape":[2,2],"data_offsets":[8,16]}}`, append(make([]byte, 8), 0, 0x3c, 0, 0xc0, 1, 0, 0, 0x80)))
	require.NoError(t, err)
	require.Equal(t, []float32{1, -2, 0x1p-24, float32(math.Copysign(0, -1))}, got)
}

func FuzzWeights(f *testing.F) {
	f.Add(safetensorsFile(`{"x":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]}}`, make([]byte, 16)))
	f.Add(safetensorsFile(`{"x":{"dtype":"BF16","shape":[2,2],"data_offsets":[1,9]},"__metadata__":3}`, make([]byte, 16)))
	f.Add([]byte("short"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		got, err := readTensor(t, raw)
		if err == nil {
			require.Len(t, got, 4)
		}
	})
}
