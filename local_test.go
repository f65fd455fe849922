package vecwire_test

import (
	"path/filepath"
	"testing"

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
