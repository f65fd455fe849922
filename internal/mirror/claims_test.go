package mirror

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestClaims has many goroutines claim a few IDs: no two hold the same one, and all
// get through.
func TestClaims(t *testing.T) {
	var c claims
	held := map[string]int{} // by who has it, guarded by the claims themselves and mu
	all := 0
	var mu sync.Mutex
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(uint64(w), 0))
			for range 300 {
				var ids []string
				for i := range 5 {
					if rng.IntN(2) == 0 {
						ids = append(ids, fmt.Sprint(i))
					}
				}
				take := func(by int) {
					mu.Lock()
					defer mu.Unlock()
					for _, id := range ids {
						held[id] += by
						if held[id] > 1 || all > 0 {
							t.Errorf("%s is held twice", id)
						}
					}
				}
				if rng.IntN(20) == 0 {
					release, err := c.takeAll(t.Context())
					if err != nil {
						t.Error(err)
						return
					}
					mu.Lock()
					all++
					for id, n := range held {
						if n > 0 || all > 1 {
							t.Errorf("%s is held, and all are", id)
						}
					}
					mu.Unlock()
					mu.Lock()
					all--
					mu.Unlock()
					release()
					continue
				}
				release, err := c.take(t.Context(), ids)
				if err != nil {
					t.Error(err)
					return
				}
				take(1)
				take(-1)
				release()
			}
		})
	}
	wg.Wait()
	require.Empty(t, c.ids)
	require.Zero(t, c.wanted)
}

// TestClaimsEnd has waiting end with the context, and leave nothing.
func TestClaimsEnd(t *testing.T) {
	var c claims
	release, err := c.take(t.Context(), []string{"1"})
	require.NoError(t, err)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = c.take(ended, []string{"2", "1"})
	require.ErrorIs(t, err, context.Canceled)
	_, err = c.takeAll(ended)
	require.ErrorIs(t, err, context.Canceled)
	other, err := c.take(t.Context(), []string{"2"})
	require.NoError(t, err, "a claim that was given up keeps no other out")
	other()
	release()
	release, err = c.takeAll(t.Context())
	require.NoError(t, err)
	release()
}
