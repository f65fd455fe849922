package engine

import (
	"context"

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
)

var fullTexts = [...]string{NoFullText: "none", Words: "words", English: "english"}

// String returns the name.
func (f FullText) String() string {
	if int(f) < len(fullTexts) {
		return fullTexts[f]
	}
	return "unknown"
}

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
	K       int // always positive
	Filter  filter.Filter
	Payload bool // with text and fields
	Vectors bool // with vectors
}

// TextSearcher is an engine's collection whose schema may have FullText. Its
// methods are called only if it has.
type TextSearcher interface {
	// SearchText answers all searches, in order, each as if it were alone. Hits
	// are best first, equal scores by ID. Scores of two searches, and of two
	// engines, cannot be compared.
	SearchText(ctx context.Context, searches []TextSearch) ([][]Hit, error)
}
