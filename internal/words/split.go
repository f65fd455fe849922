package words

import (
	"strings"
	"sync"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// splitter holds the memory that splitting needs.
type splitter struct {
	ascii    [MaxBytes]byte
	composed []byte
	folded   []byte
	word     []byte
	units    []int // where the characters of a run without spaces begin in word
}

// split calls f for the words of a text, until f returns false.
//
// A text is cut at ASCII that is no letter or digit: such a character is in no
// word, and joins nothing on either side of it. With U+0338 after it, =, < and >
// become other characters, none of which is of a word either; and a mark at the
// start of a piece, which that one would be, is of no word.
func (s *splitter) split(text string, f func([]byte) bool) {
	for i := 0; i < len(text); {
		if !inPiece(text[i]) {
			i++
			continue
		}
		start, wide := i, false
		for i < len(text) && inPiece(text[i]) {
			wide = wide || text[i] >= utf8.RuneSelf
			i++
		}
		if wide {
			if !s.wide(text[start:i], f) {
				return
			}
			continue
		}
		piece := text[start:min(i, start+MaxBytes)]
		word := s.ascii[:len(piece)]
		for j := range piece {
			b := piece[j]
			if b >= 'A' && b <= 'Z' {
				b += 'a' - 'A'
			}
			word[j] = b
		}
		if !f(word) {
			return
		}
	}
}

func inPiece(b byte) bool {
	return b >= utf8.RuneSelf || b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= '0' && b <= '9'
}

// wide splits a piece of text that is not all ASCII. It is cut further at other
// separators; nearly every part is normalised as it is, and of characters that
// each fold to one, so that a table folds it.
func (s *splitter) wide(piece string, f func([]byte) bool) bool {
	table, classes := simple(), basic()
	start, plain, marks := 0, true, 0
	s.folded = s.folded[:0]
	for i := 0; i < len(piece); {
		r, n := rune(piece[i]), 1
		if r >= utf8.RuneSelf {
			r, n = utf8.DecodeRuneInString(piece[i:])
		}
		to := uint16(notSimple)
		if r < 1<<16 {
			if to = table[r]; classes[r] == mark {
				marks++
			} else {
				marks = 0
			}
		}
		switch {
		case to == separator:
			if !s.part(piece[start:i], plain, f) {
				return false
			}
			start, plain = i+n, true
			s.folded = s.folded[:0]
		case to == notSimple || marks > maxMarks:
			plain = false
		case plain && to < utf8.RuneSelf:
			s.folded = append(s.folded, byte(to))
		case plain:
			s.folded = utf8.AppendRune(s.folded, rune(to))
		}
		i += n
	}
	return s.part(piece[start:], plain, f)
}

// part calls f for the words of a part of a piece; if it is plain, s.folded is
// what it folds to, provided that it is normalised.
func (s *splitter) part(part string, plain bool, f func([]byte) bool) bool {
	if !plain || norm.NFKC.QuickSpanString(part) < len(part) {
		s.fold(part)
	}
	return s.runs(s.folded, f)
}

// What simple has for characters that do not fold to one.
const (
	notSimple = 0 // fold knows
	separator = 1 // it is of no word, and joins nothing on either side
)

// simple are what the characters up to U+FFFF fold to, where that is one
// character and does not depend on those beside it.
var simple = sync.OnceValue(func() *[1 << 16]uint16 {
	var table [1 << 16]uint16
	for r := rune(1); r < 1<<16; r++ {
		switch {
		case r >= 0xd800 && r < 0xe000 || r == utf8.RuneError || classOf(r) == ignorable:
			continue
		case r >= 0x3400 && r <= 0x9fff || r >= 0xac00 && r <= 0xd7a3: // Han and Hangul, most of the range, have no case
			table[r] = uint16(r)
			continue
		}
		text := norm.NFKC.String(string(r))
		if classOf(r) == none && norm.NFKC.PropertiesString(string(r)).BoundaryBefore() && !strings.ContainsFunc(text, func(r rune) bool { return classOf(r) != none }) {
			table[r] = separator
			continue
		}
		folded := []rune(folder.String(text))
		if text == string(r) && len(folded) == 1 && folded[0] < 1<<16 && norm.NFKC.IsNormalString(string(folded)) {
			table[r] = uint16(cherokee(folded[0]))
		}
	}
	return &table
})

var folder = cases.Fold()

// fold makes s.folded of a text, in the form in which words are compared. Folding may leave
// what composes, and that may fold again; it is stable then.
func (s *splitter) fold(text string) {
	s.composed = norm.NFKC.AppendString(s.composed[:0], text)
	s.foldComposed()
	if !norm.NFKC.IsNormal(s.folded) {
		s.composed = norm.NFKC.Append(s.composed[:0], s.folded...)
		s.foldComposed()
	}
}

// foldComposed makes s.folded of s.composed.
func (s *splitter) foldComposed() {
	need := 3*len(s.composed) + utf8.UTFMax // no rune folds to more than three times its bytes
	if cap(s.folded) < need {
		s.folded = make([]byte, need)
	}
	// Folding has no state, and the room is enough: it cannot fail.
	n, _, _ := folder.Transform(s.folded[:need], s.composed, true)
	s.folded = strip(s.folded[:n])
}

// maxMarks is how many marks on a letter count. No writing has so many, and from
// 30 on norm puts a character between them, which would be normalised again.
const maxMarks = 16

// strip removes default-ignorable code points, and marks that are too many, in
// place. Invalid UTF-8 stays, as what is in no word.
func strip(b []byte) []byte {
	out := b[:0]
	marks := 0
	for i := 0; i < len(b); {
		if b[i] < utf8.RuneSelf {
			out = append(out, b[i])
			i++
			marks = 0
			continue
		}
		r, n := utf8.DecodeRune(b[i:])
		class := classOf(r)
		if class == mark {
			marks++
		} else if class != ignorable {
			marks = 0
		}
		if class != ignorable && marks <= maxMarks {
			if small := cherokee(r); small != r {
				utf8.EncodeRune(b[i:], small) // as long as r
			}
			out = append(out, b[i:i+n]...)
		}
		i += n
	}
	return out
}

// cherokee returns the capital of a small Cherokee letter: they fold to capitals
// (CaseFolding.txt), and package cases exchanges the two.
func cherokee(r rune) rune {
	switch {
	case r >= 0xab70 && r <= 0xabbf:
		return r - 0xab70 + 0x13a0
	case r >= 0x13f8 && r <= 0x13fd:
		return r - 8
	}
	return r
}

// runs calls f for the words of a folded text.
func (s *splitter) runs(text []byte, f func([]byte) bool) bool {
	s.word = s.word[:0]
	s.units = s.units[:0]
	kind := none // of the run in word: none, letter or spaceless
	for i := 0; i < len(text); {
		r, n := utf8.DecodeRune(text[i:])
		class := classOf(r)
		switch class {
		case mark:
			if kind == none {
				i += n
				continue
			}
		case letter, spaceless:
			if kind != class {
				if !s.flush(kind, f) {
					return false
				}
				kind = class
			}
			if class == spaceless {
				s.units = append(s.units, len(s.word))
			}
		default:
			if !s.flush(kind, f) {
				return false
			}
			kind = none
			i += n
			continue
		}
		s.word = append(s.word, text[i:i+n]...)
		i += n
	}
	return s.flush(kind, f)
}

// flush calls f for the words of the run in s.word, and empties it.
func (s *splitter) flush(kind class, f func([]byte) bool) bool {
	word, units := s.word, s.units
	s.word, s.units = s.word[:0], s.units[:0]
	switch {
	case kind == none:
		return true
	case kind == letter || len(units) == 1:
		return f(clip(word))
	}
	for i := range len(units) - 1 {
		end := len(word)
		if i+2 < len(units) {
			end = units[i+2]
		}
		// A copy, since f may change it, and the next word shares half of it.
		s.composed = append(s.composed[:0], word[units[i]:end]...)
		if !f(clip(s.composed)) {
			return false
		}
	}
	return true
}

// clip cuts a word that is too long, between runes.
func clip(word []byte) []byte {
	if len(word) <= MaxBytes {
		return word
	}
	end := MaxBytes
	for !utf8.RuneStart(word[end]) {
		end--
	}
	return word[:end]
}
