package vecwire_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/enginetest"
	"github.com/vecwire/vecwire/internal/testenv"
)

// irisKinds are the servers that the engine is tested with. The executor of the
// latest version in external mode loses one of its connections to IRIS with
// every client that leaves, and so gets more of them than a test has clients.
var irisKinds = []testenv.IRISOptions{
	{Version: testenv.IRISOldest, Mode: testenv.IRISExternal},
	{Version: testenv.IRISOldest, Mode: testenv.IRISEmbedded},
	{Version: testenv.IRISLatest, Mode: testenv.IRISExternal, Env: map[string]string{"PGWIRE_POOL_SIZE": "180"}},
	{Version: testenv.IRISLatest, Mode: testenv.IRISEmbedded},
	{Version: testenv.IRISLatest, Mode: testenv.IRISDBAPI},
}

// irisServers are irisKinds, or the one server that VECWIRE_TEST_IRIS names. A
// short test, such as the one for data races, takes the oldest and the latest: the
// others differ from these in the server alone.
func irisServers() []testenv.IRISOptions {
	switch {
	case os.Getenv("VECWIRE_TEST_IRIS") != "":
		return irisKinds[:1]
	case testing.Short():
		return []testenv.IRISOptions{irisKinds[1], irisKinds[3]}
	}
	return irisKinds
}

// TestIRIS runs the conformance suite through the real iris-pgwire, over a
// stand-in for IRIS or the server that VECWIRE_TEST_IRIS names, and listens to
// every statement that is sent.
func TestIRIS(t *testing.T) {
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
				Shared: true, Persistent: true, Light: i > 0 || testing.Short(),
			})
			tapped.expect(t)
		})
	}
}
