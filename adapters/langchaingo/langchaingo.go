// Package langchaingo makes a vector store of langchaingo's of a vecwire collection,
// and embedders in both directions.
//
//	store, err := langchaingo.New(docs)
//	ids, err := store.AddDocuments(ctx, documents)
//	found, err := store.SimilaritySearch(ctx, "how do I …", 5, vectorstores.WithFilters(map[string]any{"lang": "go"}))
//
// The collection may be embedded or on a server; see [vecwire.Open].
//
// # Documents
//
// PageContent is a record's text, and Metadata its fields. A key of the metadata that
// is a field of the schema is that field; all other keys, of any shape, are kept in the
// JSON field "meta", or in that of Schema.Extra, and can be filtered by, too. On an engine
// without JSON a String field "meta" keeps them, and filters do not reach them.
//
//	Fields: []vecwire.Field{{Name: "lang", Index: true}, {Name: "meta", Type: vecwire.JSON}}
//
// langchaingo's documents have no ID. That of a record is the text in the metadata's
// key "id" or, without one, is made of the content and the metadata: to add the same
// document again replaces it, and does not store it twice. All documents of a call are
// embedded and stored together.
//
// # Scores
//
// A found document's Score is higher for a nearer one: the cosine from -1 to 1, or
// what the collection's metric says; see [vecwire.Hit].
//
// # Options
//
// WithNameSpace names a namespace of the collection, see
// [vecwire.Collection.Namespace]. WithScoreThreshold leaves out documents that score
// less; 0 leaves out none. WithFilters takes a map of conditions, as
// [filter.FromJSON] reads them, or a [filter.Filter]. WithEmbedder embeds in place of
// the collection's embedder. WithDeduplicater leaves out documents before they are
// embedded. An option that a call has no use for is an error.
package langchaingo

import (
	"context"
	"errors"
	"fmt"

	"github.com/tmc/langchaingo/embeddings"
	"github.com/tmc/langchaingo/schema"
	"github.com/tmc/langchaingo/vectorstores"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/adapters/internal/meta"
	"github.com/vecwire/vecwire/filter"
)

// Store is a collection as a vector store. It is safe for concurrent use.
type Store struct {
	docs     *vecwire.Collection
	meta     meta.Mapper
	embedder embeddings.Embedder // nil for the collection's own
	query    func(*vecwire.Query)
}

var _ vectorstores.VectorStore = (*Store)(nil)

// Option says how a [Store] works.
type Option func(*Store)

// WithEmbedder embeds by an embedder of langchaingo's in place of the collection's
// own. Its model is not compared with the collection's; see [FromEmbedder].
func WithEmbedder(e embeddings.Embedder) Option { return func(s *Store) { s.embedder = e } }

// WithQuery changes each query before it is asked: to add Fusion, a Reranker, a
// GroupBy and so on.
func WithQuery(change func(*vecwire.Query)) Option { return func(s *Store) { s.query = change } }

// New returns a Store over a collection. It returns an error if there is none.
func New(docs *vecwire.Collection, opts ...Option) (*Store, error) {
	if docs == nil {
		return nil, errors.New("vecwire: the collection is nil")
	}
	s := &Store{docs: docs, meta: meta.Of(docs.Schema())}
	for _, opt := range opts {
		opt(s)
	}
	return s, nil
}

// call applies the options of a call. The collection is that of the namespace.
func (s *Store) call(options []vectorstores.Option) (o vectorstores.Options, docs *vecwire.Collection, err error) {
	o.Embedder = s.embedder
	for _, opt := range options {
		opt(&o)
	}
	if o.NameSpace == "" {
		return o, s.docs, nil
	}
	docs, err = s.docs.Namespace(o.NameSpace)
	return o, docs, err
}

func unsupported(option, call string) error {
	return fmt.Errorf("%w: %s in %s", vecwire.ErrUnsupported, option, call)
}

