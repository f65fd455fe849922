package vecwire_test

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/filter"
)

// Close ends one handle, lets the memory go, and disturbs no other.
func TestCollectionClose(t *testing.T) {
	ctx := t.Context()
	for _, url := range []string{"mem:", filepath.Join(t.TempDir(), "test.db")} {
		db, err := vecwire.Config{Memory: 1 << 20}.Open(ctx, url)
		require.NoError(t, err)
		docs, err := db.CreateCollection(ctx, vecwire.Schema{Name: "docs", Dim: 2, Fields: []vecwire.Field{{Name: "team", Type: vecwire.String}}})
		require.NoError(t, err)
		other, err := db.OpenCollection(ctx, "docs")
		require.NoError(t, err)
		team, err := docs.Namespace("team")
		if err != nil {
			team = other
		}
		require.NoError(t, docs.Upsert(ctx, vecwire.Record{ID: "a", Vector: []float32{1, 2}}))
		require.NoError(t, docs.Close())
		require.NoError(t, docs.Close())
		_, err = docs.Count(ctx, filter.Filter{})
		require.ErrorIs(t, err, vecwire.ErrClosed)
		require.ErrorContains(t, err, "this handle to the collection is closed")
		hits, err := other.Search(ctx, vecwire.Query{Vector: []float32{1, 2}})
		require.NoError(t, err)
		require.Equal(t, "a", hits[0].ID)
		_, err = team.Count(ctx, filter.Filter{})
		require.NoError(t, err)
		err = db.Tx(ctx, func(ctx context.Context) error {
			if err := other.Upsert(ctx, vecwire.Record{ID: "b", Vector: []float32{2, 2}}); err != nil {
				return err
			}
			_, err := other.Get(ctx, "b")
			return err
		})
		require.NoError(t, err)
		require.NoError(t, db.Close())
		require.NoError(t, other.Close())
	}
}

// A collection that is not needed for a while gives its memory back, and is loaded
// again by the next call.
func ExampleCollection_Close() {
	ctx := context.Background()
	db, err := vecwire.Open(ctx, "mem:")
	if err != nil {
		panic(err)
	}
	defer db.Close()
	docs, err := db.CreateCollection(ctx, vecwire.Schema{Name: "docs", Dim: 2})
	if err != nil {
		panic(err)
	}
	if err := docs.Upsert(ctx, vecwire.Record{ID: "a", Vector: []float32{1, 2}}); err != nil {
		panic(err)
	}
	if err := docs.Close(); err != nil {
		panic(err)
	}
	docs, err = db.OpenCollection(ctx, "docs")
	if err != nil {
		panic(err)
	}
	fmt.Println(docs.Count(ctx, filter.Filter{}))
	// Output: 1 <nil>
}
