package local

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
)

var testSchema = engine.Schema{
	Name: "docs", Dim: 4, Metric: codec.L2,
	Fields: []engine.Field{{Name: "n", Type: filter.Int, Index: true}, {Name: "s", Type: filter.String}},
}

func openStore(t testing.TB, path string) *store {
	t.Helper()
	e, err := Open(t.Context(), Options{Path: path, Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	t.Cleanup(func() { e.Close() })
	return e.(*store)
}

func newStore(t testing.TB) *store { return openStore(t, filepath.Join(t.TempDir(), "test.db")) }

func create(t testing.TB, s *store, schema engine.Schema) engine.Collection {
	t.Helper()
	c, err := s.Create(t.Context(), schema)
	require.NoError(t, err)
	return c
}

func randomRecord(rng *rand.Rand, id string) engine.Record {
	r := engine.Record{ID: id, Vector: engine.Vector{F32: make([]float32, testSchema.Dim)}, Fields: make([]any, 2)}
	for i := range r.Vector.F32 {
		r.Vector.F32[i] = float32(rng.IntN(16)) // few values, so that scores tie
	}
	if n := rng.Int64N(10); n > 0 {
		r.Fields[0] = n
	}
	if rng.IntN(3) > 0 {
		r.Fields[1] = fmt.Sprint("s", rng.IntN(5))
	}
	if rng.IntN(2) > 0 {
		r.Text = fmt.Sprint("text of ", id)
	}
	return r
}

// all returns every record of c with its vector.
func all(t testing.TB, ctx context.Context, c engine.Collection) []engine.Record {
	t.Helper()
	records, err := c.Scan(ctx, engine.Scan{Limit: 1 << 30, Vectors: true})
	require.NoError(t, err)
	return records
}
