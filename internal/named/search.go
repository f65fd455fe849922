package named

import (
	"context"
	"fmt"
	"math"

	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
)

// Search implements engine.Collection.
func (c *collection) Search(ctx context.Context, searches []engine.Search) ([]engine.Result, error) {
	results := make([]engine.Result, len(searches))
	var own []engine.Search
	var places []int
	for i, s := range searches {
		if s.In == 0 {
			own, places = append(own, s), append(places, i)
			continue
		}
		var err error
		if results[i], err = c.search(ctx, s); err != nil {
			return nil, c.altered(err)
		}
	}
	if len(own) == 0 {
		return results, nil
	}
	found, err := c.Collection.Search(ctx, own)
	if err != nil {
		return nil, err
	}
	for i, r := range found {
		if own[i].Vectors {
			if err := c.fill(ctx, hitRecords(r.Hits)); err != nil {
				return nil, err
			}
		}
		results[places[i]] = r
	}
	return results, nil
}

const (
	// widen is how many times more vectors are looked at than records are wanted, where
	// some of them may be no hits, and how many times more each time they do not do.
	widen = 4
	// leastVectors are looked at then.
	leastVectors = 64
	// mostListed is how many records a filter may let pass for their IDs to be listed,
	// and their vectors compared, instead of looking at ever more vectors.
	mostListed = 10_000
	// pageIDs is how many IDs a filter is asked about at a time.
	pageIDs = 1_000
)

// search finds records by one of their named vectors. The vectors' own collection says
// which are the nearest, and the records' which of them there are and pass the filter:
// so what comes first of them is the answer, however many are left out.
func (c *collection) search(ctx context.Context, s engine.Search) (engine.Result, error) {
	if err := c.usable(); err != nil {
		return engine.Result{}, err
	}
	part := c.parts[s.In-1]
	if part == nil {
		return engine.Result{Exact: true, Plan: engine.Plan{Path: "scan", Why: "there are no vectors of this name"}}, ctx.Err()
	}
	ask := engine.Search{Vector: s.Vector, K: s.K, After: s.After, Exact: s.Exact, Effort: s.Effort, Vectors: s.Rescore, Rescore: s.Rescore, Candidates: s.Candidates}
	if !s.Filter.IsZero() {
		ask.K = max(times(s.K, widen), leastVectors)
	}
	for counted := false; ; {
		if ask.Candidates > 0 {
			ask.Candidates = max(ask.Candidates, ask.K)
		}
		found, err := part.Search(ctx, []engine.Search{ask})
		if err != nil {
			return engine.Result{}, err
		}
		r := found[0]
		all := len(r.Hits) < ask.K
		if r.Hits, err = c.passing(ctx, s, r.Hits); err != nil || all || len(r.Hits) >= s.K {
			return c.result(ctx, s, r, err)
		}
		if !counted && !s.Filter.IsZero() {
			counted = true
			r, done, err := c.listed(ctx, part, s, ask)
			if done || err != nil {
				return c.result(ctx, s, r, err)
			}
		}
		ask.K = times(ask.K, widen)
	}
}

// times is k times n, at most MaxInt.
func times(k, n int) int {
	if k > math.MaxInt/n {
		return math.MaxInt
	}
	return k * n
}

// listed compares the vectors of the records that the filter lets pass, if these are
// few.
func (c *collection) listed(ctx context.Context, part engine.Collection, s, ask engine.Search) (r engine.Result, done bool, err error) {
	n, err := c.Collection.Count(ctx, s.Filter)
	if err != nil || n > mostListed {
		return r, false, err
	}
	ids, err := engine.ScanIDs(ctx, engine.Scan{Filter: s.Filter}, c.Collection.Scan)
	if err != nil || len(ids) > mostListed { // more were written meanwhile
		return r, false, err
	}
	ask.K, ask.Filter = s.K, filter.In("id", ids...)
	found, err := part.Search(ctx, []engine.Search{ask})
	if err != nil {
		return r, false, err
	}
	r = found[0]
	r.Plan.Why = fmt.Sprintf("%d records pass the filter", len(ids))
	r.Hits, err = c.passing(ctx, s, r.Hits)
	return r, true, err
}

// passing returns the hits whose records are there and pass the filter, with their texts
// and fields, in the same order.
func (c *collection) passing(ctx context.Context, s engine.Search, hits []engine.Hit) ([]engine.Hit, error) {
	out := make([]engine.Hit, 0, min(len(hits), s.K))
	for len(hits) > 0 && (len(out) < s.K || s.Rescore) {
		some := hits[:min(pageIDs, len(hits))]
		hits = hits[len(some):]
		ids := make([]string, len(some))
		for i := range some {
			ids[i] = some[i].ID
		}
		var records []engine.Record
		var err error
		if s.Filter.IsZero() {
			records, err = c.Collection.Get(ctx, ids, s.Vectors)
		} else {
			records, err = c.Collection.Scan(ctx, engine.Scan{Filter: filter.And(s.Filter, filter.In("id", ids...)), Limit: len(ids), Vectors: s.Vectors})
		}
		if err != nil {
			return nil, err
		}
		known := make(map[string]engine.Record, len(records))
		for _, r := range records {
			known[r.ID] = r
		}
		for _, h := range some {
			r, ok := known[h.ID]
			if !ok {
				continue
			}
			if !s.Payload {
				r.Text, r.Fields = "", nil
			}
			out = append(out, engine.Hit{Record: r, Score: h.Score})
		}
	}
	return out, nil
}

// result completes an answer.
func (c *collection) result(ctx context.Context, s engine.Search, r engine.Result, err error) (engine.Result, error) {
	if err != nil {
		return engine.Result{}, err
	}
	if !s.Rescore {
		r.Hits = r.Hits[:min(s.K, len(r.Hits))]
	}
	if s.Vectors {
		err = c.fill(ctx, hitRecords(r.Hits))
	}
	return r, err
}
