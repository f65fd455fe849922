package vecwire_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/filter"
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

// TestPostgresCitusEntries searches through an index over some of the records on every
// server of a cluster, also where it was not built.
func TestPostgresCitusEntries(t *testing.T) {
	t.Parallel()
	servers := testenv.CitusServers(t)
	url := testenv.Citus(t)
	at := func(server string) string { return strings.Replace(url, servers[0], server, 1) }
	of := func(server string) *vecwire.Collection {
		c, err := openURL(t, at(server)).OpenCollection(t.Context(), "docs")
		require.NoError(t, err)
		return c
	}
	c, err := openURL(t, url).CreateCollection(t.Context(), vecwire.Schema{Name: "docs", Dim: 4, Distributed: vecwire.ByID, Fields: []vecwire.Field{{Name: "lang"}}})
	require.NoError(t, err)
	records := make([]vecwire.Record, 200)
	for i := range records {
		records[i] = vecwire.Record{ID: strconv.Itoa(i), Vector: []float32{float32(i), float32(i % 7), 1, 0}, Fields: vecwire.Fields{"lang": []string{"de", "en"}[i%2]}}
	}
	require.NoError(t, c.Insert(t.Context(), records...))
	de := filter.Eq("lang", "de")
	require.NoError(t, c.BuildIndex(t.Context(), vecwire.IndexOptions{Where: de}))
	for _, server := range servers {
		found, err := of(server).SearchMany(t.Context(), []vecwire.Query{{Vector: []float32{50, 1, 1, 0}, K: 3, Filter: de}})
		require.NoError(t, err)
		require.Equal(t, "hnsw partial", found[0].Plan.Index, "%s: %s", server, found[0].Plan.Why)
	}
}
