package words

import (
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/blevesearch/snowballstem"
	"github.com/blevesearch/snowballstem/arabic"
	"github.com/blevesearch/snowballstem/danish"
	"github.com/blevesearch/snowballstem/dutch"
	"github.com/blevesearch/snowballstem/finnish"
	"github.com/blevesearch/snowballstem/french"
	"github.com/blevesearch/snowballstem/german"
	"github.com/blevesearch/snowballstem/hungarian"
	"github.com/blevesearch/snowballstem/irish"
	"github.com/blevesearch/snowballstem/italian"
	"github.com/blevesearch/snowballstem/norwegian"
	"github.com/blevesearch/snowballstem/portuguese"
	"github.com/blevesearch/snowballstem/romanian"
	"github.com/blevesearch/snowballstem/russian"
	"github.com/blevesearch/snowballstem/spanish"
	"github.com/blevesearch/snowballstem/swedish"
	"github.com/blevesearch/snowballstem/tamil"
	"github.com/blevesearch/snowballstem/turkish"
)

// stemmers are Snowball's, by the code of their language in ISO 639-1.
var stemmers = map[string]*Language{
	"ar": stemsOf(arabic.Stem), "da": stemsOf(danish.Stem), "de": stemsOf(german.Stem), "es": stemsOf(spanish.Stem), "fi": stemsOf(finnish.Stem),
	"fr": stemsOf(french.Stem), "ga": stemsOf(irish.Stem), "hu": stemsOf(hungarian.Stem), "it": stemsOf(italian.Stem), "nl": stemsOf(dutch.Stem),
	"no": stemsOf(norwegian.Stem), "pt": stemsOf(portuguese.Stem), "ro": stemsOf(romanian.Stem), "ru": stemsOf(russian.Stem), "sv": stemsOf(swedish.Stem),
	"ta": stemsOf(tamil.Stem), "tr": stemsOf(turkish.Stem),
}

var stemming = sync.Pool{New: func() any { return snowballstem.NewEnv("") }}

// stemsOf makes a language of a stemmer. Words with digits stay as they are, and so
// does a word of which the stemmer makes what is no word.
func stemsOf(stem func(*snowballstem.Env) bool) *Language {
	return &Language{reduce: func(word []byte) []byte {
		for _, b := range word {
			if b >= '0' && b <= '9' {
				return word
			}
		}
		env := stemming.Get().(*snowballstem.Env)
		env.SetCurrent(string(word))
		stem(env)
		out := env.Current()
		stemming.Put(env)
		if out == "" || len(out) > MaxBytes || !utf8.ValidString(out) || strings.ContainsFunc(out, noWord) {
			return word
		}
		if len(out) > len(word) {
			return []byte(out) // what follows the word in memory is the rest of the text
		}
		return append(word[:0], out...)
	}}
}

// noWord reports whether a character is of no word, as words are compared.
func noWord(r rune) bool {
	return r < utf8.RuneSelf && (r < 'a' || r > 'z') || unicode.IsUpper(r) || classOf(r) == none || classOf(r) == ignorable
}
