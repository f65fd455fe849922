package vecwire_test

import (
	"testing"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/internal/enginetest"
	"github.com/vecwire/vecwire/internal/testenv"
)

// TestPostgresCitus runs the suite over collections that are distributed by ID. Over
// a stand-in, whose answers are those of one server, it takes few samples.
func TestPostgresCitus(t *testing.T) {
	t.Parallel()
	url := testenv.Citus(t)
	enginetest.Run(t, enginetest.Target{
		Open: opener(url), Shared: true, Persistent: true, Distributed: vecwire.ByID, Remote: true,
		Light: !testenv.All() && !testenv.IsCitus(),
	})
}

// TestPostgresCitusSchema has its collections in a schema that Citus keeps on one worker.
func TestPostgresCitusSchema(t *testing.T) {
	t.Parallel()
	if !testenv.IsCitus() {
		t.Skip("without a real cluster, TestPostgresHiddenExtension is the same: set VECWIRE_TEST_CITUS")
	}
	url := testenv.Citus(t)
	run(t, url, `CREATE EXTENSION vector`, `SET citus.enable_schema_based_sharding TO on; CREATE SCHEMA tenant1`)
	url = withParam(t, url, "search_path", "tenant1,public")
	enginetest.Run(t, enginetest.Target{Open: opener(url), Shared: true, Persistent: true, Remote: true})
}
