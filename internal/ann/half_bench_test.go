package ann

import (
	"encoding/binary"
	"math"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/internal/pair"
	"github.com/vecwire/vecwire/internal/testenv"
)

// BenchmarkHalves pairs exact searches that compare halves of codes first with those that
// compare codes only. It needs the data sets.
func BenchmarkHalves(b *testing.B) {
	run := func(name string, fill func(b *testing.B) (*Arena[float32], [][]float32)) {
		b.Run(name, func(b *testing.B) {
			a, qs := fill(b)
			h := withHalves(a)
			require.NotNil(b, h)
			var dst []Candidate
			with, without := cycle(qs), cycle(qs)
			pair.Run(b, func() { dst, _ = a.Search(b.Context(), dst[:0], with(), 10, nil) }, func() {
				a.codes.half.Store(nil)
				a.codes.scans.Store(-1 << 30) // so that no others are made
				dst, _ = a.Search(b.Context(), dst[:0], without(), 10, nil)
				a.codes.half.Store(h)
			})
		})
	}
	run("embeddings 60000x384", minilmArena)
	for _, metric := range []codec.Metric{codec.L2, codec.Dot} {
		run("sift 100000x128/"+metric.String(), func(b *testing.B) (*Arena[float32], [][]float32) {
			return siftArena(b, 100_000, metric)
		})
	}
}

// minilmArena returns an arena of real embeddings of texts, 384-D, and queries.
func minilmArena(b *testing.B) (*Arena[float32], [][]float32) {
	b.Helper()
	base, qs := readHalfFloats(b, "minilm60k_base.npy", 384), readHalfFloats(b, "minilm_query.npy", 384)
	a := newArena[float32](b, 384, codec.Cosine)
	a.Reserve(len(base))
	for row, v := range base {
		require.NoError(b, a.Set(int32(row), v))
	}
	return a, qs
}

// readHalfFloats reads an array of float16 that numpy has written.
func readHalfFloats(b testing.TB, name string, dim int) (rows [][]float32) {
	b.Helper()
	file, err := os.ReadFile(testenv.Data(b, name))
	require.NoError(b, err)
	file = file[10+int(binary.LittleEndian.Uint16(file[8:])):]
	for ; len(file) >= 2*dim; file = file[2*dim:] {
		v := make([]float32, dim)
		for i := range v {
			half := binary.LittleEndian.Uint16(file[2*i:])
			size := math.Float32frombits(uint32(half&0x7fff)<<13) * 0x1p112
			v[i] = float32(math.Copysign(float64(size), float64(int16(half))))
		}
		rows = append(rows, v)
	}
	return rows
}
