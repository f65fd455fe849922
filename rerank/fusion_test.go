package rerank_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/rerank"
)

func TestRRF(t *testing.T) {
	got, err := rerank.RRF(0, rerank.Leg{IDs: []string{"a", "b", "c"}}, rerank.Leg{IDs: []string{"c", "a", "a"}, Weight: 2})
	require.NoError(t, err)
	for i, want := range []rerank.Fused{
		{ID: "c", Score: (1.0/63 + 2.0/61) / (3.0 / 61), Ranks: []int{3, 1}},
		{ID: "a", Score: (1.0/61 + 2.0/62) / (3.0 / 61), Ranks: []int{1, 2}},
		{ID: "b", Score: 1.0 / 62 / (3.0 / 61), Ranks: []int{2, 0}},
	} {
		require.InDelta(t, want.Score, got[i].Score, 1e-15)
		want.Score = got[i].Score
		require.Equal(t, want, got[i])
	}
	require.Len(t, got, 3)

	got, err = rerank.RRF(1, rerank.Leg{IDs: []string{"y", "x"}}, rerank.Leg{IDs: []string{"x", "y"}}, rerank.Leg{})
	require.NoError(t, err)
	require.InDelta(t, 5.0/9, got[0].Score, 1e-15)
	require.Equal(t, []rerank.Fused{{ID: "x", Score: got[0].Score, Ranks: []int{2, 1, 0}}, {ID: "y", Score: got[0].Score, Ranks: []int{1, 2, 0}}}, got)

	got, err = rerank.RRF(0)
	require.NoError(t, err)
	require.Empty(t, got)
	for _, bad := range []float64{-1, math.NaN(), math.Inf(1)} {
		_, err := rerank.RRF(bad)
		var value *codec.ValueError
		require.ErrorAs(t, err, &value)
		require.Equal(t, "k", value.Field)
		_, err = rerank.RRF(0, rerank.Leg{}, rerank.Leg{Weight: bad})
		require.ErrorAs(t, err, &value)
		require.Equal(t, "weight of leg 1", value.Field)
	}
}

func randomLegs(rng *rand.Rand) []rerank.Leg {
	legs := make([]rerank.Leg, 1+rng.IntN(5))
	for i := range legs {
		for _, p := range rng.Perm(20)[:rng.IntN(20)] {
			legs[i].IDs = append(legs[i].IDs, fmt.Sprint("id", p))
		}
		legs[i].Weight = float64(rng.IntN(3)) / 2
	}
	return legs
}

func TestRRFProperties(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 10))
	for range 300 {
		legs, k := randomLegs(rng), float64(rng.IntN(100))
		got, err := rerank.RRF(k, legs...)
		require.NoError(t, err)
		score := func(fused []rerank.Fused, id string) float64 {
			return fused[slices.IndexFunc(fused, func(f rerank.Fused) bool { return f.ID == id })].Score
		}

		// Every ID once, in order, with a score that its legs allow.
		union := map[string]bool{}
		for _, leg := range legs {
			for _, id := range leg.IDs {
				union[id] = true
			}
		}
		require.Len(t, got, len(union))
		for i, f := range got {
			require.True(t, union[f.ID])
			delete(union, f.ID)
			require.Positive(t, f.Score)
			require.LessOrEqual(t, f.Score, 1.0)
			if i > 0 {
				p := got[i-1]
				require.True(t, p.Score > f.Score || p.Score == f.Score && p.ID < f.ID)
			}
		}

		// The order of the legs does not matter.
		turned := slices.Clone(legs)
		rng.Shuffle(len(turned), func(i, j int) { turned[i], turned[j] = turned[j], turned[i] })
		other, err := rerank.RRF(k, turned...)
		require.NoError(t, err)
		for i := range got {
			require.Equal(t, got[i].ID, other[i].ID)
			require.Equal(t, got[i].Score, other[i].Score)
		}

		// A better rank never lowers a score.
		l := rng.IntN(len(legs))
		if ids := legs[l].IDs; len(ids) > 1 {
			at := 1 + rng.IntN(len(ids)-1)
			up := slices.Clone(ids)
			up[at-1], up[at] = up[at], up[at-1]
			better := slices.Clone(legs)
			better[l].IDs = up
			after, err := rerank.RRF(k, better...)
			require.NoError(t, err)
			require.Greater(t, score(after, ids[at]), score(got, ids[at]))
			require.Less(t, score(after, ids[at-1]), score(got, ids[at-1]))
		}
	}
}

