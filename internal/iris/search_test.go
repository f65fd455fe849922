package iris

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTop(t *testing.T) {
	for k, want := range map[int]string{
		1: "TOP 1 ", 31: "TOP 31 ", 32: "TOP 32 ", 33: "TOP 64 ", 64: "TOP 64 ", 65: "TOP 128 ",
		1 << 30: "TOP 1073741824 ", 1<<30 + 1: "", math.MaxInt: "",
	} {
		require.Equal(t, want, top(k), "%d", k)
	}
}
