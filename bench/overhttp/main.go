// Command overhttp measures vecwire's server, and Chroma's beside it, over HTTP: how
// long it takes to store records, how many searches a second they answer at which
// recall, how long one takes, and what the process needs. The server has one core and
// the clients another; both servers are asked by the same clients, which send bytes
// that were made before and read the answer's bytes, so that no client library is
// measured. It needs Linux with taskset. From this directory:
//
//	go run . -chroma VENV/bin/chroma     # after python3 -m venv VENV && VENV/bin/pip install chromadb
//	go run .                             # vecwire alone, with net/http beside it
//	go run . -keep DIR -only default     # vecwire's store is loaded once; then one search is measured again in seconds
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/vecwire/vecwire/bench/contest"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := command(ctx, os.Args[1:]); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "overhttp:", err)
		os.Exit(1)
	}
}

// options are what the flags say.
type options struct {
	rows, queries, rounds int
	span                  time.Duration // of one measurement
	chroma                string
	chromaEffort          int
	serve                 string // the address, in the process of the server
	dir                   string
	only                  *regexp.Regexp
	keep                  string
	profile               string
}

const (
	dim     = 384
	k       = 10
	clients = 32
)

func command(ctx context.Context, args []string) error {
	var o options
	flags := flag.NewFlagSet("overhttp", flag.ContinueOnError)
	flags.IntVar(&o.rows, "rows", 100_000, "records of 384 dimensions")
	flags.IntVar(&o.queries, "queries", 500, "queries, which are no records")
	flags.IntVar(&o.rounds, "rounds", 9, "how often each search is measured, in turn; the median stands in the table")
	flags.DurationVar(&o.span, "span", time.Second, "how long a measurement lasts")
	flags.StringVar(&o.chroma, "chroma", "", "Chroma's program, which is measured, too")
	flags.IntVar(&o.chromaEffort, "chroma-effort", 100, "Chroma's ef_search")
	flags.StringVar(&o.serve, "serve", "", "be vecwire's server at this address")
	flags.StringVar(&o.dir, "dir", "", "the server's folder")
	only := flags.String("only", "", "measure only the searches whose name, such as \"effort 16\", this regular expression finds")
	flags.StringVar(&o.keep, "keep", "", "keep vecwire's store in this folder, and begin with the one of the last run if it is there")
	flags.StringVar(&o.profile, "profile", "", "write a CPU profile and the allocations of vecwire's server, of all searches that are measured, into this folder")
	if err := flags.Parse(args); err != nil {
		return err
	}
	var err error
	if o.only, err = regexp.Compile(*only); err != nil {
		return err
	}
	if o.serve != "" {
		return serveVecwire(ctx, o)
	}
	if !contest.Pin(1) {
		return errors.New("the process cannot be kept on one core")
	}
	return compare(ctx, o)
}

// compare measures the servers, one after the other in loading and in turn in searching.
func compare(ctx context.Context, o options) error {
	d := generate(o.rows, o.queries)
	ours := &vecwireServer{keep: o.keep, profiles: o.profile}
	contestants := []contestant{ours}
	if o.chroma != "" {
		contestants = append(contestants, &chromaServer{program: o.chroma, effort: o.chromaEffort})
	}
	fmt.Printf("| server | stored in | searchable after | memory then |\n|---|---:|---:|---:|\n")
	for _, c := range contestants {
		dir, err := os.MkdirTemp("", "overhttp-*")
		if err != nil {
			return err
		}
		defer func() { _ = os.RemoveAll(dir) }()
		if err := c.start(ctx, dir); err != nil {
			return fmt.Errorf("%s: %w", c.name(), err)
		}
		defer c.process().stop()
		begin := time.Now()
		if err := c.load(ctx, d); err != nil {
			return fmt.Errorf("%s: %w", c.name(), err)
		}
		stored := time.Since(begin)
		if err := c.ready(ctx, d); err != nil {
			return fmt.Errorf("%s: %w", c.name(), err)
		}
		fmt.Printf("| %s | %.1f s | %.1f s | %d MiB |\n", c.name(), stored.Seconds(), time.Since(begin).Seconds(), c.process().resident()>>20)
	}
	if err := ours.truth(ctx, d); err != nil {
		return err
	}
	var all []measured
	for _, c := range contestants {
		for _, s := range c.searches(d) {
			if o.only.MatchString(s.name) {
				all = append(all, measured{c: c, search: s})
			}
		}
	}
	for range o.rounds {
		for i := range all {
			if err := all[i].measure(ctx, d, o.span); err != nil {
				return fmt.Errorf("%s, %s: %w", all[i].c.name(), all[i].search.name, err)
			}
		}
	}
	fmt.Printf("\n| server | search | recall@%d | a second | CPU each | to net/http's | p50 | p99 | turn p99 |\n|---|---|---:|---:|---:|---:|---:|---:|---:|\n", k)
	for _, m := range all {
		recall := "-"
		if m.search.ids != nil {
			recall = fmt.Sprintf("%.3f", m.recall)
		}
		fmt.Printf("| %s | %s | %s | %.0f | %.1f µs | %s | %.2f ms | %.2f ms | %.2f |\n", m.c.name(), m.search.name, recall, median(m.perSecond), median(m.cpu)*1e6, m.times(all), median(m.p50)*1e3, median(m.p99)*1e3, median(m.turn99))
	}
	for _, c := range contestants {
		fmt.Printf("\n%s at the end: %d MiB\n", c.name(), c.process().resident()>>20)
	}
	return nil
}

