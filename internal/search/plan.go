package search

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/internal/engine"
	"github.com/vecwire/vecwire/internal/schema"
	"github.com/vecwire/vecwire/rerank"
)

// Collection is what is searched.
type Collection struct {
	Engine engine.Collection
	Rules  *schema.Rules
	Caps   engine.Capabilities
}

// Search answers queries that have their vectors, in their order, into results, as many.
// Effort is that of queries that have none, 0 for the engine's choice. If one of them is
// refused, none is answered. It fills in the queries' defaults.
func (c *Collection) Search(ctx context.Context, queries []Query, results []Result, effort int) error {
	if len(queries) == 0 {
		return ctx.Err()
	}
	r := rooms.Get().(*room)
	if cap(r.plans) < len(queries) {
		r.plans = make([]plan, len(queries))
	}
	r.plans = r.plans[:len(queries)]
	for i := range queries {
		if err := c.plan(&r.plans[i], &queries[i], effort); err != nil {
			if len(queries) > 1 {
				err = fmt.Errorf("query %d: %w", i, err)
			}
			return err
		}
	}
	if err := c.find(ctx, r); err != nil {
		return err
	}
	for i := range r.plans {
		var err error
		if results[i], err = r.plans[i].choose(ctx); err != nil {
			return err
		}
	}
	r.leave()
	return nil
}

// room is the memory of a search for what its answer does not keep: a server makes
// many, and a search through an index takes little longer than to get that memory does.
type room struct {
	plans    []plan
	byVector []engine.Search
}

var rooms = sync.Pool{New: func() any { return new(room) }}

// leave lets another search have the room. One that fails keeps it.
func (r *room) leave() {
	const most = 64 // of how many queries at once the memory is kept
	if cap(r.plans) > most {
		return
	}
	clear(r.plans)
	clear(r.byVector)
	r.plans, r.byVector = r.plans[:0], r.byVector[:0]
	rooms.Put(r)
}

// plan is a checked query on its way to an answer. Its methods are the
// steps: the engine finds candidates, and the steps choose among them.
type plan struct {
	c        *Collection
	schema   *engine.Schema
	groupAt  int    // the place of the field GroupBy
	q        *Query // with its defaults filled in
	search   engine.Search
	named    []engine.Search // of Fusion.Vectors
	terms    *engine.Terms   // of a Fusion in the syntax Web
	boosts   []Boost
	tokens   *rerank.MaxSim     // nil without Query.MaxSim
	tokensAt int                // the place of its field
	scores   map[string]float64 // a Reranker's, of the candidates it has seen, by ID
	found    legs               // what the engine has found last
}

// plan checks a query that has its vector, and makes it p, which is zero. It is the one
// place where queries are checked.
func (c *Collection) plan(p *plan, q *Query, effort int) error {
	if err := c.checkQuery(q); err != nil {
		return err
	}
	f, err := c.Rules.Filter(q.Filter)
	if err != nil {
		return err
	}
	p.c, p.schema, p.q = c, c.Rules.Schema(), q
	_, p.groupAt, _ = c.Rules.Field(q.GroupBy)
	if p.boosts, err = c.checkBoosts(q); err != nil {
		return err
	}
	if q.Fusion != nil && q.Fusion.Syntax == Web {
		if p.terms, err = c.terms(q.Text); err != nil {
			return err
		}
	}
	p.search = engine.Search{
		K: q.last(), Filter: f, Exact: q.Exact, Effort: q.Effort, Payload: !q.IDsOnly, Vectors: q.Vectors,
	}
	if q.Effort == 0 {
		p.search.Effort = effort
	}
	if p.search.After, err = q.after(); err != nil {
		return err
	}
	if !q.textOnly() {
		if p.search.Vector, err = p.schema.Vector(q.Vector, q.Vector64); err != nil {
			return err
		}
		if p.search.Vector, err = moveAway(p.schema, p.search.Vector, q.Away); err != nil {
			return err
		}
	}
	if p.named, err = c.planLegs(q, &p.search); err != nil {
		return err
	}
	if err := p.planMaxSim(); err != nil {
		return err
	}
	p.widen()
	return nil
}

// widen makes of a search for the K nearest one for the candidates that the
// steps choose from.
func (p *plan) widen() {
	q, s := p.q, &p.search
	if q.looksAround() {
		s.K = max(times4(q.last()), DefaultCandidates)
		if q.Candidates > 0 {
			s.K = q.Candidates
		}
	}
	s.Vectors = s.Vectors || q.Rescore || q.Diversity != 0
	if q.Rescore {
		s.Rescore, s.Candidates = true, q.Candidates
	}
	s.Payload = s.Payload || p.terms != nil || q.reranks() || q.GroupBy != "" || q.Snippets > 0 || len(q.Boosts) > 0 || q.Around > 0
}

// times4 is four times n, at most MaxInt: K may ask for all there are.
func times4(n int) int {
	if n > math.MaxInt/4 {
		return math.MaxInt
	}
	return 4 * n
}

// legs is what the searches of one query found: by vectors, and by words.
type legs struct {
	engine.Result
	words []engine.Hit
	named [][]engine.Hit // of Fusion.Vectors
}

// full reports whether a leg found as many as it was asked for, so that there
// may be more.
func (l *legs) full(k int) bool {
	reaches := func(hits []engine.Hit) bool { return len(hits) >= k }
	return reaches(l.Hits) || reaches(l.words) || slices.ContainsFunc(l.named, reaches)
}

