package enginetest

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/filter"
)

// cancellation: a call whose context is done returns the context's error and
// changes nothing.
func (s *suite) cancellation(t *testing.T) {
	ctx := t.Context()
	c := s.create(t, vecwire.Schema{Dim: 2})
	m := newModel(c.Schema(), vecwire.Record{ID: "1", Vector: []float32{1, 2}, Text: "kept"})
	require.NoError(t, c.Upsert(ctx, m.all()...))

	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	late, cancelLate := context.WithTimeout(ctx, -1)
	defer cancelLate()
	missing := s.name()
	calls := verbs(c)
	for verb, call := range databaseVerbs(s.db, c.Schema().Name, missing) {
		calls[verb] = call
	}
	for verb, call := range calls {
		run(t, verb, func(t *testing.T) {
			require.ErrorIs(t, call(cancelled), context.Canceled)
			require.ErrorIs(t, call(late), context.DeadlineExceeded)
		})
	}
	m.expectAll(t, c)
	_, err := s.db.OpenCollection(ctx, missing)
	require.ErrorIs(t, err, vecwire.ErrNotFound)

	run(t, "while it runs", func(t *testing.T) {
		c := s.create(t, vecwire.Schema{Dim: 8, Fields: allTypes()})
		g := newGenerator(141, c.Schema())
		records := g.records(s.sample(1500))
		ctx, cancel := context.WithCancel(ctx)
		done := make(chan error, 1)
		go func() { done <- c.Upsert(ctx, records...) }()
		cancel()
		err := <-done
		if err != nil {
			require.ErrorIs(t, err, context.Canceled)
		}
		n, countErr := c.Count(t.Context(), filter.Filter{})
		require.NoError(t, countErr)
		switch {
		case err == nil:
			require.Equal(t, len(records), n, "Upsert returned nil")
		case !s.caps.AtomicBatches: // and a server may go on with a part that it has begun
			all := newModel(c.Schema(), records...)
			for _, r := range collect(t, c, vecwire.Scan{Vectors: true}) {
				expectRecord(t, all.records[r.ID], r, payload|vector)
			}
			return
		default:
			require.Contains(t, []int{0, len(records)}, n, "Upsert stores all or none")
		}
		m := newModel(c.Schema())
		if n > 0 {
			m.upsert(records...)
		}
		m.expectAll(t, c)
		m.expectSearch(t, c, vecwire.Query{Vector: g.vector()})
	})
	run(t, "the database goes on", func(t *testing.T) {
		for verb, call := range verbs(c) {
			err := call(ctx)
			require.False(t, errors.Is(err, context.Canceled), verb)
			require.NoError(t, err, verb)
		}
	})
}
