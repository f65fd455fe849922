package search

import (
	"context"
	"maps"
	"slices"

	"github.com/vecwire/vecwire/internal/engine"
)

// ByVector has queries answered those about the same named vector together. Hits with
// vectors get their records' own, from the collection whose records they are.
func ByVector(ctx context.Context, of engine.Collection, queries []Query, answer func(name string, queries []Query) ([]Result, error)) ([]Result, error) {
	places := map[string][]int{}
	for i, q := range queries {
		places[q.In] = append(places[q.In], i)
	}
	results := make([]Result, len(queries))
	for _, name := range slices.Sorted(maps.Keys(places)) {
		some := make([]Query, len(places[name]))
		for i, at := range places[name] {
			some[i] = queries[at]
			some[i].In = ""
		}
		found, err := answer(name, some)
		if err != nil {
			return nil, err
		}
		for i, at := range places[name] {
			results[at] = found[i]
			if name != "" && queries[at].Vectors {
				if err := restoreOwn(ctx, of, found[i].Hits); err != nil {
					return nil, err
				}
			}
		}
	}
	return results, nil
}

// restoreOwn gives hits their records' own vectors, in whose place the one stands that
// was compared.
func restoreOwn(ctx context.Context, of engine.Collection, hits []Hit) error {
	if len(hits) == 0 {
		return nil
	}
	ids := make([]string, len(hits))
	at := make(map[string]*Hit, len(hits))
	for i := range hits {
		ids[i], at[hits[i].ID] = hits[i].ID, &hits[i]
		hits[i].Vector = engine.Vector{}
	}
	found, err := of.Get(ctx, ids, true)
	for _, r := range found {
		at[r.ID].Vector = r.Vector
	}
	return err
}
