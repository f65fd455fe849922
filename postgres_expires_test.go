package vecwire_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/expiry"
	"github.com/vecwire/vecwire/internal/testenv"
)

// TestPostgresAttachExpires hides rows of an existing table, and deletes none unless it
// is told to.
func TestPostgresAttachExpires(t *testing.T) {
	url := testenv.Postgres(t)
	run(t, url, `CREATE EXTENSION vector`, `CREATE TABLE sessions (no integer PRIMARY KEY, until timestamptz, v vector(2))`,
		`INSERT INTO sessions SELECT i, CASE WHEN i < 9 THEN timestamptz '2000-01-01' + i * interval '1 hour' END, ARRAY[1, i]::vector FROM generate_series(1, 10) i`)
	db := openURL(t, url)
	c, err := db.AttachCollection(t.Context(), vecwire.AttachOptions{
		Table: "sessions", Metric: vecwire.Dot, Fields: []vecwire.Field{{Name: "until", Type: vecwire.Time, Expires: true}},
	})
	require.NoError(t, err)
	require.False(t, db.Sweeps())
	ctx := expiry.At(t.Context(), time.Date(2000, 1, 1, 3, 0, 0, 0, time.UTC))
	n, err := c.Count(ctx, filter.Filter{})
	require.NoError(t, err)
	require.Equal(t, 7, n)
	hits, err := c.Search(ctx, vecwire.Query{Vector: []float32{0, -1}, K: 1})
	require.NoError(t, err)
	require.Equal(t, "4", hits[0].ID)
	n, err = c.Delete(ctx, "3", "4", "007", "no key")
	require.NoError(t, err)
	require.Equal(t, 1, n)
	require.ErrorIs(t, c.Update(ctx, vecwire.Change{ID: "2", Unset: []string{"until"}}), vecwire.ErrNotFound)
	require.Equal(t, "[7]", row(t, url, `SELECT count(*) FROM sessions`))
	n, err = c.DeleteExpired(ctx)
	require.NoError(t, err)
	require.Equal(t, 1, n)
	require.Equal(t, "[6]", row(t, url, `SELECT count(*) FROM sessions`))
}
