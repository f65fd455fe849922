package serve

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestPlaneOfALine has points that differ in one direction alone: there is no other one,
// in which rounding would put them apart.
func TestPlaneOfALine(t *testing.T) {
	for _, vectors := range [][][]float64{
		{{1, 2}, {2, 1}, {1, 2}},
		{{1}, {2}, {4}},
		{{0, 0.1, 0}, {0, 0.2, 0}, {0, 0.7, 0}, {0, 0.7, 0}},
	} {
		axes, explained := principal(vectors)
		require.InDelta(t, 1, explained[0], 1e-9)
		require.InDelta(t, 0, explained[1], 1e-9)
		for _, at := range axes {
			require.InDelta(t, 0, at[1], 1e-9)
		}
	}
	_, explained := principal([][]float64{{0, 0}, {1, 0}, {0, 1e-4}})
	require.InDelta(t, 1, explained[0]+explained[1], 1e-9)
	require.Positive(t, explained[1])
}
