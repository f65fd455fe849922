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

// TestCheckGhosts: vectors of no record are told by record and name, and what others
// write while they are compared is no fault.
func TestCheckGhosts(t *testing.T) {
	ctx := t.Context()
	path := filepath.Join(t.TempDir(), "store.db")
	inner, e := open(t, path, false)
	c, err := e.Create(ctx, docs)
	require.NoError(t, err)
	_, other := open(t, path, false)
	beside, err := other.Open(ctx, "docs")
	require.NoError(t, err)
	stop, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				ended <- nil
				return
			default:
			}
			id := fmt.Sprintf("w%d", i%7)
			err := beside.Upsert(ctx, []engine.Record{record(id, 1)})
			if err == nil {
				_, err = beside.Delete(ctx, []string{id})
			}
			if err != nil {
				ended <- err
				return
			}
		}
	}()
	for range 20 {
		found, err := e.Check(ctx)
		require.NoError(t, err)
		require.Empty(t, found.Problems)
	}
	close(stop)
	require.NoError(t, <-ended)

	require.NoError(t, c.Upsert(ctx, []engine.Record{record("1", 1), record("2", 2), record("3", 3)}))
	own, err := inner.Open(ctx, "docs")
	require.NoError(t, err)
	_, err = own.Delete(ctx, []string{"2", "3"}) // past the vectors
	require.NoError(t, err)
	for _, readOnly := range []bool{false, true} {
		_, e := open(t, path, readOnly)
		found, err := e.Check(ctx)
		require.NoError(t, err)
		require.Equal(t, []engine.Problem{
			{Collection: "docs", ID: "2", What: `the vector "a": there is no such record`},
			{Collection: "docs", ID: "3", What: `the vector "a": there is no such record`},
		}, found.Problems)
		require.Equal(t, 2, found.Total)
	}
}

// TestCheckShape: vectors that are not of the schema's dimension are told.
func TestCheckShape(t *testing.T) {
	ctx := t.Context()
	inner, e := open(t, "", false)
	c, err := e.Create(ctx, docs)
	require.NoError(t, err)
	store := c.Schema().Vectors[1].Store
	require.NoError(t, inner.Drop(ctx, store))
	found, err := e.Check(ctx)
	require.NoError(t, err)
	require.Empty(t, found.Problems, "it is made when the collection is opened")
	_, err = inner.Create(ctx, engine.Schema{Name: store, Dim: 3})
	require.NoError(t, err)
	found, err = e.Check(ctx)
	require.NoError(t, err)
	require.Len(t, found.Problems, 1)
	require.Equal(t, "docs", found.Problems[0].Collection)
	require.Equal(t, `the vector "b": it is kept with dimension 3 and cosine, and the schema says 2 and cosine`, found.Problems[0].What)
}
