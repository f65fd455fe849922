package vecwire_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/vecwire/vecwire"
)

// BenchmarkPages compares a page by Query.After with the same page by Query.Offset, and
// with the first page, of an exact search.
func BenchmarkPages(b *testing.B) {
	const n, dim = 50_000, 64
	db, err := vecwire.Open(b.Context(), b.TempDir()+"/pages.db")
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	c, err := db.CreateCollection(b.Context(), vecwire.Schema{Name: "docs", Dim: dim})
	if err != nil {
		b.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	vector := func() []float32 {
		v := make([]float32, dim)
		for i := range v {
			v[i] = float32(rng.NormFloat64())
		}
		return v
	}
	for start := 0; start < n; start += 5000 {
		records := make([]vecwire.Record, 5000)
		for i := range records {
			records[i] = vecwire.Record{ID: fmt.Sprint(start + i), Vector: vector(), Text: "a text of some words"}
		}
		if err := c.Upsert(b.Context(), records...); err != nil {
			b.Fatal(err)
		}
	}
	q := vecwire.Query{Vector: vector(), K: 10_000, Exact: true, IDsOnly: true}
	all, err := c.Search(b.Context(), q)
	if err != nil {
		b.Fatal(err)
	}
	first := vecwire.Query{Vector: q.Vector, K: 10, Exact: true}
	offset, after := first, first
	offset.Offset, after.After = len(all), q.Token(all[len(all)-1])
	for name, q := range map[string]vecwire.Query{"first": first, "Offset 10000": offset, "After 10000": after} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if hits, err := c.Search(b.Context(), q); err != nil || len(hits) != 10 {
					b.Fatal(len(hits), err)
				}
			}
		})
	}
}
