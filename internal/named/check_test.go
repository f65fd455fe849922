package named_test

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/internal/engine"
)

// TestCheck: what is wrong with a named vector is told of the record whose it is.
func TestCheck(t *testing.T) {
	ctx := t.Context()
	path := filepath.Join(t.TempDir(), "store.db")
	inner, e := open(t, path, false)
	c, err := e.Create(ctx, docs)
	require.NoError(t, err)
	require.NoError(t, c.Upsert(ctx, []engine.Record{record("1", 1), record("2", 2)}))
	damaged := c.Schema().Vectors[0].Store
	require.NoError(t, inner.Close())
	db, err := sql.Open("sqlite", path)
	require.NoError(t, err)
	_, err = db.Exec(fmt.Sprintf(`UPDATE "%s.data" SET vector = x'00'`, damaged))
	require.NoError(t, err)
	require.NoError(t, db.Close())

	_, e = open(t, path, true)
	to := filepath.Join(t.TempDir(), "whole.db")
	for _, check := range []func() (engine.Checked, error){
		func() (engine.Checked, error) { return e.Check(ctx) },
		func() (engine.Checked, error) { return e.Salvage(ctx, to) },
	} {
		found, err := check()
		require.NoError(t, err)
		require.Equal(t, []engine.CheckedCollection{{Name: "docs", Records: 2}}, found.Collections)
		require.Len(t, found.Problems, 2)
		for _, p := range found.Problems {
			require.Equal(t, "docs", p.Collection)
			require.Contains(t, []string{"1", "2"}, p.ID)
			require.Contains(t, p.What, `the vector "a": `)
		}
	}
	_, e = open(t, to, false)
	c, err = e.Open(ctx, "docs")
	require.NoError(t, err)
	got, err := c.Get(ctx, []string{"1", "2"}, true)
	require.NoError(t, err)
	require.Len(t, got, 2, "the records are whole")
	require.True(t, got[0].Named[0].IsZero())
}
