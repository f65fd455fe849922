package words

import (
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Span is a part of a text, in bytes.
type Span struct{ Start, End int }

// Places calls f for the words of a text in order, with the part of the text that each
// is made of, until f returns false. The slice is valid until f returns. A character
// that stands for several words, and what is written against it without a separator,
// is one part.
//
// Each part is taken apart by itself, so this takes several times as long as [Each].
func (l *Language) Places(text string, f func(word []byte, at Span) bool) {
	going := true
	unit := func(at Span) bool {
		l.Each(text[at.Start:at.End], func(word []byte) bool {
			going = f(word, at)
			return going
		})
		return going
	}
	var chars []int // where the characters of a run begin
	for i := 0; i < len(text) && going; {
		r, n := utf8.DecodeRuneInString(text[i:])
		if outside(r) {
			i += n
			continue
		}
		start, pairs := i, classOf(r) == spaceless
		chars = chars[:0]
		for i < len(text) {
			r, n := utf8.DecodeRuneInString(text[i:])
			class := classOf(r)
			if joins := i > start && (class == mark || class == ignorable || voiced(r)); !joins {
				if outside(r) || (class == spaceless) != pairs {
					break
				}
				chars = append(chars, i)
			}
			i += n
		}
		if !pairs || len(chars) == 1 {
			unit(Span{start, i})
			continue
		}
		chars = append(chars, i)
		for c := 0; c+2 < len(chars) && unit(Span{chars[c], chars[c+2]}); c++ {
		}
	}
}

// outside reports whether a character is of no word and joins nothing on either side.
func outside(r rune) bool {
	switch {
	case r < utf8.RuneSelf:
		return !inPiece(byte(r))
	case r < 1<<16:
		return r == utf8.RuneError || simple()[r] == separator
	}
	return classOf(r) == none && norm.NFKC.IsNormalString(string(r))
}

// voiced reports whether a character is a half-width mark of Katakana, which is
// composed with the letter before it.
func voiced(r rune) bool { return r == 0xff9e || r == 0xff9f }
