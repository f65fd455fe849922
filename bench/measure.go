package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"time"

	"github.com/vecwire/vecwire/bench/contest"
	"github.com/vecwire/vecwire/bench/dataset"
	"github.com/vecwire/vecwire/bench/results"
	"github.com/vecwire/vecwire/codec"
)

const (
	nearest = 10 // rows that each query asks for
	// The recall that graphs are compared at, below a million rows and from there on.
	recallBelow, recallFrom = 0.989, 0.975
	// curveRounds is how many turns each point of a curve has.
	curveRounds = 3
	mostEf      = 2048
)

// efforts are those of a curve's points.
var efforts = []int{10, 14, 20, 28, 40, 56, 80, 112, 160, 224, 320}

// session is the measuring of one number of rows.
type session struct {
	o      options
	set    dataset.Set
	target float64
	truths map[truthKey]*dataset.Truth
	size   results.Size
}

type truthKey struct {
	metric string
	rows   int
}

// measure measures one number of rows.
func measure(ctx context.Context, o options, rows int) (results.Size, error) {
	set, err := prepare(o, rows)
	if err != nil {
		return results.Size{}, err
	}
	count, err := dataset.Count(set.Queries)
	if err != nil {
		return results.Size{}, err
	}
	o.queries = min(o.queries, count)
	begin := time.Now()
	s := &session{o: o, set: set, target: recallBelow, truths: map[truthKey]*dataset.Truth{}}
	if rows >= 1_000_000 {
		s.target = recallFrom
	}
	s.size = results.Size{
		Rows: rows, Data: set.Name, About: set.About, Queries: o.queries, K: nearest, Target: s.target,
		Rounds: o.rounds, When: begin, Load: load(), Skipped: absentFrom(o.programs),
	}
	for _, phase := range phases(o) {
		if err := s.phase(ctx, phase); err != nil {
			return s.size, err
		}
	}
	s.size.Took = time.Since(begin)
	s.size.Load += " and " + load()
	return s.size, nil
}

func prepare(o options, rows int) (dataset.Set, error) {
	if !o.generated && dataset.HasSIFT(o.data) {
		return dataset.SIFT(o.data, o.cache, rows)
	}
	if !o.generated {
		fmt.Fprintf(os.Stderr, "no SIFT descriptors in %s: using made-up vectors\n", o.data)
	}
	return dataset.Generated(o.cache, rows)
}

func say(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "%s "+format+"\n", append([]any{time.Now().Format("15:04:05")}, args...)...)
}

// running is a contestant with its process.
type running struct {
	contestant
	process *contest.Process
	result  results.Result
	queries int // of a turn
	each    []int64
	failed  error
}

// phase measures some contestants in turns.
func (s *session) phase(ctx context.Context, contestants []contestant) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // ends what Close has not
	var stops []func() error
	defer func() {
		for _, stop := range stops {
			_ = stop() // the results are there already
		}
	}()
	var field []*running
	started := map[*process]*running{}
	for _, c := range contestants {
		if !s.o.only.MatchString(c.name) {
			continue
		}
		r := &running{contestant: c, queries: s.o.queries}
		field = append(field, r)
		if first, ok := started[c.process]; ok {
			r.process, r.failed, r.result = first.process, first.failed, first.result
		} else {
			stop, err := s.start(ctx, r)
			stops = append(stops, stop...)
			r.failed = err
			started[c.process] = r
		}
		r.result.Name, r.result.Group, r.result.Ours, r.result.GoPeer = c.name, c.group, c.ours, c.goPeer
		if r.failed == nil {
			r.failed = s.qualify(r, field)
		}
		if r.failed != nil {
			say("%s: %v", c.name, r.failed)
		}
	}
	for round := range s.o.rounds {
		for i := range field {
			if r := field[(i+round)%len(field)]; r.failed == nil {
				r.failed = s.turn(r, round)
			}
		}
	}
	s.curves(field)
	for _, r := range field {
		skip, skipped := errors.AsType[*contest.SkipError](r.failed)
		switch {
		case r.failed == nil:
			r.result.Times = results.PercentilesOf(r.each)
			s.size.Results = append(s.size.Results, r.result)
		case skipped:
			s.size.Skipped = append(s.size.Skipped, results.Skip{Name: r.name, Reason: skip.Reason})
		case r.ours:
			return fmt.Errorf("%s: %w", r.name, r.failed)
		default:
			s.size.Skipped = append(s.size.Skipped, results.Skip{Name: r.name, Reason: r.failed.Error()})
		}
	}
	return ctx.Err()
}

