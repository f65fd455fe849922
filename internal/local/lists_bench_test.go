package local

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
)

// BenchmarkListFilters finds the same records by a String and by a list that has it
// among its four elements, with an index and without.
func BenchmarkListFilters(b *testing.B) {
	const records, tags = 100_000, 500
	s, err := Open(b.Context(), Options{Logger: slog.New(slog.DiscardHandler)})
	require.NoError(b, err)
	b.Cleanup(func() { _ = s.Close() })
	c, err := s.Create(b.Context(), engine.Schema{Name: "docs", Dim: 4, Metric: codec.Dot, Fields: []engine.Field{
		{Name: "tag", Type: filter.String}, {Name: "tagi", Type: filter.String, Index: true},
		{Name: "tags", Type: filter.Strings}, {Name: "tagsi", Type: filter.Strings, Index: true},
	}})
	require.NoError(b, err)
	batch := make([]engine.Record, 0, 1000)
	for i := range records {
		tag := fmt.Sprint("tag", i%tags)
		list := []string{"all", tag, fmt.Sprint("other", i%7), fmt.Sprint("more", i%13)}
		batch = append(batch, engine.Record{ID: fmt.Sprint(i), Vector: engine.Vector{F32: []float32{1, float32(i), 0, 1}}, Fields: []any{tag, tag, list, list}})
		if len(batch) == cap(batch) {
			require.NoError(b, c.Insert(b.Context(), batch))
			batch = batch[:0]
		}
	}
	for _, bb := range []struct {
		name string
		f    filter.Filter
	}{
		{"string", filter.Eq("tag", "tag7")}, {"list", filter.ContainsAny("tags", "tag7")},
		{"indexed string", filter.Eq("tagi", "tag7")}, {"indexed list", filter.ContainsAny("tagsi", "tag7")},
		{"indexed string of 20", filter.In("tagi", twenty()...)}, {"indexed list of 20", filter.ContainsAny("tagsi", twenty()...)},
	} {
		b.Run(bb.name, func(b *testing.B) {
			for b.Loop() {
				r, err := c.Search(b.Context(), []engine.Search{{Vector: engine.Vector{F32: []float32{1, 1, 1, 1}}, K: 10, Filter: bb.f}})
				require.NoError(b, err)
				require.Len(b, r[0].Hits, 10)
			}
		})
	}
}

func twenty() []string {
	tags := make([]string, 20)
	for i := range tags {
		tags[i] = fmt.Sprint("tag", 3*i)
	}
	return tags
}

// BenchmarkJSONFilters finds the same records by an indexed String and an indexed
// Int, and by an indexed path into JSON.
func BenchmarkJSONFilters(b *testing.B) {
	const records = 100_000
	s, err := Open(b.Context(), Options{Logger: slog.New(slog.DiscardHandler)})
	require.NoError(b, err)
	b.Cleanup(func() { _ = s.Close() })
	c, err := s.Create(b.Context(), engine.Schema{Name: "docs", Dim: 4, Metric: codec.Dot, Fields: []engine.Field{
		{Name: "name", Type: filter.String, Index: true}, {Name: "year", Type: filter.Int, Index: true},
		{Name: "meta", Type: filter.JSON, Paths: []string{"author.name", "year"}},
	}})
	require.NoError(b, err)
	batch := make([]engine.Record, 0, 1000)
	for i := range records {
		name, year := fmt.Sprint("author ", i%500), i%300
		batch = append(batch, engine.Record{ID: fmt.Sprint(i), Vector: engine.Vector{F32: []float32{1, float32(i), 0, 1}}, Fields: []any{
			name, int64(year), map[string]any{"title": "something about it", "author": map[string]any{"name": name, "born": json.Number("1970")}, "year": json.Number(fmt.Sprint(year))},
		}})
		if len(batch) == cap(batch) {
			require.NoError(b, c.Insert(b.Context(), batch))
			batch = batch[:0]
		}
	}
	ten, three := json.Number("10"), json.Number("3")
	for _, bb := range []struct {
		name string
		f    filter.Filter
	}{
		{"indexed string", filter.Eq("name", "author 7")}, {"indexed path to a string", filter.Eq("meta.author.name", "author 7")},
		{"range of an indexed int", filter.Between("year", int64(3), int64(10))}, {"range of an indexed path", filter.Between("meta.year", three, ten)},
		{"path without an index", filter.Eq("meta.author.born", json.Number("1971"))},
	} {
		b.Run(bb.name, func(b *testing.B) {
			for b.Loop() {
				_, err := c.Search(b.Context(), []engine.Search{{Vector: engine.Vector{F32: []float32{1, 1, 1, 1}}, K: 10, Filter: bb.f}})
				require.NoError(b, err)
			}
		})
	}
}
