package eino

import (
	"context"
	"fmt"

	"github.com/cloudwego/eino/callbacks"
	"github.com/cloudwego/eino/components"
	"github.com/cloudwego/eino/components/embedding"
	"github.com/cloudwego/eino/components/indexer"
	"github.com/cloudwego/eino/schema"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/adapters/internal/meta"
)

// IndexerConfig says where an [Indexer] stores.
type IndexerConfig struct {
	// Collection takes the documents. Required.
	Collection *vecwire.Collection
	// Embedding embeds documents without a vector. Defaults to the collection's own
	// embedder; its model is not compared with the collection's.
	Embedding embedding.Embedder
}

// Indexer stores documents in a collection. It is safe for concurrent use.
type Indexer struct {
	cfg  IndexerConfig
	meta meta.Mapper
}

var _ indexer.Indexer = (*Indexer)(nil)

// NewIndexer returns an Indexer. It returns an error if there is no collection.
func NewIndexer(_ context.Context, cfg *IndexerConfig) (*Indexer, error) {
	if cfg == nil || cfg.Collection == nil {
		return nil, errNoCollection
	}
	return &Indexer{*cfg, meta.Of(cfg.Collection.Schema())}, nil
}

// GetType returns "Vecwire".
func (*Indexer) GetType() string { return typ }

// IsCallbacksEnabled returns true: Store calls the handlers itself.
func (*Indexer) IsCallbacksEnabled() bool { return true }

// Store stores documents and returns their IDs, in their order. Each replaces the
// record of its ID; one without an ID is given one made of its content and metadata,
// the same each time. All documents are stored or none, where all of them go into the
// same sub-indexes; see [vecwire.Collection.Upsert]. A document goes into its own
// sub-indexes or, if it has none, into those of the call.
//
// The error is a [*vecwire.BatchError] if documents are refused, and names them.
func (i *Indexer) Store(ctx context.Context, docs []*schema.Document, opts ...indexer.Option) (ids []string, err error) {
	o := indexer.GetCommonOptions(&indexer.Options{Embedding: i.cfg.Embedding}, opts...)
	ctx = callbacks.EnsureRunInfo(ctx, i.GetType(), components.ComponentOfIndexer)
	ctx = callbacks.OnStart(ctx, &indexer.CallbackInput{Docs: docs})
	defer func() {
		if err != nil {
			callbacks.OnError(ctx, err)
			return
		}
		callbacks.OnEnd(ctx, &indexer.CallbackOutput{IDs: ids})
	}()

	records, err := i.records(ctx, docs, o.Embedding)
	if err != nil {
		return nil, err
	}
	ids = make([]string, len(records))
	into := map[string][]vecwire.Record{}
	var order []string
	for n, r := range records {
		ids[n] = r.ID
		subs := docs[n].SubIndexes()
		if len(subs) == 0 {
			subs = o.SubIndexes
		}
		if len(subs) == 0 {
			subs = []string{""}
		}
		for _, sub := range subs {
			if into[sub] == nil {
				order = append(order, sub)
			}
			into[sub] = append(into[sub], r)
		}
	}
	for _, sub := range order {
		c, err := part(i.cfg.Collection, sub)
		if err != nil {
			return nil, err
		}
		if err := c.Upsert(ctx, into[sub]...); err != nil {
			return nil, err
		}
	}
	return ids, nil
}

// records returns documents as records, with vectors by an Embedder if there is one.
func (i *Indexer) records(ctx context.Context, docs []*schema.Document, e embedding.Embedder) ([]vecwire.Record, error) {
	s := i.cfg.Collection.Schema()
	records := make([]vecwire.Record, len(docs))
	var failed []vecwire.RecordError
	var texts []string
	var places []int
	for n, doc := range docs {
		r, err := record(i.meta, doc)
		if err != nil {
			failed = append(failed, vecwire.RecordError{ID: r.ID, Index: n, Err: err})
			continue
		}
		if v := doc.DenseVector(); v != nil {
			setVector(s, &r.Vector, &r.Vector64, v)
		} else if e != nil {
			texts, places = append(texts, doc.Content), append(places, n)
		}
		records[n] = r
	}
	if failed != nil {
		return nil, fmt.Errorf("vecwire: %w", &vecwire.BatchError{Total: len(docs), Failed: failed})
	}
	if texts == nil {
		return records, nil
	}
	vectors, err := embedStrings(ctx, e, texts)
	if err != nil {
		return nil, err
	}
	for n, v := range vectors {
		r := &records[places[n]]
		setVector(s, &r.Vector, &r.Vector64, v)
	}
	return records, nil
}

// part returns a namespace, or the collection for "".
func part(c *vecwire.Collection, sub string) (*vecwire.Collection, error) {
	if sub == "" {
		return c, nil
	}
	return c.Namespace(sub)
}
