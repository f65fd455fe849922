// Package transform embeds texts in the process itself, with a sentence-embedding
// model of the BERT family read from a directory: no server, no cgo, no Python.
//
// The directory is a copy of a sentence-transformers model as it is published:
// all-MiniLM-L6-v2, or a BGE, E5 or GTE model for one language. [Open] needs
//
//	config.json        the shape of the encoder; model_type "bert"
//	tokenizer.json     a WordPiece vocabulary
//	model.safetensors  the weights, in float32, float16 or bfloat16
//
// and obeys what else is there of modules.json and the pooling configuration it
// names, sentence_bert_config.json, tokenizer_config.json and
// config_sentence_transformers.json. What it cannot compute as the reference does,
// it refuses when it is opened: other architectures and tokenizers, such as the
// multilingual models on XLM-RoBERTa, and other kinds of pooling.
//
// Everything is computed in float32, as the reference does. [Options].Int8 rounds the
// weights to eight bits, which is several times as fast and takes a quarter of the
// memory. [OpenReranker] reads a cross-encoder, which says how well texts answer a
// query. [Pack] makes one file of such a model, which [OpenPacked] opens at once.
//
// The package knows no collection, no database and no network.
package transform

import (
	"context"
	"crypto/sha256"
	"fmt"
	"hash"
	"runtime"
	"slices"
	"unicode/utf8"

	"golang.org/x/sync/errgroup"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/embed"
)

// groupTokens is how many tokens go through the encoder together, if the texts
// are short: enough that each weight is read from memory seldom.
const groupTokens = 128

// Options changes how a model is used. The zero value uses it as its files say.
type Options struct {
	// DocumentPrefix and QueryPrefix are put before each text, as some models were
	// trained with: "passage: " and "query: " for E5. If both are empty, the prompts
	// "document" (or "passage") and "query" of the model's
	// config_sentence_transformers.json are used, if it has any.
	DocumentPrefix, QueryPrefix string

	// MaxTokens is the most tokens of a text, with its prefix and the special tokens
	// at both ends; what follows is cut off. 0 means what the model says, which is
	// also the most that it can be.
	MaxTokens int

	// RefuseLong makes a text with more tokens an error, an [*embed.TooLongError],
	// instead of cutting it off.
	RefuseLong bool

	// Concurrency is the most CPUs that all calls together use; 0 or less means
	// runtime.GOMAXPROCS(0).
	Concurrency int

	// Int8 rounds the weights to eight bits when the model is opened, and multiplies
	// in eight bits. The vectors of all-MiniLM-L6-v2 then have a cosine of 0.998 in
	// the mean with those of the reference over English texts, 0.995 over texts of
	// many scripts. Sizes that are not multiples of 16 are refused.
	Int8 bool

	// Name is what [Embedder.Model] returns; "" means a name made of a hash of all
	// that the vectors depend on.
	Name string
}

// Embedder is an [embed.Embedder] that runs a model in this process. It is safe
// for concurrent use. Its weights are ordinary memory: there is nothing to close.
type Embedder struct {
	model     string
	prefix    [2]string // by embed.Use
	strict    bool
	tokenizer *tokenizer
	encoder   runner
	s         settings
	slots     chan *scratch // one for each CPU that may compute
}

// runner is an encoder. Its run returns a row for each token of the texts, one text
// after another; the rows are part of s. It ends with ctx's error if ctx ends. It
// uses so many CPUs at most.
type runner interface {
	dim() int
	run(ctx context.Context, s *scratch, texts [][]int32, cpus int) ([]float32, error)
}

var _ embed.Embedder = (*Embedder)(nil)

// Open reads the model in a directory, which takes as much memory as its weights
// do in float32: 90 MB for all-MiniLM-L6-v2. The error names the file. It wraps
// [io/fs.ErrNotExist] if a file is missing that has to be there, and is a
// [*codec.ValueError] with the field's name if a file or an option says what cannot
// be.
func Open(dir string, o Options) (*Embedder, error) {
	e, err := open(dir, o)
	if err != nil {
		return nil, fmt.Errorf("transform: %w", err)
	}
	return e, nil
}