// The greatest score is 1, exactly, for whatever is the first of all legs.
func TestFusedScoresReachOne(t *testing.T) {
	for _, weights := range [][]float64{{1, 1, 1}, {0.1, 0.2, 0.7}, {3, 0.01, 1e300}, {math.MaxFloat64, math.MaxFloat64, 1e-300}, {1e-300, 1e-320, 1e-310}} {
		legs := make([]rerank.Leg, len(weights))
		for i, w := range weights {
			legs[i] = rerank.Leg{IDs: []string{"a", "b"}, Scores: []float64{2, 1}, Weight: w}
		}
		for _, k := range []float64{0, 1, 1e-9, 1e300} {
			fused, err := rerank.RRF(k, legs...)
			require.NoError(t, err)
			require.Equal(t, 1.0, fused[0].Score, "%v, k %v", weights, k)
		}
		fused, err := rerank.Relative(legs...)
		require.NoError(t, err)
		require.Equal(t, []rerank.Fused{{ID: "a", Score: 1, Ranks: []int{1, 1, 1}}, {ID: "b", Score: 0, Ranks: []int{2, 2, 2}}}, fused)
	}
}

func TestRelative(t *testing.T) {
	got, err := rerank.Relative(
		rerank.Leg{IDs: []string{"a", "b", "c"}, Scores: []float64{10, 7, 2}},
		rerank.Leg{IDs: []string{"c", "d", "b"}, Scores: []float64{-1, -1.5, -3}, Weight: 3})
	require.NoError(t, err)
	for i, want := range []rerank.Fused{
		{ID: "c", Score: 0.75, Ranks: []int{3, 1}},
		{ID: "d", Score: 0.75 * 0.75, Ranks: []int{0, 2}},
		{ID: "a", Score: 0.25, Ranks: []int{1, 0}},
		{ID: "b", Score: 0.25 * 0.625, Ranks: []int{2, 3}},
	} {
		require.InDelta(t, want.Score, got[i].Score, 1e-15)
		want.Score = got[i].Score
		require.Equal(t, want, got[i])
	}
	got, err = rerank.Relative(rerank.Leg{IDs: []string{"y", "x"}, Scores: []float64{5, 5}}, rerank.Leg{})
	require.NoError(t, err)
	require.Equal(t, []rerank.Fused{{ID: "x", Score: 0.5, Ranks: []int{2, 0}}, {ID: "y", Score: 0.5, Ranks: []int{1, 0}}}, got, "no score is better than another")
	got, err = rerank.Relative(rerank.Leg{IDs: []string{"x", "y", "z"}, Scores: []float64{math.MaxFloat64, 0, -math.MaxFloat64}})
	require.NoError(t, err)
	require.Equal(t, []float64{1, 0.5, 0}, []float64{got[0].Score, got[1].Score, got[2].Score})

	for field, leg := range map[string]rerank.Leg{
		"scores of leg 1":  {IDs: []string{"a"}},
		"score 0 of leg 1": {IDs: []string{"a"}, Scores: []float64{math.NaN()}},
		"weight of leg 1":  {Weight: -1},
	} {
		_, err := rerank.Relative(rerank.Leg{}, leg)
		var value *codec.ValueError
		require.ErrorAs(t, err, &value)
		require.Equal(t, field, value.Field)
	}
}

func TestGroup(t *testing.T) {
	items := []string{"a1", "a2", "b1", "a3", "c1", "b2", "b3"}
	letter := func(s string) byte { return s[0] }
	for n, want := range map[int][]string{
		-1: nil, 0: nil, 1: {"a1", "b1", "c1"}, 2: {"a1", "a2", "b1", "c1", "b2"}, 3: items, 9: items,
	} {
		require.Equal(t, want, rerank.Group(items, n, letter), n)
	}
	require.Empty(t, rerank.Group(nil, 3, letter))
}
