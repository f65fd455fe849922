package iris

import (
	"context"
	"slices"

	"github.com/vecwire/vecwire/internal/engine"
	"github.com/vecwire/vecwire/internal/wire"
)

// searchAfter answers a search that goes on behind a hit. The server is asked for all hits
// up to those that are wanted, since its scores are not proved to be the same in a
// condition; and for more, until there are enough or no others.
func (c *collection) searchAfter(ctx context.Context, s engine.Search) (engine.Result, error) {
	for all := wire.UpTo(s); ; {
		r, err := c.search(ctx, all)
		if err != nil {
			return r, err
		}
		found := len(r.Hits)
		rest := wire.Rest(s, slices.Clone(r.Hits), c.compareIDs())
		if len(rest) == s.K || found < all.K {
			r.Hits = rest
			return r, nil
		}
		all.K = min(4*all.K, wire.MostHits)
	}
}
