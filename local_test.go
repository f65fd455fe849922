package vecwire_test

import (
	"path/filepath"
	"testing"

	"github.com/vecwire/vecwire/internal/enginetest"
)

func TestFileStore(t *testing.T) {
	path := filepath.Join(t.TempDir(), "conformance store.db")
	enginetest.Run(t, enginetest.Target{Open: opener(path), Persistent: true})
}

func TestMemoryStore(t *testing.T) {
	enginetest.Run(t, enginetest.Target{Open: opener("mem:")})
}
