package lexical

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

func termsOf(s *splitter, text string) []string {
	out := []string{}
	s.terms(text, func(term string) { out = append(out, term) })
	return out
}

func TestTerms(t *testing.T) {
	tests := []struct{ text, want string }{
		{"", ""},
		{" \t\n.,;:!?", ""},
		{"Reading files, line by line.", "read file line line"},
		{"the cat is on the mat", "cat mat"},
		{"sizes size sized", "size size size"},
		{"readAll", "read all readal"},
		{"ReadAll", "read all readal"},
		{"HTTPServer", "http server httpserver"},
		{"parseURLs IDs", "pars url parseurl id"},
		{"snake_case __init__ _", "snake case snakecas init"},
		{"net/http.Client.Do", "net http client do"},
		{"SHA-256 sha256 x509", "sha 256 sha 256 sha256 x 509 x509"},
		{"int64s 3.14", "int 64 s int64 3 14"},
		{"don't 'quoted' dog's o''clock rock’n’roll", "don't quot dog o clock rock'n'rol"},
		{"caf\u00e9 cafe\u0301 CAF\u00c9", "caf\u00e9 caf\u00e9 caf\u00e9"},
		{"ｆｕｌｌ ﬁne", "full fine"},
		{"Übung ÄPFEL", "übung äpfel"},
		{"日本語 text 語", "日本 本語 text 語"},
		{"日本語text", "日本 本語 text"},
		{"привет мир", "привет мир"},
		{"bad\xff\xfebytes", "bad byte"},
		{strings.Repeat("x", maxWord) + " " + strings.Repeat("y", maxWord+1) + " z", strings.Repeat("x", maxWord) + " z"},
	}
	for _, tt := range tests {
		require.Equal(t, strings.Fields(tt.want), termsOf(newSplitter(), tt.text), "%q", tt.text)
	}
}

// A splitter remembers a bounded number of words, and the same whether or not it
// knows them.
func TestSplitterForgets(t *testing.T) {
	s := newSplitter()
	var all strings.Builder
	for i := range maxStems + 100 {
		all.WriteString(" w")
		for ; i > 0; i /= 26 {
			all.WriteByte(byte('a' + i%26))
		}
	}
	first := termsOf(s, all.String())
	require.LessOrEqual(t, len(s.stems), maxStems)
	require.Equal(t, first, termsOf(s, all.String()))
}

func FuzzTerms(f *testing.F) {
	for _, seed := range []string{
		"readAll HTTPServer x509 snake_case", "don't ''quote’s", "日本語テキスト ไทย", "e\u0301\u0301 \u0301",
		"\xff\xfe", strings.Repeat("aB1_", 40), "ǅungla ŒUVRE ẞ İ",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s := newSplitter()
		got := termsOf(s, text)
		for _, term := range got {
			require.NotEmpty(t, term)
			require.True(t, utf8.ValidString(term), "%q", term)
			require.NotContains(t, term, "_")
		}
		// NFKC makes at most 18 characters of one, and a character is in at most
		// two terms.
		require.LessOrEqual(t, len(got), 2*18*utf8.RuneCountInString(text))
		require.Equal(t, got, termsOf(s, text), "known words give other terms")
		require.Equal(t, append(got, got...), termsOf(s, text+"\n"+text))
	})
}
