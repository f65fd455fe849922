// Command embeddings draws recall against speed over 60,000 real embeddings of 384
// dimensions: our graph at several efforts, our scan, chromem-go and the engines in
// C++ of package pypeers, in turns. It prints each one's time at three recalls beside
// its memory. From the directory of the module:
//
//	go run . -setup        # once: the engines in C++, into the cache
//	go run ./embeddings -data ../../shared/data -out ../docs/benchmarks/embeddings.svg
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
	"github.com/vecwire/vecwire/bench/dataset"
	"github.com/vecwire/vecwire/bench/results"
)

const k = 10

// options are what the flags say.
type options struct {
	data, out, cache string
	peers            []string
	rounds, cpu      int
}

func main() {
	log.SetFlags(0)
	dir, err := os.UserCacheDir()
	if err != nil {
		log.Fatal("embeddings: ", err)
	}
	o := options{}
	flag.StringVar(&o.data, "data", cmp.Or(os.Getenv("VECWIRE_TEST_DATA"), "../../shared/data"), "the folder that has minilm60k_base.npy and minilm_query.npy")
	flag.StringVar(&o.out, "out", "../docs/benchmarks/embeddings.svg", "the plot")
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
	times  []float64
}

// someQueries is how many queries a slow engine is asked in a turn.
const someQueries = 5

func run(ctx context.Context, o options) error {
	base, queries, err := dataset.MiniLM(o.data)
	if err != nil {
		return err
	}
	ours, err := inGo(ctx, base, queries)
	if err != nil {
		return err
	}
	defer ours.close()
	all, memory := ours.contestants, ours.memory
	for _, name := range o.peers {
		fmt.Fprintln(os.Stderr, "building", name)
		p, err := inPython(ctx, o, name, len(base), len(queries))
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
			c.recall = recall(truth, answers)
		}
	}
	if err := report(all, memory, len(base), o.out); err != nil {
		return err
	}
	fmt.Printf("%s: codes, links and IDs take %d bytes a record, a vector %d; %d bytes a record are of the process, and not of files that it maps\n",
		results.OursGraphAPI, ours.index/int64(len(base)), 4*len(base[0]), ours.own/int64(len(base)))
	return nil
}

// recall returns which share of the true rows was found.
func recall(truth, answers [][]int32) float64 {
	hits := 0
	for i, found := range answers {
		for _, row := range found {
			if slices.Contains(truth[i], row) {
				hits++
			}
		}
	}
	return float64(hits) / float64(k*len(answers))
}

func report(all []*contestant, memory map[string]int64, rows int, out string) error {
	var series []results.Series
	for _, c := range all {
		slices.Sort(c.times)
		median := c.times[len(c.times)/2]
		fmt.Printf("%-30s recall %.4f, %8.1f µs, least %.1f\n", c.name, c.recall, median/1e3, c.times[0]/1e3)
		if len(series) == 0 || series[len(series)-1].Name != c.name {
			series = append(series, results.Series{Name: c.name})
		}
		s := &series[len(series)-1]
		s.Recall, s.Speed = append(s.Recall, c.recall), append(s.Speed, 1e9/median)
	}
	fmt.Print("\n", results.AtRecall(series, []float64{.90, .95, .99}, memory, rows))
	return results.DrawRecall(out, "Recall against queries a second, 60,000 embeddings, 384 dimensions", series)
}