func open(dir string, o Options) (*Embedder, error) {
	m := &modelDir{path: dir, sum: sha256.New()}
	p, err := m.parts(o.Int8)
	if err != nil {
		return nil, err
	}
	enc, err := m.encoder(p.config)
	if err != nil {
		return nil, err
	}
	e, err := p.embedder(o)
	if err != nil {
		return nil, err
	}
	if e.encoder, err = enc.runner(o.Int8); err != nil {
		return nil, m.in(weightsFile, err)
	}
	if e.model == "" {
		e.model = name(m.sum, p.config, e.s, e.prefix, o.Int8)
	}
	return e, nil
}

// runner returns what computes with the weights, in eight bits if it has to.
func (e *encoder) runner(bytes bool) (runner, error) {
	if !bytes {
		return e, nil
	}
	return e.bytes()
}

// parts is a model but for its weights.
type parts struct {
	config    config
	settings  settings
	tokenizer *tokenizer
}

// parts reads them, and refuses those that bytes cannot be multiplied for if it has
// to.
func (m *modelDir) parts(bytes bool) (p parts, err error) {
	if p.config, err = m.config(); err != nil {
		return p, err
	}
	if bytes {
		if err := checkBytes(p.config); err != nil {
			return p, m.in("config.json", err)
		}
	}
	if p.settings, err = m.settings(p.config); err != nil {
		return p, err
	}
	p.tokenizer, err = m.tokenizer(p.config.VocabSize)
	return p, err
}

// embedder returns an embedder that lacks an encoder, and a name if o has none.
func (p *parts) embedder(o Options) (*Embedder, error) {
	s, tok := p.settings, p.tokenizer
	least := len(tok.before) + len(tok.after) + 1
	if s.maxTokens < least {
		return nil, invalid("max_seq_length", fmt.Sprintf("at least %d", least), fmt.Sprint(s.maxTokens))
	}
	if o.MaxTokens != 0 {
		if o.MaxTokens < least || o.MaxTokens > s.maxTokens {
			return nil, invalid("Options.MaxTokens", fmt.Sprintf("0 or from %d to %d", least, s.maxTokens), fmt.Sprint(o.MaxTokens))
		}
		s.maxTokens = o.MaxTokens
	}
	if o.DocumentPrefix == "" && o.QueryPrefix == "" {
		o.DocumentPrefix, o.QueryPrefix = s.documentPrompt, s.queryPrompt
	}
	for use, prefix := range [...]string{o.DocumentPrefix, o.QueryPrefix} {
		if !utf8.ValidString(prefix) {
			return nil, invalid(fmt.Sprintf("the prefix of a %s", embed.Use(use)), "UTF-8", "something else")
		}
	}
	e := &Embedder{
		model:     o.Name,
		prefix:    [2]string{embed.Document: o.DocumentPrefix, embed.Query: o.QueryPrefix},
		strict:    o.RefuseLong,
		tokenizer: tok,
		s:         s,
	}
	if o.Concurrency <= 0 {
		o.Concurrency = runtime.GOMAXPROCS(0)
	}
	e.slots = make(chan *scratch, o.Concurrency)
	for range o.Concurrency {
		e.slots <- &scratch{}
	}
	return e, nil
}

// name names the files that were read, by their hash, and what was made of them.
// The directory is not part of it, so that it can be moved.
func name(files hash.Hash, c config, s settings, prefix [2]string, bytes bool) string {
	fmt.Fprintf(files, "%t %t %d %q", s.cls, s.normalize, s.maxTokens, prefix)
	form := "bert-L%d-H%d/%x"
	if bytes {
		form = "bert-L%d-H%d-int8/%x"
	}
	return fmt.Sprintf(form, c.Layers, c.Hidden, files.Sum(nil)[:8])
}

// Model returns Options.Name, or else a name made of the number of layers, the
// dimension and a hash of the model's files, the prefixes and the most tokens.
// Where the directory is does not matter to it.
func (e *Embedder) Model() string { return e.model }

// Dim returns the number of elements of a vector.
func (e *Embedder) Dim() int { return e.encoder.dim() }

// MaxTokens returns the most tokens of a text that the model sees, as
// [Embedder.CountTokens] counts them.
func (e *Embedder) MaxTokens() int { return e.s.maxTokens }

// CountTokens returns how many tokens a text has as a document, with the prefix
// and the special tokens at both ends. It fits the Count of package chunk's Options
// and of [embed.BatchOptions].
func (e *Embedder) CountTokens(text string) int {
	return len(e.tokenizer.encode(e.prefix[embed.Document] + text))
}

