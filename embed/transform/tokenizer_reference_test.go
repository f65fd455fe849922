package transform

import (
	"bytes"
	"encoding/json"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/internal/testenv"
)

// The tokens of ten thousand texts, of every script that Unicode has and of what is
// in no script, are those of the Hugging Face tokenizers library.
func TestTokensAreThoseOfTheReference(t *testing.T) {
	if testing.Short() {
		t.Skip("it starts the reference")
	}
	url, dir := testenv.EmbeddingServer(t), testenv.EmbeddingModelDir(t)
	e, err := Open(dir, Options{})
	require.NoError(t, err)
	texts := append(sentences(), randomTexts(10_000)...)
	different := 0
	for part := range slices.Chunk(texts, 500) {
		for i, want := range referenceTokens(t, url, part) {
			if got := e.tokenizer.encode(part[i]); !slices.Equal(want, got) {
				if different++; different <= 20 {
					t.Errorf("%+q: got %v, want %v", part[i], got, want)
				}
			}
		}
	}
	require.Zero(t, different, "of %d texts", len(texts))
}

func referenceTokens(t *testing.T, url string, texts []string) [][]int32 {
	var answer struct{ Tokens [][]int32 }
	ask(t, url+"/tokenize", map[string]any{"input": texts}, &answer)
	require.Len(t, answer.Tokens, len(texts))
	return answer.Tokens
}

// ask sends a request to the reference.
func ask(t *testing.T, url string, request, answer any) {
	body, err := json.Marshal(request)
	require.NoError(t, err)
	call, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, bytes.NewReader(body))
	require.NoError(t, err)
	response, err := http.DefaultClient.Do(call)
	require.NoError(t, err)
	defer response.Body.Close()
	require.NoError(t, json.NewDecoder(response.Body).Decode(answer))
}

// randomTexts makes texts of words, each of one script, with what may stand between
// words.
func randomTexts(n int) []string {
	r := rand.New(rand.NewPCG(13, 14))
	var scripts [][]rune
	for _, name := range slices.Sorted(maps.Keys(unicode.Scripts)) {
		scripts = append(scripts, runesOf(unicode.Scripts[name]))
	}
	between := []string{" ", " ", " ", "  ", "\t", "\n", "\u00a0", "\u3000", "\u200b", "\u2028", ", ", ". ", "-", "'", "\u2019", "_", "/", "\u0301", "\u00ad", "\x00", "\ufffd", "[SEP]", " [MASK] ", "$", "\u20ac", "\U0001f600"}
	common := strings.Fields("the of reading Straße İstanbul ΣΊΣΥΦΟΣ unbelievable COVID-19 3.14159 naïve ﬁnal Ⅷ ½ ₂ 日本語 한국어 नमस्ते")
	texts := make([]string, n)
	for i := range texts {
		var b strings.Builder
		for range 1 + r.IntN(12) {
			switch r.IntN(4) {
			case 0:
				b.WriteString(common[r.IntN(len(common))])
			default:
				script := scripts[r.IntN(len(scripts))]
				for range 1 + r.IntN(8) {
					b.WriteRune(script[r.IntN(len(script))])
				}
			}
			b.WriteString(between[r.IntN(len(between))])
		}
		texts[i] = b.String()
	}
	return texts
}

func runesOf(table *unicode.RangeTable) (runes []rune) {
	for _, in := range table.R16 {
		for r := rune(in.Lo); r <= rune(in.Hi); r += rune(in.Stride) {
			runes = append(runes, r)
		}
	}
	for _, in := range table.R32 {
		for r := rune(in.Lo); r <= rune(in.Hi); r += rune(in.Stride) {
			runes = append(runes, r)
		}
	}
	return runes
}
