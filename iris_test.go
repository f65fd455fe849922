package vecwire_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/internal/enginetest"
	"github.com/vecwire/vecwire/internal/testenv"
)

// TestIRIS runs the conformance suite through the real iris-pgwire, over a
// stand-in for IRIS or the server that VECWIRE_TEST_IRIS names, and listens to
// every statement that is sent. The first server has all samples of the random cases
// where VECWIRE_TEST_ALL asks for them.
func TestIRIS(t *testing.T) {
	t.Parallel()
	for i, kind := range irisServers() {
		t.Run(kind.Version+"-"+string(kind.Mode), func(t *testing.T) {
			t.Parallel()
			url, tapped := tap(t, testenv.IRIS(t, kind).URL())
			enginetest.Run(t, enginetest.Target{
				Open: func(t testing.TB) *vecwire.DB {
					db, err := vecwire.Open(t.Context(), url)
					require.NoError(t, err)
					return db
				},
				Shared: true, Persistent: true, Light: i > 0 || !testenv.All(), Turn: i,
			})
			tapped.expect(t)
		})
	}
}