// Embed returns one vector for each text, in order, of length 1 if the model's
// files ask for that. Texts are divided among the CPUs; with Options.Int8 a single
// one is, too.
// When ctx ends, the call does before its next layer, with ctx's error. A text that
// is not UTF-8, or too long where that is refused, is an [*embed.TextError], and
// nothing is computed.
func (e *Embedder) Embed(ctx context.Context, texts []string, use embed.Use) ([][]float32, error) {
	tokens, err := e.encode(ctx, texts, use)
	if err != nil {
		return nil, err
	}
	vectors := make([][]float32, len(texts))
	err = e.compute(ctx, tokens, func(i int, rows []float32) { vectors[i] = e.s.pool(rows, e.Dim()) })
	if err != nil {
		return nil, err
	}
	if err := embed.Verify(vectors, len(texts), e.Dim()); err != nil { // weights that are not finite
		return nil, err
	}
	return vectors, nil
}

// compute runs the encoder over texts, and hands on the rows of each, which are valid
// only until done returns. It calls done for several texts at once.
func (e *Embedder) compute(ctx context.Context, tokens [][]int32, done func(i int, rows []float32)) error {
	// The longest come first: what is left for the end, when CPUs run out of work, is
	// short.
	order := make([]int, len(tokens))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return len(tokens[j]) - len(tokens[i]) })
	sorted := make([][]int32, len(tokens))
	for i, at := range order {
		sorted[i] = tokens[at]
	}
	group, calls := errgroup.WithContext(ctx)
	for from, to := range groups(sorted, cap(e.slots)) {
		s := e.enter(calls)
		if s == nil {
			break
		}
		cpus := []*scratch{s}
		if from == 0 && to == len(sorted) { // nothing else to do for the idle ones
			cpus = e.idle(cpus)
		}
		group.Go(func() error {
			defer func() {
				for _, s := range cpus {
					e.slots <- s
				}
			}()
			rows, err := e.encoder.run(calls, s, sorted[from:to], len(cpus))
			if err != nil {
				return err
			}
			for i := from; i < to; i++ {
				n := len(sorted[i]) * e.Dim()
				done(order[i], rows[:n])
				rows = rows[n:]
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	return ctx.Err() // groups were left out
}

// encode returns the tokens of each text.
func (e *Embedder) encode(ctx context.Context, texts []string, use embed.Use) ([][]int32, error) {
	prefix := e.prefix[embed.Document]
	if use == embed.Query {
		prefix = e.prefix[embed.Query]
	}
	tokens := make([][]int32, len(texts))
	for i, text := range texts {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if !utf8.ValidString(text) {
			return nil, &embed.TextError{Index: i, Err: invalid("text", "UTF-8", "something else")}
		}
		tokens[i] = e.tokenizer.encode(prefix + text)
		if n := len(tokens[i]); n > e.s.maxTokens {
			if e.strict {
				return nil, &embed.TextError{Index: i, Err: &embed.TooLongError{Tokens: n, Most: e.s.maxTokens}}
			}
			tokens[i] = e.tokenizer.cut(tokens[i], e.s.maxTokens)
		}
	}
	return tokens, nil
}

// enter waits for a CPU. It returns nil if ctx ends first.
func (e *Embedder) enter(ctx context.Context) *scratch {
	if ctx.Err() != nil {
		return nil
	}
	select {
	case s := <-e.slots:
		return s
	case <-ctx.Done():
		return nil
	}
}

// idle appends the places of all CPUs that are idle.
func (e *Embedder) idle(cpus []*scratch) []*scratch {
	for {
		select {
		case s := <-e.slots:
			cpus = append(cpus, s)
		default:
			return cpus
		}
	}
}

// groups divides the texts into runs [from, to) that go through the encoder
// together: of groupTokens, or of fewer where the CPUs would not all have one.
func groups(tokens [][]int32, cpus int) func(yield func(from, to int) bool) {
	total := 0
	for _, t := range tokens {
		total += len(t)
	}
	most := min(groupTokens, (total+cpus-1)/cpus)
	return func(yield func(from, to int) bool) {
		from, size := 0, 0
		for i, t := range tokens {
			if i > from && size+len(t) > most {
				if !yield(from, i) {
					return
				}
				from, size = i, 0
			}
			size += len(t)
		}
		if from < len(tokens) {
			yield(from, len(tokens))
		}
	}
}

func invalid(field, want, got string) error {
	return &codec.ValueError{Field: field, Pos: -1, Want: want, Got: got}
}
