package backoff

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestGrowNeverOverflows(t *testing.T) {
	const largest = time.Duration(math.MaxInt64)
	for _, most := range []time.Duration{1, 3, time.Minute, largest/2 + 1, largest} {
		d := time.Duration(1)
		for range 100 {
			next := grow(d, most)
			require.GreaterOrEqual(t, next, d)
			require.LessOrEqual(t, next, most)
			d = next
		}
		require.Equal(t, most, d)
	}
	require.Equal(t, time.Duration(6), grow(3, 7))
	require.Equal(t, time.Duration(7), grow(4, 7))
}