// start starts a contestant's process and builds its index. The functions that
// it returns end what was started, the last first.
func (s *session) start(ctx context.Context, r *running) (stops []func() error, err error) {
	p := r.contestant.process
	rows := s.set.Rows
	if p.maxRows > 0 && rows > p.maxRows {
		return nil, &contest.SkipError{Reason: fmt.Sprintf("it is measured with %d rows at most", p.maxRows)}
	}
	if p.some > 0 {
		rows = p.some
	}
	var url string
	if p.server != nil {
		var stop func()
		if url, stop, err = p.server(ctx); err != nil {
			return nil, err
		}
		stops = append(stops, func() error { stop(); return nil })
	}
	if r.process, err = p.start(ctx, s.o); err != nil {
		return stops, err
	}
	stops = append([]func() error{r.process.Close}, stops...)
	built, err := r.process.Build(contest.Build{
		Base: s.set.Base, Rows: rows, Dim: dataset.Dim, Metric: p.metric, Threads: runtime.NumCPU(), Queries: s.set.Queries, URL: url,
	})
	if err != nil {
		return stops, err
	}
	say("%s: built in %.2f s (CPU %.2f s), %d MiB", r.name, built.Seconds, built.CPUSeconds, built.Bytes>>20)
	r.result = results.Result{Version: built.Version, Rows: rows, Build: built.Seconds, Work: built.CPUSeconds, Bytes: built.Bytes}
	return stops, nil
}

// qualify finds out how much effort a contestant needs, how good its answers are
// and how many queries fit into a turn.
func (s *session) qualify(r *running, field []*running) error {
	few, err := r.process.Search(s.request(r, 0, min(5, s.o.queries)))
	if err != nil {
		return err
	}
	each := time.Duration(few.Nanos) / time.Duration(min(5, s.o.queries))
	r.queries = min(max(1, int(s.o.slot/max(each, 1))), s.o.queries)
	if r.mute {
		r.result.Recall = -1
		return nil
	}
	if r.group != results.Graph {
		r.result.Recall, err = s.recall(r, 0, min(max(r.queries, 100), s.o.queries))
		return err
	}
	r.queries = s.o.queries // graphs are compared over the same
	if i := slices.IndexFunc(field, func(other *running) bool { return other.name == r.like }); i >= 0 && field[i].failed == nil {
		r.result.Ef = field[i].result.Ef
		r.result.Recall, err = s.recall(r, r.result.Ef, s.o.queries)
		return err
	}
	return s.findEf(r)
}

// findEf finds the least ef with which a graph reaches the wanted recall.
func (s *session) findEf(r *running) error {
	low, high := nearest-1, nearest
	for {
		recall, err := s.recall(r, high, s.o.queries)
		if err != nil {
			return err
		}
		if r.result.Ef, r.result.Recall = high, recall; recall >= s.target {
			break
		}
		if high >= mostEf {
			say("%s: recall %.4f at ef %d, wanted %.3f", r.name, recall, high, s.target)
			s.size.Warnings = append(s.size.Warnings, fmt.Sprintf("%s does not reach the recall of %g: %.3f at ef %d", r.name, s.target, recall, high))
			return nil
		}
		low, high = high, 2*high
	}
	for high-low > 1 {
		middle := (low + high) / 2
		recall, err := s.recall(r, middle, s.o.queries)
		if err != nil {
			return err
		}
		if recall < s.target {
			low = middle
			continue
		}
		high, r.result.Ef, r.result.Recall = middle, middle, recall
	}
	say("%s: recall %.4f at ef %d", r.name, r.result.Recall, r.result.Ef)
	return nil
}

