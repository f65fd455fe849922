package local

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/internal/engine"
)

func skipOnWindows(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows moves and removes no open file")
	}
}

func TestStoreThatLostItsPlaceTakesNoWrites(t *testing.T) {
	skipOnWindows(t)
	for name, tc := range map[string]struct {
		spoil, mend func(path string) error
		want        string
		kept        bool // whether a closed store is all right
	}{
		"moved": {
			func(path string) error { return os.Rename(path, path+".moved") },
			func(path string) error { return os.Rename(path+".moved", path) }, "was moved or removed", false,
		},
		"with its directory": {
			func(path string) error { return os.Rename(filepath.Dir(path), filepath.Dir(path)+".moved") },
			func(path string) error { return os.Rename(filepath.Dir(path)+".moved", filepath.Dir(path)) }, "was moved or removed", false,
		},
		"replaced": {
			func(path string) error {
				return errors.Join(os.Rename(path, path+".moved"), os.WriteFile(path, []byte("another"), 0o600))
			},
			func(path string) error { return os.Rename(path+".moved", path) }, "another file", false,
		},
		"linked": {
			func(path string) error { return os.Link(path, path+".link") },
			func(path string) error { return os.Remove(path + ".link") }, "has another name", true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "dir")
			require.NoError(t, os.Mkdir(dir, 0o700))
			path := filepath.Join(dir, "test.db")
			s := openStore(t, path)
			c := create(t, s, testSchema)
			record := func(id string) []engine.Record {
				return []engine.Record{{ID: id, Vector: engine.Vector{F32: []float32{1, 2, 3, 4}}, Fields: make([]any, 2)}}
			}
			require.NoError(t, c.Upsert(t.Context(), record("before")))
			require.NoError(t, tc.spoil(path))
			require.ErrorContains(t, c.Upsert(t.Context(), record("refused")), tc.want)
			require.NoError(t, tc.mend(path))
			require.NoError(t, c.Upsert(t.Context(), record("after")))
			require.Len(t, all(t, t.Context(), c), 2, "what was refused is not in it")

			require.NoError(t, tc.spoil(path))
			if err := s.Close(); tc.kept {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, tc.want)
			}
			require.NoError(t, tc.mend(path))
			c, err := openStore(t, path).Open(t.Context(), testSchema.Name)
			require.NoError(t, err)
			require.Len(t, all(t, t.Context(), c), 2, "what was acknowledged stays")
		})
	}
}

func TestRefusesFilesWithTwoNames(t *testing.T) {
	skipOnWindows(t)
	path := fullStore(t)
	link := filepath.Join(t.TempDir(), "link.db")
	require.NoError(t, os.Link(path, link))
	for _, name := range []string{path, link} {
		err := openError(t, name)
		require.ErrorContains(t, err, "has another name, too")
		require.Contains(t, err.Remedy, "hard link")
	}
	require.NoFileExists(t, link+".lock")
	require.NoError(t, os.Remove(link))
	openStore(t, path)
}

// A connection that a reader opens later makes no file where there is none.
func TestReadersMakeNoFile(t *testing.T) {
	skipOnWindows(t)
	s := newStore(t)
	create(t, s, testSchema)
	require.NoError(t, os.Rename(s.path, s.path+".moved"))
	s.read.SetMaxIdleConns(0) // the next reader opens the path
	_, err := s.List(t.Context())
	require.Error(t, err)
	require.NoFileExists(t, s.path)
}
