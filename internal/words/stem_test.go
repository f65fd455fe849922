package words_test

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/internal/engine"
	"github.com/vecwire/vecwire/internal/words"
)

func TestStems(t *testing.T) {
	for _, tt := range []struct{ language, text, want string }{
		{"de", "Die Häuser, das Haus; Straßen und Straße: gesucht 404", "die haus das haus strass und strass gesucht 404"},
		{"fr", "Les chevaux mangeaient l'été", "le cheval mang l été"},
		{"es", "canciones canción", "cancion cancion"},
		{"ru", "книги книга КНИГАМИ", "книг книг книг"},
		{"it", "libri libro", "libr libr"},
		{"nl", "huizen lopen", "huiz lop"},
		{"pt", "gatos gato", "gat gat"},
		{"sv", "bilarna bilar", "bil bil"},
		{"fi", "talossa talo", "talo talo"},
		{"tr", "kitaplar kitap", "kitap kitap"},
		{"de", "東京タワー v1x2", "東京 京タ タワ ワー v1x2"},
	} {
		l := words.Named("stem-" + tt.language)
		require.NotNil(t, l)
		require.Equal(t, tt.want, split(l, tt.text), tt.language)
	}
}

// Every language that a schema may have has its words, by its name.
func TestNames(t *testing.T) {
	for _, language := range engine.Languages() {
		f, known := engine.Stem(language)
		require.True(t, known)
		require.NotNil(t, words.Named(f.String()), language)
		parsed, known := engine.ParseFullText(f.String())
		require.True(t, known)
		require.Equal(t, f, parsed)
	}
	for _, name := range []string{"", "none", "unknown", "stem-", "stem-xx"} {
		require.Nil(t, words.Named(name), name)
	}
	for _, name := range []string{"unknown", "stem-", "stem-xx", "stem-en"} {
		_, known := engine.ParseFullText(name)
		require.False(t, known, name)
	}
	require.Equal(t, "stem-de", func() string { f, _ := engine.Stem("de"); return f.String() }())
}

// Whatever a word is made of, its stem is a word, and no stemmer panics.
func TestStemsOfAnything(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	alphabets := [][]rune{
		[]rune("abcdefghijklmnopqrstuvwxyzäöüßéèêçñåøıİIY'"), []rune("абвгдежзийклмнопрстуфхцчшщъыьэюяё"), []rune("ابتثجحخدذرزسشصضطظعغفقكلمنهويءآأؤإئةىًٌٍَُ"), []rune("அஆஇஈஉஊகஙசஞடணதநபமயரலவழளறனாிீுூெேைொோௌ்"), []rune("한国タ😀\u0301"),
	}
	for _, language := range engine.Languages() {
		f, _ := engine.Stem(language)
		l := words.Named(f.String())
		for range 4_000 {
			alphabet := alphabets[rng.IntN(len(alphabets))]
			text := make([]rune, 1+rng.IntN(14))
			for i := range text {
				text[i] = alphabet[rng.IntN(len(alphabet))]
			}
			for _, word := range l.Distinct(string(text), 100) {
				require.Equal(t, word, split(words.Plain, word), "%s: %q", language, string(text))
			}
		}
	}
}
