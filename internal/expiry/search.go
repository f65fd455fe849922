package expiry

import (
	"context"
	"slices"
	"time"

	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
)

// few is how many hits are looked at for whether they have expired. A search of more is
// filtered to begin with.
const few = 1000

// Search implements engine.Collection. Little of a collection has expired, if it is
// swept, and a search without a filter is the faster one: if none of its hits has
// expired, its answer is the right one. Only otherwise it is filtered.
func (c *Collection) Search(ctx context.Context, searches []engine.Search) ([]engine.Result, error) {
	alive, now := c.alive(ctx), now(ctx)
	tried := slices.Clone(searches)
	for i := range tried {
		if s := &tried[i]; c.copied || s.K > few {
			s.Filter = filter.And(s.Filter, alive)
		} else {
			s.Payload = true
		}
	}
	results, err := c.inner.Search(ctx, tried)
	if err != nil {
		return nil, err
	}
	var again []engine.Search
	var places []int
	for i := range results {
		if c.copied || searches[i].K > few {
			continue
		}
		if c.anyExpired(results[i].Hits, now) {
			s := searches[i]
			s.Filter = filter.And(s.Filter, alive)
			again, places = append(again, s), append(places, i)
		} else if !searches[i].Payload {
			strip(results[i].Hits)
		}
	}
	if again == nil {
		return results, nil
	}
	filtered, err := c.inner.Search(ctx, again)
	if err != nil {
		return nil, err
	}
	for i, at := range places {
		results[at] = filtered[i]
	}
	return results, nil
}

// SearchText implements engine.Collection.
func (c *Collection) SearchText(ctx context.Context, searches []engine.TextSearch) ([][]engine.Hit, error) {
	searches = slices.Clone(searches)
	alive := c.alive(ctx)
	for i := range searches {
		searches[i].Filter = filter.And(searches[i].Filter, alive)
	}
	return c.inner.SearchText(ctx, searches)
}

func (c *Collection) anyExpired(hits []engine.Hit, now time.Time) bool {
	return slices.ContainsFunc(hits, func(h engine.Hit) bool { return c.expired(&h.Record, now) })
}

// strip takes away what was not asked for.
func strip(hits []engine.Hit) {
	for i := range hits {
		hits[i].Text, hits[i].Fields = "", nil
	}
}
