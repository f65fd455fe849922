package contest

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vecwire/vecwire/bench/dataset"
)

// An Engine is a search engine written in Go. A *SkipError from any method says
// that it cannot take part.
type Engine interface {
	// Load does what comes before an index is built and is no part of its time.
	Load(ctx context.Context, b Build, base dataset.Matrix) error
	// Build builds the index over what was loaded, or loads where that cannot be
	// told apart.
	Build(ctx context.Context) error
	// Version says which version of the engine this is.
	Version() string
	// Searcher returns what one goroutine searches with.
	Searcher(variant string) (Searcher, error)
	Close() error
}

// A Searcher searches for one goroutine.
type Searcher interface {
	// Search is what is measured. It keeps its answer.
	Search(ctx context.Context, q []float32, k, ef int) error
	// Answer appends the row numbers of the last answer to dst, best first.
	Answer(dst []int32) ([]int32, error)
}

// Serve answers requests for an engine until in ends.
func Serve(ctx context.Context, e Engine, in io.Reader, out io.Writer) error {
	s := server{engine: e, searchers: map[string][]Searcher{}}
	r, enc := bufio.NewReader(in), json.NewEncoder(out)
	for {
		line, err := r.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return e.Close()
		}
		if err != nil {
			return err
		}
		var req Request
		if err := json.Unmarshal(line, &req); err != nil {
			return err
		}
		resp, err := s.answer(ctx, req)
		if skip, ok := errors.AsType[*SkipError](err); ok {
			resp.Skip = skip.Reason
		} else if err != nil {
			resp.Error = err.Error()
		}
		if err := enc.Encode(resp); err != nil {
			return err
		}
	}
}

type server struct {
	engine    Engine
	queries   dataset.Matrix
	searchers map[string][]Searcher // of each variant, one for each thread
}

func (s *server) answer(ctx context.Context, req Request) (resp Response, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	switch {
	case req.Build != nil:
		resp.Built, err = s.build(ctx, *req.Build)
	case req.Search != nil:
		resp.Searched, err = s.search(ctx, *req.Search)
	default:
		err = errors.New("a request asks for nothing")
	}
	return resp, err
}

func (s *server) build(ctx context.Context, b Build) (Built, error) {
	base, err := dataset.Load(b.Base, b.Rows)
	if err != nil {
		return Built{}, err
	}
	count, err := dataset.Count(b.Queries)
	if err != nil {
		return Built{}, err
	}
	if s.queries, err = dataset.Load(b.Queries, count); err != nil {
		return Built{}, err
	}
	release(b.Threads)
	before := Resident() - int64(len(base)*4) // the engine may keep the vectors it is given
	if err := s.engine.Load(ctx, b, base); err != nil {
		return Built{}, err
	}
	start, cpu := time.Now(), CPUTime()
	if err := s.engine.Build(ctx); err != nil {
		return Built{}, err
	}
	built := Built{
		Seconds: time.Since(start).Seconds(), CPUSeconds: time.Duration(CPUTime() - cpu).Seconds(), Version: s.engine.Version(),
	}
	runtime.KeepAlive(base) // up to here
	debug.FreeOSMemory()
	built.Bytes = Resident() - before
	return built, nil
}

func (s *server) search(ctx context.Context, req Search) (Searched, error) {
	if req.First < 0 || req.Count < 1 || req.First+req.Count > s.queries.Rows() {
		return Searched{}, fmt.Errorf("queries %d to %d of %d", req.First, req.First+req.Count-1, s.queries.Rows())
	}
	threads := max(1, req.Threads)
	for len(s.searchers[req.Variant]) < threads {
		searcher, err := s.engine.Searcher(req.Variant)
		if err != nil {
			return Searched{}, err
		}
		s.searchers[req.Variant] = append(s.searchers[req.Variant], searcher)
	}
	result := Searched{Each: make([]int64, req.Count)}
	if req.Rows {
		result.Answers = make([][]int32, req.Count)
	}
	if threads == 1 {
		result.Pinned = Pin(req.CPU)
	} else {
		release(threads)
	}
	for i := range min(req.Warm, req.Count) {
		if err := s.searchers[req.Variant][i%threads].Search(ctx, s.queries.Row(req.First+i), req.K, req.Ef); err != nil {
			return Searched{}, err
		}
	}
	var next atomic.Int64
	run := func(thread int) error {
		searcher := s.searchers[req.Variant][thread]
		for {
			i := int(next.Add(1)) - 1
			if i >= req.Count {
				return nil
			}
			begin := time.Now()
			if err := searcher.Search(ctx, s.queries.Row(req.First+i), req.K, req.Ef); err != nil {
				return err
			}
			result.Each[i] = int64(time.Since(begin))
			if req.Rows {
				answer, err := searcher.Answer(make([]int32, 0, req.K))
				if err != nil {
					return err
				}
				result.Answers[i] = answer
			}
		}
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	var start time.Time
	var cpu int64
	err := concurrently(threads, func() { start, cpu = time.Now(), CPUTime() }, run)
	result.Nanos, result.CPUNanos = int64(time.Since(start)), CPUTime()-cpu
	runtime.ReadMemStats(&after)
	result.Allocs = float64(after.Mallocs-before.Mallocs) / float64(req.Count)
	return result, err
}

// concurrently calls f with 0 to n-1, without a goroutine for a single call. It
// calls begin once all of them run, so that the time to start a thread is no part
// of what is measured.
func concurrently(n int, begin func(), f func(i int) error) error {
	if n == 1 {
		begin()
		return f(0)
	}
	errs := make([]error, n)
	var wait sync.WaitGroup
	var running atomic.Int32
	for i := range n {
		wait.Go(func() {
			if running.Add(1) == int32(n) {
				begin()
				running.Add(1)
			}
			for running.Load() <= int32(n) { // awake: nobody has to be woken then
				runtime.Gosched()
			}
			errs[i] = f(i)
		})
	}
	wait.Wait()
	return errors.Join(slices.DeleteFunc(errs, func(err error) bool { return err == nil })...)
}
