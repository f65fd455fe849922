package typed

import (
	"context"
	"iter"

	"github.com/vecwire/vecwire"
)

// Hit is a value that a query found.
type Hit[T any] struct {
	Value    T
	Score    float64 // as in [vecwire.Hit]
	Distance float64 // as in [vecwire.Hit]

	Explanation *vecwire.Explanation // as in [vecwire.Hit]
	Snippet     *vecwire.Snippet     // as in [vecwire.Hit]
	Passage     *vecwire.Passage     // as in [vecwire.Hit]
}

// Result is the answer to one query; see [vecwire.Result].
type Result[T any] struct {
	Hits  []Hit[T]     // the best first
	Exact bool         // no approximate index took part
	Plan  vecwire.Plan // what was done to find them
}

// Get returns the values with these IDs that exist, in the order of ids; see
// [vecwire.Collection.Get]. An ID that is no string in T is given as it is stored:
// an integer in decimal digits, others as their text.
func (c *Collection[T]) Get(ctx context.Context, ids ...string) ([]T, error) {
	records, err := c.Collection.Get(ctx, ids...)
	if err != nil {
		return nil, err
	}
	values := make([]T, len(records))
	for i := range records {
		if err := c.read(&values[i], &records[i]); err != nil {
			return nil, c.unreadable("get from", records[i].ID, i, err)
		}
	}
	return values, nil
}

// Source reads a document back, its values in order, without vectors; see
// [vecwire.Collection.Source]. The text as a whole is that of the collection beneath.
func (c *Collection[T]) Source(ctx context.Context, source string) ([]T, error) {
	p, err := c.Collection.Source(ctx, source)
	if err != nil {
		return nil, err
	}
	values := make([]T, len(p.Records))
	for i := range p.Records {
		if err := c.read(&values[i], &p.Records[i]); err != nil {
			return nil, c.unreadable("read a source of", p.Records[i].ID, i, err)
		}
	}
	return values, nil
}

// All streams values, by default in the order of their IDs; see
// [vecwire.Collection.All]. [vecwire.Scan.Token] takes what [Collection.Record] makes
// of a value.
func (c *Collection[T]) All(ctx context.Context, s vecwire.Scan) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		n := 0
		for r, err := range c.Collection.All(ctx, s) {
			var v T
			if err == nil {
				if err = c.read(&v, &r); err != nil {
					err = c.unreadable("scan", r.ID, n, err)
				}
			}
			if err != nil {
				var zero T
				yield(zero, err)
				return
			}
			if !yield(v, nil) {
				return
			}
			n++
		}
	}
}

// Search returns the K nearest values that pass the filter, the best first; see
// [vecwire.Collection.Search]. Their vectors are there if the query asks for them.
// With IDsOnly the values have their IDs only.
func (c *Collection[T]) Search(ctx context.Context, q vecwire.Query) ([]Hit[T], error) {
	found, err := c.Collection.Search(ctx, q)
	if err != nil {
		return nil, err
	}
	return c.hits(found)
}

// SearchMany answers several queries, in their order; see
// [vecwire.Collection.SearchMany].
func (c *Collection[T]) SearchMany(ctx context.Context, queries []vecwire.Query) ([]Result[T], error) {
	found, err := c.Collection.SearchMany(ctx, queries)
	if err != nil {
		return nil, err
	}
	results := make([]Result[T], len(found))
	for i, r := range found {
		hits, err := c.hits(r.Hits)
		if err != nil {
			return nil, err
		}
		results[i] = Result[T]{Hits: hits, Exact: r.Exact, Plan: r.Plan}
	}
	return results, nil
}

// SearchAll streams all values that pass the query's filter, the nearest first; see
// [vecwire.Collection.SearchAll].
func (c *Collection[T]) SearchAll(ctx context.Context, q vecwire.Query) iter.Seq2[Hit[T], error] {
	return func(yield func(Hit[T], error) bool) {
		n := 0
		for found, err := range c.Collection.SearchAll(ctx, q) {
			var h Hit[T]
			if err == nil {
				err = c.hit(&h, &found, "search all of", n)
			}
			if err != nil {
				yield(Hit[T]{}, err)
				return
			}
			if !yield(h, nil) {
				return
			}
			n++
		}
	}
}

func (c *Collection[T]) hits(found []vecwire.Hit) ([]Hit[T], error) {
	hits := make([]Hit[T], len(found))
	for i := range found {
		if err := c.hit(&hits[i], &found[i], "search", i); err != nil {
			return nil, err
		}
	}
	return hits, nil
}

func (c *Collection[T]) hit(h *Hit[T], found *vecwire.Hit, verb string, at int) error {
	h.Score, h.Distance, h.Explanation, h.Snippet, h.Passage = found.Score, found.Distance, found.Explanation, found.Snippet, found.Passage
	if err := c.read(&h.Value, &found.Record); err != nil {
		return c.unreadable(verb, found.ID, at, err)
	}
	return nil
}

// unreadable is the error about a stored record that T cannot hold.
func (c *Collection[T]) unreadable(verb, id string, at int, err error) error {
	return wrap(verb, c.Schema().Name, &vecwire.RecordError{ID: id, Index: at, Err: err})
}
