// Package words takes texts apart into words, in one way for every engine, so
// that a question finds the same records wherever they are. An engine gets words
// that are taken apart already, in a form that it cannot take apart any further.
//
// A word is a maximal run of letters, digits and the marks on them after
// compatibility composition (NFKC), full case folding, and the removal of what
// Unicode calls default-ignorable, such as soft hyphens and joiners: this is
// Unicode's NFKC_Casefold, which is made for comparing texts. Marks that stand on
// no letter or digit are no word. In scripts that are written without spaces,
// namely Han, Hiragana, Katakana, Thai, Lao, Khmer and Myanmar, a run of
// characters, each with its marks, is taken apart into overlapping pairs; a single
// character stays one. All of this holds for texts and for questions.
//
// A word has no white space, no ASCII but lower-case letters and digits, and at
// most MaxBytes. To take one apart again gives the same word.
//
// The package knows no engine, no schema and no query language.
package words

import (
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/kljensen/snowball/english"
)

// MaxBytes is the longest word. A longer one, such as a picture in base64, is
// cut to so many bytes or up to three fewer, as no rune is cut: engines bound
// what their indexes hold, at 2,046 bytes the tightest (PostgreSQL's tsvector).
const MaxBytes = 1024

// Language says which words of a text count, and as what.
type Language struct {
	// reduce returns what a word counts as, in the memory of the word or its own,
	// and nothing for a word that does not count. It is nil if all words count as
	// they are.
	reduce func(word []byte) []byte
}

// The languages.
var (
	// Plain counts every word as it is.
	Plain = &Language{}

	// English counts the stems of words, by the Snowball stemmer, and leaves out
	// words that mean nothing alone, such as "the".
	English = &Language{reduce: reduceEnglish}
)

// Named returns the language with a name: those of engine.FullText. It is nil if there
// is none.
func Named(name string) *Language {
	switch name {
	case "words":
		return Plain
	case "english":
		return English
	}
	return stemmers[strings.TrimPrefix(name, "stem-")]
}

// reduceEnglish leaves words of other scripts, and numbers, as they are.
func reduceEnglish(word []byte) []byte {
	for _, b := range word {
		if b < 'a' || b > 'z' {
			if b < utf8.RuneSelf {
				return word // a digit
			}
			break
		}
	}
	if len(word) > 0 && (word[0] < 'a' || word[0] > 'z') && !latin(word) {
		return word
	}
	s := string(word)
	if english.IsStopWord(s) {
		return nil
	}
	if stem := english.Stem(s, false); stem != s {
		return append(word[:0], stem...)
	}
	return word
}

// Each calls f for the words of a text in order, until f returns false. The
// slice is valid until f returns.
func (l *Language) Each(text string, f func(word []byte) bool) {
	s := splitters.Get().(*splitter)
	defer splitters.Put(s)
	if l.reduce == nil {
		s.split(text, f)
		return
	}
	s.split(text, func(word []byte) bool {
		if word = l.reduce(word); len(word) == 0 {
			return true
		}
		return f(word)
	})
}

// Append appends the words of a text to b, with a space between two of them:
// what FTS5 reads, with its tokenizer "ascii", as these words and no others.
func (l *Language) Append(b []byte, text string) []byte {
	start := len(b)
	l.Each(text, func(word []byte) bool {
		if len(b) > start {
			b = append(b, ' ')
		}
		b = append(b, word...)
		return true
	})
	return b
}

// Distinct returns the first words of a text that are different, at most so
// many, in order.
func (l *Language) Distinct(text string, most int) []string {
	var list []string
	seen := map[string]bool{}
	l.Each(text, func(word []byte) bool {
		if !seen[string(word)] {
			s := string(word)
			seen[s] = true
			list = append(list, s)
		}
		return len(list) < most
	})
	return list
}

var splitters = sync.Pool{New: func() any { return new(splitter) }}
