package peer

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/bench/contest"
	"github.com/vecwire/vecwire/bench/dataset"
)

// The ways to search through the public API.
const (
	IDsOnly = "ids"     // IDs and scores
	Payload = "payload" // the text and the fields too
)

// collection is the embedded engine of ours through the public API, and beside it a
// bare index over the same vectors: what the API costs is small, and would be lost
// in what two processes differ by.
type collection struct {
	loaded
	index bool // build a graph
	db    *vecwire.DB
	docs  *vecwire.Collection
	bare  contest.Engine // nil until it is searched
}

func (e *collection) Version() string { return "this commit" }

func (e *collection) Build(ctx context.Context) error {
	metric, err := metricOf(e.build, vecwire.L2, vecwire.Cosine)
	if err != nil {
		return err
	}
	if e.db, err = vecwire.Open(ctx, "mem:"); err != nil {
		return err
	}
	if e.docs, err = e.db.CreateCollection(ctx, schema(metric)); err != nil {
		return err
	}
	if err := store(ctx, e.docs.Upsert, e.base); err != nil {
		return err
	}
	e.base = nil
	if !e.index {
		return nil
	}
	return e.docs.BuildIndex(ctx, vecwire.IndexOptions{M: graphM, EfConstruction: graphEfConstruction, Workers: e.build.Threads})
}

func (e *collection) Close() error {
	if e.db == nil {
		return nil
	}
	return e.db.Close()
}

func (e *collection) Searcher(variant string) (contest.Searcher, error) {
	if variant != Bare {
		return newDocsSearcher(e.docs, variant, e.index)
	}
	if e.bare == nil {
		base, err := dataset.Load(e.build.Base, e.build.Rows)
		if err != nil {
			return nil, err
		}
		of := loaded{build: e.build, base: base}
		bare := contest.Engine(&arena{loaded: of})
		if e.index {
			bare = &graph{arena: arena{loaded: of}}
		}
		if err := bare.Build(context.Background()); err != nil {
			return nil, err
		}
		e.bare = bare
	}
	return e.bare.Searcher("")
}

func schema(metric vecwire.Metric) vecwire.Schema {
	return vecwire.Schema{
		Name: "docs", Dim: dataset.Dim, Metric: metric, Index: vecwire.NoIndex,
		Fields: []vecwire.Field{{Name: "lang"}, {Name: "year", Type: vecwire.Int}},
	}
}

// text is what each record carries, the length of a paragraph.
var text = strings.Repeat("a paragraph of some length ", 18)

// store gives the rows to f in batches, as records with a text and two fields.
func store(ctx context.Context, f func(context.Context, ...vecwire.Record) error, base dataset.Matrix) error {
	const batch = 10_000
	records := make([]vecwire.Record, 0, batch)
	for row := range base.Rows() {
		records = append(records, vecwire.Record{
			ID: strconv.Itoa(row), Vector: base.Row(row), Text: text,
			Fields: vecwire.Fields{"lang": "en", "year": 1990 + row%30},
		})
		if len(records) == batch || row == base.Rows()-1 {
			if err := f(ctx, records...); err != nil {
				return err
			}
			records = records[:0]
		}
	}
	return nil
}

// docsSearcher searches a collection of any of our engines.
type docsSearcher struct {
	docs    *vecwire.Collection
	idsOnly bool
	effort  bool // pass the effort on
	hits    []vecwire.Hit
}

func newDocsSearcher(docs *vecwire.Collection, variant string, effort bool) (contest.Searcher, error) {
	if variant != IDsOnly && variant != Payload {
		return nil, fmt.Errorf("no variant %q", variant)
	}
	return &docsSearcher{docs: docs, idsOnly: variant == IDsOnly, effort: effort}, nil
}

func (s *docsSearcher) Search(ctx context.Context, q []float32, k, ef int) (err error) {
	query := vecwire.Query{Vector: q, K: k, IDsOnly: s.idsOnly}
	if s.effort {
		query.Effort = ef
	}
	s.hits, err = s.docs.Search(ctx, query)
	return err
}

func (s *docsSearcher) Answer(dst []int32) ([]int32, error) {
	return rowsOf(dst, s.hits, func(h vecwire.Hit) string { return h.ID })
}
