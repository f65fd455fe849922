package peer

import (
	"context"
	"strconv"

	"github.com/philippgille/chromem-go"

	"github.com/vecwire/vecwire/bench/contest"
	"github.com/vecwire/vecwire/codec"
)

// chromemEngine is chromem-go: exact, by cosine.
type chromemEngine struct {
	loaded
	docs *chromem.Collection
}

func (e *chromemEngine) Version() string { return version("github.com/philippgille/chromem-go") }

func (e *chromemEngine) Build(ctx context.Context) error {
	if _, err := metricOf(e.build, codec.Cosine); err != nil {
		return err
	}
	var err error
	if e.docs, err = chromem.NewDB().CreateCollection("docs", nil, nil); err != nil {
		return err
	}
	documents := make([]chromem.Document, e.base.Rows())
	for row := range documents {
		documents[row] = chromem.Document{ID: strconv.Itoa(row), Embedding: e.base.Row(row), Content: text}
	}
	return e.docs.AddDocuments(ctx, documents, e.build.Threads)
}

func (e *chromemEngine) Searcher(string) (contest.Searcher, error) {
	return &chromemSearcher{docs: e.docs}, nil
}

type chromemSearcher struct {
	docs  *chromem.Collection
	found []chromem.Result
}

func (s *chromemSearcher) Search(ctx context.Context, q []float32, k, _ int) (err error) {
	s.found, err = s.docs.QueryEmbedding(ctx, q, k, nil, nil)
	return err
}

func (s *chromemSearcher) Answer(dst []int32) ([]int32, error) {
	return rowsOf(dst, s.found, func(r chromem.Result) string { return r.ID })
}
