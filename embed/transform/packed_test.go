package transform

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/embed"
)

func packTiny(t testing.TB, o PackOptions, changes ...func(*tinyModel)) string {
	t.Helper()
	m := newByteModel()
	for _, change := range changes {
		change(m)
	}
	dir := t.TempDir()
	require.NoError(t, m.write(dir))
	packed, err := Pack(dir, o)
	require.NoError(t, err)
	again, err := Pack(dir, o)
	require.NoError(t, err)
	require.True(t, bytes.Equal(packed, again))
	return string(packed)
}

func TestPackedIsTheSame(t *testing.T) {
	prompts := func(m *tinyModel) {
		m.files["config_sentence_transformers.json"] = object{"prompts": object{"query": "read ", "document": "a "}}
		m.files["sentence_bert_config.json"] = object{"max_seq_length": 100}
	}
	packed := packTiny(t, PackOptions{Notice: "made of nothing"}, prompts)
	require.NoError(t, CheckPacked(packed))
	require.Contains(t, packed[:2000], "made of nothing")
	got, err := OpenPacked(packed, Options{})
	require.NoError(t, err)
	want, err := openModel(t, newByteModel(), Options{Int8: true}, prompts)
	require.NoError(t, err)
	require.Equal(t, want.Dim(), got.Dim())
	require.Equal(t, 100, got.MaxTokens())
	for _, use := range []embed.Use{embed.Document, embed.Query} {
		texts := append(tinyTexts(), "Über 中 reads[SEP]files!")
		w, err := want.Embed(t.Context(), texts, use)
		require.NoError(t, err)
		g, err := got.Embed(t.Context(), texts, use)
		require.NoError(t, err)
		require.Equal(t, w, g)
	}
}

func TestPackedModelName(t *testing.T) {
	name := func(packed string, o Options) string {
		e, err := OpenPacked(packed, o)
		require.NoError(t, err)
		return e.Model()
	}
	packed := packTiny(t, PackOptions{Name: "tiny"})
	names := map[string]string{}
	for what, got := range map[string]string{
		"as it is":   name(packed, Options{}),
		"prefix":     name(packed, Options{QueryPrefix: "x"}),
		"max tokens": name(packed, Options{MaxTokens: 9}),
		"weights":    name(packTiny(t, PackOptions{Name: "tiny"}, func(m *tinyModel) { m.tensors["embeddings.LayerNorm.bias"][3]++ }), Options{}),
	} {
		require.Empty(t, names[got], "%s has the name of %s", what, names[got])
		require.Regexp(t, `^tiny/[0-9a-f]{16}$`, got)
		names[got] = what
	}
	require.Equal(t, "as it is", names[name(packTiny(t, PackOptions{Name: "tiny", Notice: "another"}), Options{})], "the notice is no weight")
	require.Regexp(t, `^bert-L2-H32-int8/`, name(packTiny(t, PackOptions{}), Options{}))
	require.Equal(t, "mine", name(packed, Options{Name: "mine"}))
}

func TestOpenPackedRefuses(t *testing.T) {
	packed := packTiny(t, PackOptions{})
	for what, data := range map[string]string{
		"nothing":       "",
		"another file":  "PK\x03\x04" + packed[4:],
		"only its head": packed[:len(packedMagic)+3],
		"cut header":    packed[:100],
		"cut weights":   packed[:len(packed)-1],
		"more":          packed + "x",
		"other sizes":   strings.Replace(packed, `"hidden_size":32`, `"hidden_size":64`, 1),
		"odd sizes":     strings.Replace(packed, `"hidden_size":32`, `"hidden_size":33`, 1),
		"great sizes":   strings.Replace(packed, `"num_hidden_layers":2`, `"num_hidden_layers":9`, 1),
		"positions":     strings.Replace(packed, `"max_tokens":160`, `"max_tokens":999`, 1),
	} {
		_, err := OpenPacked(data, Options{})
		var value *codec.ValueError
		require.ErrorAs(t, err, &value, what)
		require.ErrorContains(t, err, "transform: packed model: ")
	}
	_, err := OpenPacked(packed, Options{MaxTokens: 161})
	require.ErrorContains(t, err, "Options.MaxTokens")
	require.NoError(t, CheckPacked(packed))
	require.ErrorContains(t, CheckPacked(packed[:len(packed)-1]+"\x7f"), "SHA-256")
	require.Error(t, CheckPacked("x"))
}

func TestPackRefuses(t *testing.T) {
	for _, change := range []func(m *tinyModel){
		func(m *tinyModel) { m.set(4, "tokenizer.json", "model", "vocab", "twice") },
		func(m *tinyModel) { m.set(15, "tokenizer.json", "model", "vocab", "a\nb") },
	} {
		m := newByteModel()
		change(m)
		dir := t.TempDir()
		require.NoError(t, m.write(dir))
		_, err := Pack(dir, PackOptions{})
		var value *codec.ValueError
		require.ErrorAs(t, err, &value)
		require.Contains(t, value.Field, "model.vocab")
	}
}

// FuzzOpenPacked changes bytes of a packed model's header: it is opened or refused,
// and what is opened embeds or refuses a text.
func FuzzOpenPacked(f *testing.F) {
	packed := packTiny(f, PackOptions{})
	f.Add(20, byte('9'), 400, byte(' '))
	f.Add(len(packedMagic), byte(0), len(packedMagic)+1, byte(0))
	f.Fuzz(func(t *testing.T, i int, a byte, j int, b byte) {
		data := []byte(packed)
		if uint(i) >= 1500 || uint(j) >= 1500 {
			return
		}
		data[i], data[j] = a, b
		e, err := OpenPacked(string(data), Options{})
		if err != nil {
			return
		}
		_, _ = e.Embed(t.Context(), []string{"read a file"}, embed.Document)
	})
}
