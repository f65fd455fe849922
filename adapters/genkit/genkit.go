// Package genkitvecwire is a plugin of Genkit's over vecwire: retrievers and indexing
// over collections, embedders in both directions, and rerankers.
//
//	p := &genkitvecwire.Vecwire{Embedders: []vecwire.Embedder{e}}
//	g := genkit.Init(ctx, genkit.WithPlugins(p))
//	store, retriever, err := genkitvecwire.DefineRetriever(ctx, g, p, &genkitvecwire.Config{Collection: docs})
//	err = genkitvecwire.Index(ctx, documents, store)
//	found, err := genkit.Retrieve(ctx, g, ai.WithRetriever(retriever), ai.WithTextDocs("how do I …"))
//
// A collection may be embedded or on a server; see [vecwire.Open].
//
// # Documents
//
// The text parts of a document, joined, are a record's text, and its Metadata the
// fields. A key of the metadata that is a field of the schema is that field; all other
// keys, of any shape, are kept in the JSON field "meta", or in that of Schema.Extra, and
// can be filtered by, too. On an engine without JSON a String field "meta" keeps them, and
// filters do not reach them.
//
//	Fields: []vecwire.Field{{Name: "lang", Index: true}, {Name: "meta", Type: vecwire.JSON}}
//
// Genkit's documents have no ID. That of a record is the text in the metadata's key
// "id" or, without one, is made of the text and the metadata: to index the same
// document again replaces it. A retrieved document has it in the key [IDKey], and is
// itself when it is indexed again. Parts of other kinds than text are refused.
//
// # Scores
//
// A retrieved document has its score in the metadata's key [ScoreKey], a float64: higher
// for a nearer one, the cosine from -1 to 1, or what the collection's metric says; see
// [vecwire.Hit].
package genkitvecwire

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"

	"github.com/firebase/genkit/go/ai"
	"github.com/firebase/genkit/go/core"
	"github.com/firebase/genkit/go/core/api"
	"github.com/firebase/genkit/go/genkit"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/adapters/internal/meta"
)

const provider = "vecwire"

// What a retrieved document has in its metadata beside its own.
const (
	IDKey    = "_id"    // the record's ID, a string
	ScoreKey = "_score" // a float64, higher is nearer
)

// Vecwire is the plugin. Init registers what its fields list.
type Vecwire struct {
	// Embedders become Genkit's, by the names "vecwire/" and the model's.
	Embedders []vecwire.Embedder
	// Rerankers become actions, by the names "vecwire/" and the key.
	Rerankers map[string]vecwire.Reranker
}

var _ api.Plugin = (*Vecwire)(nil)

// Name returns "vecwire".
func (*Vecwire) Name() string { return provider }

// Init implements Genkit's Plugin.
func (p *Vecwire) Init(context.Context) []api.Action {
	var actions []api.Action
	for _, e := range p.Embedders {
		actions = append(actions, NewEmbedder(e).(api.Action))
	}
	for name, r := range p.Rerankers {
		actions = append(actions, NewReranker(name, r))
	}
	return actions
}

// Config says what a retriever searches.
type Config struct {
	// Collection is searched, and takes the documents. Required.
	Collection *vecwire.Collection
	// Name is the retriever's, after "vecwire/". Defaults to the collection's.
	Name string
	// Embedder embeds documents and queries. Defaults to the collection's own; its
	// model is not compared with the collection's, see [FromEmbedder].
	Embedder ai.Embedder
	// EmbedderOptions are passed to Embedder.
	EmbedderOptions any
	// Query may change each query before it is asked: add Fusion, a Reranker, a
	// GroupBy and so on. Defaults to none.
	Query func(*vecwire.Query)
}

// DocStore is the collection behind a retriever.
type DocStore struct {
	// Collection has the verbs that Genkit lacks: to get, list, update, count and delete.
	Collection *vecwire.Collection

	cfg  Config
	meta meta.Mapper
}

// DefineRetriever defines a retriever over a collection, and returns it with the store
// that [Index] fills. The plugin may be nil.
func DefineRetriever(_ context.Context, g *genkit.Genkit, _ *Vecwire, cfg *Config) (*DocStore, ai.Retriever, error) {
	if cfg == nil || cfg.Collection == nil {
		return nil, nil, errors.New("vecwire: no Collection in the configuration")
	}
	s := cfg.Collection.Schema()
	name := cfg.Name
	if name == "" {
		name = s.Name
	}
	if genkit.LookupRetriever(g, api.NewName(provider, name)) != nil {
		return nil, nil, fmt.Errorf("vecwire: the retriever %q is defined already: give Config a Name", name)
	}
	ds := &DocStore{Collection: cfg.Collection, cfg: *cfg, meta: meta.Of(s)}
	o := &ai.RetrieverOptions{Label: "vecwire: " + name, ConfigSchema: core.InferSchemaMap(RetrieverOptions{})}
	return ds, genkit.DefineRetriever(g, api.NewName(provider, name), o, ds.Retrieve), nil
}

// Retriever returns the retriever of a name, nil if there is none.
func Retriever(g *genkit.Genkit, name string) ai.Retriever {
	return genkit.LookupRetriever(g, api.NewName(provider, name))
}

// RetrieverOptions are the options of one request: this struct, a pointer to it, or
// the same as JSON.
type RetrieverOptions struct {
	// K is how many documents are wanted. Defaults to 10.
	K int `json:"k,omitempty"`
	// Filter says which, as [github.com/vecwire/vecwire/filter.FromJSON] reads it: {"lang": "go", "year": {"$gte": 2020}}.
	Filter map[string]any `json:"filter,omitempty"`
	// MinScore leaves out documents that score less. 0 leaves out none.
	MinScore float64 `json:"minScore,omitempty"`
	// Namespace is the part of the collection that is searched. Defaults to all of it.
	Namespace string `json:"namespace,omitempty"`
}

