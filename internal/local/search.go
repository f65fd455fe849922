package local

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/ann"
	"github.com/vecwire/vecwire/internal/columns"
	"github.com/vecwire/vecwire/internal/engine"
)

// Search implements engine.Collection. Several searches run side by side.
func (c *collection) Search(ctx context.Context, searches []engine.Search) ([]engine.Result, error) {
	if tx := c.in(ctx); tx != nil {
		return tx.Search(ctx, searches)
	}
	s := &searching{of: c, searches: searches}
	if s.results = s.one[:]; len(searches) != 1 {
		s.results = make([]engine.Result, len(searches))
	}
	if err := c.run(ctx, "Search", s); err != nil {
		return nil, err
	}
	return s.results, nil
}

// searching is searches under way.
type searching struct {
	of       *collection
	searches []engine.Search
	results  []engine.Result
	one      [1]engine.Result
}

// read implements reading.
func (s *searching) read(ctx context.Context) (err error) {
	if len(s.searches) == 1 {
		s.results[0], err = s.of.search(ctx, &s.searches[0])
		return err
	}
	return s.of.searchMany(ctx, s.searches, s.results)
}

// walks reports whether a search goes through the graph.
func (c *collection) walks(s *engine.Search) bool { return c.hnsw != nil && !s.Exact }

func (c *collection) search(ctx context.Context, s *engine.Search) (engine.Result, error) {
	if s.Filter.IsZero() {
		return c.searchAmong(ctx, s, nil)
	}
	e, err := c.evaluation(ctx, s.Filter)
	if err != nil {
		return engine.Result{}, err
	}
	if s.After == nil {
		if rows, ok := e.Few(s.Filter, mostListed(len(e.Live))); ok && !c.walksKin(s, len(rows)) {
			if r, ok, err := c.searchFew(ctx, s, rows); ok || err != nil {
				return r, err
			}
		}
	}
	allowed, done, err := allowedBy(e, s.Filter)
	if err != nil {
		return engine.Result{}, err
	}
	defer done()
	return c.searchAmong(ctx, s, allowed)
}

// walksKin reports whether a search among so many rows may go through the links of a namespace.
func (c *collection) walksKin(s *engine.Search, rows int) bool {
	return c.walks(s) && rows >= ann.LeastKin && kinOf(&c.schema, s.Filter) != 0
}

// mostListed returns how many rows that pass a search goes through by their list: where there
// are more than one in a word of a set, the set is as fast.
func mostListed(words int) int { return max(64, words) }

// allowed returns the rows that a filter lets pass, nil for all. The caller calls done
// when it has used them.
func (c *collection) allowed(ctx context.Context, f filter.Filter) (rows *ann.Bitmap, done func(), err error) {
	if f.IsZero() {
		return nil, func() {}, ctx.Err()
	}
	e, err := c.evaluation(ctx, f)
	if err != nil {
		return nil, nil, err
	}
	return allowedBy(e, f)
}

// allowedBy is allowed for a filter that is not zero.
func allowedBy(e *evaluation, f filter.Filter) (rows *ann.Bitmap, done func(), err error) {
	passing, done, err := rowsOf(e, f)
	if err != nil {
		return nil, nil, err
	}
	rows = ann.NewBitmap(passing)
	rows.OfKin(kinOf(&e.of.schema, f))
	return rows, done, nil
}

// searchFew answers a search among the few rows that its filter lets pass. It reports false
// if a walk through the graph may be faster.
func (c *collection) searchFew(ctx context.Context, s *engine.Search, rows []int32) (r engine.Result, ok bool, err error) {
	if err := ctx.Err(); err != nil {
		return r, false, err
	}
	room := candidates.Get().(*[]ann.Candidate)
	defer candidates.Put(room)
	plan, ef := c.scanned(s, len(rows)), 0
	if c.walks(s) {
		plan.Why, ef = whyNoWalk, effort(s)
	}
	*room, ok, err = c.index.searchRows(ctx, (*room)[:0], s.Vector, s.K, ef, rows)
	if err != nil || !ok {
		return r, false, err
	}
	r, err = c.result(ctx, s, *room, plan)
	return r, true, err
}

// whyNoWalk is why a search looks at all rows where there is a graph.
const whyNoWalk = "to look at all rows that may be found is no slower than the graph"

// searchAmong answers a search among the rows that its filter lets pass.
func (c *collection) searchAmong(ctx context.Context, s *engine.Search, allowed *ann.Bitmap) (engine.Result, error) {
	if err := ctx.Err(); err != nil {
		return engine.Result{}, err
	}
	room := candidates.Get().(*[]ann.Candidate)
	found, plan, err := c.find(ctx, (*room)[:0], s, allowed)
	if err != nil {
		return engine.Result{}, err
	}
	r, err := c.result(ctx, s, found, plan)
	if cap(found) <= mostCandidates {
		*room = found
		candidates.Put(room)
	}
	return r, err
}

