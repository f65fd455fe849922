package main

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/philippgille/chromem-go"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/bench/contest"
	"github.com/vecwire/vecwire/bench/results"
)

// efforts are those that graphs search with.
var efforts = []int{12, 16, 24, 32, 40, 64, 100, 160, 256}

// warm is how many queries are asked before a turn is timed: other engines have had
// the caches.
const warm = 50

// field is the engines of this process.
type field struct {
	contestants []*contestant
	truth       *contestant // whose answers are exact
	memory      map[string]int64
	close       func()
}

// inGo fills the engines that are in Go.
func inGo(ctx context.Context, base, queries [][]float32) (*field, error) {
	db, err := vecwire.Open(ctx, "mem:")
	if err != nil {
		return nil, err
	}
	f := &field{memory: map[string]int64{}, close: func() { _ = db.Close() }}
	schema := vecwire.Schema{Name: "graph", Dim: len(base[0]), Index: vecwire.NoIndex}
	graph, err := db.CreateCollection(ctx, schema)
	if err != nil {
		return nil, err
	}
	schema.Name = "scan"
	scan, err := db.CreateCollection(ctx, schema)
	if err != nil {
		return nil, err
	}
	peer, err := chromem.NewDB().CreateCollection("docs", nil, nil)
	if err != nil {
		return nil, err
	}
	records, documents := make([]vecwire.Record, len(base)), make([]chromem.Document, len(base))
	for i, v := range base {
		records[i] = vecwire.Record{ID: strconv.Itoa(i), Vector: v}
		documents[i] = chromem.Document{ID: strconv.Itoa(i), Embedding: v, Content: "-"}
	}
	for _, engine := range []struct {
		name string
		fill func() error
	}{
		{results.OursGraphAPI, func() error {
			if err := graph.Upsert(ctx, records...); err != nil {
				return err
			}
			return graph.BuildIndex(ctx, vecwire.IndexOptions{})
		}},
		{results.OursScanAPI, func() error { return scan.Upsert(ctx, records...) }},
		{results.Chromem, func() error { return peer.AddDocuments(ctx, documents, 2) }},
	} {
		fmt.Fprintln(os.Stderr, "filling", engine.name)
		debug.FreeOSMemory()
		before := contest.Resident()
		if err := engine.fill(); err != nil {
			return nil, err
		}
		debug.FreeOSMemory()
		f.memory[engine.name] = contest.Resident() - before
	}
	ours := func(c *vecwire.Collection, effort int) func([]float32) ([]string, error) {
		return func(query []float32) (ids []string, err error) {
			hits, err := c.Search(ctx, vecwire.Query{Vector: query, K: k, Effort: effort, IDsOnly: true})
			for _, h := range hits {
				ids = append(ids, h.ID)
			}
			return ids, err
		}
	}
	for _, effort := range efforts {
		f.contestants = append(f.contestants, &contestant{name: results.OursGraphAPI, turn: timed(queries, ours(graph, effort))})
	}
	f.truth = &contestant{name: results.OursScanAPI, turn: timed(queries, ours(scan, 0))}
	theirs := func(query []float32) (ids []string, err error) {
		hits, err := peer.QueryEmbedding(ctx, query, k, nil, nil)
		for _, h := range hits {
			ids = append(ids, h.ID)
		}
		return ids, err
	}
	f.contestants = append(f.contestants, f.truth, &contestant{name: results.Chromem, turn: timed(queries, theirs), slow: true})
	return f, nil
}

// timed returns the turn of an engine of this process, which answers with IDs.
func timed(queries [][]float32, search func([]float32) ([]string, error)) func(int) (float64, [][]int32, error) {
	return func(n int) (float64, [][]int32, error) {
		runtime.GC() // what another engine left to the collector is not this one's business
		for i := range min(warm, n) {
			if _, err := search(queries[len(queries)-1-i]); err != nil {
				return 0, nil, err
			}
		}
		found := make([][]string, n)
		start, cpu := time.Now(), contest.CPUTime()
		for i := range found {
			var err error
			if found[i], err = search(queries[i]); err != nil {
				return 0, nil, err
			}
		}
		took := contest.CPUTime() - cpu
		if took == 0 { // not known on this system
			took = int64(time.Since(start))
		}
		answers := make([][]int32, n)
		for i, ids := range found {
			for _, id := range ids {
				row, err := strconv.ParseInt(id, 10, 32)
				if err != nil {
					return 0, nil, err
				}
				answers[i] = append(answers[i], int32(row))
			}
		}
		return float64(took) / float64(n), answers, nil
	}
}
