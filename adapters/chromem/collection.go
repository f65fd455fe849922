package chromem

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"sync"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/adapters/internal/meta"
	"github.com/vecwire/vecwire/embed"
	"github.com/vecwire/vecwire/filter"
)

// Collection holds documents. It is safe for concurrent use.
type Collection struct {
	Name string

	db       *DB
	metadata map[string]string
	embed    EmbeddingFunc // nil if the collection was only listed

	mu   sync.Mutex
	docs *vecwire.Collection // nil until there is a document
}

// Vecwire returns the collection of vecwire's that has the documents. It is not there
// before the first document, which says the dimension: then the error is
// [vecwire.ErrNotFound].
func (c *Collection) Vecwire(ctx context.Context) (*vecwire.Collection, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.docs == nil {
		docs, err := c.db.db.OpenCollection(ctx, vecwireName(c.Name))
		if err != nil {
			return nil, err
		}
		c.docs = docs
	}
	return c.docs, nil
}

// made returns the collection of vecwire's, and makes it if there is none.
func (c *Collection) made(ctx context.Context, dim int) (*vecwire.Collection, error) {
	docs, err := c.Vecwire(ctx)
	if !errors.Is(err, vecwire.ErrNotFound) {
		return docs, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.docs, err = c.db.db.EnsureCollection(ctx, c.db.schema(c.Name, dim))
	return c.docs, err
}

// Add stores documents whose parts come as lists of one length; embeddings, metadatas
// and contents may be left out.
func (c *Collection) Add(ctx context.Context, ids []string, embeddings [][]float32, metadatas []map[string]string, contents []string) error {
	return c.AddConcurrently(ctx, ids, embeddings, metadatas, contents, 1)
}

// AddConcurrently is Add, with so many texts being embedded at the same time.
func (c *Collection) AddConcurrently(ctx context.Context, ids []string, embeddings [][]float32, metadatas []map[string]string, contents []string, concurrency int) error {
	switch {
	case len(ids) == 0:
		return errors.New("ids are empty")
	case len(embeddings) == 0 && len(contents) == 0:
		return errors.New("either embeddings or contents must be filled")
	case len(embeddings) != 0 && len(embeddings) != len(ids):
		return errors.New("ids and embeddings must have the same length")
	case len(metadatas) != 0 && len(metadatas) != len(ids):
		return errors.New("when metadatas is not empty it must have the same length as ids")
	case len(contents) != 0 && len(contents) != len(ids):
		return errors.New("ids and contents must have the same length")
	}
	docs := make([]Document, len(ids))
	for i, id := range ids {
		docs[i].ID = id
		if len(embeddings) > 0 {
			docs[i].Embedding = embeddings[i]
		}
		if len(metadatas) > 0 {
			docs[i].Metadata = metadatas[i]
		}
		if len(contents) > 0 {
			docs[i].Content = contents[i]
		}
	}
	return c.AddDocuments(ctx, docs, concurrency)
}

// AddDocuments stores documents, with so many of them being embedded at the same time.
// Each replaces the document of its ID. All are stored, or none.
func (c *Collection) AddDocuments(ctx context.Context, documents []Document, concurrency int) error {
	switch {
	case len(documents) == 0:
		return errors.New("documents slice is nil or empty")
	case concurrency < 1:
		return errors.New("concurrency must be at least 1")
	}
	documents = slices.Clone(documents)
	var lacking []int
	for i := range documents {
		if err := documents[i].check(); err != nil {
			return fmt.Errorf("couldn't add document '%s': %w", documents[i].ID, err)
		}
		if len(documents[i].Embedding) == 0 {
			lacking = append(lacking, i)
		}
	}
	if err := c.embedAll(ctx, documents, lacking, concurrency); err != nil {
		return err
	}
	docs, err := c.made(ctx, len(documents[0].Embedding))
	if err != nil {
		return err
	}
	m := meta.Of(docs.Schema())
	records := make([]vecwire.Record, len(documents))
	for i, d := range documents {
		records[i] = vecwire.Record{ID: d.ID, Vector: normalized(d.Embedding), Text: d.Content}
		if records[i].Fields, err = m.Fields(values(d.Metadata)); err != nil {
			return fmt.Errorf("couldn't add document '%s': %w", d.ID, err)
		}
	}
	return docs.Upsert(ctx, records...)
}

// AddDocument stores a document.
func (c *Collection) AddDocument(ctx context.Context, doc Document) error {
	return c.AddDocuments(ctx, []Document{doc}, 1)
}

// embedAll embeds the documents at some places. The first says what the dimension is.
func (c *Collection) embedAll(ctx context.Context, documents []Document, places []int, concurrency int) error {
	if len(places) == 0 {
		return nil
	}
	first, err := c.embedText(ctx, documents[places[0]].Content)
	if err != nil {
		return fmt.Errorf("couldn't create embedding of document '%s': %w", documents[places[0]].ID, err)
	}
	documents[places[0]].Embedding = first
	if places = places[1:]; len(places) == 0 {
		return nil
	}
	contents := make([]string, len(places))
	for i, place := range places {
		contents[i] = documents[place].Content
	}
	one := embed.Func("chromem", len(first), func(ctx context.Context, texts []string, _ embed.Use) ([][]float32, error) {
		v, err := c.embedText(ctx, texts[0])
		return [][]float32{v}, err
	})
	vectors, err := embed.Batch(one, embed.BatchOptions{Items: 1, Concurrency: concurrency}).Embed(ctx, contents, embed.Document)
	if err != nil {
		return fmt.Errorf("couldn't create embedding of document: %w", err)
	}
	for i, place := range places {
		documents[place].Embedding = vectors[i]
	}
	return nil
}

func (c *Collection) embedText(ctx context.Context, text string) ([]float32, error) {
	if c.embed == nil {
		return nil, errors.New("the collection was listed, and has no EmbeddingFunc: use GetCollection")
	}
	return c.embed(ctx, text)
}

// GetByID returns the document of an ID.
func (c *Collection) GetByID(ctx context.Context, id string) (Document, error) {
	if id == "" {
		return Document{}, errors.New("document ID is empty")
	}
	docs, err := c.Vecwire(ctx)
	var found []vecwire.Record
	if err == nil {
		found, err = docs.Get(ctx, id)
	}
	if err == nil && len(found) == 0 {
		err = vecwire.ErrNotFound
	}
	if err != nil {
		return Document{}, fmt.Errorf("document with ID '%v': %w", id, err)
	}
	return document(meta.Of(docs.Schema()), found[0])
}

func document(m meta.Mapper, r vecwire.Record) (Document, error) {
	d := Document{ID: r.ID, Embedding: r.Vector, Content: r.Text}
	found, err := m.Metadata(r.Fields)
	if err == nil {
		d.Metadata, err = texts(found)
	}
	return d, err
}

// Count returns the number of documents, -1 if the database cannot be asked.
func (c *Collection) Count() int {
	ctx := context.Background()
	docs, err := c.Vecwire(ctx)
	if errors.Is(err, vecwire.ErrNotFound) {
		return 0
	}
	n := -1
	if err == nil {
		n, err = docs.Count(ctx, filter.Filter{})
	}
	if err != nil {
		return -1
	}
	return n
}

// condition is what where and whereDocument ask of documents. What the database can
// answer is in the filter.
type condition struct {
	filter   filter.Filter
	where    map[string]string // keys that are no fields
	document map[string]string
}

func conditionOf(s vecwire.Schema, where, whereDocument map[string]string) (condition, error) {
	for op := range whereDocument {
		if op != "$contains" && op != "$not_contains" {
			return condition{}, fmt.Errorf("unsupported whereDocument operator %q", op)
		}
	}
	c := condition{where: maps.Clone(where), document: whereDocument}
	for _, f := range s.Fields {
		// In chromem-go an empty text is what a missing key has, too.
		if v, ok := where[f.Name]; ok && v != "" && f.Type == vecwire.String && f.Name != meta.Field {
			c.filter = filter.And(c.filter, filter.Eq(f.Name, v))
			delete(c.where, f.Name)
		}
	}
	return c, nil
}

// whole reports whether the filter says all.
func (c condition) whole() bool { return len(c.where) == 0 && len(c.document) == 0 }

func (c condition) passes(d Document) bool {
	for key, want := range c.where {
		if d.Metadata[key] != want {
			return false
		}
	}
	for op, part := range c.document {
		if strings.Contains(d.Content, part) != (op == "$contains") {
			return false
		}
	}
	return true
}

// Delete removes the documents that pass where and whereDocument or, if both are nil,
// those of the IDs.
func (c *Collection) Delete(ctx context.Context, where, whereDocument map[string]string, ids ...string) error {
	given := where != nil || whereDocument != nil
	switch {
	case len(where) == 0 && len(whereDocument) == 0 && len(ids) == 0:
		return errors.New("must have at least one of where, whereDocument or ids")
	case given && len(ids) > 0:
		return errors.New("ids beside where or whereDocument: give the one or the other")
	}
	docs, err := c.Vecwire(ctx)
	if errors.Is(err, vecwire.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if !given {
		_, err = docs.Delete(ctx, ids...)
		return err
	}
	cond, err := conditionOf(docs.Schema(), where, whereDocument)
	if err != nil {
		return err
	}
	if cond.whole() {
		_, err = docs.DeleteWhere(ctx, cond.filter)
		return err
	}
	m := meta.Of(docs.Schema())
	for r, err := range docs.All(ctx, vecwire.Scan{Filter: cond.filter}) {
		if err != nil {
			return err
		}
		d, err := document(m, r)
		if err != nil {
			return err
		}
		if cond.passes(d) {
			ids = append(ids, d.ID)
		}
	}
	_, err = docs.Delete(ctx, ids...)
	return err
}

// NegativeMode says what is done with documents near to an unwanted text.
type NegativeMode string

// The modes of NegativeQueryOptions.
const (
	// NEGATIVE_MODE_FILTER leaves out documents that are more similar to the negative
	// embedding than FilterThreshold.
	NEGATIVE_MODE_FILTER NegativeMode = "filter"
	// NEGATIVE_MODE_SUBTRACT subtracts the negative embedding from that of the query.
	NEGATIVE_MODE_SUBTRACT NegativeMode = "subtract"
	// DEFAULT_NEGATIVE_FILTER_THRESHOLD is the FilterThreshold that 0 stands for.
	DEFAULT_NEGATIVE_FILTER_THRESHOLD = 0.5
)

// QueryOptions is a query.
type QueryOptions struct {
	QueryText      string    // embedded, unless there is QueryEmbedding
	QueryEmbedding []float32 // of the same model as the documents
	NResults       int       // how many documents are wanted
	Where          map[string]string
	WhereDocument  map[string]string
	Negative       NegativeQueryOptions
}

// NegativeQueryOptions says what is not wanted.
type NegativeQueryOptions struct {
	Mode            NegativeMode
	Text            string    // embedded, unless there is Embedding
	Embedding       []float32 // of the same model as the documents
	FilterThreshold float32   // of NEGATIVE_MODE_FILTER
}

// Query returns the documents most similar to a text, the best first. They have all of
// the metadata in where, and pass whereDocument's "$contains" and "$not_contains".
func (c *Collection) Query(ctx context.Context, queryText string, nResults int, where, whereDocument map[string]string) ([]Result, error) {
	if queryText == "" {
		return nil, errors.New("queryText is empty")
	}
	return c.QueryWithOptions(ctx, QueryOptions{QueryText: queryText, NResults: nResults, Where: where, WhereDocument: whereDocument})
}

// QueryEmbedding is Query by an embedding.
func (c *Collection) QueryEmbedding(ctx context.Context, queryEmbedding []float32, nResults int, where, whereDocument map[string]string) ([]Result, error) {
	if len(queryEmbedding) == 0 {
		return nil, errors.New("queryEmbedding is empty")
	}
	return c.QueryWithOptions(ctx, QueryOptions{QueryEmbedding: queryEmbedding, NResults: nResults, Where: where, WhereDocument: whereDocument})
}

// QueryWithOptions is Query with more settings.
func (c *Collection) QueryWithOptions(ctx context.Context, o QueryOptions) ([]Result, error) {
	switch {
	case o.QueryText == "" && len(o.QueryEmbedding) == 0:
		return nil, errors.New("QueryText and QueryEmbedding options are empty")
	case o.NResults <= 0:
		return nil, errors.New("nResults must be > 0")
	}
	q, err := c.vectorOf(ctx, o.QueryEmbedding, o.QueryText)
	if err != nil {
		return nil, fmt.Errorf("couldn't create embedding of query: %w", err)
	}
	var unwanted []float32
	if len(o.Negative.Embedding) > 0 || o.Negative.Text != "" {
		if unwanted, err = c.vectorOf(ctx, o.Negative.Embedding, o.Negative.Text); err != nil {
			return nil, fmt.Errorf("couldn't create embedding of negative: %w", err)
		}
		unwanted = normalized(unwanted)
		switch {
		case len(unwanted) != len(q):
			return nil, &vecwire.DimensionError{Want: len(q), Got: len(unwanted)}
		case o.Negative.Mode == NEGATIVE_MODE_SUBTRACT:
			q = slices.Clone(q)
			for i, x := range unwanted {
				q[i] -= x
			}
			unwanted = nil
		case o.Negative.Mode != NEGATIVE_MODE_FILTER:
			return nil, fmt.Errorf("unsupported negative mode: %q", o.Negative.Mode)
		}
	}
	docs, err := c.Vecwire(ctx)
	if errors.Is(err, vecwire.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	cond, err := conditionOf(docs.Schema(), o.Where, o.WhereDocument)
	if err != nil {
		return nil, err
	}
	threshold := float64(o.Negative.FilterThreshold)
	if threshold == 0 {
		threshold = DEFAULT_NEGATIVE_FILTER_THRESHOLD
	}
	query := vecwire.Query{Vector: normalized(q), K: o.NResults, Filter: cond.filter, Vectors: true}
	var results []Result
	add := func(h vecwire.Hit) error {
		d, err := document(meta.Of(docs.Schema()), h.Record)
		if err == nil && cond.passes(d) && (unwanted == nil || dot(unwanted, d.Embedding) <= threshold) {
			results = append(results, Result{ID: d.ID, Metadata: d.Metadata, Embedding: d.Embedding, Content: d.Content, Similarity: float32(h.Score)})
		}
		return err
	}
	if cond.whole() && unwanted == nil {
		hits, err := docs.Search(ctx, query)
		for _, h := range hits {
			if err == nil {
				err = add(h)
			}
		}
		return results, err
	}
	query.K = min(query.K, math.MaxInt/4) * 4 // of which some will pass
	for h, err := range docs.SearchAll(ctx, query) {
		if err == nil {
			err = add(h)
		}
		if err != nil {
			return nil, err
		}
		if len(results) == o.NResults {
			break
		}
	}
	return results, nil
}

func (c *Collection) vectorOf(ctx context.Context, embedding []float32, text string) ([]float32, error) {
	if len(embedding) > 0 {
		return embedding, nil
	}
	return c.embedText(ctx, text)
}

func dot(a, b []float32) (sum float64) {
	for i := range a {
		sum += float64(a[i]) * float64(b[i])
	}
	return sum
}
