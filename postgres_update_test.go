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

// TestPostgresUpdateAttached changes records of a table that vecwire did not create.
func TestPostgresUpdateAttached(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	url := testenv.Postgres(t)
	conn, err := pgx.Connect(ctx, url)
	require.NoError(t, err)
	defer conn.Close(context.Background())
	for _, sql := range []string{
		`CREATE EXTENSION IF NOT EXISTS vector`,
		`CREATE TABLE "Things" (key int PRIMARY KEY, emb halfvec(2), note varchar, price float4, hidden text DEFAULT 'kept', at timestamptz)`,
		`INSERT INTO "Things" (key, emb, note, price) VALUES (7, '[1,2]', 'seven', 1.5), (8, NULL, NULL, 2)`,
	} {
		_, err := conn.Exec(ctx, sql)
		require.NoError(t, err, sql)
	}
	db, err := vecwire.Open(ctx, url)
	require.NoError(t, err)
	defer db.Close()
	things, err := db.AttachCollection(ctx, vecwire.AttachOptions{Table: "Things", TextColumn: "note", Fields: []vecwire.Field{{Name: "price", Type: vecwire.Float}}})
	require.NoError(t, err)
	require.NoError(t, things.Update(ctx,
		vecwire.Change{ID: "7", Set: vecwire.Fields{"price": 2.5}, If: filter.And(filter.Eq("price", 1.5), filter.Eq("id", "7"))},
		vecwire.Change{ID: "8", Text: "eight", Vector: []float32{3, 4}, If: filter.Eq("price", 2)},
	))
	n, err := things.UpdateWhere(ctx, filter.Gt("price", 2.2), vecwire.Fields{"price": nil})
	require.NoError(t, err)
	require.Equal(t, 1, n)
	got, err := things.Get(ctx, "7", "8")
	require.NoError(t, err)
	require.Equal(t, []vecwire.Record{{ID: "7", Vector: []float32{1, 2}, Text: "seven"}, {ID: "8", Vector: []float32{3, 4}, Text: "eight", Fields: vecwire.Fields{"price": 2.0}}}, got)
	var hidden string
	require.NoError(t, conn.QueryRow(ctx, `SELECT hidden FROM "Things" WHERE key = 8`).Scan(&hidden))
	require.Equal(t, "kept", hidden)

	for id, want := range map[string]error{"9": vecwire.ErrNotFound, "007": vecwire.ErrNotFound, "x": vecwire.ErrNotFound} {
		require.ErrorIs(t, things.Update(ctx, vecwire.Change{ID: id, Set: vecwire.Fields{"price": 1}}, vecwire.Change{ID: "8", Text: "acht"}), want, id)
	}
	require.ErrorIs(t, things.Update(ctx, vecwire.Change{ID: "8", Text: "acht", If: filter.Eq("price", 3)}), vecwire.ErrConflict)
	bare, err := db.AttachCollection(ctx, vecwire.AttachOptions{Table: "Things", Fields: []vecwire.Field{{Name: "price", Type: vecwire.Float}}})
	require.NoError(t, err)
	var value *vecwire.ValueError
	require.ErrorAs(t, bare.Update(ctx, vecwire.Change{ID: "8", Text: "acht"}), &value, "there is no column for it")
	require.NoError(t, bare.Update(ctx, vecwire.Change{ID: "8", Unset: []string{"price"}}))
	got, err = things.Get(ctx, "8")
	require.NoError(t, err)
	require.Equal(t, []vecwire.Record{{ID: "8", Vector: []float32{3, 4}, Text: "eight"}}, got)
	require.ErrorIs(t, db.AlterCollection(ctx, "Things", vecwire.Alter{AddFields: []vecwire.Field{{Name: "more"}}}), vecwire.ErrNotFound)
}
