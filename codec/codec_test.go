package codec

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCheck(t *testing.T) {
	inf, nan := math.Inf(1), math.NaN()
	tests := []struct {
		name   string
		v      []float64
		dim    int
		metric Metric
		want   error
	}{
		{"good", []float64{1, -2}, 2, Cosine, nil},
		{"one element is not zero", []float64{0, 0, 1e-40}, 3, Cosine, nil},
		{"largest", []float64{math.MaxFloat32, -math.MaxFloat32}, 2, L2, nil},
		{"short", []float64{1}, 2, Cosine, &DimensionError{Want: 2, Got: 1}},
		{"nil", nil, 2, Cosine, &DimensionError{Want: 2, Got: 0}},
		{"length before value", []float64{nan}, 2, Cosine, &DimensionError{Want: 2, Got: 1}},
		{"NaN", []float64{1, nan, inf}, 3, L2, &ValueError{"vector", 1, "a finite number", "NaN"}},
		{"infinity", []float64{inf}, 1, Dot, &ValueError{"vector", 0, "a finite number", "Infinity"}},
		{"negative infinity", []float64{0, 0, -inf}, 3, Cosine, &ValueError{"vector", 2, "a finite number", "-Infinity"}},
		{"zeros, cosine", []float64{0, math.Copysign(0, -1)}, 2, Cosine, &ValueError{"vector", -1, "a vector with a direction", "all zeros"}},
		{"zeros, dot", []float64{0, 0}, 2, Dot, nil},
		{"zeros, l2", []float64{0, 0}, 2, L2, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			require.Equal(t, tt.want, Check(singles(tt.v), tt.dim, tt.metric), "float32")
			require.Equal(t, tt.want, Check(tt.v, tt.dim, tt.metric), "float64")
		})
	}
}

func TestCheckDoesNotAllocate(t *testing.T) {
	v := []float32{1, 2, 3}
	require.Zero(t, testing.AllocsPerRun(100, func() { _ = Check(v, 3, Cosine) }))
}

func TestErrorsSayWhere(t *testing.T) {
	for want, err := range map[string]error{
		"vector has 3 dimensions, want 4":                   &DimensionError{Want: 4, Got: 3},
		"vector has DOUBLE elements, want FLOAT":            &ElementError{Want: FLOAT, Got: DOUBLE},
		"vector[7] is NaN, want a finite number":            &ValueError{"vector", 7, "a finite number", "NaN"},
		"vector is all zeros, want a vector with direction": &ValueError{"vector", -1, "a vector with direction", "all zeros"},
		"want a number at byte 12":                          &SyntaxError{12, "want a number"},
	} {
		require.EqualError(t, err, want)
	}
}

func TestElement(t *testing.T) {
	require.Equal(t, FLOAT, ElementOf[float32]())
	require.Equal(t, DOUBLE, ElementOf[float64]())
	require.Equal(t, []any{"FLOAT", 4}, []any{FLOAT.String(), FLOAT.Size()})
	require.Equal(t, []any{"DOUBLE", 8}, []any{DOUBLE.String(), DOUBLE.Size()})
	require.Equal(t, []string{"cosine", "dot", "l2"}, []string{Cosine.String(), Dot.String(), L2.String()})
}

func singles(v []float64) []float32 {
	out := make([]float32, len(v))
	for i, x := range v {
		out[i] = float32(x)
	}
	return out
}

// requireSameBits fails unless a and b hold the same floats, with the sign of zero.
func requireSameBits[T Float](t *testing.T, want, got []T) {
	t.Helper()
	require.Len(t, got, len(want))
	for i := range want {
		if math.Float64bits(float64(want[i])) != math.Float64bits(float64(got[i])) {
			t.Fatalf("element %d is %v, want %v", i, got[i], want[i])
		}
	}
}
