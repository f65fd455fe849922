package wire

import (
	"slices"

	"github.com/vecwire/vecwire/internal/engine"
)

// Behind reports whether a hit of that score and ID comes after another, in an order of
// IDs.
func Behind(after *engine.After, less func(a, b string) int, score float64, id string) bool {
	return score < after.Score || score == after.Score && less(id, after.ID) > 0
}

// UpTo returns a search for the hits up to those that s asks for, where an engine cannot
// go on behind one by itself: it finds some more, since others may come up to the place
// of s.After than did before.
func UpTo(s engine.Search) engine.Search {
	if s.After != nil {
		s.K, s.After = min(s.K+s.After.Place+s.After.Place/16+16, MostHits), nil
	}
	return s
}

// Rest returns those of the hits of UpTo, in order, that s asks for.
func Rest(s engine.Search, hits []engine.Hit, less func(a, b string) int) []engine.Hit {
	if s.After == nil {
		return hits
	}
	hits = slices.DeleteFunc(hits, func(h engine.Hit) bool { return !Behind(s.After, less, h.Score, h.ID) })
	return hits[:min(s.K, len(hits))]
}