// AddDocuments stores documents and returns their IDs, in their order. Each replaces
// the record of its ID. All are stored or none: if some are refused, the error is a
// [*vecwire.BatchError] that lists them.
func (s *Store) AddDocuments(ctx context.Context, docs []schema.Document, options ...vectorstores.Option) ([]string, error) {
	o, into, err := s.call(options)
	switch {
	case err != nil:
		return nil, err
	case o.Filters != nil:
		return nil, unsupported("WithFilters", "AddDocuments")
	case o.ScoreThreshold != 0:
		return nil, unsupported("WithScoreThreshold", "AddDocuments")
	}
	var records []vecwire.Record
	var failed []vecwire.RecordError
	for i, doc := range docs {
		if o.Deduplicater != nil && o.Deduplicater(ctx, doc) {
			continue
		}
		r, err := s.record(doc)
		if err != nil {
			failed = append(failed, vecwire.RecordError{ID: r.ID, Index: i, Err: err})
			continue
		}
		records = append(records, r)
	}
	if failed != nil {
		return nil, fmt.Errorf("vecwire: %w", &vecwire.BatchError{Total: len(docs), Failed: failed})
	}
	if o.Embedder != nil && len(records) > 0 {
		texts := make([]string, len(records))
		for i, r := range records {
			texts[i] = r.Text
		}
		vectors, err := o.Embedder.EmbedDocuments(ctx, texts)
		if err == nil && len(vectors) != len(texts) {
			err = fmt.Errorf("vecwire: the embedder returned %d vectors for %d texts", len(vectors), len(texts))
		}
		if err != nil {
			return nil, err
		}
		for i, v := range vectors {
			records[i].Vector = v
		}
	}
	ids := make([]string, len(records))
	for i, r := range records {
		ids[i] = r.ID
	}
	return ids, into.Upsert(ctx, records...)
}

func (s *Store) record(doc schema.Document) (r vecwire.Record, err error) {
	r.Text = doc.PageContent
	if r.ID, _ = doc.Metadata["id"].(string); r.ID == "" {
		if r.ID, err = meta.ID(doc.PageContent, doc.Metadata); err != nil {
			return r, err
		}
	}
	r.Fields, err = s.meta.Fields(doc.Metadata)
	return r, err
}

// SimilaritySearch returns the documents nearest to a query, the best first, with
// their scores.
func (s *Store) SimilaritySearch(ctx context.Context, query string, numDocuments int, options ...vectorstores.Option) ([]schema.Document, error) {
	o, in, err := s.call(options)
	if err != nil {
		return nil, err
	}
	q := vecwire.Query{Text: query, K: numDocuments, MinScore: float64(o.ScoreThreshold)}
	switch {
	case numDocuments < 1:
		return nil, &vecwire.ValueError{Field: "numDocuments", Pos: -1, Want: "a positive number", Got: fmt.Sprint(numDocuments)}
	case o.Deduplicater != nil:
		return nil, unsupported("WithDeduplicater", "SimilaritySearch")
	}
	if q.Filter, err = s.filterOf(o.Filters); err != nil {
		return nil, err
	}
	if s.query != nil {
		s.query(&q)
	}
	if o.Embedder != nil && q.Vector == nil && q.Vector64 == nil && (q.Fusion == nil || !q.Fusion.TextOnly) {
		if q.Vector, err = o.Embedder.EmbedQuery(ctx, query); err != nil {
			return nil, err
		}
		if q.Fusion == nil && q.Reranker == nil {
			q.Text = "" // which only they read beside a vector
		}
	}
	hits, err := in.Search(ctx, q)
	if err != nil {
		return nil, err
	}
	docs := make([]schema.Document, len(hits))
	for i, h := range hits {
		metadata, err := s.meta.Metadata(h.Fields)
		if err != nil {
			return nil, err
		}
		docs[i] = schema.Document{PageContent: h.Text, Metadata: metadata, Score: float32(h.Score)}
	}
	return docs, nil
}

// Delete removes documents by the IDs that AddDocuments returned, and returns how
// many there were. Of the options it takes WithNameSpace, and WithFilters, which
// deletes all documents that pass in place of IDs.
func (s *Store) Delete(ctx context.Context, ids []string, options ...vectorstores.Option) (int, error) {
	o, from, err := s.call(options)
	if err != nil {
		return 0, err
	}
	if o.Filters == nil {
		return from.Delete(ctx, ids...)
	}
	if len(ids) > 0 {
		return 0, unsupported("WithFilters beside IDs", "Delete")
	}
	f, err := s.filterOf(o.Filters)
	if err != nil {
		return 0, err
	}
	return from.DeleteWhere(ctx, f)
}

// filterOf reads what WithFilters was given.
func (s *Store) filterOf(filters any) (filter.Filter, error) {
	switch f := filters.(type) {
	case nil:
		return filter.Filter{}, nil
	case filter.Filter:
		return f, nil
	case map[string]any:
		parsed, err := s.meta.Filter(f)
		if err != nil {
			return filter.Filter{}, fmt.Errorf("vecwire: WithFilters: %w", err)
		}
		return parsed, nil
	}
	return filter.Filter{}, &vecwire.ValueError{
		Field: "WithFilters", Pos: -1, Want: "a map[string]any or a filter.Filter", Got: fmt.Sprintf("%T", filters),
	}
}
