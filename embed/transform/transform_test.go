package transform

import (
	"context"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/embed"
)

// randomText is of the tiny model's words and others.
func randomText(r *rand.Rand) string {
	words := []string{"read", "reads", "reading", "a", "file!", "Über", "中中", "lines", "unheard", "[SEP]", "\u00e9", ""}
	var text []string
	for range r.IntN(12) {
		text = append(text, words[r.IntN(len(words))])
	}
	return strings.Join(text, " ")
}

func TestCompanyDoesNotMatter(t *testing.T) {
	for _, cpus := range []int{1, 2, 5} {
		e, err := openTiny(t, Options{Concurrency: cpus})
		require.NoError(t, err)
		r := rand.New(rand.NewPCG(1, 2))
		texts := make([]string, 200)
		for i := range texts {
			texts[i] = randomText(r)
		}
		together, err := e.Embed(t.Context(), texts, embed.Document)
		require.NoError(t, err)
		require.Len(t, together, len(texts))
		for i, text := range texts {
			alone, err := e.Embed(t.Context(), []string{text}, embed.Document)
			require.NoError(t, err)
			require.Equal(t, alone[0], together[i], "%q", text)
			require.InDelta(t, 1, length(alone[0]), 1e-6)
		}
	}
}

func TestConcurrently(t *testing.T) {
	e, err := openTiny(t, Options{Concurrency: 3})
	require.NoError(t, err)
	texts := []string{"read a file", "line by line", "reading!", ""}
	want, err := e.Embed(t.Context(), texts, embed.Document)
	require.NoError(t, err)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 20 {
				got, err := e.Embed(t.Context(), texts, embed.Document)
				if err != nil || len(got) != len(want) {
					t.Errorf("%d vectors, %v", len(got), err)
					return
				}
				for i := range got {
					if cosine(got[i], want[i]) < 0.999999 {
						t.Errorf("text %d: %v, want %v", i, got[i], want[i])
					}
				}
			}
		})
	}
	all.Wait()
	require.Len(t, e.slots, 3, "every slot is back")
}

func TestNoTexts(t *testing.T) {
	e, err := openTiny(t, Options{})
	require.NoError(t, err)
	got, err := e.Embed(t.Context(), nil, embed.Document)
	require.NoError(t, err)
	require.Empty(t, got)
}

func TestPrefixes(t *testing.T) {
	plain, err := openTiny(t, Options{})
	require.NoError(t, err)
	one := func(e *Embedder, text string, use embed.Use) []float32 {
		got, err := e.Embed(t.Context(), []string{text}, use)
		require.NoError(t, err)
		return got[0]
	}
	prompts := func(p object) func(*tinyModel) {
		return func(m *tinyModel) { m.files["config_sentence_transformers.json"] = object{"prompts": p} }
	}
	for _, tt := range []struct {
		name            string
		o               Options
		prompts         object
		document, query string
	}{
		{"options", Options{DocumentPrefix: "file ", QueryPrefix: "read "}, object{}, "file ", "read "},
		{"prompts", Options{}, object{"query": "read ", "document": "a "}, "a ", "read "},
		{"passage", Options{}, object{"query": "read ", "passage": "line "}, "line ", "read "},
		{"document before passage", Options{}, object{"document": "", "passage": "line "}, "", ""},
		{"options replace both prompts", Options{QueryPrefix: "by "}, object{"query": "read ", "document": "a "}, "", "by "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e, err := openTiny(t, tt.o, prompts(tt.prompts))
			require.NoError(t, err)
			require.Equal(t, one(plain, tt.document+"file", embed.Document), one(e, "file", embed.Document))
			require.Equal(t, one(plain, tt.query+"file", embed.Document), one(e, "file", embed.Query))
			require.Equal(t, plain.CountTokens(tt.document+"file"), e.CountTokens("file"))
		})
	}
}

func TestLongTexts(t *testing.T) {
	e, err := openTiny(t, Options{MaxTokens: 5})
	require.NoError(t, err)
	require.Equal(t, 5, e.MaxTokens())
	got, err := e.Embed(t.Context(), []string{"read a file", "read a file by line", "read a by"}, embed.Document)
	require.NoError(t, err)
	require.Equal(t, got[0], got[1], "the rest is cut off")
	require.NotEqual(t, got[0], got[2])

	strict, err := openTiny(t, Options{MaxTokens: 5, RefuseLong: true})
	require.NoError(t, err)
	_, err = strict.Embed(t.Context(), []string{"read a file", "read a file by line"}, embed.Document)
	require.Equal(t, &embed.TextError{Index: 1, Err: &embed.TooLongError{Tokens: 7, Most: 5}}, err)
	require.Equal(t, 7, strict.CountTokens("read a file by line"))
}

