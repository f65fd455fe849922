package main

import (
	"context"
	"os"
	"slices"

	"github.com/vecwire/vecwire/bench/contest"
	"github.com/vecwire/vecwire/bench/peer"
	"github.com/vecwire/vecwire/bench/pypeers"
	"github.com/vecwire/vecwire/bench/results"
	"github.com/vecwire/vecwire/bench/servers"
)

// A contestant is an engine that searches in one way.
type contestant struct {
	name    string
	process *process
	variant string // of the process
	group   results.Group
	threads int    // 0 is 1
	mute    bool   // has no answers
	like    string // the contestant whose effort it takes, "" to find its own
	ours    bool   // and a failure ends the run
	goPeer  bool   // of others, and in Go
}

// A process is an engine with an index over one set under one metric.
type process struct {
	start   func(ctx context.Context, o options) (*contest.Process, error)
	metric  string
	maxRows int // more are too slow to be worth the time; 0 is any number
	some    int // it always searches that many rows, if not 0
	server  func(ctx context.Context) (url string, stop func(), err error)
}

func inGo(name string) func(context.Context, options) (*contest.Process, error) {
	return func(ctx context.Context, _ options) (*contest.Process, error) {
		self, err := os.Executable()
		if err != nil {
			return nil, err
		}
		return contest.Start(ctx, nil, self, serve, name)
	}
}

func inPython(name string, env ...string) func(context.Context, options) (*contest.Process, error) {
	return func(ctx context.Context, o options) (*contest.Process, error) {
		return pypeers.Start(ctx, o.cache, env, name)
	}
}

// phases returns the contestants. Those of a phase are measured in turns, and
// only one phase's processes are there at a time.
func phases(o options) [][]contestant {
	scan := &process{start: inGo("ann-exact"), metric: "l2"}
	cosine := &process{start: inGo("ann-exact"), metric: "cosine", maxRows: 100_000}
	docs := &process{start: inGo("vecwire"), metric: "l2"}
	exact := []contestant{
		{name: results.OursExact, process: scan, group: results.ExactL2, ours: true},
		{name: results.OursExactTwo, process: scan, group: results.ExactL2, threads: 2, ours: true},
		{name: results.OursSearch, process: docs, variant: peer.IDsOnly, group: results.ExactL2, ours: true},
		{name: results.OursPayload, process: docs, variant: peer.Payload, group: results.ExactL2, ours: true},
		{name: results.OursBeside, process: docs, variant: peer.Bare, group: results.ExactL2, ours: true},
		{name: results.Memory, process: &process{start: inGo("memory"), metric: "l2"}, group: results.ExactL2, mute: true},
		{name: results.FaissFlat, process: &process{start: inPython("faiss-flat"), metric: "l2"}, group: results.ExactL2},
		{name: results.DuckDB, process: &process{start: inPython("duckdb"), metric: "l2", maxRows: 100_000}, group: results.ExactL2},
		{name: results.SQLiteVec, process: &process{start: inGo("sqlitevec"), metric: "l2", maxRows: 100_000}, group: results.ExactL2, goPeer: true},
		{name: results.OursExactCosine, process: cosine, group: results.ExactCosine, ours: true},
		{name: results.Chromem, process: &process{start: inGo("chromem"), metric: "cosine", maxRows: 100_000}, group: results.ExactCosine, goPeer: true},
	}
	huge := []string{"GLIBC_TUNABLES=glibc.malloc.hugetlb=1"}
	walk := &process{start: inGo("ann-graph"), metric: "l2"}
	indexed := &process{start: inGo("vecwire-graph"), metric: "l2"}
	graph := []contestant{
		{name: results.OursGraph, process: walk, group: results.Graph, ours: true},
		{name: results.OursGraphTwo, process: walk, group: results.Graph, threads: 2, like: results.OursGraph, ours: true},
		{name: results.OursGraphSearch, process: indexed, variant: peer.IDsOnly, group: results.Graph, like: results.OursGraph, ours: true},
		{name: results.OursGraphPayload, process: indexed, variant: peer.Payload, group: results.Graph, like: results.OursGraph, ours: true},
		{name: results.OursGraphBeside, process: indexed, variant: peer.Bare, group: results.Graph, like: results.OursGraph, ours: true},
		{name: results.Hnswlib, process: &process{start: inPython("hnswlib"), metric: "l2"}, group: results.Graph},
		{name: results.HnswlibHuge, process: &process{start: inPython("hnswlib", huge...), metric: "l2"}, group: results.Graph},
		{name: results.FaissHNSW, process: &process{start: inPython("faiss-hnsw"), metric: "l2"}, group: results.Graph},
		{name: results.Usearch, process: &process{start: inPython("usearch"), metric: "l2"}, group: results.Graph},
		{name: results.Coder, process: &process{start: inGo("coder"), metric: "l2", maxRows: 10_000}, group: results.Graph, goPeer: true},
	}
	all := [][]contestant{exact, append(graph, o.programs...)}
	if o.servers {
		pg := &process{start: inGo("postgres"), metric: "l2", maxRows: 100_000, server: servers.Postgres}
		iris := &process{start: inGo("iris"), metric: "cosine", some: 1000, server: servers.IRIS}
		all = append(all, []contestant{
			{name: results.OursPostgres, process: pg, variant: peer.IDsOnly, group: results.Servers, ours: true},
			{name: "pgx alone, PostgreSQL", process: pg, variant: peer.Bare, group: results.Servers},
			{name: results.OursIRIS, process: iris, variant: peer.IDsOnly, group: results.Servers, ours: true},
			{name: "pgx alone, iris-pgwire", process: iris, variant: peer.Bare, group: results.Servers},
		})
	}
	return all
}

// absent are engines that are compared only if -go-peer brings them.
var absent = []results.Skip{
	{Name: results.Weaviate, Reason: "a module of its own, bench/weaviate, builds a program for -go-peer"},
	{Name: "Bithack/go-hnsw", Reason: noModule},
	{Name: "habedi/hann", Reason: noModule},
	{Name: "fogfish/hnsw", Reason: noModule},
	{Name: "hupe1980/vecgo", Reason: noModule},
}

const noModule = "the Go module proxy that this module is built with has no version of it (403, not available); -go-peer takes a program of it"

// absentFrom returns those of the absent that are not among the contestants.
func absentFrom(contestants []contestant) []results.Skip {
	return slices.DeleteFunc(slices.Clone(absent), func(a results.Skip) bool {
		return slices.ContainsFunc(contestants, func(c contestant) bool { return c.name == a.Name })
	})
}
