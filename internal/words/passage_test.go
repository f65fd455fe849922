package words_test

import (
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/internal/words"
)

// The words with their places are those without, and each is made of its place alone.
func TestPlaces(t *testing.T) {
	parts := []string{
		"go", "Hello", "WORLD", "error-404", "naïve", "Straße", "ΣΊΣΥΦΟΣ", "東京タワーへ", "ภาษาไทย", "ที่นี่ดี", "ｶﾞﾝ", "型号XG-2000的", "한국어", "ﬁle", "x²", "½",
		"soft\u00adhyphen", "a\u0301", "😀", "𠮷野家", "\xff", "don’t", "第3章", "か\u3099き", " ", "  ", "\n", ", ", ". ", "。", "/", "\u200b", "я", "𝐀𝐁",
	}
	rng := rand.New(rand.NewPCG(3, 4))
	for range 3_000 {
		var b strings.Builder
		for range rng.IntN(8) {
			b.WriteString(parts[rng.IntN(len(parts))])
		}
		text := b.String()
		for _, l := range []*words.Language{words.Plain, words.English} {
			var got []string
			last := words.Span{}
			l.Places(text, func(word []byte, at words.Span) bool {
				got = append(got, string(word))
				require.True(t, at.Start >= last.Start && at.End >= last.End && at.Start < at.End && at.End <= len(text), "%q", text)
				require.Contains(t, strings.Fields(split(l, text[at.Start:at.End])), string(word))
				last = at
				return true
			})
			require.Equal(t, split(l, text), strings.Join(got, " "), "%q", text)
		}
	}
}

func TestPassage(t *testing.T) {
	long := strings.Repeat("Nothing of interest is said here at all. ", 20) + "Then the gophers dig a tunnel. " + strings.Repeat("And nothing more. ", 20)
	for _, tt := range []struct {
		name, text string
		wanted     []string
		most       int
		want       string
		words      []string
	}{
		{"a short text", " gophers dig \n", []string{"dig"}, 100, "gophers dig", []string{"dig"}},
		{"in the middle", long, []string{"gophers", "tunnel"}, 40, "Then the gophers dig a tunnel. And", []string{"gophers", "tunnel"}},
		{"none of the words", long, []string{"crabs"}, 19, "Nothing of interest", nil},
		{"no words", long, nil, 8, "Nothing", nil},
		{"different words before many", "dig dig dig dig " + strings.Repeat("- ", 50) + "dig Gophers", []string{"gophers", "dig"}, 20, "- - - - dig Gophers", []string{"dig", "Gophers"}},
		{"no room for the word", "x gophers", []string{"gophers"}, 4, "goph", nil},
		{"nothing", "", []string{"x"}, 10, "", nil},
		{"Japanese", strings.Repeat("あいうえお。", 30) + "東京タワーへ行く", []string{"タワ", "ワー"}, 24, "東京タワーへ行", []string{"タワ", "ワー"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := words.Plain.Passage(tt.text, tt.wanted, tt.most)
			got := tt.text[p.Start:p.End]
			require.LessOrEqual(t, len(got), tt.most)
			require.True(t, utf8.ValidString(got))
			var found []string
			for _, w := range p.Words {
				found = append(found, tt.text[w.Start:w.End])
			}
			require.Equal(t, tt.words, found)
			require.Equal(t, tt.want, got)
		})
	}
}

// No text and no length makes a passage that is none.
func TestPassageOfAnything(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	runes := []rune("abc  \n東京ー😀é\u0301\u00ad\ufffd")
	for range 3_000 {
		text := make([]rune, rng.IntN(60))
		for i := range text {
			text[i] = runes[rng.IntN(len(runes))]
		}
		most := 1 + rng.IntN(40)
		p := words.Plain.Passage(string(text), []string{"a", "ab", "東京", "é"}, most)
		require.True(t, p.Start >= 0 && p.Start <= p.End && p.End <= len(string(text)) && p.End-p.Start <= most)
		require.True(t, utf8.ValidString(string(text)[p.Start:p.End]))
		for _, w := range p.Words {
			require.True(t, w.Start >= p.Start && w.End <= p.End)
		}
	}
}
