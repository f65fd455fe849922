package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
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
	index       int64 // bytes of our graph's codes, links and IDs
	close       func()
}

// inGo fills the engines that are in Go, with chromem-go if it is wanted. Their files are
// in dir.
func inGo(ctx context.Context, dir string, set *set, withChromem bool) (*field, error) {
	base, queries := set.base, set.queries
	f := &field{memory: map[string]int64{}}
	records := make([]vecwire.Record, len(base))
	for i, v := range base {
		records[i] = vecwire.Record{ID: strconv.Itoa(i), Vector: v}
	}
	path := filepath.Join(dir, "embeddings.db")
	if err := fill(ctx, path, len(base[0]), records); err != nil {
		return nil, err
	}
	debug.FreeOSMemory()
	before := contest.Resident()
	db, err := vecwire.Open(ctx, path) // as a program that is started later has it
	if err != nil {
		return nil, err
	}
	f.close = func() { _ = db.Close() }
	graph, err := db.OpenCollection(ctx, graphName)
	if err != nil {
		return nil, err
	}
	scan, err := db.OpenCollection(ctx, scanName)
	if err != nil {
		return nil, err
	}
	for _, engine := range []struct {
		name       string
		collection *vecwire.Collection
	}{{results.OursGraphAPI, graph}, {results.OursScanAPI, scan}} {
		for _, query := range queries {
			if _, err := engine.collection.Search(ctx, vecwire.Query{Vector: query, K: k, IDsOnly: true}); err != nil {
				return nil, err
			}
		}
		debug.FreeOSMemory()
		after := contest.Resident()
		f.memory[engine.name], before = after-before, after
	}
	if f.index, err = indexBytes(ctx, graph); err != nil {
		return nil, err
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
	f.contestants = append(f.contestants, f.truth)
	if withChromem {
		err = f.addChromem(ctx, set)
	}
	return f, err
}

// addChromem fills chromem-go.
func (f *field) addChromem(ctx context.Context, set *set) error {
	peer, err := chromem.NewDB().CreateCollection("docs", nil, nil)
	if err != nil {
		return err
	}
	fmt.Fprintln(os.Stderr, "filling", results.Chromem)
	debug.FreeOSMemory()
	before := contest.Resident()
	documents := make([]chromem.Document, len(set.base))
	for i, v := range set.base {
		documents[i] = chromem.Document{ID: strconv.Itoa(i), Embedding: v, Content: "-"}
	}
	if err := peer.AddDocuments(ctx, documents, 2); err != nil {
		return err
	}
	debug.FreeOSMemory()
	f.memory[results.Chromem] = contest.Resident() - before
	search := func(query []float32) (ids []string, err error) {
		hits, err := peer.QueryEmbedding(ctx, query, k, nil, nil)
		for _, h := range hits {
			ids = append(ids, h.ID)
		}
		return ids, err
	}
	f.contestants = append(f.contestants, &contestant{name: results.Chromem, turn: timed(set.queries, search), slow: true})
	return nil
}

const (
	graphName = "graph"
	scanName  = "scan"
)

// fill makes a store with the records twice, with an index and without.
func fill(ctx context.Context, path string, dim int, records []vecwire.Record) (err error) {
	fmt.Fprintln(os.Stderr, "filling", results.OursGraphAPI, "and", results.OursScanAPI)
	db, err := vecwire.Open(ctx, path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	for _, name := range []string{graphName, scanName} {
		c, err := db.CreateCollection(ctx, vecwire.Schema{Name: name, Dim: dim, Index: vecwire.NoIndex})
		if err != nil {
			return err
		}
		if err := c.Upsert(ctx, records...); err != nil {
			return err
		}
		if name == graphName {
			if err := c.BuildIndex(ctx, vecwire.IndexOptions{}); err != nil {
				return err
			}
		}
	}
	return nil
}

// indexBytes returns what a collection takes to be searched, but for its vectors, which
// stay in the file and are read where codes are not enough.
func indexBytes(ctx context.Context, c *vecwire.Collection) (n int64, err error) {
	usage, err := c.Usage(ctx)
	for _, part := range usage.Parts {
		if part.Name != "vectors" {
			n += part.Memory + part.Mapped
		}
	}
	return n, err
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