func TestMaxTokensOfTheModel(t *testing.T) {
	for _, tt := range []struct {
		sentence, words any
		want            int
	}{
		{nil, nil, 16},
		{nil, object{"model_max_length": 10}, 10},
		{nil, object{"model_max_length": 1e30}, 16},
		{object{"max_seq_length": 12}, object{"model_max_length": 10}, 12},
		{object{"max_seq_length": nil}, object{"model_max_length": 10}, 10},
	} {
		e, err := openTiny(t, Options{}, func(m *tinyModel) {
			if tt.sentence != nil {
				m.files["sentence_bert_config.json"] = tt.sentence
			}
			if tt.words != nil {
				m.files["tokenizer_config.json"] = tt.words
			}
		})
		require.NoError(t, err)
		require.Equal(t, tt.want, e.MaxTokens())
		_, err = e.Embed(t.Context(), []string{strings.Repeat("read ", 100)}, embed.Document)
		require.NoError(t, err)
	}
}

func TestPooling(t *testing.T) {
	vector := func(changes ...func(*tinyModel)) []float32 {
		e, err := openTiny(t, Options{}, changes...)
		require.NoError(t, err)
		got, err := e.Embed(t.Context(), []string{"read a file"}, embed.Document)
		require.NoError(t, err)
		return got[0]
	}
	mean := vector()
	plain := vector(func(m *tinyModel) { m.files["modules.json"] = m.files["modules.json"].([]object)[:2] })
	require.InDelta(t, 1, cosine(mean, plain), 1e-6)
	require.Greater(t, math.Abs(length(plain)-1), 1e-3, "only a Normalize module normalizes")
	require.Equal(t, plain, vector(func(m *tinyModel) { delete(m.files, "modules.json") }))

	cls := vector(func(m *tinyModel) {
		m.files["1_Pooling/config.json"] = object{"word_embedding_dimension": 8, "pooling_mode_cls_token": true}
	})
	require.NotEqual(t, mean, cls)

	rows := []float32{1, 2, 3, 4, 5, 9}
	require.Equal(t, []float32{3, 5}, settings{}.pool(rows, 2))
	require.Equal(t, []float32{1, 2}, settings{cls: true}.pool(rows, 2))
	require.Equal(t, []float32{0.6, 0.8}, settings{normalize: true}.pool([]float32{1, 2, 5, 6}, 2))
}

func TestModelNamesWhatTheVectorsDependOn(t *testing.T) {
	name := func(o Options, changes ...func(*tinyModel)) string {
		e, err := openTiny(t, o, changes...)
		require.NoError(t, err)
		return e.Model()
	}
	weights := func(m *tinyModel) { m.tensors["embeddings.LayerNorm.bias"][3]++ }
	words := func(m *tinyModel) { m.set(50, "tokenizer.json", "model", "max_input_chars_per_word") }
	first := newTinyModel()
	dir := t.TempDir()
	require.NoError(t, first.write(dir))
	names := map[string]string{}
	for what, got := range map[string]string{
		"as it is":        mustOpen(t, dir, Options{}).Model(),
		"document prefix": mustOpen(t, dir, Options{DocumentPrefix: "x"}).Model(),
		"query prefix":    mustOpen(t, dir, Options{QueryPrefix: "x"}).Model(),
		"max tokens":      mustOpen(t, dir, Options{MaxTokens: 9}).Model(),
		"weights":         name(Options{}, weights),
		"tokenizer":       name(Options{}, words),
	} {
		require.Empty(t, names[got], "%s has the name of %s", what, names[got])
		require.Regexp(t, `^bert-L2-H8/[0-9a-f]{16}$`, got)
		names[got] = what
	}
	moved := filepath.Join(t.TempDir(), "moved")
	require.NoError(t, os.CopyFS(moved, os.DirFS(dir)))
	require.Equal(t, "as it is", names[mustOpen(t, moved, Options{Concurrency: 7, RefuseLong: true}).Model()])
	require.Equal(t, "mine", name(Options{Name: "mine"}))
}

