package main

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/cmd/vecwire/internal/folder"
	"github.com/vecwire/vecwire/filter"
)

// hasField reports whether a collection has a field.
func hasField(c *vecwire.Collection, name string) bool {
	return slices.ContainsFunc(c.Schema().Fields, func(f vecwire.Field) bool { return f.Name == name })
}

// chunksOf reads the records that pass, in the order of their places in their source.
func chunksOf(ctx context.Context, c *vecwire.Collection, f filter.Filter, vectors bool) ([]vecwire.Record, error) {
	var records []vecwire.Record
	for r, err := range c.All(ctx, vecwire.Scan{Filter: f, Vectors: vectors}) {
		if err != nil {
			return nil, err
		}
		records = append(records, r)
	}
	slices.SortStableFunc(records, func(x, y vecwire.Record) int {
		i, _ := x.Fields[folder.PartField].(int64)
		j, _ := y.Fields[folder.PartField].(int64)
		return cmp.Compare(i, j)
	})
	return records, nil
}

func jsonText(v any) string {
	text, _ := json.Marshal(v)
	return string(text)
}
