package main_test

import (
	"context"
	"math/rand/v2"
	"testing"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/internal/pair"
	"github.com/vecwire/vecwire/internal/testenv"
)

// embeddings returns made-up vectors in 200 clusters that overlap, with as many
// elements as models of medium size give.
func embeddings(n, dim int) [][]float32 {
	random := rand.New(rand.NewPCG(7, 8))
	centres := make([][]float64, 200)
	for i := range centres {
		for range dim {
			centres[i] = append(centres[i], random.NormFloat64())
		}
	}
	vectors := make([][]float32, n)
	for i := range vectors {
		for _, x := range centres[random.IntN(len(centres))] {
			vectors[i] = append(vectors[i], float32(x+random.NormFloat64()))
		}
	}
	return vectors
}

// BenchmarkPostgresCompressed asks for the ten nearest of 10,000 vectors of 768
// dimensions through a compressed index, with the candidates compared by the
// server and here, against the same through an index over the vectors themselves.
// Beside the ratio of the times it reports the recall of both and how many times
// smaller the compressed index is.
func BenchmarkPostgresCompressed(b *testing.B) {
	const n, dim, queries = 10_000, 768, 50
	ctx := context.Background()
	db := wired(b, testenv.Postgres(b))
	vectors := embeddings(n+queries, dim)
	asked := vectors[n:]
	build := func(compress vecwire.Compress) (docs *vecwire.Collection, bytes int64) {
		docs, err := db.CreateCollection(ctx, vecwire.Schema{Name: "docs_" + compress.String(), Dim: dim})
		must(b, err)
		must(b, docs.Insert(ctx, recordsOf(vectors[:n])...))
		must(b, docs.BuildIndex(ctx, vecwire.IndexOptions{MemoryBytes: 512 << 20, Workers: 1, Compress: compress}))
		indexes, err := docs.Indexes(ctx)
		must(b, err)
		return docs, indexes[0].Bytes
	}
	recall := func(b *testing.B, docs *vecwire.Collection, rerank bool) float64 {
		report, err := docs.Recall(ctx, vecwire.RecallOptions{Queries: asked, Rescore: rerank})
		must(b, err)
		return report.Mean
	}
	search := func(b *testing.B, docs *vecwire.Collection, rerank bool) func() {
		i := 0
		return func() {
			hits, err := docs.Search(ctx, vecwire.Query{Vector: asked[i%queries], K: 10, Rescore: rerank})
			must(b, err)
			if len(hits) != 10 {
				b.Fatalf("%d hits", len(hits))
			}
			i++
		}
	}
	plain, plainBytes := build(vecwire.NoCompression)
	for _, compress := range []vecwire.Compress{vecwire.HalfPrecision, vecwire.Bits} {
		docs, bytes := build(compress)
		for _, rerank := range []bool{false, true} {
			by := map[bool]string{false: "/server", true: "/rerank"}[rerank]
			b.Run(compress.String()+by, func(b *testing.B) {
				pair.Run(b, search(b, docs, rerank), search(b, plain, false))
				b.ReportMetric(recall(b, docs, rerank), "recall")
				b.ReportMetric(recall(b, plain, false), "plain-recall")
				b.ReportMetric(float64(plainBytes)/float64(bytes), "smaller")
			})
		}
	}
}
