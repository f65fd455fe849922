package main

import (
	"context"
	"runtime"

	"github.com/vecwire/vecwire/bench/contest"
	"github.com/vecwire/vecwire/bench/pypeers"
)

// outside is an engine of package pypeers.
type outside struct {
	name        string
	contestants []*contestant
	bytes       int64
	close       func()
}

// inPython starts and fills an engine of package pypeers. A turn is one call of its
// library for all queries: Python has no part in the time of each.
func inPython(ctx context.Context, o options, engine string, s *set) (*outside, error) {
	p, err := pypeers.Start(ctx, o.cache, nil, engine)
	if err != nil {
		return nil, err
	}
	built, err := p.Build(contest.Build{
		Base: s.basePath, Queries: s.queriesPath, Rows: len(s.base), Metric: "cosine", Threads: runtime.NumCPU(),
	})
	if err != nil {
		_ = p.Close()
		return nil, err
	}
	peer := &outside{name: engine + " " + built.Version, bytes: built.Bytes, close: func() { _ = p.Close() }}
	for _, effort := range efforts {
		peer.contestants = append(peer.contestants, &contestant{name: peer.name, turn: func(n int) (float64, [][]int32, error) {
			s, err := p.Search(contest.Search{Count: n, Warm: warm, K: k, Ef: effort, Threads: 1, CPU: o.cpu, Rows: true})
			return float64(s.CPUNanos) / float64(n), s.Answers, err
		}})
	}
	return peer, nil
}