func (s *session) request(r *running, first, count int) contest.Search {
	return contest.Search{
		Variant: r.variant, First: first, Count: count, K: nearest,
		Ef: max(r.result.Ef, nearest), Threads: max(1, r.threads), CPU: s.o.cpu,
	}
}

// warm has a request begin with queries that are not timed: as many as bring into
// the caches what was there before the others' turns.
func (s *session) warm(r *running, req contest.Search) contest.Search {
	req.Warm = 1 // a scan reads everything
	if r.group == results.Graph {
		req.Warm = req.Count
	}
	return req
}

func (s *session) recall(r *running, ef, queries int) (float64, error) {
	req := s.request(r, 0, queries)
	req.Ef, req.Rows = max(ef, nearest), true
	found, err := r.process.Search(req)
	if err != nil {
		return 0, err
	}
	truth, err := s.truth(r.contestant.process.metric, r.result.Rows)
	if err != nil {
		return 0, err
	}
	return truth.Recall(0, found.Answers)
}

// turn measures a contestant once.
func (s *session) turn(r *running, round int) error {
	first := 0
	if r.queries < s.o.queries { // other queries each time
		first = round * r.queries % (s.o.queries - r.queries + 1)
	}
	found, err := r.process.Search(s.warm(r, s.request(r, first, r.queries)))
	if err != nil {
		return err
	}
	r.result.Rounds = append(r.result.Rounds, results.Round{Queries: r.queries, Micros: perQuery(found.Nanos, r.queries), CPU: perQuery(found.CPUNanos, r.queries)})
	if r.threads < 2 {
		r.each = append(r.each, found.Each...)
	}
	r.result.Allocs = found.Allocs
	if r.threads < 2 && !found.Pinned {
		s.warn("searches could not be pinned to one CPU")
	}
	return nil
}

// perQuery returns the microseconds of each of some queries.
func perQuery(nanos int64, queries int) float64 { return float64(nanos) / 1000 / float64(queries) }

func (s *session) warn(text string) {
	if !slices.Contains(s.size.Warnings, text) {
		s.size.Warnings = append(s.size.Warnings, text)
	}
}

// curves measures the graphs of a field at several efforts, in turns again.
func (s *session) curves(field []*running) {
	type key struct{ graph, effort int }
	times := map[key][]float64{}
	recalls := map[key]float64{}
	for round := range curveRounds {
		for e := range efforts {
			for g, r := range field {
				if r.group != results.Graph || r.like != "" || r.failed != nil {
					continue
				}
				if round == 0 {
					if recalls[key{g, e}], r.failed = s.recall(r, efforts[e], s.o.queries); r.failed != nil {
						continue
					}
				}
				req := s.warm(r, s.request(r, 0, s.o.queries))
				req.Ef = efforts[e]
				found, err := r.process.Search(req)
				if r.failed = err; err == nil {
					times[key{g, e}] = append(times[key{g, e}], perQuery(found.Nanos, s.o.queries))
				}
			}
		}
	}
	for g, r := range field {
		c := results.Curve{Name: r.name}
		for e, ef := range efforts {
			if t := times[key{g, e}]; len(t) > 0 {
				c.Points = append(c.Points, results.Point{Ef: ef, Recall: recalls[key{g, e}], Micros: results.Median(t)})
			}
		}
		if len(c.Points) > 0 && r.failed == nil {
			s.size.Curves = append(s.size.Curves, c)
		}
	}
}

// truth returns the exact answers, computed once.
func (s *session) truth(metric string, rows int) (*dataset.Truth, error) {
	key := truthKey{metric, rows}
	if t, ok := s.truths[key]; ok {
		return t, nil
	}
	base, err := dataset.Load(s.set.Base, rows)
	if err != nil {
		return nil, err
	}
	queries, err := dataset.Load(s.set.Queries, s.o.queries)
	if err != nil {
		return nil, err
	}
	m := map[string]codec.Metric{"l2": codec.L2, "cosine": codec.Cosine}[metric]
	begin := time.Now()
	t, err := dataset.NewTruth(base, queries, m, nearest)
	if err != nil {
		return nil, err
	}
	say("exact answers under %s over %d rows: %.1f s", metric, rows, time.Since(begin).Seconds())
	s.truths[key] = t
	return t, nil
}
