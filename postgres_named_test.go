package vecwire_test

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/testenv"
)

// TestPgxTxNamedDeleteWhere: what another makes pass the filter no more, while a caller's
// transaction deletes it with its vectors, stays with them. Such a transaction is not run
// again, as vecwire's own would be.
func TestPgxTxNamedDeleteWhere(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	url := testenv.Postgres(t)
	db := openURL(t, url)
	c, err := db.CreateCollection(ctx, vecwire.Schema{
		Name: "docs", Dim: 2, Fields: []vecwire.Field{{Name: "n", Type: vecwire.Int}}, Vectors: []vecwire.VectorField{{Name: "title", Dim: 2}},
	})
	require.NoError(t, err)
	record := func(id string) vecwire.Record {
		return vecwire.Record{ID: id, Vector: []float32{1, 2}, Fields: vecwire.Fields{"n": int64(1)}, Vectors: map[string][]float32{"title": {2, 1}}}
	}
	require.NoError(t, c.Upsert(ctx, record("a"), record("b"), record("c")))

	conn, err := pgx.Connect(ctx, url)
	require.NoError(t, err)
	defer conn.Close(context.Background())
	other, err := pgx.Connect(ctx, url)
	require.NoError(t, err)
	defer other.Close(context.Background())
	tx, err := conn.Begin(ctx)
	require.NoError(t, err)
	within := vecwire.WithPgxTx(ctx, tx)
	require.NoError(t, c.Update(within, vecwire.Change{ID: "a", Set: vecwire.Fields{"n": int64(2)}}))
	_, err = c.Delete(within, "b")
	require.NoError(t, err)

	type outcome struct {
		n   int
		err error
	}
	done := make(chan outcome, 1)
	go func() {
		var o outcome
		o.err = pgx.BeginFunc(ctx, other, func(tx pgx.Tx) (err error) {
			o.n, err = c.DeleteWhere(vecwire.WithPgxTx(ctx, tx), filter.Eq("n", 1))
			return err
		})
		done <- o
	}()
	watch, err := pgx.Connect(ctx, url)
	require.NoError(t, err)
	defer watch.Close(context.Background())
	for waits := false; !waits; {
		require.NoError(t, watch.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'transactionid' AND NOT granted)`).Scan(&waits))
	}
	require.NoError(t, tx.Commit(ctx))
	require.Equal(t, outcome{n: 1}, <-done, "c; b is gone, and a passes no more")

	want := record("a")
	want.Fields["n"] = int64(2)
	got, err := c.Get(ctx, "a", "b", "c")
	require.NoError(t, err)
	require.Equal(t, []vecwire.Record{want}, got)
}
