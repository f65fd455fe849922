package local

import (
	"context"
	"slices"

	"github.com/vecwire/vecwire/internal/ann"
	"github.com/vecwire/vecwire/internal/engine"
)

// pager is the part of an index that goes on behind a candidate.
type pager interface {
	// searchAfter is search among the rows that come after another.
	searchAfter(ctx context.Context, dst []ann.Candidate, v engine.Vector, k int, allowed *ann.Bitmap, after ann.After) ([]ann.Candidate, error)
	// walkAfter is walk among the rows that come after another.
	walkAfter(ctx context.Context, dst []ann.Candidate, v engine.Vector, k, ef int, allowed *ann.Bitmap, after ann.After) ([]ann.Candidate, bool, error)
}

func (a *arena[T]) searchAfter(ctx context.Context, dst []ann.Candidate, v engine.Vector, k int, allowed *ann.Bitmap, after ann.After) ([]ann.Candidate, error) {
	return a.SearchAfter(ctx, slices.Grow(dst, room(a.Len(), k)), a.of(v), k, allowed, after)
}

func (a *arena[T]) walkAfter(ctx context.Context, dst []ann.Candidate, v engine.Vector, k, ef int, allowed *ann.Bitmap, after ann.After) ([]ann.Candidate, bool, error) {
	return a.graph.SearchAfter(ctx, slices.Grow(dst, room(a.Len(), k)), a.of(v), k, ef, allowed, after)
}

// after is where a search goes on, in terms of rows, whose IDs id knows.
func after(s *engine.Search, id func(row int32) string) ann.After {
	return ann.After{Score: s.After.Score, Place: s.After.Place, Passes: func(row int32) bool { return id(row) > s.After.ID }}
}

// scan appends to dst the nearest rows of an index, among all that are allowed.
func scan(ctx context.Context, in index, dst []ann.Candidate, s *engine.Search, allowed *ann.Bitmap, id func(row int32) string) ([]ann.Candidate, error) {
	if s.After != nil {
		return in.searchAfter(ctx, dst, s.Vector, s.K, allowed, after(s, id))
	}
	return in.search(ctx, dst, s.Vector, s.K, allowed)
}

// walk appends to dst the nearest rows through the graph, or reports that they are exact.
func (c *collection) walk(ctx context.Context, dst []ann.Candidate, s *engine.Search, allowed *ann.Bitmap) ([]ann.Candidate, bool, error) {
	if s.After != nil {
		return c.index.walkAfter(ctx, dst, s.Vector, s.K, effort(s), allowed, after(s, c.ids.id))
	}
	return c.index.walk(ctx, dst, s.Vector, s.K, effort(s), allowed)
}
