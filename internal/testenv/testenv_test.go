package testenv

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// useCache gives the test an empty cache directory that other users can reach.
func useCache(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "testenv-cache-")
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	require.NoError(t, os.Chmod(dir, 0o755))
	t.Setenv("VECWIRE_TEST_CACHE", dir)
	return dir
}

func TestProvisionedIsCompleteOrAbsent(t *testing.T) {
	cache := useCache(t)
	// What an interrupted process leaves.
	require.NoError(t, os.MkdirAll(filepath.Join(cache, "thing.unfinished", "half"), 0o755))

	refused := errors.New("refused")
	_, err := provisioned(t.Context(), "thing", func(_ context.Context, dir string) error {
		require.NoDirExists(t, filepath.Join(dir, "half"))
		return errors.Join(os.WriteFile(filepath.Join(dir, "part"), nil, 0o644), refused)
	})
	require.ErrorIs(t, err, refused)
	require.NoDirExists(t, filepath.Join(cache, "thing"))
	require.NoDirExists(t, filepath.Join(cache, "thing.unfinished"))

	builds := 0
	for range 2 {
		dir, err := provisioned(t.Context(), "thing", func(_ context.Context, dir string) error {
			builds++
			return os.WriteFile(filepath.Join(dir, "whole"), nil, 0o644)
		})
		require.NoError(t, err)
		require.FileExists(t, filepath.Join(dir, "whole"))
	}
	require.Equal(t, 1, builds)
}

func TestSweepSparesWhatIsHeld(t *testing.T) {
	cache := useCache(t)
	held, err := newRunDir(t.Context(), "held", nil)
	require.NoError(t, err)
	left, err := newRunDir(t.Context(), "left", nil)
	require.NoError(t, err)
	require.NoError(t, left.lock.Close()) // as when its process dies
	sweepRunDirs(filepath.Join(cache, "run"))
	require.DirExists(t, held.Path)
	require.NoDirExists(t, left.Path)
	require.NoFileExists(t, left.Path+".lock")
	require.NoError(t, held.remove())
	require.NoDirExists(t, held.Path)
}

func TestCommandTellsItsLastLines(t *testing.T) {
	_, err := command{Name: "sh", Args: []string{"-c", "echo out; for i in 1 2 3 4 5 6; do echo line $i >&2; done; exit 3"}}.run(t.Context())
	require.EqualError(t, err, "sh: exit status 3: line 2\nline 3\nline 4\nline 5\nline 6")
}

func TestCommandEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(nil)
	_, err := command{Name: "sleep", Args: []string{"1000"}}.run(ctx)
	require.ErrorIs(t, err, context.Canceled)
}

// endedTest records how a test was ended.
type endedTest struct {
	testing.TB
	skipped, failed string
}

func (o *endedTest) Helper()           {}
func (o *endedTest) Skip(args ...any)  { o.skipped = args[0].(string) }
func (o *endedTest) Fatal(args ...any) { o.failed = args[0].(string); o.skipped = "" }

func TestUnavailableSkipsOrFails(t *testing.T) {
	const want = "no PostgreSQL: make: exit status 2 | no space left; install it"
	err := errors.New("make: exit status 2\n\nno space left\n") //nolint:revive // as programs end

	t.Setenv("VECWIRE_REQUIRE_SERVERS", "")
	var o endedTest
	unavailable(&o, "PostgreSQL", err, "install it")
	require.Equal(t, want, o.skipped)
	require.Empty(t, o.failed)

	t.Setenv("VECWIRE_REQUIRE_SERVERS", "1")
	o = endedTest{}
	unavailable(&o, "PostgreSQL", err, "install it")
	require.Equal(t, want, o.failed)
}
