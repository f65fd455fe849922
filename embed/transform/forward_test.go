package transform

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSoftmax(t *testing.T) {
	x := []float32{1000, 1000, 1002}
	softmax(x, 0.5)
	third := 1 / (2 + math.E)
	require.InDeltaSlice(t, []float64{third, third, third * math.E}, []float64{float64(x[0]), float64(x[1]), float64(x[2])}, 1e-7)
}

func TestApply(t *testing.T) {
	const in, out, rows = 3, 2*block + 5, 2
	d := dense{w: make([]float32, in*out), b: make([]float32, out)}
	for i := range d.w {
		d.w[i] = float32(i)
	}
	for i := range d.b {
		d.b[i] = float32(100 * i)
	}
	x := []float32{1, 0, 2, 0, -1, 0}
	got := make([]float32, rows*out)
	d.apply(got, x, in)
	for i := range out {
		require.Equal(t, float32(3*i)+2*float32(3*i+2)+float32(100*i), got[i])
		require.Equal(t, -float32(3*i+1)+float32(100*i), got[out+i])
	}
}
