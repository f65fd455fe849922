package ann

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/codec"
)

// lost is by how much a group may be found worse than by a graph that is built at once,
// and lostNone what is nearest to where a group was of which no row is left: under Dot
// graphs of the same rows in another order differ by more than lost there.
const (
	lost     = 0.01
	lostNone = 0.02
)

// builtAtOnce returns a graph of g's rows that is built at once, in their order, or in
// another one for each other turn.
func builtAtOnce[T codec.Float](t testing.TB, g *Graph[T], settle func(*Graph[T]), turn uint64) *Graph[T] {
	fresh := emptyGraph[T](t, g.arena.dim, g.arena.metric)
	rows := slices.Collect(g.arena.live.All())
	places := slices.Clone(rows)
	if turn > 0 {
		rand.New(rand.NewPCG(turn, 17)).Shuffle(len(places), func(i, j int) { places[i], places[j] = places[j], places[i] })
	}
	for i, row := range rows {
		require.NoError(t, set(fresh, places[i], g.arena.row(row)))
	}
	settle(fresh)
	return fresh
}

// reopened returns g as it is when its snapshot is loaded.
func reopened[T codec.Float](t testing.TB, g *Graph[T]) *Graph[T] {
	var b bytes.Buffer
	require.NoError(t, g.WriteSnapshot(t.Context(), &b, new(sync.Mutex), func() ([]byte, error) { return nil, nil }))
	again := emptyGraph[T](t, g.arena.dim, g.arena.metric)
	_, err := again.Load(b.Bytes())
	require.NoError(t, err)
	return again
}

// A closer look at a group of which a first one found less than of a graph built at
// once. What a graph finds of a few hundred queries varies, because some of them end
// in another place and find nothing; and where all ask for the same rows, as all of a
// tight group do under Dot, there is one query in truth, of which a graph finds ten rows
// or nine. So it asks more queries, of more graphs that are built at once, of the same
// rows in other orders. The group is found as well if it is by one of these.
type closerLook[T codec.Float] struct {
	g      *Graph[T]
	settle func(*Graph[T])
	others []*Graph[T]
}

const (
	closerQueries = 1000
	closerGraphs  = 4
)

func (c *closerLook[T]) recall(t testing.TB, queries [][]T, k, ef int) (now, least float64, all string) {
	for len(c.others) < closerGraphs {
		c.others = append(c.others, builtAtOnce(t, c.g, c.settle, uint64(len(c.others))))
	}
	least = 1
	var found []float64
	for _, o := range c.others {
		var x float64
		now, x, _ = groupRecall(t, c.g, o, queries, k, ef)
		found = append(found, x)
		least = min(least, x)
	}
	return now, least, fmt.Sprintf("%.4f", found)
}
