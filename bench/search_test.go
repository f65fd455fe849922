package main_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"github.com/philippgille/chromem-go"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/internal/pair"
	"github.com/vecwire/vecwire/internal/testenv"
)

// descriptors returns real SIFT descriptors where they are at hand, and random
// vectors of the same form elsewhere.
func descriptors(b *testing.B, file string, n int) [][]float32 {
	dir, err := testenv.DataDir()
	must(b, err)
	f, err := os.Open(filepath.Join(dir, file))
	if err != nil {
		b.Logf("%v: using random vectors", err)
		return random(n)
	}
	defer f.Close()
	return readBvecs(b, f, n)
}

func readBvecs(b *testing.B, r io.Reader, n int) [][]float32 {
	var vectors [][]float32
	for v, err := range codec.ReadBvecs(r) {
		must(b, err)
		if vectors = append(vectors, slices.Clone(v)); len(vectors) == n {
			break
		}
	}
	return vectors
}

func random(n int) [][]float32 {
	vectors := make([][]float32, n)
	for i := range vectors {
		vectors[i] = slices.Clone(sift(128))
		vectors[i][i%128] += float32(i / 128)
	}
	return vectors
}

// BenchmarkSearchChromem asks our embedded engine and chromem-go for the ten
// nearest of 100,000 vectors of 128 dimensions by cosine: IDs, scores and texts.
func BenchmarkSearchChromem(b *testing.B) {
	ctx := context.Background()
	base, queries := descriptors(b, "sift100k_base.bvecs", 100_000), descriptors(b, "sift_query.bvecs", 100)

	db, err := vecwire.Open(ctx, "mem:")
	must(b, err)
	defer db.Close()
	docs, err := db.CreateCollection(ctx, vecwire.Schema{Name: "docs", Dim: 128, Index: vecwire.NoIndex})
	must(b, err)
	records := make([]vecwire.Record, len(base))
	for i, v := range base {
		records[i] = vecwire.Record{ID: strconv.Itoa(i), Vector: v, Text: "some text"}
	}
	must(b, docs.Upsert(ctx, records...))

	peer, err := chromem.NewDB().CreateCollection("docs", nil, nil)
	must(b, err)
	documents := make([]chromem.Document, len(base))
	for i, v := range base {
		documents[i] = chromem.Document{ID: strconv.Itoa(i), Embedding: v, Content: "some text"}
	}
	must(b, peer.AddDocuments(ctx, documents, 2))

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
	b.Log(fmt.Sprint(ours, " and ", theirs, " searches"))
}
