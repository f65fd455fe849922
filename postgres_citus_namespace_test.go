package vecwire_test

import (
	"cmp"
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/testenv"
)

// TestPostgresCitusNamespace has Citus refuse every statement that goes to more than one
// shard, and requires that the verbs of a namespace go on.
func TestPostgresCitusNamespace(t *testing.T) {
	t.Parallel()
	if !testenv.IsCitus() {
		t.Skip("without a real cluster nothing says where a statement goes: set VECWIRE_TEST_CITUS")
	}
	ctx := t.Context()
	url := testenv.Citus(t)
	free, err := vecwire.Open(ctx, url)
	require.NoError(t, err)
	t.Cleanup(func() { _ = free.Close() })
	whole, err := free.CreateCollection(ctx, vecwire.Schema{
		Name: "tenants", Dim: 2, Distributed: vecwire.ByNamespace, FullText: vecwire.English,
		Fields: []vecwire.Field{{Name: vecwire.NamespaceField, Index: true}, {Name: "n", Type: vecwire.Int, Index: true}},
	})
	require.NoError(t, err)
	require.NoError(t, whole.BuildIndex(ctx, vecwire.IndexOptions{}))

	db, err := vecwire.Open(ctx, withParam(t, url, "citus.multi_task_query_log_level", "error"))
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	whole, err = db.OpenCollection(ctx, "tenants")
	require.NoError(t, err)
	part, err := whole.Namespace("a")
	require.NoError(t, err)
	records := make([]vecwire.Record, 300)
	for i := range records {
		records[i] = vecwire.Record{ID: fmt.Sprint(i), Text: "a cat", Vector: []float32{float32(i), 1}, Fields: vecwire.Fields{"n": i}}
	}
	some := filter.Lt("n", 100)
	q := vecwire.Query{Vector: []float32{7, 1}, K: 5}
	filtered, exact, hybrid := q, q, q
	filtered.Filter, exact.Exact = some, true
	hybrid.Text, hybrid.Fusion = "cat", &vecwire.Fusion{}
	for _, verb := range []struct {
		name string
		run  func(c *vecwire.Collection) error
	}{
		{"Count", func(c *vecwire.Collection) error { _, err := c.Count(ctx, filter.Filter{}); return err }},
		{"Count of a filter", func(c *vecwire.Collection) error { _, err := c.Count(ctx, some); return err }},
		{"Search", func(c *vecwire.Collection) error { _, err := c.Search(ctx, q); return err }},
		{"Search with a filter", func(c *vecwire.Collection) error { _, err := c.Search(ctx, filtered); return err }},
		{"Search, exact", func(c *vecwire.Collection) error { _, err := c.Search(ctx, exact); return err }},
		{"Search, hybrid", func(c *vecwire.Collection) error { _, err := c.Search(ctx, hybrid); return err }},
		{"All", func(c *vecwire.Collection) error {
			for _, err := range c.All(ctx, vecwire.Scan{OrderBy: "n"}) {
				if err != nil {
					return err
				}
			}
			return nil
		}},
		{"Facet", func(c *vecwire.Collection) error { _, err := c.Facet(ctx, "n", vecwire.FacetOptions{}); return err }},
		{"UpdateWhere", func(c *vecwire.Collection) error {
			_, err := c.UpdateWhere(ctx, some, vecwire.Fields{"n": 5})
			return err
		}},
		{"DeleteWhere", func(c *vecwire.Collection) error { _, err := c.DeleteWhere(ctx, some); return err }},
	} {
		require.NoError(t, part.Upsert(ctx, records...), "before %s", verb.name)
		require.NoError(t, verb.run(part), verb.name)
		require.Error(t, verb.run(whole), "%s of the whole collection goes to all: so the setting does what it must", verb.name)
	}
	got, err := part.Get(ctx, "1", "2", "250")
	require.NoError(t, err)
	require.NotEmpty(t, got)
	require.NoError(t, part.Update(ctx, vecwire.Change{ID: "250", Set: vecwire.Fields{"n": -1}}))
	n, err := part.Delete(ctx, "250", "299", "none")
	require.NoError(t, err)
	require.Equal(t, 2, n)
	require.NoError(t, part.Insert(ctx, vecwire.Record{ID: "new", Vector: []float32{1, 2}}))
	require.NoError(t, db.Tx(ctx, func(ctx context.Context) error {
		_, err := part.Get(ctx, "new")
		return cmp.Or(err, part.Upsert(ctx, records[:2]...))
	}))
	all := func(yield func(vecwire.Record, error) bool) {
		for _, r := range records {
			if !yield(r, nil) {
				return
			}
		}
	}
	_, err = part.Ingest(ctx, all, vecwire.IngestOptions{})
	require.NoError(t, err)
}
