package recall

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// graded is an index that finds all from an effort on, and less below.
func graded(enough int) *index {
	vectors := topics(rand.New(rand.NewPCG(1, 1)), 3, 60)
	return &index{vectors: vectors, lost: func(at, effort int) bool { return effort < enough && at%2 == 0 }}
}

func TestTune(t *testing.T) {
	for _, enough := range []int{1, 8, 9, 63, 64, 65, 100, 700, 1000} {
		x := graded(enough)
		got, err := Tune(t.Context(), 40, Goal{Recall: 1, Least: 8, Most: 1000}, x.search)
		require.NoError(t, err)
		require.GreaterOrEqual(t, got.Effort, enough)
		require.LessOrEqual(t, got.Effort, max(8, enough+max(1, enough/8)), "enough is %d", enough)
		require.Equal(t, 1.0, got.Recall)
		require.True(t, slices.IsSortedFunc(got.Tried, func(a, b Step) int { return a.Effort - b.Effort }))
		for _, s := range got.Tried {
			require.Equal(t, s.Effort >= enough, s.Recall == 1)
			require.Equal(t, 40, s.Approximate)
		}
	}
}

// TestTuneUpToTheScan has an index that never finds all, and an engine that looks at all
// records from an effort on.
func TestTuneUpToTheScan(t *testing.T) {
	for _, scans := range []int{9, 100, 640, 1000} {
		x := graded(10_000)
		x.scans = scans
		got, err := Tune(t.Context(), 40, Goal{Recall: 1, Least: 8, Most: 1000}, x.search)
		require.NoError(t, err)
		require.GreaterOrEqual(t, got.Effort, scans)
		require.LessOrEqual(t, got.Effort, scans+max(1, scans/8))
		require.Equal(t, 1.0, got.Recall)
		for _, s := range got.Tried {
			require.Equal(t, s.Effort >= scans, s.Approximate == 0)
		}
	}
}

func TestTuneFindsNone(t *testing.T) {
	goal := Goal{Recall: 0.95, Least: 8, Most: 1000}
	x := graded(10_000)
	got, err := Tune(t.Context(), 40, goal, x.search)
	require.ErrorIs(t, err, ErrUnreachable)
	require.Zero(t, got.Effort)
	require.Equal(t, 1000, got.Tried[len(got.Tried)-1].Effort)

	got, err = Tune(t.Context(), 40, Goal{Recall: 0.95, Least: 5000, Most: 1000}, x.search)
	require.ErrorIs(t, err, ErrUnreachable)
	require.Len(t, got.Tried, 1, "a K beyond the largest effort begins with that")

	x.scans = 8
	_, err = Tune(t.Context(), 40, goal, x.search)
	require.ErrorIs(t, err, ErrNoIndex)
	_, err = Tune(t.Context(), 0, goal, x.search)
	require.ErrorIs(t, err, ErrNoIndex)

	x.scans = 0
	broken := errors.New("broken")
	for _, at := range []int{0, 45, 100} {
		n := 0
		_, err = Tune(t.Context(), 40, goal, func(ctx context.Context, i int, how How) (Answer, error) {
			if n++; n > at {
				return Answer{}, broken
			}
			return x.search(ctx, i, how)
		})
		require.ErrorIs(t, err, broken)
	}
}
