package transform

import (
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/vecwire/vecwire/internal/simd"
)

// modelDir reads the files of a model and sums up what it read.
type modelDir struct {
	path string
	sum  hash.Hash
}

// config is what config.json says of the encoder (Devlin et al. 2018, under the
// names of the transformers library).
type config struct {
	Type         string  `json:"model_type"`
	Activation   string  `json:"hidden_act"`
	Position     string  `json:"position_embedding_type"`
	Hidden       int     `json:"hidden_size"`
	Layers       int     `json:"num_hidden_layers"`
	Heads        int     `json:"num_attention_heads"`
	Intermediate int     `json:"intermediate_size"`
	Positions    int     `json:"max_position_embeddings"`
	Types        int     `json:"type_vocab_size"`
	VocabSize    int     `json:"vocab_size"`
	Epsilon      float64 `json:"layer_norm_eps"`
}

// settings is what becomes of the encoder's output, and what goes into it.
type settings struct {
	cls       bool // the vector is that of the first token, not the mean
	normalize bool
	maxTokens int

	documentPrompt, queryPrompt string
}

// maxSize bounds the sizes in config.json, so that products of two cannot overflow.
// The weights' file has to have as many elements, so no more is needed.
const maxSize = 1 << 30

// read decodes a JSON file. It returns false if the file is missing and may be.
func (m *modelDir) read(name string, optional bool, into any) (bool, error) {
	path := filepath.Join(m.path, filepath.FromSlash(name))
	raw, err := os.ReadFile(path)
	switch {
	case optional && errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return false, remedied(err)
	}
	fmt.Fprintf(m.sum, "%s %d\n", name, len(raw))
	m.sum.Write(raw)
	if err := json.Unmarshal(raw, into); err != nil {
		return false, fmt.Errorf("%s: %w", path, err)
	}
	return true, nil
}

// remedied says what to do about a missing file.
func remedied(err error) error {
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return fmt.Errorf("%w: copy the whole repository of a sentence-transformers model here, with its "+
		"config.json, tokenizer.json and model.safetensors; "+
		"if it lacks one, load the model in Python and write it with SentenceTransformer.save", err)
}

// in names the file that an error is about.
func (m *modelDir) in(name string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", filepath.Join(m.path, filepath.FromSlash(name)), err)
}

func (m *modelDir) config() (config, error) {
	const file = "config.json"
	c := config{Position: "absolute", Activation: "gelu", Types: 2, Epsilon: 1e-12}
	if _, err := m.read(file, false, &c); err != nil {
		return c, err
	}
	return c, m.in(file, c.check())
}

// check refuses what this package does not compute, and sizes that cannot be.
func (c config) check() error {
	for _, f := range []struct{ field, want, got string }{
		{"model_type", "bert", c.Type},
		{"hidden_act", "gelu", c.Activation},
		{"position_embedding_type", "absolute", c.Position},
	} {
		if f.got != f.want {
			return invalid(f.field, fmt.Sprintf("%q, the only one that this package computes", f.want), fmt.Sprintf("%q", f.got))
		}
	}
	for _, f := range []struct {
		field string
		got   int
	}{
		{"hidden_size", c.Hidden}, {"num_hidden_layers", c.Layers}, {"num_attention_heads", c.Heads}, {"intermediate_size", c.Intermediate},
		{"max_position_embeddings", c.Positions}, {"type_vocab_size", c.Types}, {"vocab_size", c.VocabSize},
	} {
		if f.got < 1 || f.got > maxSize {
			return invalid(f.field, fmt.Sprintf("a number from 1 to %d", maxSize), fmt.Sprint(f.got))
		}
	}
	if c.Hidden%c.Heads != 0 {
		return invalid("num_attention_heads", fmt.Sprintf("a divisor of hidden_size, %d", c.Hidden), fmt.Sprint(c.Heads))
	}
	if !(c.Epsilon >= 0 && c.Epsilon < 1) {
		return invalid("layer_norm_eps", "a number from 0 to 1", fmt.Sprint(c.Epsilon))
	}
	return nil
}

