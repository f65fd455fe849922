package vecwire

import (
	"context"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/internal/engine"
)

// slowServer lets something happen after it has read records, before it returns them.
type slowServer struct {
	engine.Collection
	afterGet func()
}

func (s *slowServer) Get(ctx context.Context, ids []string, vectors bool) ([]engine.Record, error) {
	records, err := s.Collection.Get(ctx, ids, vectors)
	s.afterGet()
	return records, err
}

// TestMirrorOrder has a write come between the reading of its record for a refresh
// and the change of the copy: the copy must not fall back.
func TestMirrorOrder(t *testing.T) {
	ctx := t.Context()
	db, err := Open(ctx, "mem:")
	require.NoError(t, err)
	defer db.Close()
	c, err := db.CreateCollection(ctx, Schema{Name: "docs", Dim: 1, Metric: Dot})
	require.NoError(t, err)
	server := &slowServer{Collection: c.engine, afterGet: func() {}}
	m, err := newCollection(db, server).Mirror(ctx, MirrorOptions{})
	require.NoError(t, err)
	defer m.Close()
	require.NoError(t, c.Upsert(ctx, Record{ID: "1", Vector: []float32{1}})) // by others

	written := make(chan error, 1)
	server.afterGet = func() {
		server.afterGet = func() {}
		go func() { written <- m.Upsert(ctx, Record{ID: "1", Vector: []float32{2}}) }()
		for waits := false; !waits && len(written) == 0; runtime.Gosched() {
			claims := &m.mirrored.claims
			claims.mu.Lock()
			waits = claims.waiting != nil
			claims.mu.Unlock()
		}
	}
	require.NoError(t, m.Refresh(ctx))
	require.NoError(t, <-written)
	hits, err := m.Search(ctx, Query{Vector: []float32{1}, IDsOnly: true})
	require.NoError(t, err)
	require.Equal(t, 2.0, hits[0].Score)
}
