package engine_test

import (
	"errors"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/internal/engine"
)

func TestSchemaVector(t *testing.T) {
	float := engine.Schema{Dim: 2}
	double := engine.Schema{Dim: 2, Element: codec.DOUBLE}
	for name, test := range map[string]struct {
		schema engine.Schema
		v32    []float32
		v64    []float64
		want   engine.Vector
		err    any
	}{
		"FLOAT":           {float, []float32{1, 2}, nil, engine.Vector{F32: []float32{1, 2}}, nil},
		"DOUBLE":          {double, nil, []float64{1, 2}, engine.Vector{F64: []float64{1, 2}}, nil},
		"FLOAT as DOUBLE": {double, []float32{0.1, 1e-45}, nil, engine.Vector{F64: []float64{float64(float32(0.1)), float64(float32(1e-45))}}, nil},
		"DOUBLE as FLOAT": {float, nil, []float64{1, 2}, engine.Vector{}, new(*codec.ElementError)},
		"both":            {double, []float32{1, 2}, []float64{1, 2}, engine.Vector{}, new(*codec.ValueError)},
		"neither":         {float, nil, nil, engine.Vector{}, new(*codec.DimensionError)},
		"neither DOUBLE":  {double, nil, nil, engine.Vector{}, new(*codec.DimensionError)},
		"too long":        {float, []float32{1, 2, 3}, nil, engine.Vector{}, new(*codec.DimensionError)},
		"NaN":             {double, nil, []float64{1, math.NaN()}, engine.Vector{}, new(*codec.ValueError)},
		"no direction":    {float, []float32{0, 0}, nil, engine.Vector{}, new(*codec.ValueError)},
	} {
		t.Run(name, func(t *testing.T) {
			v, err := test.schema.Vector(test.v32, test.v64)
			if test.err != nil {
				require.True(t, errors.As(err, test.err), "%v", err)
				return
			}
			require.NoError(t, err)
			require.Equal(t, test.want, v)
			require.True(t, v.Equal(test.want))
		})
	}
}

func TestSameFields(t *testing.T) {
	at := time.Unix(1, 2).UTC()
	values := []any{nil, "1", int64(1), 1.0, true, at, []byte("1"), []byte{}}
	for i, x := range values {
		for j, y := range values {
			require.Equal(t, i == j, engine.SameFields([]any{x}, []any{y}), "%v and %v", x, y)
		}
	}
	require.True(t, engine.SameFields([]any{at}, []any{at.In(time.FixedZone("", 3600))}), "the same instant")
	require.True(t, engine.SameFields([]any{[]byte("1")}, []any{[]byte("1")}))
	require.False(t, engine.SameFields([]any{nil}, nil))
}
