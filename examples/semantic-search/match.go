package main

import (
	"strings"
	"unicode"

	"github.com/kljensen/snowball/english"
)

// A matcher knows the words of a question by their stems, as the collection's full
// text does.
type matcher map[string]bool

func newMatcher(question string) matcher {
	m := matcher{}
	for _, word := range strings.FieldsFunc(strings.ToLower(question), notInWord) {
		if !english.IsStopWord(word) {
			m[english.Stem(word, false)] = true
		}
	}
	return m
}

// matches reports whether a word with the punctuation around it is one of the
// question's.
func (m matcher) matches(word string) bool {
	word = strings.ToLower(strings.TrimFunc(word, notInWord))
	return word != "" && m[english.Stem(word, false)]
}

func notInWord(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }

// share returns how many of the question's words a text has, from 0 to 1.
func (m matcher) share(text string) float64 {
	if len(m) == 0 {
		return 0
	}
	found := map[string]bool{}
	for word := range strings.FieldsFuncSeq(strings.ToLower(text), notInWord) {
		if stem := english.Stem(word, false); m[stem] {
			found[stem] = true
		}
	}
	return float64(len(found)) / float64(len(m))
}
