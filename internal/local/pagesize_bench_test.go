package local

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/internal/engine"
)

// BenchmarkPageSizes reports what SQLite's file takes for a collection, by what its vectors and texts
// take, with pages of several sizes.
func BenchmarkPageSizes(b *testing.B) {
	for _, texts := range [][2]int{{0, 0}, {200, 800}, {500, 3000}} {
		for _, dim := range []int{128, 256, 384, 512, 768, 1024, 1536, 3072} {
			for _, size := range []int{4096, 8192, 16384} {
				b.Run(fmt.Sprintf("text%d/%d/%d", texts[1], dim, size), func(b *testing.B) {
					for b.Loop() {
						b.ReportMetric(0, "ns/op")
						b.ReportMetric(takenWith(b, size, dim, texts[0], texts[1]), "file/data")
					}
				})
			}
		}
	}
}

func takenWith(b *testing.B, size, dim, least, most int) float64 {
	path := filepath.Join(b.TempDir(), "test.db")
	require.NoError(b, openStore(b, path).Close())
	require.NoError(b, setPageSize(b.Context(), path, size))
	s := openStore(b, path)
	c := create(b, s, vectorsOf(dim))
	rng, data := rand.New(rand.NewPCG(1, 1)), 0
	vector := engine.Vector{F32: make([]float32, dim)}
	var records []engine.Record
	for i := range 2_000_000 / dim {
		text := strings.Repeat("x", least+rng.IntN(most-least+1))
		records = append(records, engine.Record{ID: fmt.Sprint("record-", i), Vector: vector, Text: text})
		data += 4*dim + len(text)
	}
	require.NoError(b, c.Upsert(b.Context(), records))
	require.NoError(b, s.Close())
	info, err := os.Stat(path)
	require.NoError(b, err)
	return float64(info.Size()) / float64(data)
}
