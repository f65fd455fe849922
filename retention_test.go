package vecwire_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/expiry"
)

// TestSweepOfTheDatabase is what runs in the background: what has expired goes, in all
// collections that are open, and whatever has become of them.
func TestSweepOfTheDatabase(t *testing.T) {
	ctx := t.Context()
	born := time.Now().Add(time.Hour)
	db, err := vecwire.Open(ctx, "mem:")
	require.NoError(t, err)
	defer db.Close()
	stored := func(c *vecwire.Collection) int {
		n, err := c.Count(expiry.At(ctx, born.Add(-time.Minute)), filter.Filter{})
		require.NoError(t, err)
		return n
	}
	sweep := func() { db.Sweep(expiry.At(ctx, born.Add(time.Minute))) }
	fill := func(name string, expires bool) *vecwire.Collection {
		c, err := db.CreateCollection(ctx, vecwire.Schema{Name: name, Dim: 1, Metric: vecwire.Dot, Fields: []vecwire.Field{{Name: "until", Type: vecwire.Time, Expires: expires}}})
		require.NoError(t, err)
		records := make([]vecwire.Record, 1200)
		for i := range records {
			records[i] = vecwire.Record{ID: string(rune(0x4e00 + i)), Vector: []float32{1}, Fields: vecwire.Fields{"until": born.Add(time.Duration(i%2) * time.Hour)}}
		}
		require.NoError(t, c.Upsert(ctx, records...))
		return c
	}
	require.False(t, db.Sweeps())
	plain := fill("plain", false)
	require.False(t, db.Sweeps(), "nothing expires")
	expires, dropped := fill("expires", true), fill("dropped", true)
	require.True(t, db.Sweeps())
	require.NoError(t, db.DropCollection(ctx, "dropped"))
	sweep()
	require.Equal(t, 600, stored(expires))
	require.Equal(t, 1200, stored(plain))
	require.NoError(t, db.AlterCollection(ctx, "plain", vecwire.Alter{Expires: map[string]bool{"until": true}, Rename: "other"}))
	sweep()
	require.Equal(t, 600, stored(plain))
	_, err = dropped.Count(ctx, filter.Filter{})
	require.ErrorIs(t, err, vecwire.ErrNotFound)
	require.NoError(t, db.Close())
	sweep() // is refused
}
