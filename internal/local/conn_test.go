package local

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/internal/engine"
)

// A connection keeps its statements, but not all that there ever were.
func TestConnectionsForgetStatements(t *testing.T) {
	s := newStore(t)
	err := s.borrow(t.Context(), func(c *conn) error {
		for i := range 3 * mostPrepared {
			for range 2 {
				var got []driver.Value
				err := c.ask(fmt.Sprintf("SELECT ? + %d", i), []int32{1}, func(values []driver.Value) error {
					got = append(got, slices.Clone(values)...)
					return nil
				})
				require.NoError(t, err)
				require.Equal(t, []driver.Value{int64(i + 1)}, got)
			}
			require.LessOrEqual(t, len(c.prepared), mostPrepared)
		}
		require.NotEmpty(t, c.prepared)
		return nil
	})
	require.NoError(t, err)
}

// What a reader of rows returns ends the reading, and the connection goes on.
func TestConnectionGoesOnAfterAnError(t *testing.T) {
	s := newStore(t)
	stop := errors.New("stop")
	err := s.borrow(t.Context(), func(c *conn) error {
		for range 2 {
			seen := 0
			err := c.ask("VALUES (?), (?)", []int32{1, 2}, func([]driver.Value) error { seen++; return stop })
			require.ErrorIs(t, err, stop)
			require.Equal(t, 1, seen)
		}
		require.Error(t, c.ask("SELECT nothing FROM nowhere", nil, nil))
		return nil
	})
	require.NoError(t, err)
}

// More records than one statement reads come back in their places.
func TestReadMany(t *testing.T) {
	s := newStore(t)
	c := create(t, s, testSchema)
	rng := rand.New(rand.NewPCG(1, 1))
	want := map[string]engine.Record{}
	var records []engine.Record
	var ids []string
	for i := range 3*atMost + 1 {
		r := randomRecord(rng, fmt.Sprint("id", i))
		records, want[r.ID], ids = append(records, r), r, append(ids, r.ID)
	}
	require.NoError(t, c.Upsert(t.Context(), records))
	rng.Shuffle(len(ids), func(i, j int) { ids[i], ids[j] = ids[j], ids[i] })
	check := func(ctx context.Context) {
		got, err := c.Get(ctx, ids, true)
		require.NoError(t, err)
		require.Len(t, got, len(ids))
		for _, r := range got {
			require.Equal(t, want[r.ID], r)
		}
	}
	check(t.Context())
	require.NoError(t, s.Tx(t.Context(), func(ctx context.Context) error {
		check(ctx)
		return nil
	}))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := c.Get(ctx, ids, true)
	require.ErrorIs(t, err, context.Canceled)
}

// A row that is in memory and not in the file is damage, and no empty hit.
func TestMissingRows(t *testing.T) {
	s := newStore(t)
	c := create(t, s, testSchema)
	v := engine.Vector{F32: []float32{1, 2, 3, 4}}
	require.NoError(t, c.Upsert(t.Context(), []engine.Record{
		{ID: "a", Vector: v, Fields: make([]any, 2)}, {ID: "b", Vector: v, Fields: make([]any, 2)},
	}))
	_, err := s.write.Exec(`DELETE FROM "docs.data" WHERE vecwire_row = 0`)
	require.NoError(t, err)
	_, err = c.Search(t.Context(), []engine.Search{{Vector: v, K: 2, Payload: true}})
	require.ErrorIs(t, err, errDamaged)
	_, err = c.Get(t.Context(), []string{"a", "b"}, true)
	require.ErrorIs(t, err, errDamaged)
}
