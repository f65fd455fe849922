package lexical

import (
	"unicode"
	"unicode/utf8"

	"github.com/kljensen/snowball/english"
	"golang.org/x/text/unicode/norm"
)

// maxWord is the longest word, in characters, that gives terms. A longer run of
// letters and digits is encoded data, not a word.
const maxWord = 64

// stopWords say nothing about what a text is about. The list is Lucene's for
// English.
var stopWords = map[string]bool{
	"a": true, "an": true, "and": true, "are": true, "as": true, "at": true, "be": true, "but": true, "by": true,
	"for": true, "if": true, "in": true, "into": true, "is": true, "it": true, "no": true, "not": true, "of": true,
	"on": true, "or": true, "such": true, "that": true, "the": true, "their": true, "then": true, "there": true,
	"these": true, "they": true, "this": true, "to": true, "was": true, "will": true, "with": true,
}

// A splitter cuts texts into terms. A term is a word in lower case, reduced to
// its English stem, and no stop word. An identifier (readAll, HTTPServer,
// sha256, snake_case) gives its parts and then itself, joined. Scripts written
// without spaces give overlapping pairs of characters.
type splitter struct {
	word  []rune // the word that is being read
	long  bool   // it is longer than maxWord
	lower []rune // an identifier, joined
	key   []byte
	stems map[string]string // the terms of words seen lately; "" for a stop word
	emit  func(term string)
}

// maxStems bounds the memory of a splitter.
const maxStems = 1 << 14

func newSplitter() *splitter { return &splitter{stems: make(map[string]string)} }

// terms calls emit for each term of text, in order.
func (s *splitter) terms(text string, emit func(term string)) {
	s.emit = emit
	var before rune // the character before, in a run of a script without spaces
	alone := false  // before is the first of its run
	for _, r := range norm.NFKC.String(text) {
		if unspaced(r) {
			s.end()
			if before != 0 {
				emit(string([]rune{before, r}))
			}
			before, alone = r, before == 0
			continue
		}
		if alone {
			emit(string(before))
		}
		before, alone = 0, false
		s.add(r)
	}
	if alone {
		emit(string(before))
	}
	s.end()
}

// add gives the splitter the next character.
func (s *splitter) add(r rune) {
	if r == '’' {
		r = '\''
	}
	inside := r == '_' || wordRune(r) || r == '\'' && len(s.word) > 0 && s.word[len(s.word)-1] != '\''
	switch {
	case !inside:
		s.end()
	case len(s.word) == maxWord:
		s.long = true
	default:
		s.word = append(s.word, r)
	}
}

// end emits the terms of the word that ends here: its parts, and itself if they
// are several.
func (s *splitter) end() {
	word := s.word
	if s.long {
		word = nil
	}
	s.lower = s.lower[:0]
	parts, start := 0, 0
	for i := range word {
		if i+1 < len(word) && !boundary(word, i+1) {
			continue
		}
		if part := trim(word[start : i+1]); len(part) > 0 {
			s.term(part)
			s.lower = append(s.lower, part...)
			parts++
		}
		start = i + 1
	}
	if parts > 1 {
		s.term(s.lower)
	}
	s.word, s.long = s.word[:0], false
}

// term emits the term of a word.
func (s *splitter) term(word []rune) {
	s.key = s.key[:0]
	for _, r := range word {
		s.key = utf8.AppendRune(s.key, r)
	}
	stem, ok := s.stems[string(s.key)]
	if !ok {
		word := string(s.key)
		if !stopWords[word] {
			stem = english.Stem(word, false)
		}
		if len(s.stems) == maxStems {
			clear(s.stems)
		}
		s.stems[word] = stem
	}
	if stem != "" {
		s.emit(stem)
	}
}

// trim returns part in lower case, without underscores and outer apostrophes.
func trim(part []rune) []rune {
	for len(part) > 0 && (part[0] == '_' || part[0] == '\'') {
		part = part[1:]
	}
	for len(part) > 0 && (part[len(part)-1] == '_' || part[len(part)-1] == '\'') {
		part = part[:len(part)-1]
	}
	for i, r := range part {
		part[i] = unicode.ToLower(r)
	}
	return part
}

// boundary reports whether a part of an identifier begins at word[i].
func boundary(word []rune, i int) bool {
	a, b := word[i-1], word[i]
	switch {
	case a == '_' || b == '_':
		return a != b
	case digit(a) != digit(b):
		return !unicode.IsMark(b) && a != '\'' && b != '\''
	case capital(a) && capital(b):
		// The S of HTTPServer, but not the L of URLs.
		rest := word[i+1:]
		return len(rest) > 0 && small(rest[0]) && (rest[0] != 's' || len(rest) > 1 && small(rest[1]))
	default:
		return small(a) && capital(b)
	}
}

func wordRune(r rune) bool {
	if r < utf8.RuneSelf {
		return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
	}
	return unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.IsMark(r)
}

func digit(r rune) bool {
	return '0' <= r && r <= '9' || r >= utf8.RuneSelf && unicode.IsNumber(r)
}

func capital(r rune) bool {
	return 'A' <= r && r <= 'Z' || r >= utf8.RuneSelf && (unicode.IsUpper(r) || unicode.IsTitle(r))
}

func small(r rune) bool {
	return 'a' <= r && r <= 'z' || r >= utf8.RuneSelf && unicode.IsLetter(r) && !capital(r)
}

// unspaced reports whether r is of a script that puts no spaces between words.
func unspaced(r rune) bool {
	return r >= 0x0E00 && unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana,
		unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar)
}
