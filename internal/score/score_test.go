package score

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/codec"
)

func of(metric codec.Metric, q, x []float64) float64 {
	s := New(metric, q, nil)
	return s.Of(x)
}

func TestScores(t *testing.T) {
	for _, test := range []struct {
		metric codec.Metric
		q, v   []float64
		want   float64
	}{
		{codec.Cosine, []float64{3, 4}, []float64{3, 4}, 1},
		{codec.Cosine, []float64{1e200, 0}, []float64{1e200, 1e200}, math.Sqrt2 / 2},
		{codec.Cosine, []float64{1e-200, 0}, []float64{-1e-300, 0}, -1},
		{codec.Dot, []float64{1, 2}, []float64{3, -4}, -5},
		{codec.Dot, []float64{0x1p700, 0x1p900}, []float64{0x1p800, -0x1p600}, 0},
		{codec.Dot, []float64{1e200, 1e200}, []float64{1e100, -1e-180}, 1e300},
		{codec.L2, []float64{1, 2}, []float64{4, 6}, -5},
		{codec.L2, []float64{3e300, 0}, []float64{0, 4e300}, -5e300},
		{codec.L2, []float64{3e-200, 0}, []float64{0, 4e-200}, -5e-200},
		{codec.L2, []float64{1, 2}, []float64{1, 2}, 0},
	} {
		got := of(test.metric, test.q, test.v)
		require.InDelta(t, test.want, got, math.Abs(test.want)*2e-15, "%v %v %v", test.metric, test.q, test.v)
		require.False(t, got == 0 && math.Signbit(got), "no negative zero")
	}
}
