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
	parts       map[string]part // what our collections take, by the names of the engines
	close       func()
}

// part says of one of our collections how many bytes its codes are; its codes, links and IDs;
// and what it takes of the process, and not of files that it maps.
type part struct{ codes, index, own int64 }

// one is one of our collections.
type one struct {
	name, store string
	codes       vecwire.Codes
	graph       bool
}

// oursOf returns our collections, with those of short codes if they are wanted.
func oursOf(short bool) []one {
	all := []one{{results.OursGraphAPI, "graph", vecwire.SevenBits, true}, {results.OursScanAPI, "scan", vecwire.SevenBits, false}}
	if short {
		all = append(all, one{results.OursGraph4, "graph4", vecwire.FourBits, true}, one{results.OursScan4, "scan4", vecwire.FourBits, false})
	}
	return all
}

// inGo fills the engines that are in Go, with chromem-go and with short codes if they are
// wanted. Their files are in dir.
func inGo(ctx context.Context, dir string, set *set, o options) (*field, error) {
	base, queries := set.base, set.queries
	f := &field{memory: map[string]int64{}, parts: map[string]part{}, close: func() {}}
	records := make([]vecwire.Record, len(base))
	for i, v := range base {
		records[i] = vecwire.Record{ID: strconv.Itoa(i), Vector: v}
	}
	all := oursOf(o.short)
	for _, our := range all {
		if err := fill(ctx, filepath.Join(dir, our.store), our, len(base[0]), records); err != nil {
			return nil, err
		}
	}
	// Each is opened as a program that is started later has it, and has searched when the
	// next one is opened.
	debug.FreeOSMemory()
	before, own := contest.Resident(), contest.Own()
	for _, engine := range all {
		db, err := vecwire.Open(ctx, filepath.Join(dir, engine.store))
		if err != nil {
			return nil, err
		}
		others := f.close
		f.close = func() {
			_ = db.Close()
			others()
		}
		c, err := db.OpenCollection(ctx, engine.store)
		if err != nil {
			return nil, err
		}
		for _, query := range queries {
			if _, err := c.Search(ctx, vecwire.Query{Vector: query, K: k, IDsOnly: true}); err != nil {
				return nil, err
			}
		}
		debug.FreeOSMemory()
		after := contest.Resident()
		f.memory[engine.name], before = after-before, after
		taken, err := partOf(ctx, c)
		if err != nil {
			return nil, err
		}
		now := contest.Own()
		taken.own, own = now-own, now
		f.parts[engine.name] = taken
		f.add(ctx, c, engine, queries)
	}
	if o.chromem {
		return f, f.addChromem(ctx, set)
	}
	return f, nil
}

// add makes contestants of one of our collections, at all efforts if it has a graph.
func (f *field) add(ctx context.Context, c *vecwire.Collection, engine one, queries [][]float32) {
	search := func(effort int) func([]float32) ([]string, error) {
		return func(query []float32) (ids []string, err error) {
			hits, err := c.Search(ctx, vecwire.Query{Vector: query, K: k, Effort: effort, IDsOnly: true})
			for _, h := range hits {
				ids = append(ids, h.ID)
			}
			return ids, err
		}
	}
	if engine.graph {
		for _, effort := range efforts {
			f.contestants = append(f.contestants, &contestant{name: engine.name, turn: timed(queries, search(effort))})
		}
		return
	}
	scan := &contestant{name: engine.name, turn: timed(queries, search(0))}
	f.contestants = append(f.contestants, scan)
	if f.truth == nil {
		f.truth = scan
	}
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

// fill makes a store with the records, with an index if it is to have a graph.
func fill(ctx context.Context, path string, our one, dim int, records []vecwire.Record) (err error) {
	fmt.Fprintln(os.Stderr, "filling our", our.store)
	db, err := vecwire.Open(ctx, path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	c, err := db.CreateCollection(ctx, vecwire.Schema{Name: our.store, Dim: dim, Index: vecwire.NoIndex, Codes: our.codes})
	if err != nil {
		return err
	}
	if err := c.Upsert(ctx, records...); err != nil || !our.graph {
		return err
	}
	return c.BuildIndex(ctx, vecwire.IndexOptions{})
}

// partOf returns what a collection takes to be searched, but for its vectors, which
// stay in the file and are read where codes are not enough.
func partOf(ctx context.Context, c *vecwire.Collection) (p part, err error) {
	usage, err := c.Usage(ctx)
	for _, part := range usage.Parts {
		if part.Name != "vectors" {
			p.index += part.Memory + part.Mapped
		}
		if part.Name == "codes" {
			p.codes = part.Memory + part.Mapped
		}
	}
	return p, err
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