// candidates keeps what searches find for the moment until it has become hits.
var candidates = sync.Pool{New: func() any { return new([]ann.Candidate) }}

// mostCandidates is how many are kept at most.
const mostCandidates = 4096

// find appends to dst what a search finds among the rows that its filter lets pass.
func (c *collection) find(ctx context.Context, dst []ann.Candidate, s *engine.Search, allowed *ann.Bitmap) ([]ann.Candidate, engine.Plan, error) {
	if !c.walks(s) {
		found, err := scan(ctx, c.index, dst, s, allowed, c.ids.id)
		return found, c.scanned(s, countOf(allowed)), err
	}
	found, exact, err := c.walk(ctx, dst, s, allowed)
	if err != nil {
		return nil, engine.Plan{}, err
	}
	plan := engine.Plan{Path: "graph", Index: indexKind, Effort: effort(s), Records: -1, Why: "it is faster than to look at all rows"}
	if exact {
		plan = c.scanned(s, countOf(allowed))
		plan.Why = whyNoWalk
	}
	return found, plan, nil
}

// result makes the answer to a search of the candidates that it found.
func (c *collection) result(ctx context.Context, s *engine.Search, found []ann.Candidate, plan engine.Plan) (engine.Result, error) {
	hits, err := c.hits(ctx, c.read, best(found, s.K, c.ids.id), c.ids.id, parts{s.Payload, s.Vectors})
	return engine.Result{Hits: hits, Exact: plan.Index == "", Plan: plan}, err
}

// countOf returns how many rows are allowed, as scanned takes it.
func countOf(allowed *ann.Bitmap) int {
	if allowed == nil {
		return allRows
	}
	return allowed.Count()
}

// allRows is how many rows pass where there is no filter.
const allRows = -1

// scanned says that a search looked at all rows that it may, so many.
func (c *collection) scanned(s *engine.Search, passing int) engine.Plan {
	p := engine.Plan{Path: "scan", Records: c.ids.len(), Why: "there is no vector index"}
	switch {
	case s.Exact:
		p.Why = "the query asks for the exact answer"
	case c.building.Load():
		p.Why = "the vector index is being built"
	}
	if passing != allRows {
		p.Path, p.Records = "filtered scan", passing
	}
	return p
}

// best orders candidates by score, those of equal score by ID, and returns the
// first k. Mostly they are in order as they were found.
func best(found []ann.Candidate, k int, id func(row int32) string) []ann.Candidate {
	order := func(a, b ann.Candidate) int {
		if a.Score != b.Score {
			return cmp.Compare(b.Score, a.Score)
		}
		return cmp.Compare(id(a.Row), id(b.Row))
	}
	if !slices.IsSortedFunc(found, order) {
		slices.SortFunc(found, order)
	}
	return found[:min(k, len(found))]
}

// hits makes hits of candidates, and reads the parts that are not in memory.
func (c *collection) hits(ctx context.Context, read rowReader, found []ann.Candidate, id func(row int32) string, p parts) ([]engine.Hit, error) {
	hits := make([]engine.Hit, len(found))
	for i, f := range found {
		hits[i] = engine.Hit{Record: engine.Record{ID: id(f.Row)}, Score: f.Score}
	}
	if !p.payload && !p.vectors {
		return hits, nil
	}
	numbers := make([]int32, len(found))
	for i, f := range found {
		numbers[i] = f.Row
	}
	err := read(ctx, numbers, p, func(place int) *engine.Record { return &hits[place].Record })
	return hits, err
}

// matching returns the rows that a filter lets pass, as SQLite says. SQLite joins their
// numbers into one text, since handing over each row costs many times what finding it
// does.
func (c *collection) matching(ctx context.Context, q queryer, f filter.Filter) (columns.Set, error) {
	from, row, args := c.found(f)
	return joined(ctx, q, fmt.Sprintf("SELECT group_concat(%s) FROM %s", row, from), args)
}

// matchingWithin is matching among some rows.
func (c *collection) matchingWithin(ctx context.Context, q queryer, f filter.Filter, rows columns.Set) (columns.Set, error) {
	where, args := c.compile(f)
	return joined(ctx, q, fmt.Sprintf("SELECT group_concat(r.%s) FROM json_each(?) n CROSS JOIN %s r ON r.%[1]s = n.value WHERE %[3]s",
		rowColumn, rowsTable(c.schema.Name), where), slices.Concat([]any{joinNumbers(rows)}, args))
}

// joined returns the rows whose numbers a query joins.
func joined(ctx context.Context, q queryer, query string, args []any) (set columns.Set, err error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, explain(err)
	}
	defer rows.Close()
	var text any
	for rows.Next() {
		if err := rows.Scan(&text); err != nil {
			return nil, explain(err)
		}
		for _, row := range appendNumbers(nil, text) {
			set.Add(row)
		}
	}
	return set, explain(rows.Err())
}
