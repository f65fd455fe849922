package wire

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"

	"github.com/jackc/pgx/v5/pgtype"
	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/internal/engine"
)

func TestBest(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	for range 200 {
		n, k := random.IntN(60), 1+random.IntN(20)
		all := make([]engine.Hit, n)
		kept := best{k: k, less: byNumber}
		for i := range all { // few scores, so that many are equal
			all[i] = engine.Hit{Record: engine.Record{ID: strconv.Itoa(random.IntN(4_000) - 2_000)}, Score: float64(random.IntN(4))}
			if kept.wants(all[i].Score, all[i].ID) {
				kept.offer(all[i])
			}
		}
		slices.SortFunc(all, func(a, b engine.Hit) int {
			x, _ := strconv.Atoi(a.ID)
			y, _ := strconv.Atoi(b.ID)
			return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(x, y))
		})
		got := kept.sorted()
		require.Len(t, got, min(n, k))
		require.Equal(t, fmt.Sprint(all[:len(got)]), fmt.Sprint(got))
	}
}

func TestExactScores(t *testing.T) {
	for _, test := range []struct {
		metric codec.Metric
		q, v   []float64
		want   float64
	}{
		{codec.Cosine, []float64{3, 4}, []float64{3, 4}, 1},
		{codec.Cosine, []float64{1e200, 0}, []float64{1e200, 1e200}, math.Sqrt2 / 2},
		{codec.Cosine, []float64{1e-200, 0}, []float64{-1e-300, 0}, -1},
		{codec.Dot, []float64{1, 2}, []float64{3, -4}, -5},
		{codec.L2, []float64{1, 2}, []float64{4, 6}, -5},
		{codec.L2, []float64{1, 2}, []float64{1, 2}, 0},
	} {
		got := newExact(test.metric, test.q).score(slices.Clone(test.v))
		require.InDelta(t, test.want, got, 1e-15, "%v %v %v", test.metric, test.q, test.v)
		require.False(t, got == 0 && math.Signbit(got), "no negative zero")
	}
}

func FuzzParseDoubles(f *testing.F) {
	f.Add(int16(0), []byte("{1,2.5,-3e300}"))
	f.Add(int16(1), appendDoubles(appendArrayHeader(nil, pgtype.Float8OID, 2), []float64{1, math.Pi}))
	f.Add(int16(1), appendArrayHeader(nil, pgtype.Float8OID, 0))
	f.Add(int16(0), []byte("{}"))
	f.Fuzz(func(t *testing.T, format int16, b []byte) {
		v, err := parseDoubles(nil, format&1, b)
		if err != nil {
			return
		}
		again, err := parseDoubles(nil, pgtype.BinaryFormatCode, appendDoubles(append([]byte{0, 0, 0, 1}, appendArrayHeader(nil, pgtype.Float8OID, max(1, len(v)))[4:]...), v))
		if len(v) > 0 {
			require.NoError(t, err)
			require.Equal(t, fmt.Sprint(v), fmt.Sprint(again))
		}
	})
}