func mustOpen(t *testing.T, dir string, o Options) *Embedder {
	t.Helper()
	e, err := Open(dir, o)
	require.NoError(t, err)
	return e
}

func TestBadTexts(t *testing.T) {
	e, err := openTiny(t, Options{})
	require.NoError(t, err)
	_, err = e.Embed(t.Context(), []string{"read", "a\xff"}, embed.Document)
	require.Equal(t, &embed.TextError{Index: 1, Err: &codec.ValueError{Field: "text", Pos: -1, Want: "UTF-8", Got: "something else"}}, err)
}

func TestWeightsThatAreNotFinite(t *testing.T) {
	e, err := openTiny(t, Options{}, func(m *tinyModel) { m.tensors["embeddings.word_embeddings.weight"][6*8] = float32(math.NaN()) })
	require.NoError(t, err)
	_, err = e.Embed(t.Context(), []string{"read", "a file"}, embed.Document)
	var text *embed.TextError
	require.ErrorAs(t, err, &text)
	require.Equal(t, 1, text.Index)
}

func TestEndsWithItsContext(t *testing.T) {
	e, err := openTiny(t, Options{Concurrency: 1})
	require.NoError(t, err)
	ended, end := context.WithCancel(t.Context())
	end()
	_, err = e.Embed(ended, []string{"read"}, embed.Document)
	require.ErrorIs(t, err, context.Canceled)

	busy := <-e.slots // a call that waits for a CPU
	waiting, stop := context.WithCancel(t.Context())
	done := make(chan error)
	go func() {
		_, err := e.Embed(waiting, []string{"read"}, embed.Document)
		done <- err
	}()
	stop()
	require.ErrorIs(t, <-done, context.Canceled)
	e.slots <- busy

	s := &scratch{}
	_, err = e.encoder.run(&ends{t.Context(), 1}, s, [][]int32{{2, 4, 3}}, 1)
	require.ErrorIs(t, err, context.Canceled, "between two layers")
	_, err = e.encoder.run(&ends{t.Context(), 2}, s, [][]int32{{2, 4, 3}}, 1)
	require.NoError(t, err)
}

// ends is a context that ends after it was asked a number of times.
type ends struct {
	context.Context
	after int
}

func (c *ends) Err() error {
	c.after--
	if c.after < 0 {
		return context.Canceled
	}
	return nil
}

func TestGroups(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	for range 500 {
		tokens := make([][]int32, r.IntN(60))
		total := 0
		for i := range tokens {
			tokens[i] = make([]int32, 2+r.IntN(80))
			total += len(tokens[i])
		}
		cpus := 1 + r.IntN(6)
		share := min(groupTokens, (total+cpus-1)/cpus)
		next := 0
		for from, to := range groups(tokens, cpus) {
			require.Equal(t, next, from)
			require.Greater(t, to, from)
			size := 0
			for _, text := range tokens[from:to] {
				size += len(text)
			}
			require.True(t, to == from+1 || size <= share)
			next = to
		}
		require.Equal(t, len(tokens), next)
	}
}

func TestOpenNamesTheMissingFile(t *testing.T) {
	for _, file := range []string{"config.json", "tokenizer.json", "model.safetensors", "1_Pooling/config.json"} {
		dir := t.TempDir()
		require.NoError(t, newTinyModel().write(dir))
		path := filepath.Join(dir, filepath.FromSlash(file))
		require.NoError(t, os.Remove(path))
		_, err := Open(dir, Options{})
		require.ErrorIs(t, err, fs.ErrNotExist)
		require.ErrorContains(t, err, path)
		require.ErrorContains(t, err, "copy the whole repository")
	}
}

