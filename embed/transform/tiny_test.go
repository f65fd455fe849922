package transform

import (
	"encoding/binary"
	"encoding/json"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

// object is a JSON object that a test may change.
type object = map[string]any

// tinyModel is a model of two layers with random weights: small enough to write for
// each test, and complete.
type tinyModel struct {
	files   map[string]any // by name, to be written as JSON
	tensors map[string][]float32
	shapes  map[string][]int
}

// tinyVocab are its tokens, each with its place as its ID.
var tinyVocab = []string{
	"[PAD]", "[UNK]", "[CLS]", "[SEP]", "read", "a", "file", "line", "by", "##s", "##ing", "!", "über", "uber", "中", "##d",
}

func newTinyModel() *tinyModel { return newModelOf(8, 24, 16) }

// newByteModel is a tiny model with sizes that weights of eight bits can have.
func newByteModel() *tinyModel { return newModelOf(32, 48, 160) }

func newModelOf(hidden, intermediate, positions int) *tinyModel {
	const layers = 2
	vocab := object{}
	for id, piece := range tinyVocab {
		vocab[piece] = id
	}
	special := func(name string) object { return object{"SpecialToken": object{"id": name, "type_id": 0}} }
	m := &tinyModel{
		files: map[string]any{
			"config.json": object{
				"model_type": "bert", "hidden_act": "gelu", "hidden_size": hidden, "num_hidden_layers": layers, "num_attention_heads": 2,
				"intermediate_size": intermediate, "max_position_embeddings": positions, "vocab_size": len(tinyVocab), "layer_norm_eps": 1e-12,
			},
			"tokenizer.json": object{
				"added_tokens": []object{
					{"id": 2, "content": "[CLS]", "single_word": false, "normalized": false},
					{"id": 3, "content": "[SEP]", "single_word": false, "normalized": false},
				},
				"normalizer":    object{"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true, "strip_accents": nil, "lowercase": true},
				"pre_tokenizer": object{"type": "BertPreTokenizer"},
				"post_processor": object{
					"type":           "TemplateProcessing",
					"single":         []object{special("[CLS]"), {"Sequence": object{"id": "A", "type_id": 0}}, special("[SEP]")},
					"special_tokens": object{"[CLS]": object{"ids": []int{2}}, "[SEP]": object{"ids": []int{3}}},
				},
				"model": object{"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 100, "vocab": vocab},
			},
			"modules.json": []object{
				{"path": "", "type": "sentence_transformers.models.Transformer"},
				{"path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
				{"path": "2_Normalize", "type": "sentence_transformers.models.Normalize"},
			},
			"1_Pooling/config.json": object{"word_embedding_dimension": hidden, "pooling_mode_mean_tokens": true},
		},
		tensors: map[string][]float32{}, shapes: map[string][]int{},
	}
	r := rand.New(rand.NewPCG(5, 6))
	add := func(name string, shape ...int) {
		n := 1
		for _, s := range shape {
			n *= s
		}
		x := make([]float32, n)
		for i := range x {
			x[i] = float32(r.NormFloat64()) / 2
		}
		m.tensors[name], m.shapes[name] = x, shape
	}
	pair := func(name string, shape ...int) {
		add(name+".weight", shape...)
		add(name+".bias", shape[0])
	}
	add("embeddings.word_embeddings.weight", len(tinyVocab), hidden)
	add("embeddings.position_embeddings.weight", positions, hidden)
	add("embeddings.token_type_embeddings.weight", 2, hidden)
	pair("embeddings.LayerNorm", hidden)
	for i := range layers {
		name := "encoder.layer." + strconv.Itoa(i) + "."
		for _, part := range []string{"attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense"} {
			pair(name+part, hidden, hidden)
		}
		pair(name+"attention.output.LayerNorm", hidden)
		pair(name+"intermediate.dense", intermediate, hidden)
		pair(name+"output.dense", hidden, intermediate)
		pair(name+"output.LayerNorm", hidden)
	}
	return m
}

// write writes the model to a directory.
func (m *tinyModel) write(dir string) error {
	for name, content := range m.files {
		raw, err := json.Marshal(content)
		if err != nil {
			return err
		}
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, raw, 0o644); err != nil {
			return err
		}
	}
	raw, err := m.safetensors("F32")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "model.safetensors"), raw, 0o644)
}

// safetensors returns the weights as a file of elements of a type, F32 or BF16.
func (m *tinyModel) safetensors(kind string) ([]byte, error) {
	header, data := object{"__metadata__": object{"format": "pt"}}, []byte{}
	for name, x := range m.tensors {
		begin := len(data)
		for _, v := range x {
			var err error
			if kind == "F32" {
				data, err = binary.Append(data, binary.LittleEndian, v)
			} else {
				data, err = binary.Append(data, binary.LittleEndian, bfloat(v))
			}
			if err != nil {
				return nil, err
			}
		}
		header[name] = object{"dtype": kind, "shape": m.shapes[name], "data_offsets": []int{begin, len(data)}}
	}
	raw, err := json.Marshal(header)
	return append(append(binary.LittleEndian.AppendUint64(nil, uint64(len(raw))), raw...), data...), err
}

// set changes a value in a file: set(3, "config.json", "hidden_size").
func (m *tinyModel) set(value any, file string, path ...string) {
	at := m.files[file].(object)
	for _, key := range path[:len(path)-1] {
		at = at[key].(object)
	}
	at[path[len(path)-1]] = value
}

// openTiny opens the model after some changes.
func openTiny(t testing.TB, o Options, changes ...func(*tinyModel)) (*Embedder, error) {
	t.Helper()
	return openModel(t, newTinyModel(), o, changes...)
}

func openModel(t testing.TB, m *tinyModel, o Options, changes ...func(*tinyModel)) (*Embedder, error) {
	t.Helper()
	for _, change := range changes {
		change(m)
	}
	dir := t.TempDir()
	require.NoError(t, m.write(dir))
	return Open(dir, o)
}