// settings reads what the sentence-transformers library wrote beside the encoder.
// Without its files it does what that library does: the mean, as it is.
func (m *modelDir) settings(c config) (settings, error) {
	var s settings
	var modules []struct {
		Path, Type string
	}
	if _, err := m.read("modules.json", true, &modules); err != nil {
		return s, err
	}
	for i, module := range modules {
		kind := module.Type[strings.LastIndexByte(module.Type, '.')+1:]
		var err error
		switch {
		case i == 0 && kind == "Transformer" && module.Path == "": // the files in the directory itself
		case i == 1 && kind == "Pooling":
			err = m.pooling(&s, module.Path+"/config.json", c.Hidden)
		case i == 2 && kind == "Normalize":
			s.normalize = true
		default:
			err = m.in("modules.json", invalid(fmt.Sprintf("module %d", i), "a Transformer, a Pooling and perhaps a Normalize in this order", fmt.Sprintf("%s at %q", kind, module.Path)))
		}
		if err != nil {
			return s, err
		}
	}
	if err := m.prompts(&s); err != nil {
		return s, err
	}
	return s, m.length(&s, c)
}

func (m *modelDir) pooling(s *settings, file string, hidden int) error {
	if !filepath.IsLocal(filepath.FromSlash(file)) {
		return m.in("modules.json", invalid("path", "a directory inside the model's", fmt.Sprintf("%q", file)))
	}
	p := struct {
		Dim     int   `json:"word_embedding_dimension"`
		CLS     bool  `json:"pooling_mode_cls_token"`
		Mean    bool  `json:"pooling_mode_mean_tokens"`
		Max     bool  `json:"pooling_mode_max_tokens"`
		Sqrt    bool  `json:"pooling_mode_mean_sqrt_len_tokens"`
		Weight  bool  `json:"pooling_mode_weightedmean_tokens"`
		Last    bool  `json:"pooling_mode_lasttoken"`
		Prompts *bool `json:"include_prompt"`
	}{Dim: hidden}
	if _, err := m.read(file, false, &p); err != nil {
		return err
	}
	switch {
	case p.Dim != hidden:
		return m.in(file, invalid("word_embedding_dimension", fmt.Sprintf("hidden_size, %d", hidden), fmt.Sprint(p.Dim)))
	case p.CLS == p.Mean || p.Max || p.Sqrt || p.Weight || p.Last:
		return m.in(file, invalid("pooling_mode", "the mean of the tokens or the CLS token, alone", "another or several"))
	case p.Prompts != nil && !*p.Prompts:
		return m.in(file, invalid("include_prompt", "true", "false"))
	}
	s.cls = p.CLS
	return nil
}

func (m *modelDir) prompts(s *settings) error {
	var c struct {
		Prompts map[string]string `json:"prompts"`
	}
	if _, err := m.read("config_sentence_transformers.json", true, &c); err != nil {
		return err
	}
	s.queryPrompt = c.Prompts["query"]
	var given bool
	if s.documentPrompt, given = c.Prompts["document"]; !given {
		s.documentPrompt = c.Prompts["passage"]
	}
	return nil
}

// length finds how many tokens of a text the model is to see.
func (m *modelDir) length(s *settings, c config) error {
	const file = "sentence_bert_config.json"
	var sentence struct {
		Length *int `json:"max_seq_length"`
		Lower  bool `json:"do_lower_case"`
	}
	if _, err := m.read(file, true, &sentence); err != nil {
		return err
	}
	var words struct {
		Length float64 `json:"model_max_length"` // 1e30 where there is no limit
	}
	if _, err := m.read("tokenizer_config.json", true, &words); err != nil {
		return err
	}
	s.maxTokens = c.Positions
	switch {
	case sentence.Lower:
		return m.in(file, invalid("do_lower_case", "false, with the tokenizer's own setting instead", "true"))
	case sentence.Length != nil && (*sentence.Length < 1 || *sentence.Length > c.Positions):
		return m.in(file, invalid("max_seq_length", fmt.Sprintf("from 1 to max_position_embeddings, %d", c.Positions), fmt.Sprint(*sentence.Length)))
	case sentence.Length != nil:
		s.maxTokens = *sentence.Length
	case words.Length >= 1:
		s.maxTokens = int(min(float64(c.Positions), words.Length))
	}
	return nil
}

// pool returns a text's vector, given those of its tokens.
func (s settings) pool(rows []float32, dim int) []float32 {
	v := make([]float32, dim)
	copy(v, rows)
	if n := len(rows) / dim; !s.cls {
		for i := dim; i < len(rows); i += dim {
			for j, x := range rows[i : i+dim] {
				v[j] += x
			}
		}
		for j := range v {
			v[j] /= float32(n)
		}
	}
	if s.normalize {
		simd.Normalize(v, v)
	}
	return v
}
