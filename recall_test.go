package vecwire

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func hit(id string, score float64) Hit { return Hit{Record: Record{ID: id}, Score: score} }

func TestRecallOf(t *testing.T) {
	exact := []Hit{hit("a", 3), hit("b", 2), hit("c", 1), hit("d", 1)}
	for _, tt := range []struct {
		hits []Hit
		want float64
	}{
		{exact, 1},
		{[]Hit{hit("a", 3), hit("c", 1)}, 0.5},
		{[]Hit{hit("a", 3), hit("b", 2), hit("e", 1), hit("f", 1)}, 1}, // ties
		{[]Hit{hit("a", 3), hit("x", 0.5), hit("y", 0.4), hit("z", 0.3)}, 0.25},
		{nil, 0},
	} {
		require.Equal(t, tt.want, recallOf(tt.hits, exact))
	}
	require.Equal(t, 1.0, recallOf(nil, nil))
}

func TestLatencyOf(t *testing.T) {
	var took []time.Duration
	for i := range 200 {
		took = append(took, time.Duration(200-i))
	}
	require.Equal(t, Latency{101, 191, 199}, latencyOf(took))
	require.Equal(t, Latency{7, 7, 7}, latencyOf([]time.Duration{7}))
}
