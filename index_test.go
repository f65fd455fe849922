package vecwire_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/internal/fault"
)

// The embedded engine calls Progress from the goroutines that link.
func TestPanicInIndexProgress(t *testing.T) {
	db, err := vecwire.Open(t.Context(), "mem:")
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	c, err := db.CreateCollection(t.Context(), vecwire.Schema{Name: "docs", Dim: 8})
	require.NoError(t, err)
	rng := rand.New(rand.NewPCG(1, 1))
	records := make([]vecwire.Record, 2000)
	for i := range records {
		vector := make([]float32, 8)
		for j := range vector {
			vector[j] = float32(rng.NormFloat64())
		}
		records[i] = vecwire.Record{ID: fmt.Sprint(i), Vector: vector}
	}
	require.NoError(t, c.Upsert(t.Context(), records...))

	broken := errors.New("broken")
	calls := 0
	err = c.BuildIndex(t.Context(), vecwire.IndexOptions{M: 8, EfConstruction: 32, Workers: 2, Progress: func(vecwire.Progress) {
		calls++
		panic(broken)
	}})
	var panicked *fault.PanicError
	require.ErrorAs(t, err, &panicked)
	require.ErrorIs(t, err, broken)
	require.ErrorContains(t, err, "Progress panicked in")
	require.Equal(t, 1, calls, "it is not called again")
	indexes, err := c.Indexes(t.Context())
	require.NoError(t, err)
	require.Empty(t, indexes, "nothing stays behind")
	require.NoError(t, c.BuildIndex(t.Context(), vecwire.IndexOptions{M: 8, EfConstruction: 32}))
}
