package eino

import (
	"context"
	"fmt"
	"math"

	"github.com/cloudwego/eino/callbacks"
	"github.com/cloudwego/eino/components"
	"github.com/cloudwego/eino/components/embedding"
	"github.com/cloudwego/eino/components/retriever"
	"github.com/cloudwego/eino/schema"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/adapters/internal/meta"
	"github.com/vecwire/vecwire/filter"
)

// RetrieverConfig says where a [Retriever] searches.
type RetrieverConfig struct {
	// Collection is searched. Required.
	Collection *vecwire.Collection
	// Embedding embeds queries. Defaults to the collection's own embedder; its model
	// is not compared with the collection's.
	Embedding embedding.Embedder
	// TopK is how many documents are retrieved. Defaults to 10.
	TopK int
	// ScoreThreshold leaves out documents whose score is not greater. Defaults to none.
	ScoreThreshold *float64
	// Query may change each query before it is asked: add Fusion, a Reranker, a
	// GroupBy, Vectors and so on. Defaults to none.
	Query func(*vecwire.Query)
}

// Retriever searches a collection. It is safe for concurrent use.
type Retriever struct {
	cfg  RetrieverConfig
	meta meta.Mapper
}

var _ retriever.Retriever = (*Retriever)(nil)

// NewRetriever returns a Retriever. It returns an error if there is no collection.
func NewRetriever(_ context.Context, cfg *RetrieverConfig) (*Retriever, error) {
	if cfg == nil || cfg.Collection == nil {
		return nil, errNoCollection
	}
	return &Retriever{*cfg, meta.Of(cfg.Collection.Schema())}, nil
}

// options are those of a call that only this package has.
type options struct {
	filter filter.Filter
	query  func(*vecwire.Query)
}

// WithFilter retrieves only documents that pass f, beside those of a DSLInfo.
func WithFilter(f filter.Filter) retriever.Option {
	return retriever.WrapImplSpecificOptFn(func(o *options) { o.filter = f })
}

// WithQuery changes the query of one call, after RetrieverConfig.Query.
func WithQuery(change func(*vecwire.Query)) retriever.Option {
	return retriever.WrapImplSpecificOptFn(func(o *options) { o.query = change })
}

// GetType returns "Vecwire".
func (*Retriever) GetType() string { return typ }

// IsCallbacksEnabled returns true: Retrieve calls the handlers itself.
func (*Retriever) IsCallbacksEnabled() bool { return true }

// Retrieve returns the documents nearest to the query, the best first, with their
// scores. Of eino's options, SubIndex is a namespace, Index must be the collection's
// name, and DSLInfo is a filter as [filter.FromJSON] reads it:
//
//	retriever.WithDSLInfo(map[string]any{"lang": "go", "year": map[string]any{"$gte": 2020}})
//
// A key that is no field is a path into the metadata that has none, such as
// "author.name". Where the schema has no JSON field for it, it is an error.
func (r *Retriever) Retrieve(ctx context.Context, query string, opts ...retriever.Option) (docs []*schema.Document, err error) {
	topK := r.cfg.TopK
	if topK == 0 {
		topK = vecwire.DefaultK
	}
	o := retriever.GetCommonOptions(&retriever.Options{
		TopK: &topK, ScoreThreshold: r.cfg.ScoreThreshold, Embedding: r.cfg.Embedding,
	}, opts...)
	own := retriever.GetImplSpecificOptions(&options{}, opts...)
	dsl, err := r.meta.Filter(o.DSLInfo)
	if err != nil {
		err = fmt.Errorf("vecwire: DSLInfo: %w", err)
	}
	passing := filter.And(dsl, own.filter)

	ctx = callbacks.EnsureRunInfo(ctx, r.GetType(), components.ComponentOfRetriever)
	ctx = callbacks.OnStart(ctx, &retriever.CallbackInput{
		Query: query, TopK: *o.TopK, Filter: passing.String(), ScoreThreshold: o.ScoreThreshold,
	})
	defer func() {
		if err != nil {
			callbacks.OnError(ctx, err)
			return
		}
		callbacks.OnEnd(ctx, &retriever.CallbackOutput{Docs: docs})
	}()
	if err != nil {
		return nil, err
	}

	c := r.cfg.Collection
	if o.SubIndex != nil {
		if c, err = part(c, *o.SubIndex); err != nil {
			return nil, err
		}
	}
	if name := c.Schema().Name; o.Index != nil && *o.Index != name {
		return nil, &vecwire.ValueError{Field: "Index", Pos: -1, Want: "the collection's name, " + name, Got: *o.Index}
	}
	q := vecwire.Query{Text: query, K: *o.TopK, Filter: passing}
	if q.K < 1 {
		return nil, &vecwire.ValueError{Field: "TopK", Pos: -1, Want: "a positive number", Got: fmt.Sprint(q.K)}
	}
	if o.ScoreThreshold != nil {
		q.MinScore = math.Nextafter(*o.ScoreThreshold, math.Inf(1))
	}
	for _, change := range []func(*vecwire.Query){r.cfg.Query, own.query} {
		if change != nil {
			change(&q)
		}
	}
	if err := r.embed(ctx, &q, o.Embedding); err != nil {
		return nil, err
	}
	hits, err := c.Search(ctx, q)
	if err != nil {
		return nil, err
	}
	docs = make([]*schema.Document, len(hits))
	for i, h := range hits {
		if docs[i], err = document(r.meta, h); err != nil {
			return nil, err
		}
	}
	return docs, nil
}

// embed gives the query a vector by an Embedder of eino's, if there is one. The text
// stays only for those steps that read it.
func (r *Retriever) embed(ctx context.Context, q *vecwire.Query, e embedding.Embedder) error {
	if e == nil || q.Vector != nil || q.Vector64 != nil || q.Fusion != nil && q.Fusion.TextOnly {
		return nil
	}
	vectors, err := embedStrings(ctx, e, []string{q.Text})
	if err != nil {
		return err
	}
	setVector(r.cfg.Collection.Schema(), &q.Vector, &q.Vector64, vectors[0])
	if q.Fusion == nil && q.Reranker == nil {
		q.Text = ""
	}
	return nil
}
