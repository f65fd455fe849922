package ann

import (
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/codec"
)

// A snapshot that was written on a system of 64 bits may be too large for one of 32. It
// is refused there.
func TestSnapshotThatNoMemoryHolds(t *testing.T) {
	if math.MaxInt > math.MaxInt32 {
		t.Skip("a system of 64 bits")
	}
	path := filepath.Join(t.TempDir(), "c.graph")
	require.NoError(t, os.WriteFile(path, []byte("x"), 0o600))
	if err := os.Truncate(path, 1<<32); err != nil {
		t.Skip(err) // no file can be so large
	}
	_, err := emptyGraph[float32](t, 8, codec.L2).LoadFile(path)
	require.ErrorIs(t, err, ErrSnapshot)
}
