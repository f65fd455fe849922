package local

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/ann"
	"github.com/vecwire/vecwire/internal/engine"
)

// Search implements engine.Collection. Several searches run side by side.
func (c *collection) Search(ctx context.Context, searches []engine.Search) ([]engine.Result, error) {
	if err := c.view(ctx); err != nil {
		return nil, err
	}
	defer c.endView()
	results := make([]engine.Result, len(searches))
	var err error
	if len(searches) == 1 {
		results[0], err = c.search(ctx, &searches[0])
	} else {
		err = c.searchMany(ctx, searches, results)
	}
	return results, err
}

func (c *collection) searchMany(ctx context.Context, searches []engine.Search, results []engine.Result) error {
	// Searches of all rows go through them together, as many at a time as there are
	// processors; each of the others goes alone.
	workers := runtime.GOMAXPROCS(0)
	together := make([][]int, workers)
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(workers)
	n := 0
	for i := range searches {
		if s := &searches[i]; s.Filter.IsZero() && !c.walks(s) {
			together[n%workers] = append(together[n%workers], i)
			n++
		}
	}
	for _, numbers := range together {
		if len(numbers) > 0 {
			group.Go(func() error { return c.searchTogether(ctx, searches, results, numbers) })
		}
	}
	for i := range searches {
		if s := &searches[i]; !s.Filter.IsZero() || c.walks(s) {
			group.Go(func() (err error) {
				results[i], err = c.search(ctx, s)
				return err
			})
		}
	}
	return group.Wait()
}

// walks reports whether a search goes through the graph.
func (c *collection) walks(s *engine.Search) bool { return c.hnsw != nil && !s.Exact }

func (c *collection) search(ctx context.Context, s *engine.Search) (engine.Result, error) {
	if err := ctx.Err(); err != nil {
		return engine.Result{}, err
	}
	var allowed *ann.Bitmap
	if !s.Filter.IsZero() {
		var err error
		if allowed, err = c.matching(ctx, c.store.read, s.Filter); err != nil {
			return engine.Result{}, err
		}
	}
	if !c.walks(s) {
		found, err := c.index.search(ctx, s.Vector, s.K, allowed)
		if err != nil {
			return engine.Result{}, err
		}
		return c.result(ctx, s, found, c.scanned(s, allowed))
	}
	ef := effort(s)
	found, exact, err := c.index.walk(ctx, s.Vector, s.K, ef, allowed)
	if err != nil {
		return engine.Result{}, err
	}
	plan := engine.Plan{Path: "graph", Index: indexKind, Effort: ef, Rows: -1, Why: "it is faster than to look at all rows"}
	if exact {
		plan = c.scanned(s, allowed)
		plan.Why = "to look at all rows that may be found is no slower than the graph"
	}
	return c.result(ctx, s, found, plan)
}

// searchTogether answers those of the searches that have these numbers, which look
// at all rows.
func (c *collection) searchTogether(ctx context.Context, searches []engine.Search, results []engine.Result, numbers []int) error {
	some := make([]engine.Search, len(numbers))
	for i, n := range numbers {
		some[i] = searches[n]
	}
	found, err := c.index.searchMany(ctx, some)
	if err != nil {
		return err
	}
	for i, n := range numbers {
		if results[n], err = c.result(ctx, &some[i], found[i], c.scanned(&some[i], nil)); err != nil {
			return err
		}
	}
	return nil
}

// result makes the answer to a search of the candidates that it found.
func (c *collection) result(ctx context.Context, s *engine.Search, found []ann.Candidate, plan engine.Plan) (engine.Result, error) {
	id := func(row int32) string { return c.ids[row] }
	hits, err := c.hits(ctx, c.read, best(found, s.K, id), id, parts{s.Payload, s.Vectors})
	return engine.Result{Hits: hits, Exact: plan.Index == "", Plan: plan}, err
}

// scanned says that a search looked at all rows that it may.
func (c *collection) scanned(s *engine.Search, allowed *ann.Bitmap) engine.Plan {
	p := engine.Plan{Path: "scan", Rows: len(c.rows), Why: "there is no vector index"}
	if c.hnsw != nil {
		p.Why = "the query asks for the exact answer"
	}
	if allowed != nil {
		p.Path, p.Rows = "filtered scan", allowed.Count()
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

// matching returns the rows that a filter lets pass. SQLite joins their numbers
// into one text, since handing over each row costs many times what finding it
// does.
func (c *collection) matching(ctx context.Context, q queryer, f filter.Filter) (*ann.Bitmap, error) {
	where, args := compile(f)
	query := fmt.Sprintf("SELECT group_concat(r.%s) FROM %s r WHERE %s", rowColumn, rowsTable(c.schema.Name), where)
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, explain(err)
	}
	defer rows.Close()
	allowed := new(ann.Bitmap)
	var numbers sql.RawBytes
	for rows.Next() {
		if err := rows.Scan(&numbers); err != nil {
			return nil, explain(err)
		}
		row := int32(0)
		for i, b := range numbers {
			if b != ',' {
				row = row*10 + int32(b-'0')
			}
			if b == ',' || i == len(numbers)-1 {
				allowed.Set(row)
				row = 0
			}
		}
	}
	return allowed, explain(rows.Err())
}
