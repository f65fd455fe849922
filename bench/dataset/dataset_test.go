package dataset

import (
	"bufio"
	"cmp"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/internal/testenv"
)

func load(t *testing.T, path string) Matrix {
	t.Helper()
	n, err := Count(path)
	require.NoError(t, err)
	m, err := Load(path, n)
	require.NoError(t, err)
	return m
}

func generated(t *testing.T, rows int) (base, queries Matrix) {
	t.Helper()
	s, err := Generated(t.TempDir(), rows)
	require.NoError(t, err)
	return load(t, s.Base), load(t, s.Queries)
}

func TestGeneratedIsTheSameEachTime(t *testing.T) {
	a, queries := generated(t, 1000)
	b, _ := generated(t, 1200)
	require.Equal(t, 1000, a.Rows())
	require.Equal(t, 1000, queries.Rows())
	require.Equal(t, a, b[:1000*Dim], "fewer rows are the first of more")
	require.NotEqual(t, a, queries)
}

// TestTruth compares with a sort of all distances in float64.
func TestTruth(t *testing.T) {
	base, queries := generated(t, 1500)
	queries = queries[:20*Dim]
	const k = 10
	for _, metric := range []codec.Metric{codec.L2, codec.Cosine} {
		truth, err := NewTruth(base, queries, metric, k)
		require.NoError(t, err)
		best, worst := make([][]int32, queries.Rows()), make([][]int32, queries.Rows())
		for q := range queries.Rows() {
			order := make([]int32, base.Rows())
			for row := range order {
				order[row] = int32(row)
			}
			slices.SortFunc(order, func(a, b int32) int {
				return cmp.Compare(naive(metric, queries.Row(q), base.Row(int(a))), naive(metric, queries.Row(q), base.Row(int(b))))
			})
			best[q], worst[q] = order[:k], order[len(order)-k:]
		}
		for _, x := range []struct {
			answers [][]int32
			want    float64
		}{{best, 1}, {worst, 0}} {
			recall, err := truth.Recall(0, x.answers)
			require.NoError(t, err)
			require.Equal(t, x.want, recall, metric)
		}
		best[3] = append(slices.Clone(worst[3][:5]), best[3][:5]...)
		recall, err := truth.Recall(3, best[3:4])
		require.NoError(t, err)
		require.Equal(t, 0.5, recall)
	}
}

func naive(metric codec.Metric, q, x []float32) float64 {
	var dot, qq, xx, d float64
	for i := range q {
		a, b := float64(q[i]), float64(x[i])
		dot, qq, xx, d = dot+a*b, qq+a*a, xx+b*b, d+(a-b)*(a-b)
	}
	if metric == codec.Cosine {
		return -dot / math.Sqrt(qq*xx)
	}
	return d
}

func TestRecallTakesTiesAndRefusesNonsense(t *testing.T) {
	base := make(Matrix, 4*Dim)
	for row := range base.Rows() {
		base.Row(row)[0] = float32(min(row+1, 3)) // the last two are alike
	}
	truth, err := NewTruth(base, base[:Dim], codec.L2, 3)
	require.NoError(t, err)
	for name, x := range map[string]struct {
		answer []int32
		want   float64
	}{
		"one of two that tie":  {[]int32{0, 1, 2}, 1},
		"the other":            {[]int32{0, 1, 3}, 1},
		"more than asked for":  {[]int32{0, 1, 2, 3}, 1},
		"fewer than asked for": {[]int32{0}, 1. / 3},
		"none":                 {nil, 0},
		"in whatever order":    {[]int32{3, 0, 1}, 1},
	} {
		recall, err := truth.Recall(0, [][]int32{x.answer})
		require.NoError(t, err, name)
		require.Equal(t, x.want, recall, name)
	}
	for _, answer := range [][]int32{{0, 0, 1}, {-1}, {4}} {
		_, err := truth.Recall(0, [][]int32{answer})
		require.ErrorContains(t, err, "query 0")
	}
	_, err = NewTruth(base, base[:Dim], codec.Dot, 3)
	require.Error(t, err)
	_, err = NewTruth(base, base[:Dim], codec.L2, 5)
	require.Error(t, err)
}

// TestTruthAgreesWithTheSharedAnswers needs the real descriptors.
func TestTruthAgreesWithTheSharedAnswers(t *testing.T) {
	if testing.Short() {
		t.Skip("it compares with every real SIFT descriptor")
	}
	shared := filepath.Dir(testenv.Data(t, "sift100k_base.bvecs"))
	s, err := SIFT(shared, t.TempDir(), siftRows)
	require.NoError(t, err)
	base, queries := load(t, s.Base), load(t, s.Queries)
	for metric, file := range map[codec.Metric]string{codec.L2: "sift100k_groundtruth_l2.ivecs", codec.Cosine: "sift100k_groundtruth_cosine.ivecs"} {
		f, err := os.Open(filepath.Join(shared, file))
		require.NoError(t, err)
		defer f.Close()
		var answers [][]int32
		for row, err := range codec.ReadIvecs(f) {
			require.NoError(t, err)
			answers = append(answers, slices.Clone(row[:10]))
		}
		truth, err := NewTruth(base, queries[:50*Dim], metric, 10)
		require.NoError(t, err)
		recall, err := truth.Recall(0, answers[:50])
		require.NoError(t, err)
		require.Equal(t, 1.0, recall, metric)
	}
}

func TestResampleKeepsTheRealOnesAndAddsNear(t *testing.T) {
	real, _ := generated(t, 2000)

	path := filepath.Join(t.TempDir(), "resampled.bvecs")
	require.NoError(t, once(path, func(w *bufio.Writer) error { return resample(w, real, 5000) }))
	all := load(t, path)
	require.Equal(t, 5000, all.Rows())
	require.Equal(t, real, all[:len(real)])
	for _, row := range []int{2000, 3333, 4999} {
		require.NotContains(t, slices.Collect(slices.Chunk(all[:row*Dim], Dim)), Matrix(all.Row(row)), "no two are alike")
		// Between its row and a near one: not further from its row than most others are.
		own := naive(codec.L2, all.Row(row), real.Row(row%2000))
		further := 0
		for other := range real.Rows() {
			if naive(codec.L2, all.Row(row), real.Row(other)) > own {
				further++
			}
		}
		require.Greater(t, further, 1500)
	}
}

func TestLoadSaysWhatIsWrong(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.bvecs")
	for name, x := range map[string]struct {
		content []byte
		want    string
	}{
		"too few":       {append([]byte{128, 0, 0, 0}, make([]byte, 128)...), "1 rows, want 2"},
		"another width": {append([]byte{2, 0, 0, 0}, 1, 2), "2 dimensions, want 128"},
		"cut off":       {[]byte{128, 0, 0, 0, 7}, path},
	} {
		require.NoError(t, os.WriteFile(path, x.content, 0o600))
		_, err := Load(path, 2)
		require.ErrorContains(t, err, x.want, name)
	}
}
