// Command weaviate is the HNSW index of Weaviate as an engine of the benchmark. It
// is a module of its own because it brings a hundred others with it. From the
// directory of the benchmark:
//
//	go build -C weaviate -o ../report/weaviate .
//	go run . -go-peer Weaviate=report/weaviate
package main

import (
	"context"
	"fmt"
	"os"
	"runtime/debug"
	"sync"
	"sync/atomic"

	"github.com/weaviate/weaviate/adapters/repos/db/helpers"
	"github.com/weaviate/weaviate/adapters/repos/db/vector/hnsw"
	"github.com/weaviate/weaviate/adapters/repos/db/vector/hnsw/distancer"
	"github.com/weaviate/weaviate/entities/cyclemanager"
	"github.com/weaviate/weaviate/entities/schema/config"
	settings "github.com/weaviate/weaviate/entities/vectorindex/hnsw"
	"github.com/weaviate/weaviate/usecases/memwatch"

	"github.com/vecwire/vecwire/bench/contest"
	"github.com/vecwire/vecwire/bench/dataset"
)

func main() {
	if err := contest.Serve(context.Background(), new(engine), os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// index is what is used of hnsw.New's result, whose type has no exported name.
type index interface {
	Add(ctx context.Context, id uint64, vector []float32) error
	SearchByVector(ctx context.Context, vector []float32, k int, allow helpers.AllowList) ([]uint64, []float32, error)
	UpdateUserConfig(updated config.VectorIndexConfig, done func()) error
	Shutdown(ctx context.Context) error
}

// engine is the index alone, in memory: there are no objects and there is no log.
type engine struct {
	build    contest.Build
	base     dataset.Matrix
	settings settings.UserConfig
	index    index
}

func (e *engine) Load(_ context.Context, b contest.Build, base dataset.Matrix) error {
	if b.Metric != "l2" {
		return &contest.SkipError{Reason: "it is not asked to search under " + b.Metric}
	}
	e.build, e.base = b, base
	e.settings.SetDefaults()
	e.settings.MaxConnections, e.settings.EFConstruction = 16, 200
	return nil
}

func (e *engine) Build(ctx context.Context) (err error) {
	e.index, err = hnsw.New(hnsw.Config{
		ID:                    "bench",
		RootPath:              "none", // with this logger nothing is written
		MakeCommitLoggerThunk: hnsw.MakeNoopCommitLogger,
		VectorForIDThunk:      func(_ context.Context, id uint64) ([]float32, error) { return e.base.Row(int(id)), nil },
		DistanceProvider:      distancer.NewL2SquaredProvider(),
		AllocChecker:          memwatch.NewDummyMonitor(),
	}, e.settings, cyclemanager.NewCallbackGroupNoop(), nil)
	if err != nil {
		return err
	}
	return e.fill(ctx)
}

// fill adds the rows in their order, several at a time.
func (e *engine) fill(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var next atomic.Int64
	var wait sync.WaitGroup
	for range e.build.Threads {
		wait.Go(func() {
			for row := next.Add(1) - 1; row < int64(e.base.Rows()) && ctx.Err() == nil; row = next.Add(1) - 1 {
				if err := e.index.Add(ctx, uint64(row), e.base.Row(int(row))); err != nil {
					cancel(err)
				}
			}
		})
	}
	wait.Wait()
	return context.Cause(ctx)
}

func (e *engine) Version() string {
	info, _ := debug.ReadBuildInfo()
	for _, m := range info.Deps {
		if m.Path == "github.com/weaviate/weaviate" {
			return m.Version
		}
	}
	return ""
}

func (e *engine) Searcher(string) (contest.Searcher, error) { return &searcher{engine: e}, nil }

func (e *engine) Close() error {
	if e.index == nil {
		return nil
	}
	return e.index.Shutdown(context.Background())
}

type searcher struct {
	engine *engine
	found  []uint64
}

func (s *searcher) Search(ctx context.Context, q []float32, k, ef int) (err error) {
	if e := s.engine; e.settings.EF != ef { // a setting of the index, not of a search
		e.settings.EF = ef
		if err := e.index.UpdateUserConfig(e.settings, func() {}); err != nil {
			return err
		}
	}
	s.found, _, err = s.engine.index.SearchByVector(ctx, q, k, nil)
	return err
}

func (s *searcher) Answer(dst []int32) ([]int32, error) {
	for _, id := range s.found {
		dst = append(dst, int32(id))
	}
	return dst, nil
}
