package recall

import (
	"errors"
	"fmt"
	"iter"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

func numbers(n int) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for i := range n {
			if !yield(fmt.Sprint(i), nil) {
				return
			}
		}
	}
}

func TestSample(t *testing.T) {
	for _, n := range []int{0, 1, 9, 10, 11, 500} {
		ids, err := Sample(numbers(n), 10, 3)
		require.NoError(t, err)
		require.Len(t, ids, min(n, 10))
		again, err := Sample(numbers(n), 10, 3)
		require.NoError(t, err)
		require.Equal(t, ids, again, "the same seed draws the same")
		slices.Sort(ids)
		require.Len(t, slices.Compact(ids), min(n, 10), "none twice")
	}
	all, err := Sample(numbers(7), math.MaxInt, 1)
	require.NoError(t, err)
	require.Len(t, all, 7)
	broken := errors.New("broken")
	_, err = Sample(func(yield func(string, error) bool) { yield("", broken) }, 3, 1)
	require.ErrorIs(t, err, broken)
}

// TestSampleIsFair draws often: each record, and each place of the sample, has its share.
func TestSampleIsFair(t *testing.T) {
	const records, n, rounds = 50, 10, 4000
	drawn, first := map[string]int{}, map[string]int{}
	for seed := range uint64(rounds) {
		ids, err := Sample(numbers(records), n, seed)
		require.NoError(t, err)
		first[ids[0]]++
		for _, id := range ids {
			drawn[id]++
		}
	}
	for i := range records {
		id := fmt.Sprint(i)
		require.InDelta(t, rounds*n/records, drawn[id], 6*math.Sqrt(rounds*n/records), id)
		require.InDelta(t, rounds/records, first[id], 6*math.Sqrt(rounds/records), id)
	}
}

func TestGroups(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 9))
	vectors := topics(rng, 6, 400, 60, 40, 7)
	group, groups := groupsOf(clone(vectors), false, 2)
	require.Len(t, group, len(vectors))
	sizes := make([]int, len(groups))
	for i, g := range group {
		sizes[g]++
		middle := groups[g].middle
		require.Equal(t, topicOf(vectors[middle]), topicOf(vectors[i]), "topics far apart share no group")
	}
	again, _ := groupsOf(clone(vectors), false, 2)
	require.Equal(t, group, again, "the same seed chooses the same")
	for g, m := range groups {
		require.Equal(t, sizes[g], m.size)
		require.GreaterOrEqual(t, m.size, minGroup)
		require.Equal(t, g, group[m.middle])
	}

	require.Len(t, more(group, len(groups), 0), 0, "without a sample")
	const drawn, enough = 30, 3
	places := more(group, len(groups), drawn)
	have := make([]int, len(groups))
	for _, g := range group[:drawn] {
		have[g]++
	}
	require.True(t, slices.IsSorted(places))
	for _, at := range places {
		require.GreaterOrEqual(t, at, drawn)
		require.Less(t, have[group[at]], enough, "no more than are needed")
		have[group[at]]++
	}
	for g, n := range have {
		require.GreaterOrEqual(t, n, min(sizes[g], enough))
	}
	require.Empty(t, more(group, len(groups), len(vectors)))
}

// topicOf is the reverse of topics.
func topicOf(v []float64) int { return slices.Index(v, slices.Max(v)) }

// TestGroupsOfOddVectors takes vectors that cannot be told apart, or whose squares
// overflow.
func TestGroupsOfOddVectors(t *testing.T) {
	same := make([][]float64, 50)
	for i := range same {
		same[i] = []float64{3, 4}
	}
	huge, tiny := clone(same), clone(same)
	for i := range huge {
		huge[i][0], huge[i][1] = math.MaxFloat64, math.MaxFloat64
		tiny[i][0], tiny[i][1] = math.SmallestNonzeroFloat64, 0
		if i < 20 {
			huge[i][0] = -math.MaxFloat64
			tiny[i][0], tiny[i][1] = 0, 2*math.SmallestNonzeroFloat64
		}
	}
	zero := [][]float64{{0, 0}, {0, 0}, {0, 0}}
	for _, directions := range []bool{false, true} {
		require.Equal(t, 1, groupCount(clone(same), directions))
		require.Equal(t, 2, groupCount(clone(huge), directions))
		require.Equal(t, 2, groupCount(clone(tiny), directions))
		require.Equal(t, 1, groupCount(clone(zero), directions))
	}
	lengths := make([][]float64, 40) // one direction, two lengths
	for i := range lengths {
		lengths[i] = []float64{1, 1}
		if i%2 == 0 {
			lengths[i] = []float64{100, 100}
		}
	}
	require.Equal(t, 2, groupCount(clone(lengths), false))
	require.Equal(t, 1, groupCount(clone(lengths), true))
}

func groupCount(vectors [][]float64, directions bool) int {
	_, groups := groupsOf(vectors, directions, 1)
	return len(groups)
}

func TestPool(t *testing.T) {
	for n, want := range map[int]int{1: 10, 20: 200, 100: 1000, 999: 1000, 1000: 1000, 5000: 5000, math.MaxInt: math.MaxInt} {
		require.Equal(t, want, Pool(n))
	}
}
