// Command embeddings draws recall against speed over 60,000 real embeddings of 384
// dimensions: our graph at several efforts, our scan, chromem-go and the engines in
// C++ of package pypeers, in turns. It prints each one's time at three recalls beside
// the recall that the worst 1 % of queries have there, and its memory. From the directory
// of the module:
//
//	go run . -setup        # once: the engines in C++, into the cache
//	go run ./embeddings -data ../../shared/data -out ../docs/benchmarks/embeddings.svg
//	go run ./embeddings -dim 1536 -peers symphonyqg,hnswlib -chromem=false -out ""
//
// With -short our graph and scan take part with codes of four bits, too. With -dim the embeddings are made up, of so many dimensions: modelled on the real ones by
// their mean, by how their variance decays over the axes, and by how near neighbours are.
//
// A turn is all queries, on one CPU, and is timed by the CPU time of its process: a
// single search is lost in what else a machine does. Ours and chromem-go's answer one
// query a call, through their whole API; those in C++ answer all in one call, so that
// Python's share of a query is nothing. Memory is what the resident set of a process
// grows by: ours is a store in a file, opened again, with what its searches have read of
// the file; chromem-go shares the vectors that it is given, and those in C++ hold vectors
// and index, and no records.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/vecwire/vecwire/bench/contest"
	"github.com/vecwire/vecwire/bench/results"
)

const k = 10

// options are what the flags say.
type options struct {
	data, out, cache string
	peers            []string
	rounds, cpu      int
	dim, rows        int // of made-up embeddings; 0 for the real ones
	chromem, short   bool
}

func main() {
	log.SetFlags(0)
	dir, err := os.UserCacheDir()
	if err != nil {
		log.Fatal("embeddings: ", err)
	}
	o := options{}
	flag.StringVar(&o.data, "data", cmp.Or(os.Getenv("VECWIRE_TEST_DATA"), "../../shared/data"), "the folder that has minilm60k_base.npy and minilm_query.npy")
	flag.IntVar(&o.dim, "dim", 0, "the dimensions of made-up embeddings; 0 for the real ones")
	flag.IntVar(&o.rows, "rows", 30_000, "how many made-up embeddings there are")
	flag.BoolVar(&o.chromem, "chromem", true, "chromem-go takes part")
	flag.BoolVar(&o.short, "short", false, "our graph and scan take part with codes of four bits, too")
	flag.StringVar(&o.out, "out", "../docs/benchmarks/embeddings.svg", "the plot; empty for none")
	flag.StringVar(&o.cache, "cache", filepath.Join(dir, "vecwire-bench"), "the directory of the Python environment")
	flag.IntVar(&o.rounds, "rounds", 7, "how many turns each engine has at each setting")
	flag.IntVar(&o.cpu, "cpu", runtime.NumCPU()-1, "the CPU that searches are pinned to")
	peers := flag.String("peers", "symphonyqg,hnswlib,svs-lvq4x8,faiss-hnsw,rabitq-hnsw", "the engines of package pypeers that take part, with commas between")
	flag.Parse()
	o.peers = slices.DeleteFunc(strings.Split(*peers, ","), func(s string) bool { return s == "" })
	if err := run(context.Background(), o); err != nil {
		log.Fatal("embeddings: ", err)
	}
}

// A contestant is an engine at one setting. A turn answers queries and says how much
// CPU time a query took, in nanoseconds.
type contestant struct {
	name   string
	slow   bool // asked some of the queries only
	turn   func(queries int) (nanos float64, answers [][]int32, err error)
	recall float64
	worst  float64 // the recall of the worst 1 % of the queries
	times  []float64
}

// someQueries is how many queries a slow engine is asked in a turn.
const someQueries = 5

func run(ctx context.Context, o options) error {
	dir, err := os.MkdirTemp("", "embeddings")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	set, err := o.load(dir)
	if err != nil {
		return err
	}
	fmt.Println(set.about)
	queries := set.queries
	ours, err := inGo(ctx, dir, set, o)
	if err != nil {
		return err
	}
	defer ours.close()
	all, memory := ours.contestants, ours.memory
	for _, name := range o.peers {
		fmt.Fprintln(os.Stderr, "building", name)
		p, err := inPython(ctx, o, name, set)
		if skip, ok := errors.AsType[*contest.SkipError](err); ok {
			fmt.Fprintf(os.Stderr, "%s takes no part: %v\n", name, skip)
			continue
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		defer p.close()
		all = append(all, p.contestants...)
		memory[p.name] = p.bytes
	}
	contest.Pin(o.cpu)
	_, truth, err := ours.truth.turn(len(queries))
	if err != nil {
		return err
	}
	order := rand.New(rand.NewPCG(1, 2))
	for round := range o.rounds {
		fmt.Fprintln(os.Stderr, "round", round+1, "of", o.rounds)
		for _, i := range order.Perm(len(all)) { // so that none always follows the same one
			c := all[i]
			n := len(queries)
			if c.slow {
				n = someQueries
			}
			nanos, answers, err := c.turn(n)
			if err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
			c.times = append(c.times, nanos)
			c.recall, c.worst = recall(truth, answers)
		}
	}
	if err := report(all, memory, set, o.out); err != nil {
		return err
	}
	n := int64(len(set.base))
	for _, our := range oursOf(o.short) {
		p := ours.parts[our.name]
		fmt.Printf("%s: codes take %d bytes a record, codes, links and IDs %d, a vector %d; %d bytes a record are of the process, and not of files that it maps\n",
			our.name, p.codes/n, p.index/n, 4*len(set.base[0]), p.own/n)
	}
	return nil
}

// recall returns which share of the true rows was found, of all queries and of the worst
// 1 % of them.
func recall(truth, answers [][]int32) (all, worst float64) {
	found := make([]float64, len(answers))
	for i, rows := range answers {
		for _, row := range rows {
			if slices.Contains(truth[i], row) {
				found[i]++
			}
		}
	}
	slices.Sort(found)
	share := func(found []float64) (sum float64) {
		for _, n := range found {
			sum += n
		}
		return sum / float64(k*len(found))
	}
	return share(found), share(found[:(len(found)+99)/100])
}

func report(all []*contestant, memory map[string]int64, set *set, out string) error {
	var series []results.Series
	for _, c := range all {
		slices.Sort(c.times)
		median := c.times[len(c.times)/2]
		fmt.Printf("%-30s recall %.4f, worst 1 %% %.3f, %8.1f µs, least %.1f\n", c.name, c.recall, c.worst, median/1e3, c.times[0]/1e3)
		if len(series) == 0 || series[len(series)-1].Name != c.name {
			series = append(series, results.Series{Name: c.name})
		}
		s := &series[len(series)-1]
		s.Recall, s.Worst, s.Speed = append(s.Recall, c.recall), append(s.Worst, c.worst), append(s.Speed, 1e9/median)
	}
	fmt.Print("\n", results.AtRecall(series, []float64{.90, .95, .99}, memory, len(set.base)))
	if out == "" {
		return nil
	}
	return results.DrawRecall(out, "Recall against queries a second, "+set.about, series)
}
