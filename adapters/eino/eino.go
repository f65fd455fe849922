// Package eino makes of a vecwire collection what eino's graphs are built of: an
// Indexer, a Retriever, and Embedders in both directions.
//
//	indexer, err := eino.NewIndexer(ctx, &eino.IndexerConfig{Collection: docs})
//	retriever, err := eino.NewRetriever(ctx, &eino.RetrieverConfig{Collection: docs, TopK: 5})
//
// The collection may be embedded or on a server; see [vecwire.Open]. Everything that
// eino's interfaces lack, such as to update, delete, list and count, is a verb of the
// collection itself.
//
// # Documents
//
// A document is the record of its ID: Content is its text, and MetaData its fields. A
// key of the metadata that is a field of the schema is that field; all other keys, of
// any shape, are kept in the JSON field "meta", or in that of Schema.Extra, and can be
// filtered by, too. On an engine without JSON a String field "meta" keeps them, and
// filters do not reach them.
//
//	Fields: []vecwire.Field{{Name: "lang", Index: true}, {Name: "meta", Type: vecwire.JSON}}
//
// A document that has a DenseVector is stored with it, and any other is embedded: by
// the Embedding of the call or the configuration, or else by the collection's own
// embedder. All documents of a call are embedded and stored together. To store one
// again replaces it. A sparse vector is refused.
//
// Sub-indexes are the collection's namespaces, see [vecwire.Collection.Namespace].
//
// # Scores
//
// A retrieved document's Score is higher for a nearer one: the cosine from -1 to 1,
// or what the collection's metric says; see [vecwire.Hit]. Only documents with a
// greater score than ScoreThreshold are retrieved.
package eino

import (
	"context"
	"errors"
	"fmt"

	"github.com/cloudwego/eino/callbacks"
	"github.com/cloudwego/eino/components"
	"github.com/cloudwego/eino/components/embedding"
	"github.com/cloudwego/eino/schema"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/adapters/internal/meta"
)

const typ = "Vecwire"

var errNoCollection = errors.New("vecwire: no Collection in the configuration")

// What eino keeps in a document's metadata that is not the document's own.
const (
	keyVector     = "_dense_vector"
	keySparse     = "_sparse_vector"
	keyScore      = "_score"
	keySubIndexes = "_sub_indexes"
)

// record returns a document as a record.
func record(m meta.Mapper, doc *schema.Document) (r vecwire.Record, err error) {
	if doc == nil {
		return r, errors.New("it is nil")
	}
	own := make(map[string]any, len(doc.MetaData))
	for key, value := range doc.MetaData {
		switch key {
		case keySparse:
			return r, fmt.Errorf("%w: sparse vectors", vecwire.ErrUnsupported)
		case keyVector, keyScore, keySubIndexes:
		default:
			own[key] = value
		}
	}
	r = vecwire.Record{ID: doc.ID, Text: doc.Content}
	if r.ID == "" {
		if r.ID, err = meta.ID(doc.Content, own); err != nil {
			return r, err
		}
	}
	r.Fields, err = m.Fields(own)
	return r, err
}

// document returns a hit as a document.
func document(m meta.Mapper, h vecwire.Hit) (*schema.Document, error) {
	metadata, err := m.Metadata(h.Fields)
	if err != nil {
		return nil, err
	}
	doc := (&schema.Document{ID: h.ID, Content: h.Text, MetaData: metadata}).WithScore(h.Score)
	switch {
	case h.Vector64 != nil:
		doc.WithDenseVector(h.Vector64)
	case h.Vector != nil:
		doc.WithDenseVector(widen(h.Vector))
	}
	return doc, nil
}

// setVector gives a record or query a vector of the collection's element type.
func setVector(s vecwire.Schema, single *[]float32, double *[]float64, v []float64) {
	if s.Element == vecwire.DOUBLE {
		*double = v
		return
	}
	*single = narrow(v)
}

func narrow(v []float64) []float32 {
	out := make([]float32, len(v))
	for i, x := range v {
		out[i] = float32(x)
	}
	return out
}

func widen(v []float32) []float64 {
	out := make([]float64, len(v))
	for i, x := range v {
		out[i] = float64(x)
	}
	return out
}

// embedStrings embeds by an Embedder of eino's, as a part of the component's run.
func embedStrings(ctx context.Context, e embedding.Embedder, texts []string) ([][]float64, error) {
	info := &callbacks.RunInfo{Component: components.ComponentOfEmbedding}
	info.Type, _ = components.GetType(e)
	info.Name = info.Type + string(info.Component)
	vectors, err := e.EmbedStrings(callbacks.ReuseHandlers(ctx, info), texts)
	if err == nil && len(vectors) != len(texts) {
		err = fmt.Errorf("vecwire: the embedder returned %d vectors for %d texts", len(vectors), len(texts))
	}
	return vectors, err
}
