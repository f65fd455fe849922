package search

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
	"github.com/vecwire/vecwire/internal/schema"
)

// Boost adds to the scores of hits its weight times a share from 0 to 1.
type Boost struct {
	Kind     BoostKind
	Field    string
	Weight   float64
	HalfLife time.Duration // of Recency
	Now      time.Time     // of Recency, zero for that of the search
	Half     float64       // of Saturation
	Filter   filter.Filter // of Bonus

	at int // the place of Field
}

// BoostKind says how a share is found.
type BoostKind uint8

// The kinds of boosts. The zero kind is none.
const (
	Recency    BoostKind = 1 + iota // 0.5 to the power of age / HalfLife
	Saturation                      // v / (v + Half)
	Bonus                           // 1 for what passes Filter
)

// maxBoosts is how many boosts a query may have: a Bonus asks the database.
const maxBoosts = 16

// maxWeight is the greatest weight of a boost: the sum of maxBoosts of them is finite.
const maxWeight = 1e300

// maxBoostCandidates is how many candidates a search with boosts takes to prove its
// answer, unless the query states its Candidates or asks for more hits.
const maxBoostCandidates = 1000

// checkBoosts returns the query's boosts, checked.
func (c *Collection) checkBoosts(q *Query) ([]Boost, error) {
	if len(q.Boosts) == 0 {
		return nil, nil
	}
	switch {
	case len(q.Boosts) > maxBoosts:
		return nil, schema.BadValue("Boosts", fmt.Sprintf("at most %d", maxBoosts), len(q.Boosts))
	case q.Diversity != 0:
		return nil, schema.BadValue("Diversity", "0 beside Boosts: it goes by vectors alone", q.Diversity)
	}
	boosts := slices.Clone(q.Boosts)
	now := time.Now()
	for i := range boosts {
		b := &boosts[i]
		var err error
		at := fmt.Sprintf("Boosts[%d]", i)
		if !(math.Abs(b.Weight) <= maxWeight) {
			return nil, schema.BadValue(at, fmt.Sprintf("a weight from %g to %g", -maxWeight, maxWeight), b.Weight)
		}
		switch b.Kind {
		case Recency:
			if b.HalfLife <= 0 {
				return nil, schema.BadValue(at, "a positive half-life", b.HalfLife)
			}
			if b.Now.IsZero() {
				b.Now = now
			}
			if b.at, err = c.boostField(b.Field, at, filter.Time); err != nil {
				return nil, err
			}
		case Saturation:
			if !(b.Half > 0 && b.Half <= math.MaxFloat64) {
				return nil, schema.BadValue(at, "a positive number at which half of the weight is added", b.Half)
			}
			if b.at, err = c.boostField(b.Field, at, filter.Int, filter.Float); err != nil {
				return nil, err
			}
		case Bonus:
			if b.Filter, err = c.Rules.Filter(b.Filter); err != nil {
				return nil, fmt.Errorf("%s: %w", at, err)
			}
		default:
			return nil, schema.BadValue(at, "what Recency, Saturation or Bonus returns", "a zero Boost")
		}
	}
	return boosts, nil
}

// boostField returns the place of a field that a boost needs.
func (c *Collection) boostField(name, at string, want ...filter.Type) (place int, err error) {
	f, place, ok := c.Rules.Field(name)
	if ok && slices.Contains(want, f.Type) {
		return place, nil
	}
	msg := "does not exist, for " + at
	if ok {
		msg = fmt.Sprintf("is %s, and %s needs one of %v", f.Type, at, want)
	}
	return 0, &schema.Error{Collection: c.Rules.Schema().Name, Field: schema.Shorten(name), Msg: msg}
}

// share returns which share of a boost's weight a hit gets. The IDs are of the
// candidates that pass the filter of a Bonus.
func (b *Boost) share(h *Hit, passing map[string]bool) float64 {
	switch b.Kind {
	case Recency:
		if at, ok := valueOf(h, b.at).(time.Time); ok {
			// Not Sub, whose Duration ends at 292 years: a half-life may be as long.
			age := float64(b.Now.Unix()-at.Unix()) + float64(b.Now.Nanosecond()-at.Nanosecond())/1e9
			return math.Exp2(-max(0, age) / b.HalfLife.Seconds())
		}
	case Saturation:
		v := 0.0
		switch n := valueOf(h, b.at).(type) {
		case int64:
			v = float64(n)
		case float64:
			v = n
		}
		if v > 0 {
			return 1 / (1 + b.Half/v) // v / (v + half), also where the sum is too large a number
		}
	case Bonus:
		if passing[h.ID] {
			return 1
		}
	}
	return 0
}

// boost adds what the boosts say to the scores of candidates, and orders them anew. It
// returns the greatest score that a record can have which is no candidate: the search
// found it to be no better than the last one.
func (p *plan) boost(ctx context.Context, hits []Hit) (out []Hit, bound float64, err error) {
	if len(p.boosts) == 0 || len(hits) == 0 {
		return hits, math.Inf(-1), nil
	}
	passing := make([]map[string]bool, len(p.boosts))
	for i := range p.boosts {
		if p.boosts[i].Kind == Bonus {
			if passing[i], err = p.passing(ctx, p.boosts[i].Filter, hits); err != nil {
				return nil, 0, err
			}
		}
	}
	most, last := 0.0, math.Inf(1)
	for i := range p.boosts {
		most += max(0, p.boosts[i].Weight)
	}
	for i := range hits {
		h := &hits[i]
		last = min(last, h.Score)
		e := Explanation{Base: h.Score, Boosts: make([]float64, len(p.boosts))}
		if h.Explanation != nil {
			e.Vector, e.Text, e.Vectors = h.Explanation.Vector, h.Explanation.Text, h.Explanation.Vectors
		}
		h.Explanation = &e
		for j := range p.boosts {
			e.Boosts[j] = p.boosts[j].Weight * p.boosts[j].share(h, passing[j])
			h.Score += e.Boosts[j]
		}
	}
	sort.Slice(hits, func(i, j int) bool { // as bestFirst
		return cmp.Or(cmp.Compare(hits[j].Score, hits[i].Score), strings.Compare(hits[i].ID, hits[j].ID)) < 0
	})
	return hits, last + most, nil
}

// open reports whether a record that is no candidate, whose score is at most bound, may
// belong to the answer.
func (p *plan) open(hits []Hit, bound float64) bool {
	if wanted := p.q.last(); len(hits) >= wanted {
		return hits[wanted-1].Score <= bound
	}
	return p.passes(bound)
}

// mayProve reports whether to look for more candidates helps: scores that fusion or a
// Reranker gives have no bound.
func (p *plan) mayProve() bool {
	return p.q.Fusion == nil && !p.q.reranks() && p.q.Candidates == 0 && p.search.K < maxBoostCandidates
}

// passing returns which of the hits a filter lets pass.
func (p *plan) passing(ctx context.Context, f filter.Filter, hits []Hit) (map[string]bool, error) {
	passing := make(map[string]bool, len(hits))
	for some := range slices.Chunk(hits, engine.PageRecords) {
		ids := make([]string, len(some))
		for i := range some {
			ids[i] = some[i].ID
		}
		among, err := filter.And(filter.In("id", ids...), f).Check(p.c.Rules.TypeOf)
		if err != nil {
			return nil, err
		}
		found, err := p.c.Engine.Scan(ctx, engine.Scan{Filter: among, Limit: len(ids)})
		if err != nil {
			return nil, err
		}
		for _, r := range found {
			passing[r.ID] = true
		}
	}
	return passing, nil
}