// contestant is a server that is measured.
type contestant interface {
	name() string
	start(ctx context.Context, dir string) error
	process() *process
	load(ctx context.Context, d *data) error  // stores the records
	ready(ctx context.Context, d *data) error // returns when the index answers
	searches(d *data) []search
	profile(ctx context.Context, name string, span time.Duration) func() error // what is returned waits for its end
}

// search is one way to ask a server.
type search struct {
	name     string
	before   func(ctx context.Context) error // nil for nothing to be done before it
	requests [][]byte                        // one for each query
	ids      func(body []byte) ([]string, error)
	like     string // the name of the search that does as much over net/http alone
}

// measured is what came of a search.
type measured struct {
	c                        contestant
	search                   search
	recall                   float64
	perSecond, cpu, p50, p99 []float64 // one of each round, in seconds
	turn99                   []float64 // of each round: after how many answers, to the number of clients, 99 % had theirs
}

func (m *measured) measure(ctx context.Context, d *data, span time.Duration) error {
	if m.search.before != nil {
		if err := m.search.before(ctx); err != nil {
			return err
		}
	}
	p := m.c.process()
	if m.perSecond == nil {
		if err := m.found(p.addr, d); err != nil {
			return err
		}
	}
	if _, _, err := hammer(p.addr, m.search.requests, span/4); err != nil { // to warm up
		return err
	}
	profiled := m.c.profile(ctx, m.search.name, span)
	cpu, begin := p.cpu(), time.Now()
	took, answers, err := hammer(p.addr, m.search.requests, span)
	if err := errors.Join(err, profiled()); err != nil {
		return err
	}
	n := float64(len(took))
	slices.Sort(took)
	slices.Sort(answers)
	m.perSecond = append(m.perSecond, n/time.Since(begin).Seconds())
	m.cpu = append(m.cpu, (p.cpu()-cpu).Seconds()/n)
	m.p50 = append(m.p50, took[len(took)/2].Seconds())
	m.p99 = append(m.p99, took[len(took)*99/100].Seconds())
	m.turn99 = append(m.turn99, float64(answers[len(answers)*99/100])/clients)
	fmt.Fprintf(os.Stderr, "%s, %s: %.0f a second, %.1f µs of CPU, p50 %s, p99 %s\n", m.c.name(), m.search.name, m.perSecond[len(m.perSecond)-1], m.cpu[len(m.cpu)-1]*1e6, took[len(took)/2], took[len(took)*99/100])
	return nil
}

// times returns how many times the CPU of net/http with the same search a request takes,
// the median of the rounds, in each of which both had their turn.
func (m *measured) times(all []measured) string {
	i := slices.IndexFunc(all, func(other measured) bool { return m.search.like != "" && other.search.name == m.search.like })
	if i < 0 {
		return "-"
	}
	ratios := make([]float64, len(m.cpu))
	for round, cpu := range m.cpu {
		ratios[round] = cpu / all[i].cpu[round]
	}
	return fmt.Sprintf("%.2f", median(ratios))
}

// found asks every query once, and compares the answers with what is nearest.
func (m *measured) found(addr string, d *data) error {
	if m.search.ids == nil {
		return nil
	}
	c, err := dial(addr)
	if err != nil {
		return err
	}
	defer c.close()
	hits := 0
	for i, request := range m.search.requests {
		body, err := c.do(request)
		if err != nil {
			return err
		}
		ids, err := m.search.ids(body)
		if err != nil {
			return err
		}
		if len(ids) != k {
			return fmt.Errorf("query %d: %d hits, want %d: %s", i, len(ids), k, strings.TrimSpace(string(body)))
		}
		for _, id := range ids {
			if slices.Contains(d.truth[i], id) {
				hits++
			}
		}
	}
	m.recall = float64(hits) / float64(k*len(m.search.requests))
	return nil
}

func median(x []float64) float64 {
	x = slices.Sorted(slices.Values(x)) // the rounds stay in their order
	return (x[(len(x)-1)/2] + x[len(x)/2]) / 2
}
