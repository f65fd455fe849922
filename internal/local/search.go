package local

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/ann"
	"github.com/vecwire/vecwire/internal/engine"
)

// index is the in-memory index of either element type.
type index interface {
	reserve(rows int)
	set(row int32, v engine.Vector) error
	remove(row int32)
	// search returns the rows with the k highest scores among those allowed
	// (nil for all), and every further one that ties with the last, best first.
	search(ctx context.Context, v engine.Vector, k int, allowed *ann.Bitmap) ([]ann.Candidate, error)
}

func newIndex(s engine.Schema) (index, error) {
	if s.Element == codec.DOUBLE {
		return newArena(s, func(v engine.Vector) []float64 { return v.F64 })
	}
	return newArena(s, func(v engine.Vector) []float32 { return v.F32 })
}

// arena is an exact index over vectors of one element type.
type arena[T codec.Float] struct {
	*ann.Arena[T]
	of func(engine.Vector) []T
}

func newArena[T codec.Float](s engine.Schema, of func(engine.Vector) []T) (index, error) {
	a, err := ann.New[T](s.Dim, s.Metric)
	return arena[T]{a, of}, err
}

func (a arena[T]) reserve(rows int)                     { a.Reserve(rows) }
func (a arena[T]) set(row int32, v engine.Vector) error { return a.Set(row, a.of(v)) }
func (a arena[T]) remove(row int32)                     { a.Delete(row) }

func (a arena[T]) search(ctx context.Context, v engine.Vector, k int, allowed *ann.Bitmap) ([]ann.Candidate, error) {
	return a.Search(ctx, nil, a.of(v), k, allowed)
}

// Search implements engine.Collection. Several searches run side by side.
func (c *collection) Search(ctx context.Context, searches []engine.Search) ([]engine.Result, error) {
	end, err := c.view(ctx)
	if err != nil {
		return nil, err
	}
	defer end()
	results := make([]engine.Result, len(searches))
	if len(searches) == 1 {
		results[0], err = c.search(ctx, searches[0])
		return results, err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, s := range searches {
		group.Go(func() (err error) {
			results[i], err = c.search(ctx, s)
			return err
		})
	}
	return results, group.Wait()
}

func (c *collection) search(ctx context.Context, s engine.Search) (engine.Result, error) {
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
	found, err := c.index.search(ctx, s.Vector, s.K, allowed)
	if err != nil {
		return engine.Result{}, err
	}
	id := func(row int32) string { return c.ids[row] }
	hits, err := c.hits(ctx, c.ask, best(found, s.K, id), id, parts{s.Payload, s.Vectors})
	return engine.Result{Hits: hits, Exact: true}, err
}

// best orders candidates by score, those of equal score by ID, and returns the
// first k.
func best(found []ann.Candidate, k int, id func(row int32) string) []ann.Candidate {
	slices.SortFunc(found, func(a, b ann.Candidate) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(id(a.Row), id(b.Row)))
	})
	return found[:min(k, len(found))]
}

// hits makes hits of candidates, and reads the parts that are not in memory.
func (c *collection) hits(ctx context.Context, ask asker, found []ann.Candidate, id func(row int32) string, p parts) ([]engine.Hit, error) {
	hits := make([]engine.Hit, len(found))
	for i, f := range found {
		hits[i] = engine.Hit{Record: engine.Record{ID: id(f.Row)}, Score: f.Score}
	}
	if !p.payload && !p.vectors {
		return hits, nil
	}
	numbers := make([]int32, len(found))
	place := make(map[int32]int, len(found))
	for i, f := range found {
		numbers[i], place[f.Row] = f.Row, i
	}
	err := c.byRow(ctx, ask, numbers, p, func(row int32, r engine.Record) { hits[place[row]].Record = r })
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