// find runs the searches of all plans of a room, those by words beside those by vectors,
// and gives each plan what they found.
func (c *Collection) find(ctx context.Context, r *room) error {
	plans := r.plans
	r.byVector = r.byVector[:0]
	var byNamed []engine.Search
	var byWords []engine.TextSearch
	for i := range plans {
		p := &plans[i]
		s := &p.search
		if !p.q.textOnly() {
			r.byVector = append(r.byVector, *s)
		}
		for _, n := range p.named {
			n.K, n.Payload, n.Vectors = s.K, s.Payload, s.Vectors
			byNamed = append(byNamed, n)
		}
		if p.q.byWords() {
			byWords = append(byWords, engine.TextSearch{Text: p.q.Text, Terms: p.terms, K: s.K, Filter: s.Filter, Payload: s.Payload, Vectors: s.Vectors})
		}
	}
	first := len(r.byVector)
	r.byVector = append(r.byVector, byNamed...)
	results, words, err := c.searchBoth(ctx, r.byVector, byWords)
	if err != nil {
		return err
	}
	named := results[first:]
	for i := range plans {
		p := &plans[i]
		p.found = legs{}
		found := &p.found
		if p.q.textOnly() {
			found.Result = engine.Result{Exact: true, Plan: engine.Plan{Path: "full text", Records: -1, Why: "Fusion.TextOnly"}}
		} else {
			found.Result, results = results[0], results[1:]
		}
		if p.q.byWords() {
			found.words, words = words[0], words[1:]
		}
		for n := range p.named {
			if n == 0 && p.q.textOnly() && !p.q.byWords() {
				found.Plan = named[0].Plan
			}
			found.Exact = found.Exact && named[0].Exact
			found.named, named = append(found.named, named[0].Hits), named[1:]
		}
	}
	return nil
}

// searchBoth runs searches of both kinds.
func (c *Collection) searchBoth(ctx context.Context, byVector []engine.Search, byWords []engine.TextSearch) (results []engine.Result, words [][]engine.Hit, err error) {
	if byWords == nil {
		results, err = c.Engine.Search(ctx, byVector)
		return results, nil, err
	}
	return c.sideBySide(ctx, byVector, byWords)
}

// sideBySide is searchBoth where there is a search by words: apart, so that a search
// without one pays nothing for the goroutines.
func (c *Collection) sideBySide(ctx context.Context, byVector []engine.Search, byWords []engine.TextSearch) (results []engine.Result, words [][]engine.Hit, err error) {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		words, err = c.Engine.SearchText(ctx, byWords)
		return err
	})
	if len(byVector) > 0 {
		group.Go(func() (err error) {
			results, err = c.Engine.Search(ctx, byVector)
			return err
		})
	}
	return results, words, group.Wait()
}

// choose makes the answer of what the legs found. Where groups, or what the question
// excludes, leave it short, or boosts leave it open, it looks further, until there are no
// more candidates.
func (p *plan) choose(ctx context.Context) (Result, error) {
	for {
		found := &p.found
		r := Result{Exact: found.Exact, Plan: found.Plan}
		if !p.q.chooses() {
			if r.Nearest, r.distances = found.Hits, p.schema.Metric; r.Nearest == nil {
				r.Nearest = []engine.Hit{}
			}
			return r, nil
		}
		r.Hits = p.hits(found.Hits)
		more := found.full(p.search.K)
		var err error
		if r.Hits, err = p.rescore(r.Hits); err != nil {
			return Result{}, err
		}
		var excluded bool
		r.Hits, excluded = p.exclude(r.Hits)
		if r.Hits, err = p.fuse(r.Hits, found.words, found.named); err != nil {
			return Result{}, err
		}
		if len(r.Hits) > p.search.K {
			r.Hits, more = r.Hits[:p.search.K], true
		}
		if r.Hits, err = p.maxSim(r.Hits); err != nil {
			return Result{}, err
		}
		if r.Hits, err = p.rerank(ctx, r.Hits); err != nil {
			return Result{}, err
		}
		var bound float64
		if r.Hits, bound, err = p.boost(ctx, r.Hits); err != nil {
			return Result{}, err
		}
		r.Hits = p.group(p.cutScores(r.Hits))
		short := (p.q.GroupBy != "" || excluded) && len(r.Hits) < p.q.last()
		open := len(p.boosts) > 0 && more && (p.q.Fusion != nil || p.q.reranks() || p.open(r.Hits, bound))
		if more && short || open && p.mayProve() {
			k := times4(p.search.K)
			if !short {
				k = min(k, maxBoostCandidates)
			}
			p.search.K = k
			further := room{plans: []plan{*p}}
			if err := p.c.find(ctx, &further); err != nil {
				return Result{}, err
			}
			p.found = further.plans[0].found
			continue
		}
		if r.Hits, err = p.diversify(r.Hits); err != nil {
			return Result{}, err
		}
		r.Exact = r.Exact && !open
		r.Hits, err = p.cut(ctx, r.Hits)
		return r, err
	}
}

// hits returns what an engine found as hits.
func (p *plan) hits(found []engine.Hit) []Hit {
	hits := make([]Hit, len(found))
	for i := range found {
		hits[i].Hit, hits[i].Distance = found[i], p.distance(found[i].Score)
	}
	return hits
}

// distance is a score of the collection's metric as a distance.
func (p *plan) distance(score float64) float64 { return distance(p.schema.Metric, score) }

// distance is a score of a metric as a distance.
func distance(m codec.Metric, score float64) float64 {
	if m == codec.Cosine {
		return 1 - score
	}
	return -score + 0 // + 0: no negative zero
}
