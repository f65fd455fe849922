package named

import (
	"context"
	"fmt"
	"slices"

	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
)

// Through returns a collection as it is seen through one of its named vectors, which
// takes the place of the records' own: searches compare it, and reading returns it. It
// deletes, and writes nothing else. The place is in the schema's Vectors.
func Through(c engine.Collection, place int) engine.Collection {
	return &view{Collection: c, place: place, schema: c.Schema().Through(place)}
}

type view struct {
	engine.Collection
	place  int
	schema engine.Schema
}

// ErrThrough is returned for what cannot be written through a named vector.
var ErrThrough = fmt.Errorf("%w: writing to a collection through one of its vectors: write to the collection itself", engine.ErrUnsupported)

// Schema implements engine.Collection.
func (v *view) Schema() engine.Schema { return v.schema }

// Upsert implements engine.Collection.
func (v *view) Upsert(context.Context, []engine.Record) error { return ErrThrough }

// Insert implements engine.Collection.
func (v *view) Insert(context.Context, []engine.Record) error { return ErrThrough }

// Merge implements engine.Collection.
func (v *view) Merge(context.Context, []engine.Record) (inserted, updated int, err error) {
	return 0, 0, ErrThrough
}

// Update implements engine.Collection.
func (v *view) Update(context.Context, []engine.Change) error { return ErrThrough }

// UpdateWhere implements engine.Collection.
func (v *view) UpdateWhere(context.Context, filter.Filter, []engine.FieldValue) (int, error) {
	return 0, ErrThrough
}

// own puts a record's named vector in the place of its own.
func (v *view) own(r *engine.Record) {
	if r.Named != nil {
		r.Vector = r.Named[v.place]
	}
}

// Get implements engine.Collection.
func (v *view) Get(ctx context.Context, ids []string, vectors bool) ([]engine.Record, error) {
	records, err := v.Collection.Get(ctx, ids, vectors)
	for i := range records {
		v.own(&records[i])
	}
	return records, err
}

// Scan implements engine.Collection.
func (v *view) Scan(ctx context.Context, s engine.Scan) ([]engine.Record, error) {
	records, err := v.Collection.Scan(ctx, s)
	for i := range records {
		v.own(&records[i])
	}
	return records, err
}

// Search implements engine.Collection.
func (v *view) Search(ctx context.Context, searches []engine.Search) ([]engine.Result, error) {
	searches = slices.Clone(searches)
	for i := range searches {
		searches[i].In = v.place + 1
	}
	results, err := v.Collection.Search(ctx, searches)
	for _, r := range results {
		for i := range r.Hits {
			v.own(&r.Hits[i].Record)
		}
	}
	return results, err
}

// SearchText implements engine.Collection.
func (v *view) SearchText(ctx context.Context, searches []engine.TextSearch) ([][]engine.Hit, error) {
	found, err := v.Collection.SearchText(ctx, searches)
	for _, hits := range found {
		for i := range hits {
			v.own(&hits[i].Record)
		}
	}
	return found, err
}

// BuildIndex implements engine.Collection.
func (v *view) BuildIndex(ctx context.Context, p engine.IndexPlan) error {
	p.In = v.place + 1
	return v.Collection.BuildIndex(ctx, p)
}

// Indexes implements engine.Collection.
func (v *view) Indexes(ctx context.Context) ([]engine.Index, error) {
	all, err := v.Collection.Indexes(ctx)
	return slices.DeleteFunc(all, func(x engine.Index) bool { return x.In != v.place+1 }), err
}

// Usage implements engine.Collection.
func (v *view) Usage(ctx context.Context) ([]engine.Part, error) {
	all, err := v.Collection.Usage(ctx)
	return slices.DeleteFunc(all, func(x engine.Part) bool { return x.In != v.place+1 }), err
}
