package testenv

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDataDir(t *testing.T) {
	work := t.TempDir()
	write := func(path, text string) {
		path = filepath.Join(work, path)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	}
	write("house/go.mod", "// the root\nmodule "+rootModule+"\n\ngo 1.26.0\n")
	write("house/bench/go.mod", "module "+rootModule+"/bench\n")
	write("house/bench/peer/peer.go", "package peer\n")
	write("elsewhere/go.mod", "module example.com/elsewhere\n")

	t.Setenv("VECWIRE_TEST_DATA", "")
	t.Chdir(filepath.Join(work, "house", "bench", "peer"))
	dir, err := DataDir()
	require.NoError(t, err)
	require.Empty(t, dir, "no data is beside the module")

	write("shared/data/set/one", "1")
	dir, err = DataDir()
	require.NoError(t, err)
	require.Equal(t, "1", read(t, filepath.Join(dir, "set", "one")))
	require.Equal(t, "1", read(t, Data(t, "set/one")))
	t.Run("absent", func(t *testing.T) {
		defer func() { require.True(t, t.Skipped()) }()
		Data(t, "set/two")
	})

	write("given/set/one", "2")
	t.Setenv("VECWIRE_TEST_DATA", filepath.Join(work, "given"))
	require.Equal(t, "2", read(t, Data(t, "set/one")), "the variable comes first")

	t.Setenv("VECWIRE_TEST_DATA", filepath.Join(work, "given", "nothing"))
	_, err = DataDir()
	require.EqualError(t, err, "VECWIRE_TEST_DATA is no folder")

	t.Setenv("VECWIRE_TEST_DATA", "")
	t.Chdir(filepath.Join(work, "elsewhere"))
	_, err = DataDir()
	require.EqualError(t, err, "the working directory is outside of module "+rootModule)
}

func read(t *testing.T, path string) string {
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(text)
}
