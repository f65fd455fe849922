package transform

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func tinyTokenizer(t testing.TB, change func(m *tinyModel)) *tokenizer {
	t.Helper()
	m := newTinyModel()
	change(m)
	raw, err := json.Marshal(m.files["tokenizer.json"])
	require.NoError(t, err)
	tok, err := newTokenizer(raw, len(tinyVocab))
	require.NoError(t, err)
	return tok
}

func pieces(ids []int32) string {
	var s []string
	for _, id := range ids {
		s = append(s, tinyVocab[id])
	}
	return strings.Join(s, " ")
}

func TestTokenizer(t *testing.T) {
	const file = "tokenizer.json"
	as := func(value any, key string) func(*tinyModel) {
		return func(m *tinyModel) { m.set(value, file, "normalizer", key) }
	}
	plain := func(*tinyModel) {}
	overlap := func(m *tinyModel) {
		m.set([]object{{"id": 3, "content": "[SEP]"}, {"id": 7, "content": "[SEP]read"}}, file, "added_tokens")
	}
	for _, tt := range []struct {
		change     func(*tinyModel)
		text, want string
	}{
		{plain, "", "[CLS] [SEP]"},
		{plain, "Reads a FILE!!", "[CLS] read ##s a file ! ! [SEP]"},
		{plain, "readings", "[CLS] read ##ing ##s [SEP]"},
		{plain, "readx file", "[CLS] [UNK] file [SEP]"},
		{plain, "ing", "[CLS] [UNK] [SEP]"},
		{plain, "read中file", "[CLS] read 中 file [SEP]"},
		{as(false, "handle_chinese_chars"), "read中file", "[CLS] [UNK] [SEP]"},
		{plain, "Über u\u0308ber ÜBER", "[CLS] uber uber uber [SEP]"},
		{as(false, "strip_accents"), "Über uber", "[CLS] über uber [SEP]"},
		{as(false, "lowercase"), "Über über read Read", "[CLS] [UNK] über read [UNK] [SEP]"},
		{plain, "re\x00ad\u200b\ufffd a\u00a0file\tline", "[CLS] read a file line [SEP]"},
		{as(false, "clean_text"), "re\u200bad a\u00a0file", "[CLS] [UNK] a file [SEP]"},
		{plain, "read[SEP]ing [sep]", "[CLS] read [SEP] [UNK] [UNK] [UNK] [UNK] [SEP]"},
		{overlap, "a[SEP]read[SEP]", "[CLS] a line [SEP] [SEP]"},
		{plain, strings.Repeat("s", 101), "[CLS] [UNK] [SEP]"},
		{plain, "read" + strings.Repeat("s", 96), "[CLS] read" + strings.Repeat(" ##s", 96) + " [SEP]"},
		{plain, "read" + strings.Repeat("s", 97), "[CLS] [UNK] [SEP]"},
	} {
		require.Equal(t, tt.want, pieces(tinyTokenizer(t, tt.change).encode(tt.text)), "%q", tt.text)
	}
}

func TestCut(t *testing.T) {
	tok := tinyTokenizer(t, func(*tinyModel) {})
	ids := tok.encode("read a file by line")
	require.Equal(t, "[CLS] read a [SEP]", pieces(tok.cut(ids, 4)))
}

// FuzzTokenizer checks that the tokens of two texts with a space between are those
// of both, and that all are of the vocabulary, whatever the bytes.
func FuzzTokenizer(f *testing.F) {
	f.Add("read a file", "line")
	f.Add("\xff\xe4\xb8", "[SEP]中\u0301")
	f.Add("[CLS", "] über\x00")
	tok := tinyTokenizer(f, func(*tinyModel) {})
	f.Fuzz(func(t *testing.T, a, b string) {
		inner := func(text string) []int32 {
			ids := tok.encode(text)
			for _, id := range ids {
				require.Less(t, int(id), len(tinyVocab))
			}
			require.Equal(t, int32(2), ids[0])
			require.Equal(t, int32(3), ids[len(ids)-1])
			return ids[1 : len(ids)-1]
		}
		require.Equal(t, append(inner(a), inner(b)...), inner(a+" "+b))
	})
}