func TestOpenRefuses(t *testing.T) {
	const config, tokenizer, pooling, weights = "config.json", "tokenizer.json", "1_Pooling/config.json", "model.safetensors"
	set := func(value any, file string, path ...string) func(*tinyModel) {
		return func(m *tinyModel) { m.set(value, file, path...) }
	}
	file := func(name string, content any) func(*tinyModel) {
		return func(m *tinyModel) { m.files[name] = content }
	}
	nothing := func(*tinyModel) {}
	for _, tt := range []struct {
		file, field string
		o           Options
		change      func(*tinyModel)
	}{
		{config, "model_type", Options{}, set("xlm-roberta", config, "model_type")},
		{config, "hidden_act", Options{}, set("relu", config, "hidden_act")},
		{config, "position_embedding_type", Options{}, set("relative_key", config, "position_embedding_type")},
		{config, "hidden_size", Options{}, set(0, config, "hidden_size")},
		{config, "intermediate_size", Options{}, set(int64(1)<<40, config, "intermediate_size")},
		{config, "num_attention_heads", Options{}, set(3, config, "num_attention_heads")},
		{config, "layer_norm_eps", Options{}, set(-1, config, "layer_norm_eps")},
		{tokenizer, "model.type", Options{}, set("Unigram", tokenizer, "model", "type")},
		{tokenizer, "normalizer.type", Options{}, set(nil, tokenizer, "normalizer")},
		{tokenizer, "pre_tokenizer.type", Options{}, set("Whitespace", tokenizer, "pre_tokenizer", "type")},
		{tokenizer, "post_processor.type", Options{}, set("RobertaProcessing", tokenizer, "post_processor", "type")},
		{tokenizer, "post_processor.single[2]", Options{}, set(object{"[CLS]": object{"ids": []int{2}}}, tokenizer, "post_processor", "special_tokens")},
		{tokenizer, "model.unk_token", Options{}, set("?", tokenizer, "model", "unk_token")},
		{tokenizer, `model.vocab["far"]`, Options{}, set(99, tokenizer, "model", "vocab", "far")},
		{tokenizer, "model.vocab", Options{}, set(1, tokenizer, "model", "vocab", "")},
		{tokenizer, "added_tokens[0]", Options{}, set([]object{{"id": 99, "content": "x"}}, tokenizer, "added_tokens")},
		{tokenizer, "added_tokens[0]", Options{}, set([]object{{"id": 2, "content": "x", "normalized": true}}, tokenizer, "added_tokens")},
		{pooling, "pooling_mode", Options{}, set(true, pooling, "pooling_mode_max_tokens")},
		{pooling, "pooling_mode", Options{}, set(true, pooling, "pooling_mode_cls_token")},
		{pooling, "word_embedding_dimension", Options{}, set(9, pooling, "word_embedding_dimension")},
		{pooling, "include_prompt", Options{}, set(false, pooling, "include_prompt")},
		{"modules.json", "module 1", Options{}, file("modules.json", []object{{"type": "a.Transformer"}, {"type": "a.Dense", "path": "1_Dense"}})},
		{"modules.json", "path", Options{}, file("modules.json", []object{{"type": "a.Transformer"}, {"type": "a.Pooling", "path": "../1_Pooling"}})},
		{"sentence_bert_config.json", "max_seq_length", Options{}, file("sentence_bert_config.json", object{"max_seq_length": 17})},
		{"sentence_bert_config.json", "do_lower_case", Options{}, file("sentence_bert_config.json", object{"do_lower_case": true})},
		{"", "max_seq_length", Options{}, file("sentence_bert_config.json", object{"max_seq_length": 2})},
		{"", "Options.MaxTokens", Options{MaxTokens: 17}, nothing},
		{"", "Options.MaxTokens", Options{MaxTokens: 2}, nothing},
		{"", "Options.MaxTokens", Options{MaxTokens: -1}, nothing},
		{"", "the prefix of a query", Options{QueryPrefix: "\xff"}, nothing},
		{weights, "embeddings.LayerNorm.bias", Options{}, func(m *tinyModel) { delete(m.tensors, "embeddings.LayerNorm.bias") }},
		{weights, "encoder.layer.1.output.dense.weight", Options{}, func(m *tinyModel) { m.shapes["encoder.layer.1.output.dense.weight"] = []int{24, 8} }},
		{weights, "encoder.layer.2.attention.self.query.weight", Options{}, set(3, config, "num_hidden_layers")},
	} {
		t.Run(strings.Trim(tt.file+" "+tt.field, " "), func(t *testing.T) {
			_, err := openTiny(t, tt.o, tt.change)
			var value *codec.ValueError
			require.ErrorAs(t, err, &value)
			require.Equal(t, tt.field, value.Field)
			require.ErrorContains(t, err, filepath.FromSlash(tt.file))
			require.ErrorContains(t, err, "transform: ")
		})
	}
	for _, name := range []string{config, tokenizer, "modules.json", pooling} {
		_, err := openTiny(t, Options{}, file(name, "no object"))
		require.ErrorContains(t, err, filepath.FromSlash(name))
	}
}
