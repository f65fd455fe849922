package typed_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/internal/pair"
	"github.com/vecwire/vecwire/typed"
)

type benchArticle struct {
	ID     string
	Vector []float32 `vecwire:",dim=128"`
	Text   string
	Lang   string
	Year   int
	Rank   float64
	Draft  bool
	SeenAt time.Time
	Stars  *int
}

func benchArticles(n int) []benchArticle {
	stars := 4
	out := make([]benchArticle, n)
	for i := range out {
		out[i] = benchArticle{
			ID: fmt.Sprint("doc-", i), Vector: make([]float32, 128), Text: "some text", Lang: "go", Year: 2000 + i,
			Rank: float64(i) / 3, Draft: i%2 == 0, SeenAt: time.Unix(int64(i), 0).UTC(),
		}
		out[i].Vector[i%128] = 1
		if i%3 == 0 {
			out[i].Stars = &stars
		}
	}
	return out
}

// BenchmarkRecord pairs making 1,000 records of structs with the code that one
// would write by hand; a ratio of 1 is as fast.
func BenchmarkRecord(b *testing.B) {
	docs, articles := benchTyped(b), benchArticles(1000)
	records := make([]vecwire.Record, len(articles))
	pair.Run(b,
		func() {
			for i, a := range articles {
				records[i], _ = docs.Record(a)
			}
		},
		func() {
			for i, a := range articles {
				fields := vecwire.Fields{"lang": a.Lang, "year": a.Year, "rank": a.Rank, "draft": a.Draft, "seen_at": a.SeenAt}
				if a.Stars != nil {
					fields["stars"] = *a.Stars
				}
				records[i] = vecwire.Record{ID: a.ID, Vector: a.Vector, Text: a.Text, Fields: fields}
			}
		})
}

// BenchmarkValue pairs making 1,000 structs of records with the same by hand.
func BenchmarkValue(b *testing.B) {
	docs := benchTyped(b)
	articles := benchArticles(1000)
	if err := docs.Upsert(b.Context(), articles...); err != nil {
		b.Fatal(err)
	}
	var records []vecwire.Record
	for r, err := range docs.Collection.All(b.Context(), vecwire.Scan{Vectors: true}) {
		if err != nil {
			b.Fatal(err)
		}
		records = append(records, r)
	}
	pair.Run(b,
		func() {
			for i, r := range records {
				articles[i], _ = docs.Value(r)
			}
		},
		func() {
			for i, r := range records {
				a := benchArticle{ID: r.ID, Vector: r.Vector, Text: r.Text}
				a.Lang, _ = r.Fields["lang"].(string)
				year, _ := r.Fields["year"].(int64)
				a.Year = int(year)
				a.Rank, _ = r.Fields["rank"].(float64)
				a.Draft, _ = r.Fields["draft"].(bool)
				a.SeenAt, _ = r.Fields["seen_at"].(time.Time)
				if n, ok := r.Fields["stars"].(int64); ok {
					stars := int(n)
					a.Stars = &stars
				}
				articles[i] = a
			}
		})
}

// BenchmarkUpsert pairs storing 1,000 structs with storing 1,000 records.
func BenchmarkUpsert(b *testing.B) {
	docs, articles := benchTyped(b), benchArticles(1000)
	records := make([]vecwire.Record, len(articles))
	for i, a := range articles {
		var err error
		if records[i], err = docs.Record(a); err != nil {
			b.Fatal(err)
		}
	}
	ctx := b.Context()
	pair.Run(b,
		func() {
			if err := docs.Upsert(ctx, articles...); err != nil {
				b.Fatal(err)
			}
		},
		func() {
			if err := docs.Collection.Upsert(ctx, records...); err != nil {
				b.Fatal(err)
			}
		})
}

// benchTyped makes a collection in memory for articles.
func benchTyped(b *testing.B) *typed.Collection[benchArticle] {
	db, err := vecwire.Open(b.Context(), "mem:")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { db.Close() })
	docs, err := typed.Ensure[benchArticle](b.Context(), db, "docs")
	if err != nil {
		b.Fatal(err)
	}
	return docs
}
