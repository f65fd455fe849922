package mirror

import (
	"context"
	"log/slog"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/internal/engine"
	"github.com/vecwire/vecwire/internal/gate"
	"github.com/vecwire/vecwire/internal/local"
)

// slow lets something happen after it has read records, before it returns them.
type slow struct {
	inner
	afterGet func()
}

func (s *slow) Get(ctx context.Context, ids []string, vectors bool) ([]engine.Record, error) {
	records, err := s.inner.Get(ctx, ids, vectors)
	s.afterGet()
	return records, err
}

// TestOrder has a write come between the reading of its record for a refresh and
// the change of the copy: the copy must not fall back.
func TestOrder(t *testing.T) {
	ctx := t.Context()
	log := slog.New(slog.DiscardHandler)
	e, err := local.Open(ctx, local.Options{Logger: log})
	require.NoError(t, err)
	defer e.Close()
	c, err := e.Create(ctx, engine.Schema{Name: "docs", Dim: 1, Metric: codec.Dot})
	require.NoError(t, err)
	database := &slow{inner: c, afterGet: func() {}}
	m, err := Open(ctx, database, Options{Gate: &gate.Gate{}, Log: log, MaxRecords: 10})
	require.NoError(t, err)
	defer m.Close()
	record := func(x float32) []engine.Record {
		return []engine.Record{{ID: "1", Vector: engine.Vector{F32: []float32{x}}}}
	}
	require.NoError(t, c.Upsert(ctx, record(1))) // past the mirror

	written := make(chan error, 1)
	database.afterGet = func() {
		database.afterGet = func() {}
		go func() { written <- m.Upsert(ctx, record(2)) }()
		for waits := false; !waits && len(written) == 0; runtime.Gosched() {
			m.claims.mu.Lock()
			waits = m.claims.waiting != nil
			m.claims.mu.Unlock()
		}
	}
	_, err = m.Refresh(ctx)
	require.NoError(t, err)
	require.NoError(t, <-written)
	results, err := m.Search(ctx, []engine.Search{{Vector: engine.Vector{F32: []float32{1}}, K: 1}})
	require.NoError(t, err)
	require.Equal(t, 2.0, results[0].Hits[0].Score)
}
