package vecwire_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/enginetest"
)

func TestFileStore(t *testing.T) {
	path := filepath.Join(t.TempDir(), "conformance store.db")
	enginetest.Run(t, enginetest.Target{Open: opener(path), Persistent: true, Snapshots: true})
}

func TestMemoryStore(t *testing.T) {
	enginetest.Run(t, enginetest.Target{Open: opener("mem:"), Snapshots: true})
}

func opener(url string) func(testing.TB) *vecwire.DB {
	return func(t testing.TB) *vecwire.DB {
		t.Helper()
		db, err := vecwire.Open(t.Context(), url)
		require.NoError(t, err)
		return db
	}
}
