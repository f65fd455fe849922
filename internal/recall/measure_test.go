package recall

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func hit(id string, score float64) Hit { return Hit{ID: id, Score: score} }

func TestCountHits(t *testing.T) {
	exact := []Hit{hit("a", 3), hit("b", 2), hit("c", 1), hit("d", 1)}
	for _, tt := range []struct {
		name string
		hits []Hit
		want int
	}{
		{"the same", exact, 4},
		{"half", []Hit{hit("a", 3), hit("c", 1)}, 2},
		{"others that score the same", []Hit{hit("a", 3), hit("b", 2), hit("e", 1), hit("f", 1)}, 4},
		{"others that score less", []Hit{hit("a", 3), hit("x", 0.5), hit("y", 0.4), hit("z", 0.3)}, 1},
		{"more than asked for", append(slices.Clone(exact), hit("e", 1)), 4},
		{"none", nil, 0},
	} {
		require.Equal(t, count{tt.want, 4}, countHits(tt.hits, exact), tt.name)
	}
	require.Equal(t, 1.0, countHits(nil, nil).recall(), "nothing to miss")
}

// TestTallyIsOneOnlyIfNothingIsMissing adds up any number of queries of any size.
func TestTallyIsOneOnlyIfNothingIsMissing(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		var perfect, misses tally
		of, queries := 1+rng.IntN(40), 1+rng.IntN(300)
		missing := rng.IntN(queries)
		for i := range queries {
			perfect.add(count{of, of})
			if i == missing {
				misses.add(count{of - 1, of})
			} else {
				misses.add(count{of, of})
			}
		}
		require.Equal(t, 1.0, perfect.mean())
		require.Equal(t, 1.0, perfect.min())
		require.Less(t, misses.mean(), 1.0)
		require.Equal(t, float64(of-1)/float64(of), misses.min())
	}
	var t20 tally
	for i := range 20 {
		t20.add(count{min(i, 1), 1})
	}
	require.Equal(t, 0.95, t20.mean(), "what is written as 0.95 is reached by 19 of 20")
}

func TestLatencyOf(t *testing.T) {
	var took []time.Duration
	for i := range 200 {
		took = append(took, time.Duration(200-i))
	}
	require.Equal(t, Latency{101, 191, 199}, latencyOf(took))
	require.Equal(t, time.Duration(200), took[0], "the caller's slice is left alone")
	require.Equal(t, Latency{7, 7, 7}, latencyOf([]time.Duration{7}))
}

// index answers for vectors in memory: exactly, or without the records that it lost.
type index struct {
	vectors [][]float64
	lost    func(at, effort int) bool
	scans   int // the least effort with which it looks at all vectors, 0 for none
	asked   int
}

func (x *index) search(_ context.Context, at int, how How) (Answer, error) {
	x.asked++
	exact := how.Exact || x.scans > 0 && how.Effort >= x.scans
	var hits []Hit
	for i, v := range x.vectors {
		if exact || !x.lost(i, how.Effort) {
			hits = append(hits, hit(fmt.Sprint(i), -distance(v, x.vectors[at])))
		}
	}
	slices.SortFunc(hits, func(a, b Hit) int { return cmp.Compare(b.Score, a.Score) })
	return Answer{Hits: hits[:min(len(hits), 5)], Exact: exact}, nil
}

// topics returns vectors around centres that are far apart, some of each.
func topics(rng *rand.Rand, dim int, sizes ...int) [][]float64 {
	var out [][]float64
	for topic, n := range sizes {
		for range n {
			v := make([]float64, dim)
			for j := range v {
				v[j] = rng.NormFloat64()
			}
			v[topic%dim] += 40
			out = append(out, v)
		}
	}
	rng.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out
}

