package local

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
)

// Compact gives the room of deleted records back, and answers stay, also those of
// another who has the store open, and writes and reads meanwhile.
func TestCompact(t *testing.T) {
	ctx := t.Context()
	path := checkedStore(t, 3000)
	before := sizeOf(t, path) // it was closed, so all is in the file
	s, other := openStore(t, path), openStore(t, path)
	c, inOther := open(t, s, "docs"), open(t, other, "docs")
	_, err := c.DeleteWhere(ctx, filter.Not(filter.Eq("n", int64(3))))
	require.NoError(t, err)
	_, err = c.DeleteWhere(ctx, filter.IsNull("n"))
	require.NoError(t, err)
	want := all(t, ctx, c)
	require.NotEmpty(t, want)
	require.NoError(t, s.Compact(ctx))

	require.Less(t, sizeOf(t, path), before/2)
	require.Zero(t, sizeOf(t, path+"-wal"))
	for _, in := range []engine.Collection{c, inOther} {
		require.Equal(t, want, all(t, ctx, in))
		found, err := in.SearchText(ctx, []engine.TextSearch{{Text: "record", K: 5000}})
		require.NoError(t, err)
		require.Len(t, found[0], len(want))
	}
	require.Nil(t, checked(t, s).Problems)
	require.Nil(t, checked(t, other).Problems)

	// Both go on.
	rng := rand.New(rand.NewPCG(3, 3))
	var group errgroup.Group
	for who, in := range []engine.Collection{c, inOther} {
		mine := rand.New(rand.NewPCG(3, uint64(who)))
		group.Go(func() error {
			for i := range 30 {
				if err := in.Upsert(ctx, []engine.Record{checkedRecord(mine, fmt.Sprint("w", who, "-", i))}); err != nil {
					return err
				}
			}
			return nil
		})
	}
	for range 5 {
		if err := s.Compact(ctx); !errors.As(err, new(*engine.LockedError)) {
			require.NoError(t, err)
		}
	}
	require.NoError(t, group.Wait())
	require.NoError(t, inOther.Upsert(ctx, []engine.Record{checkedRecord(rng, "last")}))
	require.Len(t, all(t, ctx, c), len(want)+61)
	require.Equal(t, all(t, ctx, inOther), all(t, ctx, c))
	require.Nil(t, checked(t, s).Problems)
	require.NoError(t, s.Close())
	require.NoError(t, other.Close())
	require.ErrorIs(t, openReading(t, path).Compact(ctx), engine.ErrReadOnly)
}

// Somebody who reads the former state keeps the file large, and Compact says so.
func TestCompactBesideALongReading(t *testing.T) {
	ctx := t.Context()
	path := checkedStore(t, 500)
	s, other := openStore(t, path), openStore(t, path)
	s.lockTimeout = 20 * time.Millisecond
	_, end, err := other.pin(ctx)
	require.NoError(t, err)
	_, err = open(t, s, "docs").DeleteWhere(ctx, filter.Ge("n", int64(0)))
	require.NoError(t, err)
	require.ErrorAs(t, s.Compact(ctx), new(*engine.LockedError))
	end()
	require.NoError(t, s.Compact(ctx))
	require.Zero(t, sizeOf(t, path+"-wal"))
	require.Nil(t, checked(t, s).Problems)
}

func sizeOf(t testing.TB, path string) int64 {
	t.Helper()
	info, err := os.Stat(path)
	require.NoError(t, err)
	return info.Size()
}
