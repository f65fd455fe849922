package engine

import (
	"slices"
	"strings"

	"github.com/vecwire/vecwire/filter"
)

// FullText says whether the texts of a collection can be searched by their
// words, and what a word is. Registries hold it by its name.
type FullText uint8

// The kinds of full text.
const (
	NoFullText FullText = iota
	Words               // words as they are, in any case
	English             // the stems of English words
	firstStem           // and on: the stems of another language, in the order of stems
)

var fullTexts = [...]string{NoFullText: "none", Words: "words", English: "english"}

// stems are the codes of the languages, in ISO 639-1, whose words have stems. Add
// others at the end.
var stems = [...]string{"ar", "da", "de", "es", "fi", "fr", "ga", "hu", "it", "nl", "no", "pt", "ro", "ru", "sv", "ta", "tr"}

// Stem returns the stems of a language's words, false if none are known.
func Stem(language string) (f FullText, known bool) {
	if language == "en" {
		return English, true
	}
	i := slices.Index(stems[:], language)
	return firstStem + FullText(i), i >= 0
}

// Languages returns the codes of the languages that Stem knows.
func Languages() []string {
	all := append([]string{"en"}, stems[:]...)
	slices.Sort(all)
	return all
}

// String returns the name.
func (f FullText) String() string {
	switch i := int(f) - int(firstStem); {
	case int(f) < len(fullTexts):
		return fullTexts[f]
	case i < len(stems):
		return "stem-" + stems[i]
	}
	return "unknown"
}

// Known reports whether f is one of the kinds that there are.
func (f FullText) Known() bool { return int(f) < int(firstStem)+len(stems) }

// ParseFullText returns what has the name; "" is a name of none.
func ParseFullText(name string) (f FullText, known bool) {
	if name == "" {
		return NoFullText, true
	}
	for i, n := range fullTexts {
		if n == name {
			return FullText(i), true
		}
	}
	if language, ok := strings.CutPrefix(name, "stem-"); ok && language != "en" {
		return Stem(language)
	}
	return NoFullText, false
}

// MaxWords is how many different words of a TextSearch count, at least: its
// first. A question has far fewer, and each costs time in every record that has it.
const MaxWords = 64

// TextSearch asks for the K records that fit the words of Text best. A record
// fits that has any of them; words that fewer records have weigh more. Text is
// valid UTF-8 without NUL and is no query language: nothing in it but words
// counts.
type TextSearch struct {
	Text    string
	Terms   *Terms // if not nil, what is asked for, and Text is not looked at
	K       int    // always positive
	Filter  filter.Filter
	Payload bool // with text and fields
	Vectors bool // with vectors
}
