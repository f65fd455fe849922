package local

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
)

// BenchmarkLook counts by value, and reads the last page in the order of a field,
// among a million records.
func BenchmarkLook(b *testing.B) {
	const n = 1_000_000
	ctx := b.Context()
	c := create(b, newStore(b), engine.Schema{Name: "docs", Dim: 2, Fields: []engine.Field{
		{Name: "lang", Type: filter.String, Index: true}, {Name: "at", Type: filter.Time, Index: true},
		{Name: "year", Type: filter.Int, Index: true}, {Name: "kind", Type: filter.String},
	}}).(*collection)
	begin := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	records := make([]engine.Record, 0, 10_000)
	for i := range n {
		records = append(records, engine.Record{ID: fmt.Sprintf("%07d", i), Vector: engine.Vector{F32: []float32{1, float32(i % 100)}}, Text: "a text", Fields: []any{
			fmt.Sprint("lang", i*i%23), begin.Add(time.Duration(i*7919%n) * time.Second), int64(1990 + i%30), fmt.Sprint("kind", i%11),
		}})
		if len(records) == cap(records) {
			require.NoError(b, c.Upsert(ctx, records))
			records = records[:0]
		}
	}
	half, tenth := filter.Ge("year", int64(2005)), filter.In("year", int64(1990), int64(2001), int64(2002))
	for name, f := range map[string]engine.Facet{
		"facet":                       {Field: "lang", Type: filter.String},
		"facet, filter of half":       {Field: "lang", Type: filter.String, Filter: half},
		"facet, filter of a tenth":    {Field: "lang", Type: filter.String, Filter: tenth},
		"facet, no index":             {Field: "kind", Type: filter.String},
		"facet, no index, of a tenth": {Field: "kind", Type: filter.String, Filter: tenth},
	} {
		f.Limit = 20
		b.Run(name, func(b *testing.B) {
			for range mostUses { // from then on the fields are in memory
				_, err := c.Facet(ctx, f)
				require.NoError(b, err)
			}
			for b.Loop() {
				_, err := c.Facet(ctx, f)
				require.NoError(b, err)
			}
		})
	}
	for name, s := range map[string]engine.Scan{
		"page by date":                   {Order: engine.Order{Field: "at", Type: filter.Time, Desc: true}},
		"page by date, from the middle":  {After: "0000001", Order: engine.Order{Field: "at", Type: filter.Time, Desc: true, After: begin.Add(n / 2 * time.Second)}},
		"page by date, filter of a half": {Filter: half, Order: engine.Order{Field: "at", Type: filter.Time, Desc: true}},
		"page by kind, no index":         {Order: engine.Order{Field: "kind", Type: filter.String}},
		"page by lang, many ties":        {After: "0500000", Order: engine.Order{Field: "lang", Type: filter.String, After: "lang12"}},
	} {
		s.Limit = 50
		b.Run(name, func(b *testing.B) {
			for range mostUses {
				_, err := c.Scan(ctx, s)
				require.NoError(b, err)
			}
			for b.Loop() {
				_, err := c.Scan(ctx, s)
				require.NoError(b, err)
			}
		})
	}
}
