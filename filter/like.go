package filter

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Like passes records whose String field has the form of a pattern, in which % stands
// for any run of characters, none too, and _ for any one; a backslash before one of
// them, or before a backslash, takes it for itself. Case does not count: characters
// are the same that Unicode's simple case folding makes the same, so Σ, σ and ς are
// one, and ß is no ss. The field "text" is the record's text.
func Like(field, pattern string) Filter { return compare(OpLike, field, pattern) }

// Words passes records whose text has each of the words of question, in any order
// and any case. The field is "text", and the collection has full text, whose kind
// says what a word is.
func Words(field, question string) Filter { return compare(OpWords, field, question) }

// wantPattern returns what is wrong with a pattern of Like, "" if nothing is.
func wantPattern(pattern string) string {
	for i := 0; i < len(pattern); i++ {
		if pattern[i] != '\\' {
			continue
		}
		if i++; i == len(pattern) || strings.IndexByte(`%_\`, pattern[i]) < 0 {
			return `a pattern in which a backslash stands before %, _ or a backslash`
		}
	}
	return ""
}

// FoldRune returns the character that stands for all those that differ from r in
// case only.
func FoldRune(r rune) rune {
	least := r
	for next := unicode.SimpleFold(r); next != r; next = unicode.SimpleFold(next) {
		least = min(least, next)
	}
	return least
}

// MatchLike reports whether a text has the form of a checked pattern of [Like].
func MatchLike(pattern, text string) bool {
	// Where a run that % stands for turns out too short, the search goes on from
	// there with one character more; only the last % matters.
	again, resume, retry := "", "", false
	for {
		r, size, run, rest := nextOfPattern(pattern)
		switch {
		case pattern == "" && text == "":
			return true
		case run:
			pattern = rest
			again, resume, retry = pattern, text, true
			continue
		case pattern != "" && text != "":
			c, n := utf8.DecodeRuneInString(text)
			if r < 0 || FoldRune(c) == r {
				pattern, text = pattern[size:], text[n:]
				continue
			}
		}
		if !retry || resume == "" {
			return false
		}
		_, n := utf8.DecodeRuneInString(resume)
		resume = resume[n:]
		pattern, text = again, resume
	}
}

// nextOfPattern returns the character at the beginning of a pattern, folded, or -1
// for any one, and its size; or that any run may stand there, and what follows.
func nextOfPattern(pattern string) (r rune, size int, run bool, rest string) {
	switch {
	case pattern == "":
		return 0, 0, false, ""
	case pattern[0] == '%':
		return 0, 1, true, strings.TrimLeft(pattern, "%")
	case pattern[0] == '_':
		return -1, 1, false, ""
	case pattern[0] == '\\' && len(pattern) > 1:
		return rune(pattern[1]), 2, false, "" // ASCII without case
	}
	r, size = utf8.DecodeRuneInString(pattern)
	return FoldRune(r), size, false, ""
}
