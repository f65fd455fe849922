package vecwire_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/internal/enginetest"
	"github.com/vecwire/vecwire/internal/testenv"
)

func TestFileStore(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "conformance store.db")
	enginetest.Run(t, enginetest.Target{Open: opener(path), Persistent: true})
}

// TestMemoryStore takes few samples of the random cases, which are about what it has in
// common with a file, unless VECWIRE_TEST_ALL asks for all of them.
func TestMemoryStore(t *testing.T) {
	t.Parallel()
	enginetest.Run(t, enginetest.Target{Open: opener("mem:"), Light: !testenv.All()})
}

// TestBackupTakesOneOptions also holds the call with none.
func TestBackupTakesOneOptions(t *testing.T) {
	dir := t.TempDir()
	db := openURL(t, filepath.Join(dir, "store.db"))
	path := filepath.Join(dir, "backup.db")
	require.ErrorContains(t, db.Backup(t.Context(), path, vecwire.BackupOptions{}, vecwire.BackupOptions{}), "options is 2, want one at most")
	require.NoFileExists(t, path)
	require.NoError(t, db.Backup(t.Context(), path))
	require.FileExists(t, path)
}
