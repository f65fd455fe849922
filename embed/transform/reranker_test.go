package transform

import (
	"context"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/embed"
	"github.com/vecwire/vecwire/rerank"
)

// newCrossEncoder is a tiny cross-encoder, with sizes for weights of eight bits.
func newCrossEncoder() *tinyModel {
	m := newByteModel()
	for _, name := range []string{"modules.json", "1_Pooling/config.json"} {
		delete(m.files, name)
	}
	special := func(name string, kind int) object {
		return object{"SpecialToken": object{"id": name, "type_id": kind}}
	}
	sequence := func(id string, kind int) object { return object{"Sequence": object{"id": id, "type_id": kind}} }
	m.set([]object{special("[CLS]", 0), sequence("A", 0), special("[SEP]", 0), sequence("B", 1), special("[SEP]", 1)}, "tokenizer.json", "post_processor", "pair")
	tensors, shapes := map[string][]float32{}, map[string][]int{}
	for name, x := range m.tensors {
		tensors["bert."+name], shapes["bert."+name] = x, m.shapes[name]
	}
	r := rand.New(rand.NewPCG(7, 8))
	for name, shape := range map[string][]int{"bert.pooler.dense.weight": {32, 32}, "bert.pooler.dense.bias": {32}, "classifier.weight": {1, 32}, "classifier.bias": {1}} {
		x := make([]float32, shape[0]*shape[len(shape)-1])
		if len(shape) == 1 {
			x = x[:shape[0]]
		}
		for i := range x {
			x[i] = float32(r.NormFloat64()) / 2
		}
		tensors[name], shapes[name] = x, shape
	}
	m.tensors, m.shapes = tensors, shapes
	return m
}

func openCross(t *testing.T, m *tinyModel, o Options) (*Reranker, error) {
	dir := t.TempDir()
	require.NoError(t, m.write(dir))
	return OpenReranker(dir, o)
}

func TestRerankWhateverTheCompany(t *testing.T) {
	m := newCrossEncoder()
	for _, o := range []Options{{}, {Int8: true}, {Int8: true, Concurrency: 3}} {
		r, err := openCross(t, m, o)
		require.NoError(t, err)
		texts := tinyTexts()
		all, err := r.Rerank(t.Context(), "read a line", texts)
		require.NoError(t, err)
		for i, text := range texts {
			one, err := r.Rerank(t.Context(), "read a line", []string{text})
			require.NoError(t, err)
			require.Equal(t, all[i], one[0], "%q", text)
		}
		other, err := r.Rerank(t.Context(), "file", texts)
		require.NoError(t, err)
		require.NotEqual(t, all, other)
		ranked, err := rerank.Texts(t.Context(), r, "read a line", texts, 3)
		require.NoError(t, err)
		require.Len(t, ranked, 3)
		none, err := r.Rerank(t.Context(), "file", nil)
		require.NoError(t, err)
		require.Empty(t, none)
	}
}

// The text is of the second type: the score changes with that type's row.
func TestRerankTellsQueryAndTextApart(t *testing.T) {
	m := newCrossEncoder()
	before, err := openCross(t, m, Options{})
	require.NoError(t, err)
	want, err := before.Rerank(t.Context(), "read", []string{"file"})
	require.NoError(t, err)
	for j := range 32 {
		m.tensors["bert.embeddings.token_type_embeddings.weight"][32+j] += float32(j%3) / 4
	}
	for _, int8 := range []bool{false, true} {
		after, err := openCross(t, m, Options{Int8: int8})
		require.NoError(t, err)
		got, err := after.Rerank(t.Context(), "read", []string{"file"})
		require.NoError(t, err)
		require.Greater(t, math.Abs(want[0]-got[0]), 1e-3)
	}
}

func TestRerankRefuses(t *testing.T) {
	r, err := openCross(t, newCrossEncoder(), Options{RefuseLong: true, MaxTokens: 10})
	require.NoError(t, err)
	_, err = r.Rerank(t.Context(), "read a file", []string{"line", strings.Repeat("line ", 6)})
	var text *rerank.TextError
	require.ErrorAs(t, err, &text)
	require.Equal(t, 1, text.Index)
	var long *embed.TooLongError
	require.ErrorAs(t, err, &long)
	require.Equal(t, &embed.TooLongError{Tokens: 12, Most: 10}, long)
	_, err = r.Rerank(t.Context(), "read", []string{"line", "\xff"})
	require.ErrorAs(t, err, &text)
	_, err = r.Rerank(t.Context(), "\xff", []string{"line"})
	var value *codec.ValueError
	require.ErrorAs(t, err, &value)
	require.Equal(t, "query", value.Field)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = r.Rerank(ended, "read", []string{"line"})
	require.ErrorIs(t, err, context.Canceled)

	for field, change := range map[string]func(*tinyModel){
		"post_processor.pair":    func(m *tinyModel) { m.set(nil, "tokenizer.json", "post_processor", "pair") },
		"post_processor.pair[0]": func(m *tinyModel) { m.set([]object{{}}, "tokenizer.json", "post_processor", "pair") },
		"classifier.weight": func(m *tinyModel) {
			m.tensors["classifier.weight"], m.shapes["classifier.weight"] = make([]float32, 64), []int{2, 32}
		},
		"bert.pooler.dense.bias": func(m *tinyModel) { delete(m.tensors, "bert.pooler.dense.bias") },
		"type_vocab_size":        func(m *tinyModel) { m.set(1, "config.json", "type_vocab_size") },
	} {
		m := newCrossEncoder()
		change(m)
		_, err := openCross(t, m, Options{})
		require.ErrorAs(t, err, &value, field)
		require.Equal(t, field, value.Field)
	}
	m := newCrossEncoder()
	m.tensors["classifier.bias"][0] = float32(math.NaN())
	r, err = openCross(t, m, Options{})
	require.NoError(t, err)
	_, err = r.Rerank(t.Context(), "read", []string{"line"})
	require.ErrorAs(t, err, &text)
}

func TestLongestFirst(t *testing.T) {
	for _, c := range [][5]int{{3, 4, 7, 3, 4}, {3, 9, 7, 3, 4}, {9, 3, 7, 4, 3}, {9, 9, 7, 3, 4}, {8, 9, 7, 3, 4}, {5, 4, 7, 4, 3}, {0, 9, 7, 0, 7}} {
		a, b := longestFirst(c[0], c[1], c[2])
		require.Equal(t, [2]int{c[3], c[4]}, [2]int{a, b}, "%v", c)
	}
}
