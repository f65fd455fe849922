package peer

import (
	"context"
	"sync"

	"github.com/vecwire/vecwire/bench/contest"
	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/internal/ann"
)

// arena is the bare index of ours that scans.
type arena struct {
	loaded
	mu    sync.RWMutex
	arena *ann.Arena[float32]
}

func (e *arena) Version() string { return "this commit" }

func (e *arena) Build(ctx context.Context) error {
	metric, err := metricOf(e.build, codec.L2, codec.Cosine)
	if err != nil {
		return err
	}
	if e.arena, err = ann.New[float32](e.build.Dim, metric); err != nil {
		return err
	}
	return e.fill(ctx, e.arena)
}

// fill stores the vectors and waits until the arena has codes of them.
func (e *arena) fill(ctx context.Context, a *ann.Arena[float32]) error {
	a.Reserve(e.base.Rows())
	for row := range e.base.Rows() {
		if err := a.Set(int32(row), e.base.Row(row)); err != nil {
			return err
		}
	}
	e.base = nil
	return a.Maintain(ctx, &e.mu)
}

func (e *arena) Searcher(string) (contest.Searcher, error) { return &arenaSearcher{engine: e}, nil }

type arenaSearcher struct {
	engine *arena
	k      int
	found  []ann.Candidate
}

func (s *arenaSearcher) Search(ctx context.Context, q []float32, k, _ int) (err error) {
	s.k = k
	s.found, err = s.engine.arena.Search(ctx, s.found[:0], q, k, nil)
	return err
}

func (s *arenaSearcher) Answer(dst []int32) ([]int32, error) {
	for _, c := range s.found[:min(s.k, len(s.found))] { // beyond are ties with the last
		dst = append(dst, c.Row)
	}
	return dst, nil
}

// graph is the bare index of ours that walks.
type graph struct {
	arena
	graph *ann.Graph[float32]
}

func (e *graph) Build(ctx context.Context) error {
	metric, err := metricOf(e.build, codec.L2, codec.Cosine)
	if err != nil {
		return err
	}
	a, err := ann.New[float32](e.build.Dim, metric)
	if err != nil {
		return err
	}
	if err := e.fill(ctx, a); err != nil {
		return err
	}
	if e.graph, err = ann.NewGraph(a, ann.GraphOptions{M: graphM, EfConstruction: graphEfConstruction}); err != nil {
		return err
	}
	return e.graph.Link(ctx, e.mu.RLocker(), e.build.Threads, nil)
}

func (e *graph) Searcher(string) (contest.Searcher, error) {
	return &graphSearcher{graph: e.graph}, nil
}

type graphSearcher struct {
	graph *ann.Graph[float32]
	arenaSearcher
}

func (s *graphSearcher) Search(ctx context.Context, q []float32, k, ef int) (err error) {
	s.k = k
	s.found, _, err = s.graph.Search(ctx, s.found[:0], q, k, ef, nil)
	return err
}
