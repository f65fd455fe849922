package search

import (
	"context"
	"maps"
	"slices"

	"github.com/vecwire/vecwire/internal/engine"
)

// ByVector has queries answered into results, those about the same named vector together. Hits with
// vectors get their records' own, from the collection whose records they are.
func ByVector(ctx context.Context, of engine.Collection, queries []Query, results []Result, answer func(name string, queries []Query, results []Result) error) error {
	places := map[string][]int{}
	for i, q := range queries {
		places[q.In] = append(places[q.In], i)
	}
	for _, name := range slices.Sorted(maps.Keys(places)) {
		some := make([]Query, len(places[name]))
		for i, at := range places[name] {
			some[i] = queries[at]
			some[i].In = ""
		}
		found := make([]Result, len(some))
		if err := answer(name, some, found); err != nil {
			return err
		}
		for i, at := range places[name] {
			results[at] = found[i]
			if name != "" && queries[at].Vectors {
				if err := restoreOwn(ctx, of, &results[at]); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// restoreOwn gives hits their records' own vectors, in whose place the one stands that
// was compared.
func restoreOwn(ctx context.Context, of engine.Collection, answer *Result) error {
	n := answer.Len()
	if n == 0 {
		return nil
	}
	ids := make([]string, n)
	at := make(map[string]*engine.Record, n)
	for i := range ids {
		var r *engine.Record
		if answer.Nearest != nil {
			r = &answer.Nearest[i].Record
		} else {
			r = &answer.Hits[i].Record
		}
		ids[i], at[r.ID] = r.ID, r
		r.Vector = engine.Vector{}
	}
	found, err := of.Get(ctx, ids, true)
	for _, r := range found {
		at[r.ID].Vector = r.Vector
	}
	return err
}