// TestWorstGroup loses a small topic, which the mean does not show.
func TestWorstGroup(t *testing.T) {
	const small = 15
	for seed := range uint64(6) {
		rng := rand.New(rand.NewPCG(seed, 1))
		vectors := topics(rng, 8, 700, 285, small)
		x := &index{vectors: vectors, lost: func(at, _ int) bool { return vectors[at][2] > 20 }}
		report, err := Measure(t.Context(), draw(vectors, 100, seed), x.search)
		require.NoError(t, err)
		require.Equal(t, 100, report.Queries)
		require.Greater(t, report.Mean, 0.9)
		require.Equal(t, report.Queries, report.Approximate)

		worst := report.Groups[0]
		require.Zero(t, worst.Mean, "the lost topic is a group of its own")
		require.Zero(t, worst.Min)
		require.InDelta(t, small/1000.0, worst.Share, 1e-9)
		require.GreaterOrEqual(t, worst.Queries, maxGroupQueries)
		require.Greater(t, vectors[worst.Middle][2], 20.0)
		for _, g := range report.Groups[1:] {
			require.Equal(t, 1.0, g.Mean)
		}
		require.Len(t, report.Worst, MaxWorst)
		for _, q := range report.Worst {
			require.Zero(t, q.Recall)
			require.Greater(t, vectors[q.At][2], 20.0)
		}
	}
}

// TestMeasureCounts compares the report with a sum over the sample.
func TestMeasureCounts(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	vectors := topics(rng, 4, 300)
	x := &index{vectors: vectors, lost: func(at, _ int) bool { return at%3 == 0 }}
	report, err := Measure(t.Context(), draw(vectors, 60, 1), x.search)
	require.NoError(t, err)
	total, queries := 0, 0
	for i, n := range report.Histogram {
		queries += n
		total += i * n
	}
	require.Equal(t, 60, queries)
	require.InDelta(t, float64(total)/600, report.Mean, 0.1)
	require.LessOrEqual(t, report.Min, report.Mean)
	require.LessOrEqual(t, report.Worst[0].Recall, report.Min)
	require.True(t, slices.IsSortedFunc(report.Worst, func(a, b Query) int { return cmp.Compare(a.Recall, b.Recall) }))
	share, asked := 0.0, 0
	for i, g := range report.Groups {
		share += g.Share
		asked += g.Queries
		require.True(t, i == 0 || report.Groups[i-1].Mean <= g.Mean)
	}
	require.InDelta(t, 1, share, 1e-9)
	require.Equal(t, 2*asked, x.asked)

	x.lost = func(int, int) bool { return false }
	report, err = Measure(t.Context(), draw(vectors, 60, 1), x.search)
	require.NoError(t, err)
	require.Equal(t, 1.0, report.Mean)
	require.Empty(t, report.Worst)

	report, err = Measure(t.Context(), draw(nil, 0, 1), x.search)
	require.NoError(t, err)
	require.Equal(t, Report{}, report)
}

func TestMeasureFails(t *testing.T) {
	broken := errors.New("broken")
	vectors := topics(rand.New(rand.NewPCG(1, 1)), 2, 10, 10)
	for at := range 4 { // the sample of one, exactly and not, and a query of the other topic
		n := 0
		_, err := Measure(t.Context(), draw(vectors, 1, 1), func(context.Context, int, How) (Answer, error) {
			if n++; n > at {
				return Answer{}, broken
			}
			return Answer{}, nil
		})
		require.ErrorIs(t, err, broken)
	}
	d := draw(vectors, 10, 1)
	d.Vectors = func(context.Context) ([][]float64, error) { return nil, broken }
	_, err := Measure(t.Context(), d, func(context.Context, int, How) (Answer, error) { return Answer{}, nil })
	require.ErrorIs(t, err, broken)
	_, err = Measure(t.Context(), d, func(context.Context, int, How) (Answer, error) { return Answer{Exact: true}, nil })
	require.NoError(t, err, "without an index, groups are of no interest")
}

// draw takes the first n vectors as the sample.
func draw(vectors [][]float64, n int, seed uint64) Drawn {
	return Drawn{N: n, Seed: seed, Vectors: func(context.Context) ([][]float64, error) { return clone(vectors), nil }}
}

func clone(vectors [][]float64) [][]float64 {
	out := make([][]float64, len(vectors))
	for i, v := range vectors {
		out[i] = slices.Clone(v)
	}
	return out
}
