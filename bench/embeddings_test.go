package main_test

import (
	"fmt"
	"strconv"
	"testing"

	"github.com/philippgille/chromem-go"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/bench/dataset"
	"github.com/vecwire/vecwire/internal/pair"
	"github.com/vecwire/vecwire/internal/testenv"
)

// BenchmarkSearchEmbeddings asks our embedded engine, by a scan and by the graph, and
// chromem-go for the ten nearest of 60,000 real embeddings of 384 dimensions by
// cosine: IDs, scores and texts.
func BenchmarkSearchEmbeddings(b *testing.B) {
	ctx := b.Context()
	dir, err := testenv.DataDir()
	must(b, err)
	base, queries, err := dataset.MiniLM(dir)
	if err != nil {
		b.Skip(err)
	}
	db, err := vecwire.Open(ctx, "mem:")
	must(b, err)
	defer db.Close()
	docs, err := db.CreateCollection(ctx, vecwire.Schema{Name: "docs", Dim: 384, Index: vecwire.NoIndex})
	must(b, err)
	records := make([]vecwire.Record, len(base))
	documents := make([]chromem.Document, len(base))
	for i, v := range base {
		records[i] = vecwire.Record{ID: strconv.Itoa(i), Vector: v, Text: "some text"}
		documents[i] = chromem.Document{ID: strconv.Itoa(i), Embedding: v, Content: "some text"}
	}
	must(b, docs.Upsert(ctx, records...))
	peer, err := chromem.NewDB().CreateCollection("docs", nil, nil)
	must(b, err)
	must(b, peer.AddDocuments(ctx, documents, 2))
	search := func(b *testing.B) {
		ours, theirs := 0, 0
		pair.Run(b, func() {
			_, err := docs.Search(ctx, vecwire.Query{Vector: queries[ours%len(queries)], K: 10})
			must(b, err)
			ours++
		}, func() {
			_, err := peer.QueryEmbedding(ctx, queries[theirs%len(queries)], 10, nil, nil)
			must(b, err)
			theirs++
		})
	}
	b.Run("exact", search)
	must(b, docs.BuildIndex(ctx, vecwire.IndexOptions{}))
	report, err := docs.Recall(ctx, vecwire.RecallOptions{Queries: queries})
	must(b, err)
	b.Run(fmt.Sprintf("graph/recall=%.3f", report.Mean), search)
}
