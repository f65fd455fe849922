package ingest_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/internal/ingest"
)

// TestOwn: a copy shares nothing with what was given, nor with the next copy.
func TestOwn(t *testing.T) {
	var slab ingest.Slab[float32]
	require.Nil(t, slab.Own(nil, 2))
	given := []float32{1, 2}
	var copies [][]float32
	for range 10_000 { // more than a block
		copies = append(copies, slab.Own(given, 2))
	}
	copies[1] = append(copies[1], 9)
	given[0], copies[0][0] = 7, 8
	for i, c := range copies[1:] {
		require.Equal(t, []float32{1, 2}, c[:2], i)
	}
	require.Len(t, slab.Own(make([]float32, 50_000), 2), 50_000, "one of another length")
	require.Len(t, slab.Own(given, 0), 2)

	vectors := map[string][]float32{"picture": {1}}
	copies2 := ingest.OwnVectors(vectors)
	vectors["picture"][0] = 2
	require.Equal(t, map[string][]float32{"picture": {1}}, copies2)
	require.Nil(t, ingest.OwnVectors(nil))
}
