package local

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
	"github.com/vecwire/vecwire/internal/pair"
)

// BenchmarkRead pairs reading the texts and fields of 10 random of 10,000 records
// where they are kept in memory with reading them from SQLite.
func BenchmarkRead(b *testing.B) {
	const n, dim, k = 10_000, 128, 10
	ctx := b.Context()
	rng := rand.New(rand.NewPCG(1, 1))
	c := create(b, newStore(b), engine.Schema{
		Name: "docs", Dim: dim, Fields: []engine.Field{{Name: "lang", Type: filter.String}, {Name: "year", Type: filter.Int}},
	}).(*collection)
	text := strings.Repeat("a paragraph of some length ", 18)
	records := make([]engine.Record, n)
	all := make([]int32, n)
	for i := range records {
		v := make([]float32, dim)
		v[i%dim] = 1
		records[i] = engine.Record{ID: fmt.Sprint(i), Vector: engine.Vector{F32: v}, Text: text, Fields: []any{"en", int64(1990 + i%30)}}
		all[i] = int32(i)
	}
	require.NoError(b, c.Upsert(ctx, records))
	payload, to := parts{payload: true}, func(place int) *engine.Record { return &records[place] }
	require.NoError(b, c.read(ctx, all, payload, to))
	numbers := make([]int32, k)
	random := func() []int32 {
		for i := range numbers {
			numbers[i] = rng.Int32N(n)
		}
		return numbers
	}
	pair.Run(b,
		func() { require.NoError(b, c.read(ctx, random(), payload, to)) },
		func() { require.NoError(b, c.byRow(ctx, c.store.borrow, random(), payload, to)) })
}
