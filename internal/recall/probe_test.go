package recall_test

import (
	"context"
	"errors"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/internal/recall"
)

// thousand is a source of a thousand records on a line, whose index loses the last of
// two hits below the effort 64.
func thousand(read *int) recall.Source {
	return recall.Source{
		IDs: func(yield func(string, error) bool) {
			for i := range 1000 {
				if !yield(strconv.Itoa(i), nil) {
					return
				}
			}
		},
		Read: func(_ context.Context, ids []string) (found []recall.Record, err error) {
			for _, id := range ids {
				if i, err := strconv.Atoi(id); err == nil && i < 1000 {
					found = append(found, recall.Record{ID: id, F32: []float32{float32(i)}})
				}
			}
			*read += len(found)
			return found, nil
		},
		Answer: func(_ context.Context, v recall.Record, how recall.How) (recall.Answer, error) {
			if v.F32[0] < 0 {
				return recall.Answer{}, errors.New("refused")
			}
			a := recall.Answer{Hits: []recall.Hit{{ID: "a", Score: 2}, {ID: "b", Score: 1}}, Exact: how.Exact}
			if !how.Exact && how.Effort < 64 {
				a.Hits = a.Hits[:1]
			}
			return a, nil
		},
	}
}

func TestProbe(t *testing.T) {
	ctx, read := t.Context(), 0
	p, err := recall.NewProbe(ctx, thousand(&read), recall.Choice{Sample: 10})
	require.NoError(t, err)
	require.Equal(t, 10, read, "the vectors of more are read only if an index takes part")
	r, err := p.Measure(ctx)
	require.NoError(t, err)
	require.Equal(t, 0.5, r.Mean)
	require.Equal(t, 10, r.Queries)
	require.Equal(t, recall.Pool(10), read)
	for _, q := range r.Worst {
		id, query := p.Record(q.At)
		require.NotEmpty(t, id)
		require.Zero(t, query)
	}
	found, err := p.Tune(ctx, recall.Goal{Recall: 1, Least: 8, Most: 1000})
	require.NoError(t, err)
	require.Equal(t, 64, found.Effort)

	read = 0
	p, err = recall.NewProbe(ctx, thousand(&read), recall.Choice{IDs: []string{"7", "none", "3"}})
	require.NoError(t, err)
	r, err = p.Measure(ctx)
	require.NoError(t, err)
	require.Equal(t, 2, r.Queries, "IDs that are not there are left out")
	id, _ := p.Record(1)
	require.Equal(t, "3", id)

	p, err = recall.NewProbe(ctx, thousand(&read), recall.Choice{Queries: [][]float32{{1}, {2}}})
	require.NoError(t, err)
	r, err = p.Measure(ctx)
	require.NoError(t, err)
	require.Len(t, r.Worst, 2)
	id, query := p.Record(1)
	require.Empty(t, id)
	require.Equal(t, 1, query)
	p, err = recall.NewProbe(ctx, thousand(&read), recall.Choice{Queries: [][]float32{{-1}}})
	require.NoError(t, err)
	_, err = p.Measure(ctx)
	require.EqualError(t, err, "refused")
	for _, none := range []recall.Choice{{Queries: [][]float32{}}, {IDs: []string{}}} {
		p, err = recall.NewProbe(ctx, thousand(&read), none)
		require.NoError(t, err)
		r, err = p.Measure(ctx)
		require.NoError(t, err)
		require.Zero(t, r)
	}
}
