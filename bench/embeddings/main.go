// Command embeddings draws recall against speed over 60,000 real embeddings of 384
// dimensions: our graph at several efforts, our scan and chromem-go's, in turns. From
// the directory of the module:
//
//	go run ./embeddings -data ../../shared/data -out ../docs/benchmarks/embeddings.svg
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"math/rand/v2"
	"runtime"
	"slices"
	"strconv"
	"time"

	"github.com/philippgille/chromem-go"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/bench/dataset"
	"github.com/vecwire/vecwire/bench/results"
)

func main() {
	log.SetFlags(0)
	data := flag.String("data", "../../shared/data", "the folder that has minilm60k_base.npy and minilm_query.npy")
	out := flag.String("out", "../docs/benchmarks/embeddings.svg", "the plot")
	flag.Parse()
	if err := run(context.Background(), *data, *out); err != nil {
		log.Fatal("embeddings: ", err)
	}
}

const (
	k      = 10
	rounds = 40 // searches of each engine at each setting
	warmUp = 20 * time.Millisecond
)

// A contestant answers with the IDs of the k nearest.
type contestant struct {
	name   string
	search func(query []float32) ([]string, error)
	hits   int
	times  []time.Duration
}

func run(ctx context.Context, data, out string) error {
	base, queries, err := dataset.MiniLM(data)
	if err != nil {
		return err
	}
	all, truth, err := contestants(ctx, base)
	if err != nil {
		return err
	}
	order := rand.New(rand.NewPCG(1, 2))
	for round := range rounds {
		query := queries[round%len(queries)]
		want, err := truth.search(query)
		if err != nil {
			return err
		}
		for _, i := range order.Perm(len(all)) { // so that none always follows the same one
			c := all[i]
			// What another engine left in the caches and to the collector is not this
			// one's business.
			runtime.GC()
			start := time.Now()
			for i := 0; time.Since(start) < warmUp; i++ {
				if _, err := c.search(queries[len(queries)-1-i%100]); err != nil {
					return fmt.Errorf("%s: %w", c.name, err)
				}
			}
			start = time.Now()
			got, err := c.search(query)
			took := time.Since(start)
			if err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
			c.times = append(c.times, took)
			for _, id := range got {
				if slices.Contains(want, id) {
					c.hits++
				}
			}
		}
	}
	return report(all, out)
}

// contestants fills the engines. The last result is the one whose answers are exact.
func contestants(ctx context.Context, base [][]float32) (all []*contestant, truth *contestant, err error) {
	db, err := vecwire.Open(ctx, "mem:")
	if err != nil {
		return nil, nil, err
	}
	schema := vecwire.Schema{Name: "graph", Dim: len(base[0]), Index: vecwire.NoIndex}
	graph, err := db.CreateCollection(ctx, schema)
	if err != nil {
		return nil, nil, err
	}
	schema.Name = "scan"
	scan, err := db.CreateCollection(ctx, schema)
	if err != nil {
		return nil, nil, err
	}
	peer, err := chromem.NewDB().CreateCollection("docs", nil, nil)
	if err != nil {
		return nil, nil, err
	}
	records, documents := make([]vecwire.Record, len(base)), make([]chromem.Document, len(base))
	for i, v := range base {
		records[i] = vecwire.Record{ID: strconv.Itoa(i), Vector: v}
		documents[i] = chromem.Document{ID: strconv.Itoa(i), Embedding: v, Content: "-"}
	}
	for _, fill := range []func() error{
		func() error { return graph.Upsert(ctx, records...) },
		func() error { return graph.BuildIndex(ctx, vecwire.IndexOptions{}) },
		func() error { return scan.Upsert(ctx, records...) },
		func() error { return peer.AddDocuments(ctx, documents, 2) },
	} {
		if err := fill(); err != nil {
			return nil, nil, err
		}
	}
	ours := func(c *vecwire.Collection, effort int) func([]float32) ([]string, error) {
		return func(query []float32) (ids []string, err error) {
			hits, err := c.Search(ctx, vecwire.Query{Vector: query, K: k, Effort: effort})
			for _, h := range hits {
				ids = append(ids, h.ID)
			}
			return ids, err
		}
	}
	for _, effort := range []int{24, 40, 64, 100, 160, 256} {
		all = append(all, &contestant{name: results.OursGraphAPI, search: ours(graph, effort)})
	}
	truth = &contestant{name: results.OursScanAPI, search: ours(scan, 0)}
	return append(all, truth, &contestant{name: results.Chromem, search: func(query []float32) (ids []string, err error) {
		hits, err := peer.QueryEmbedding(ctx, query, k, nil, nil)
		for _, h := range hits {
			ids = append(ids, h.ID)
		}
		return ids, err
	}}), truth, nil
}

func report(all []*contestant, out string) error {
	var series []results.Series
	for _, c := range all {
		slices.Sort(c.times)
		median := c.times[len(c.times)/2]
		recall := float64(c.hits) / float64(k*len(c.times))
		fmt.Printf("%-30s recall %.3f, %8.0f µs\n", c.name, recall, float64(median.Nanoseconds())/1e3)
		if len(series) == 0 || series[len(series)-1].Name != c.name {
			series = append(series, results.Series{Name: c.name})
		}
		s := &series[len(series)-1]
		s.Recall, s.Speed = append(s.Recall, recall), append(s.Speed, 1/median.Seconds())
	}
	return results.DrawRecall(out, "Recall against queries a second, 60,000 embeddings, 384 dimensions", series)
}
