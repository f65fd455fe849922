package transform

import (
	"encoding/binary"
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/embed"
	"github.com/vecwire/vecwire/internal/testenv"
)

// The encoder of all-MiniLM-L6-v2 with its pooler and a random classifier is no
// reranker that is of use, but one that the reference computes, too: no package that
// carries the weights of a trained one was found.
func TestRerankAgreesWithTheReference(t *testing.T) {
	if testing.Short() {
		t.Skip("it starts the reference")
	}
	url := testenv.EmbeddingServer(t)
	classifier := make([]float32, testenv.EmbeddingDim)
	r := rand.New(rand.NewPCG(9, 10))
	for i := range classifier {
		classifier[i] = float32(r.NormFloat64())
	}
	dir := crossEncoderOf(t, testenv.EmbeddingModelDir(t), classifier)
	const query = "How do I read a file line by line in Go?"
	texts := append(sentences(), strings.Repeat(query+" ", 40))
	var answer struct{ Scores []float64 }
	ask(t, url+"/rerank", map[string]any{"query": query, "texts": texts, "classifier": classifier}, &answer)
	require.Len(t, answer.Scores, len(texts))
	for _, o := range []Options{{MaxTokens: 256}, {MaxTokens: 256, Int8: true}} {
		model, err := OpenReranker(dir, o)
		require.NoError(t, err)
		scores, err := model.Rerank(t.Context(), query, texts)
		require.NoError(t, err)
		c := correlation(scores, answer.Scores)
		t.Logf("int8 %t: correlation 1 - %.1e", o.Int8, 1-c)
		if o.Int8 {
			require.Greater(t, c, 0.97)
			continue
		}
		for i := range texts {
			require.InDelta(t, answer.Scores[i], scores[i], 1e-4, "%.60q", texts[i])
		}
	}
}

func correlation(a, b []float64) float64 {
	mean := func(x []float64) (m float64) {
		for _, v := range x {
			m += v / float64(len(x))
		}
		return m
	}
	ma, mb := mean(a), mean(b)
	var ab, aa, bb float64
	for i := range a {
		ab += (a[i] - ma) * (b[i] - mb)
		aa += (a[i] - ma) * (a[i] - ma)
		bb += (b[i] - mb) * (b[i] - mb)
	}
	return ab / math.Sqrt(aa*bb)
}

// BGE models take the first token's vector, which their files say, and E5 models
// want prefixes: the weights of all-MiniLM-L6-v2 serve to check both.
func TestFirstTokenAndPrefixesAgreeWithTheReference(t *testing.T) {
	if testing.Short() {
		t.Skip("it starts the reference")
	}
	url, from := testenv.EmbeddingServer(t), testenv.EmbeddingModelDir(t)
	dir := t.TempDir()
	require.NoError(t, os.CopyFS(dir, os.DirFS(from)))
	const pooling = `{"word_embedding_dimension": 384, "pooling_mode_cls_token": true, "pooling_mode_mean_tokens": false}`
	require.NoError(t, os.WriteFile(filepath.Join(dir, "1_Pooling", "config.json"), []byte(pooling), 0o644))
	e, err := Open(dir, Options{DocumentPrefix: "passage: ", QueryPrefix: "query: "})
	require.NoError(t, err)
	for use, prefix := range map[embed.Use]string{embed.Document: "passage: ", embed.Query: "query: "} {
		var prefixed []string
		for _, text := range sentences()[:20] {
			prefixed = append(prefixed, prefix+text)
		}
		var answer struct {
			Data []struct{ Embedding []float32 }
		}
		ask(t, url+"/embeddings", map[string]any{"input": prefixed, "pooling": "cls"}, &answer)
		require.Len(t, answer.Data, len(prefixed))
		got, err := e.Embed(t.Context(), sentences()[:20], use)
		require.NoError(t, err)
		for i, text := range prefixed {
			require.Greater(t, cosine(got[i], answer.Data[i].Embedding), 0.99999, "%.60q", text)
		}
	}
}

// crossEncoderOf writes a model's directory as that of a cross-encoder.
func crossEncoderOf(t *testing.T, from string, classifier []float32) (dir string) {
	dir = t.TempDir()
	for _, name := range []string{"config.json", "tokenizer.json", "tokenizer_config.json"} {
		raw, err := os.ReadFile(filepath.Join(from, name))
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), raw, 0o644))
	}
	raw, err := os.ReadFile(filepath.Join(from, weightsFile))
	require.NoError(t, err)
	n := binary.LittleEndian.Uint64(raw)
	var header map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(raw[8:8+n], &header))
	renamed := map[string]any{}
	for name, tensor := range header {
		if name != "__metadata__" {
			renamed["bert."+name] = tensor
		}
	}
	data := raw[8+n:]
	begin, end := len(data), len(data)+4*len(classifier)
	renamed["classifier.weight"] = tensor{"F32", []int{1, len(classifier)}, [2]int64{int64(begin), int64(end)}}
	renamed["classifier.bias"] = tensor{"F32", []int{1}, [2]int64{int64(end), int64(end + 4)}}
	for _, x := range append(classifier, 0) {
		data = binary.LittleEndian.AppendUint32(data, math.Float32bits(x))
	}
	out, err := json.Marshal(renamed)
	require.NoError(t, err)
	out = append(binary.LittleEndian.AppendUint64(nil, uint64(len(out))), out...)
	require.NoError(t, os.WriteFile(filepath.Join(dir, weightsFile), append(out, data...), 0o644))
	return dir
}
