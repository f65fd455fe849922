package transform

import (
	"context"
	"crypto/sha256"
	"fmt"
	"math"
	"unicode/utf8"

	"github.com/vecwire/vecwire/embed"
	"github.com/vecwire/vecwire/rerank"
)

// Reranker is a [rerank.Reranker] that runs a cross-encoder in this process: a model
// that reads the query and a text together, and says how well the text answers the
// query. It is safe for concurrent use.
type Reranker struct {
	e          *Embedder // of the pairs
	pooler     dense
	classifier dense
}

var _ rerank.Reranker = (*Reranker)(nil)

// OpenReranker reads a cross-encoder of the BERT family in a directory, such as
// cross-encoder/ms-marco-MiniLM-L6-v2: config.json, tokenizer.json and
// model.safetensors as the transformers library writes a
// BertForSequenceClassification with one label.
//
// The Options are those of [Open]: QueryPrefix is put before the query, and
// DocumentPrefix before each text. MaxTokens counts both together; the longer one is
// cut. Errors are those of [Open], too.
func OpenReranker(dir string, o Options) (*Reranker, error) {
	r, err := openReranker(dir, o)
	if err != nil {
		return nil, fmt.Errorf("transform: %w", err)
	}
	return r, nil
}

func openReranker(dir string, o Options) (*Reranker, error) {
	m := &modelDir{path: dir, sum: sha256.New()}
	c, err := m.config()
	if err != nil {
		return nil, err
	}
	if o.Int8 {
		if err := checkBytes(c); err != nil {
			return nil, m.in("config.json", err)
		}
	}
	if c.Types < 2 {
		return nil, m.in("config.json", invalid("type_vocab_size", "at least 2, one for the query and one for the text", fmt.Sprint(c.Types)))
	}
	p := parts{config: c}
	if err := m.length(&p.settings, c); err != nil {
		return nil, err
	}
	if p.tokenizer, err = m.tokenizer(c.VocabSize); err != nil {
		return nil, err
	}
	if len(p.tokenizer.pair) == 0 {
		return nil, m.in("tokenizer.json", invalid("post_processor.pair", "what a pair of texts becomes", "missing"))
	}
	r := &Reranker{}
	if r.e, err = p.embedder(o); err != nil {
		return nil, err
	}
	w, err := m.weights()
	if err != nil {
		return nil, err
	}
	defer w.file.Close()
	enc, err := w.encoder(c, "bert.")
	if err == nil {
		r.e.encoder, err = enc.runner(o.Int8)
	}
	for _, part := range []struct {
		dense *dense
		name  string
		rows  int
	}{{&r.pooler, "bert.pooler.dense", c.Hidden}, {&r.classifier, "classifier", 1}} {
		if err == nil {
			part.dense.w, err = w.read(part.name+".weight", part.rows, c.Hidden)
		}
		if err == nil {
			part.dense.b, err = w.read(part.name+".bias", part.rows)
		}
	}
	return r, m.in(weightsFile, err)
}

// Rerank returns what the model's classifier says of each text, before any sigmoid:
// a number without bounds, which is higher the better the text answers the query.
// When ctx ends, the call does before its next layer, with ctx's error. A text that is
// not UTF-8, or too long where that is refused, is a [*rerank.TextError], and nothing
// is computed.
func (r *Reranker) Rerank(ctx context.Context, query string, texts []string) ([]float64, error) {
	e := r.e
	if !utf8.ValidString(query) {
		return nil, fmt.Errorf("transform: %w", invalid("query", "UTF-8", "something else"))
	}
	first := e.tokenizer.inner(nil, e.prefix[embed.Query]+query)
	tokens := make([][]int32, len(texts))
	for i, text := range texts {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if !utf8.ValidString(text) {
			return nil, &rerank.TextError{Index: i, Err: invalid("text", "UTF-8", "something else")}
		}
		var whole int
		if tokens[i], whole = e.tokenizer.encodePair(first, e.prefix[embed.Document]+text, e.s.maxTokens); whole > e.s.maxTokens && e.strict {
			return nil, &rerank.TextError{Index: i, Err: &embed.TooLongError{Tokens: whole, Most: e.s.maxTokens}}
		}
	}
	scores := make([]float64, len(texts))
	err := e.compute(ctx, tokens, func(i int, rows []float32) { scores[i] = r.score(rows[:e.Dim()]) })
	if err != nil {
		return nil, err
	}
	if err := rerank.Verify(scores, len(texts)); err != nil { // weights that are not finite
		return nil, err
	}
	return scores, nil
}

// score is BERT's head for sentences: a layer over the first token, tanh, and a
// classifier (Devlin et al. 2018, section 4.1).
func (r *Reranker) score(first []float32) float64 {
	pooled := make([]float32, len(first))
	r.pooler.apply(pooled, first, len(first))
	for i, x := range pooled {
		pooled[i] = float32(math.Tanh(float64(x)))
	}
	score := float64(r.classifier.b[0])
	for i, x := range pooled {
		score += float64(x) * float64(r.classifier.w[i])
	}
	return score
}
