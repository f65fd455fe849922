package local

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/internal/engine"
)

// After each change of the schema a connection that reads takes in all of it again,
// which grows with the collections. So no reader takes part in making one.
func TestMakingACollectionAsksNoReader(t *testing.T) {
	s := newStore(t)
	schema := testSchema
	schema.FullText = engine.Words
	_, err := s.Open(t.Context(), schema.Name) // the first look
	require.ErrorIs(t, err, engine.ErrNotFound)
	require.NoError(t, s.read.Close())
	for i := range 3 {
		schema.Name = fmt.Sprint("c", i)
		_, err := s.Open(t.Context(), schema.Name)
		require.ErrorIs(t, err, engine.ErrNotFound)
		c := create(t, s, schema)
		require.NoError(t, c.Upsert(t.Context(), []engine.Record{
			{ID: "a", Vector: engine.Vector{F32: []float32{1, 2, 3, 4}}, Fields: make([]any, 2), Text: "some words"},
		}))
		again, err := s.Open(t.Context(), schema.Name)
		require.NoError(t, err)
		require.Same(t, c, again)
	}
}

// The names that a store keeps are those in its file.
func TestNamesAreThoseOfTheFile(t *testing.T) {
	s := newStore(t)
	schema := testSchema
	for _, name := range []string{"a", "B", "c", "d"} {
		schema.Name = name
		create(t, s, schema)
	}
	settle := func(_ context.Context, _, _ engine.Collection) error { return nil }
	require.NoError(t, s.Drop(t.Context(), "b"))
	require.NoError(t, s.Swap(t.Context(), engine.Swap{Name: "a", Next: "c", Old: "Was", Settle: settle}))
	require.NoError(t, s.Swap(t.Context(), engine.Swap{Name: "was", Next: "d", Drop: true, Settle: settle}))
	check := func(s *store) {
		for name, there := range map[string]bool{"a": true, "A": true, "b": false, "c": false, "WAS": true, "d": false} {
			_, err := s.Open(t.Context(), name)
			if there {
				require.NoError(t, err, name)
			} else {
				require.ErrorIs(t, err, engine.ErrNotFound, name)
			}
		}
	}
	check(s)
	path := s.path
	require.NoError(t, s.Close())
	check(openStore(t, path))
}

// BenchmarkMakeMany makes 1,000 collections, and reports how long one of the first took
// and one of the last.
func BenchmarkMakeMany(b *testing.B) {
	for b.Loop() {
		s := newStore(b)
		schema := testSchema
		var took []time.Duration
		for i := range 1000 {
			schema.Name = fmt.Sprint("c", i)
			begun := time.Now()
			create(b, s, schema)
			took = append(took, time.Since(begun))
		}
		middle := func(some []time.Duration) float64 {
			slices.Sort(some)
			return float64(some[len(some)/2].Microseconds())
		}
		b.ReportMetric(0, "ns/op")
		b.ReportMetric(middle(took[:20]), "first-us")
		b.ReportMetric(middle(took[980:]), "last-us")
		require.NoError(b, s.Close())
	}
}
