package peer

import (
	"context"
	"math/rand"

	"github.com/coder/hnsw"

	"github.com/vecwire/vecwire/bench/contest"
	"github.com/vecwire/vecwire/codec"
)

// coderEngine is coder/hnsw. It has no setting for the effort of building.
type coderEngine struct {
	loaded
	graph *hnsw.Graph[int32]
}

func (e *coderEngine) Version() string { return version("github.com/coder/hnsw") }

func (e *coderEngine) Build(context.Context) error {
	if _, err := metricOf(e.build, codec.L2); err != nil {
		return err
	}
	e.graph = hnsw.NewGraph[int32]()
	e.graph.M, e.graph.Ml = graphM, 0.25
	e.graph.Distance = hnsw.EuclideanDistance
	e.graph.Rng = rand.New(rand.NewSource(1))
	e.graph.EfSearch = graphEfConstruction
	for row := range e.base.Rows() {
		e.graph.Add(hnsw.MakeNode(int32(row), e.base.Row(row)))
	}
	return nil
}

func (e *coderEngine) Searcher(string) (contest.Searcher, error) {
	return &coderSearcher{graph: e.graph}, nil
}

type coderSearcher struct {
	graph *hnsw.Graph[int32]
	found []hnsw.Node[int32]
}

func (s *coderSearcher) Search(_ context.Context, q []float32, k, ef int) error {
	s.graph.EfSearch = ef
	s.found = s.graph.Search(q, k)
	return nil
}

func (s *coderSearcher) Answer(dst []int32) ([]int32, error) {
	for _, n := range s.found {
		dst = append(dst, n.Key)
	}
	return dst, nil
}
