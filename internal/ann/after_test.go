package ann

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/codec"
)

// requireAfter compares an answer that goes on behind a candidate with the part of all.
func requireAfter[T codec.Float](t *testing.T, rng *rand.Rand, a *Arena[T], q []T, k int, allowed *Bitmap, all []Candidate) {
	t.Helper()
	if len(all) == 0 {
		return
	}
	i := rng.IntN(len(all))
	last := all[i]
	after := After{Score: last.Score, Passes: func(row int32) bool { return row > last.Row }}
	want := all[i+1:]
	if k < len(want) {
		end := k
		for end < len(want) && want[end].Score == want[end-1].Score {
			end++
		}
		want = want[:end]
	}
	got, err := a.SearchAfter(t.Context(), nil, q, k, allowed, after)
	require.NoError(t, err)
	require.True(t, slices.Equal(want, got), "k=%d behind %d, %v\nwant %v\ngot  %v", k, i, last, want, got)
}

// TestPagesThroughAGraph: pages of a graph have no candidate twice, are in order, and hold
// nearly all that one answer does.
func TestPagesThroughAGraph(t *testing.T) {
	skipRace(t)
	data := newClusters(7, 24)
	g := newGraph[float32](t, data, 20_000, codec.Cosine)
	walked := 0
	for _, q := range queries[float32](data, 20) {
		const k, pages = 4, 5
		all, err := g.arena.Search(t.Context(), nil, q, k*pages, nil)
		require.NoError(t, err)
		seen, after := map[int32]bool{}, After{}
		for page := range pages {
			var found []Candidate
			exact := false
			if page == 0 {
				found, exact, err = g.Search(t.Context(), nil, q, k, 30, nil)
			} else {
				found, exact, err = g.SearchAfter(t.Context(), nil, q, k, 30, nil, after)
			}
			require.NoError(t, err)
			require.GreaterOrEqual(t, len(found), k)
			if !exact {
				walked++
			}
			found = found[:k]
			require.True(t, slices.IsSortedFunc(found, byScore))
			for _, c := range found {
				require.False(t, seen[c.Row])
				seen[c.Row] = true
			}
			last := found[k-1]
			after = After{Score: last.Score, Passes: func(row int32) bool { return row > last.Row }, Place: k * (page + 1)}
		}
		missed := 0
		for _, c := range all[:k*pages] {
			if !seen[c.Row] {
				missed++
			}
		}
		require.LessOrEqual(t, missed, k*pages/4)
	}
	require.Greater(t, walked, 50)
}