// optionsOf reads a request's options. Unknown keys of JSON are refused.
func optionsOf[T any](given any) (o T, err error) {
	switch given := given.(type) {
	case nil:
		return o, nil
	case *T:
		if given != nil {
			o = *given
		}
		return o, nil
	case T:
		return given, nil
	}
	text, err := json.Marshal(given)
	if err == nil {
		d := json.NewDecoder(strings.NewReader(string(text)))
		d.DisallowUnknownFields()
		d.UseNumber() // of filters, exactly
		err = d.Decode(&o)
	}
	if err != nil {
		err = fmt.Errorf("vecwire: options of the type %T, want %T: %w", given, o, err)
	}
	return o, err
}

// Retrieve returns the documents nearest to the request's query, the best first.
func (ds *DocStore) Retrieve(ctx context.Context, req *ai.RetrieverRequest) (*ai.RetrieverResponse, error) {
	o, err := optionsOf[RetrieverOptions](req.Options)
	if err != nil {
		return nil, err
	}
	if req.Query == nil {
		return nil, errors.New("vecwire: the request has no query")
	}
	text, err := textOf(req.Query)
	if err != nil {
		return nil, fmt.Errorf("vecwire: the query: %w", err)
	}
	docs := ds.Collection
	if o.Namespace != "" {
		if docs, err = docs.Namespace(o.Namespace); err != nil {
			return nil, err
		}
	}
	q := vecwire.Query{Text: text, K: o.K, MinScore: o.MinScore}
	if q.Filter, err = ds.meta.Filter(o.Filter); err != nil {
		return nil, fmt.Errorf("vecwire: Filter: %w", err)
	}
	if ds.cfg.Query != nil {
		ds.cfg.Query(&q)
	}
	if ds.cfg.Embedder != nil && q.Vector == nil && q.Vector64 == nil && (q.Fusion == nil || !q.Fusion.TextOnly) {
		vectors, err := embedBy(ctx, ds.cfg.Embedder, ds.cfg.EmbedderOptions, []string{text})
		if err != nil {
			return nil, err
		}
		q.Vector = vectors[0]
		if q.Fusion == nil && q.Reranker == nil {
			q.Text = "" // which only they read beside a vector
		}
	}
	hits, err := docs.Search(ctx, q)
	if err != nil {
		return nil, err
	}
	out := &ai.RetrieverResponse{Documents: make([]*ai.Document, len(hits))}
	for i, h := range hits {
		metadata, err := ds.meta.Metadata(h.Fields)
		if err != nil {
			return nil, err
		}
		metadata[IDKey], metadata[ScoreKey] = h.ID, h.Score
		out.Documents[i] = ai.DocumentFromText(h.Text, metadata)
	}
	return out, nil
}

// Index stores documents, all or none of them, and embeds them in one call. Each
// replaces the record of its ID. If some are refused, the error is a
// [*vecwire.BatchError] that lists them.
func Index(ctx context.Context, docs []*ai.Document, ds *DocStore) error {
	return ds.index(ctx, docs, ds.Collection)
}

// IndexNamespace is Index for a part of the collection, see
// [vecwire.Collection.Namespace].
func IndexNamespace(ctx context.Context, docs []*ai.Document, ds *DocStore, namespace string) error {
	part, err := ds.Collection.Namespace(namespace)
	if err != nil {
		return err
	}
	return ds.index(ctx, docs, part)
}

func (ds *DocStore) index(ctx context.Context, docs []*ai.Document, into *vecwire.Collection) error {
	records := make([]vecwire.Record, len(docs))
	var failed []vecwire.RecordError
	for i, doc := range docs {
		var err error
		if records[i], err = ds.record(doc); err != nil {
			failed = append(failed, vecwire.RecordError{ID: records[i].ID, Index: i, Err: err})
		}
	}
	if failed != nil {
		return fmt.Errorf("vecwire: %w", &vecwire.BatchError{Total: len(docs), Failed: failed})
	}
	if ds.cfg.Embedder != nil && len(records) > 0 {
		texts := make([]string, len(records))
		for i, r := range records {
			texts[i] = r.Text
		}
		vectors, err := embedBy(ctx, ds.cfg.Embedder, ds.cfg.EmbedderOptions, texts)
		if err != nil {
			return err
		}
		for i, v := range vectors {
			records[i].Vector = v
		}
	}
	return into.Upsert(ctx, records...)
}

func (ds *DocStore) record(doc *ai.Document) (r vecwire.Record, err error) {
	if doc == nil {
		return r, errors.New("it is nil")
	}
	metadata := maps.Clone(doc.Metadata)
	r.ID, _ = metadata[IDKey].(string)
	delete(metadata, IDKey)
	delete(metadata, ScoreKey)
	if r.ID == "" {
		r.ID, _ = metadata["id"].(string)
	}
	if r.Text, err = textOf(doc); err != nil {
		return r, err
	}
	if r.ID == "" {
		if r.ID, err = meta.ID(r.Text, metadata); err != nil {
			return r, err
		}
	}
	r.Fields, err = ds.meta.Fields(metadata)
	return r, err
}

// textOf returns the text of a document.
func textOf(doc *ai.Document) (string, error) {
	var b strings.Builder
	for i, part := range doc.Content {
		if !part.IsText() {
			return "", fmt.Errorf("%w: parts of other kinds than text, such as part %d", vecwire.ErrUnsupported, i)
		}
		b.WriteString(part.Text)
	}
	return b.String(), nil
}
