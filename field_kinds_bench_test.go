package vecwire_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/pair"
	"github.com/vecwire/vecwire/internal/testenv"
)

// BenchmarkFieldKinds pairs searches whose filters let the same records pass, all fields
// and paths with an index: by a value of a list ("ours") and by a String, and by a path
// into JSON ("ours") and by a field. A ratio of 0.5 says that the first takes twice as
// long.
func BenchmarkFieldKinds(b *testing.B) {
	const records = 100_000
	schema := vecwire.Schema{Name: "docs", Dim: 4, Metric: vecwire.Dot, Fields: []vecwire.Field{
		{Name: "tag", Index: true}, {Name: "tags", Type: vecwire.Strings, Index: true}, {Name: "year", Type: vecwire.Int, Index: true},
		{Name: "meta", Type: vecwire.JSON, Paths: []string{"author.name", "year"}},
	}}
	for engine, url := range map[string]func() string{
		"embedded": func() string { return filepath.Join(b.TempDir(), "kinds.db") },
		"postgres": func() string { return testenv.Postgres(b) },
	} {
		b.Run(engine, func(b *testing.B) {
			db, docs := createCollection(b, url(), schema)
			defer db.Close()
			for at := 0; at < records; at += 1000 {
				batch := make([]vecwire.Record, 1000)
				for i := range batch {
					n := at + i
					tag, year := fmt.Sprint("tag", n%500), n%300
					batch[i] = vecwire.Record{ID: fmt.Sprint(n), Vector: []float32{1, float32(n), 0, 1}, Fields: vecwire.Fields{
						"tag": tag, "year": year, "tags": []string{"all", tag, fmt.Sprint("other", n%7), fmt.Sprint("more", n%13)},
						"meta": map[string]any{"title": "something about it", "author": map[string]any{"name": tag}, "year": year},
					}}
				}
				require.NoError(b, docs.Upsert(b.Context(), batch...))
			}
			var some []string
			for i := range 20 {
				some = append(some, fmt.Sprint("tag", 3*i))
			}
			search := func(b *testing.B, f filter.Filter) func() {
				return func() {
					hits, err := docs.Search(b.Context(), vecwire.Query{Vector: []float32{1, 1, 1, 1}, Filter: f, IDsOnly: true})
					require.NoError(b, err)
					require.Len(b, hits, 10)
				}
			}
			for _, kind := range []struct {
				name         string
				ours, theirs filter.Filter
			}{
				{"list", filter.ContainsAny("tags", "tag7"), filter.Eq("tag", "tag7")},
				{"list-of-20", filter.ContainsAny("tags", some...), filter.In("tag", some...)},
				{"path", filter.Eq("meta.author.name", "tag7"), filter.Eq("tag", "tag7")},
				{"path-range", filter.Between("meta.year", 3, 10), filter.Between("year", 3, 10)},
			} {
				b.Run(kind.name, func(b *testing.B) { pair.Run(b, search(b, kind.ours), search(b, kind.theirs)) })
			}
		})
	}
}
