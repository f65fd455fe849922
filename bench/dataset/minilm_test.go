package dataset

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMiniLM(t *testing.T) {
	dir := t.TempDir()
	_, _, err := MiniLM(dir)
	require.ErrorIs(t, err, fs.ErrNotExist)

	header := append([]byte("\x93NUMPY\x01\x00\x06\x00"), "{...}\n"...)
	row := make([]byte, 2*minilmDim)
	copy(row, "\x00\x3c\x00\xc0\x01\x00") // 1, -2 and the least subnormal
	for _, name := range []string{"minilm60k_base.npy", "minilm_query.npy"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), append(header, row...), 0o644))
	}
	base, queries, err := MiniLM(dir)
	require.NoError(t, err)
	require.Equal(t, base, queries)
	require.Equal(t, []float32{1, -2, 0x1p-24, 0}, base[0][:4])

	require.NoError(t, os.WriteFile(filepath.Join(dir, "minilm_query.npy"), append(header, row[1:]...), 0o644))
	_, _, err = MiniLM(dir)
	require.ErrorContains(t, err, "are not rows of 384 halves")
}
