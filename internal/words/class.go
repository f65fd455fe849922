package words

import (
	"sync"
	"unicode"
	"unicode/utf8"
)

// class says what a character is to a word.
type class uint8

const (
	none      class = iota
	letter          // a letter or digit of a script with spaces
	spaceless       // one of a script without
	mark            // it belongs to the letter or digit before it
	ignorable       // it is as if it were not there
)

// withoutSpaces are the scripts whose runs are taken apart into pairs.
var withoutSpaces = []*unicode.RangeTable{unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar}

// shared are letters that Unicode counts to no one script, because Han, Hiragana
// and Katakana share them (ScriptExtensions.txt): marks of closing, of prolonged
// sounds and of repetition.
var shared = &unicode.RangeTable{R16: []unicode.Range16{
	{Lo: 0x3006, Hi: 0x3006, Stride: 1}, {Lo: 0x3031, Hi: 0x3035, Stride: 1}, {Lo: 0x303c, Hi: 0x303c, Stride: 1},
	{Lo: 0x30fc, Hi: 0x30fc, Stride: 1},
}}

// ignored are the default-ignorable code points (DerivedCoreProperties.txt, of
// Unicode 15.0), but for the unassigned ones and those that NFKC removes.
var ignored = &unicode.RangeTable{
	R16: []unicode.Range16{
		{Lo: 0x00ad, Hi: 0x00ad, Stride: 1}, {Lo: 0x034f, Hi: 0x034f, Stride: 1}, {Lo: 0x061c, Hi: 0x061c, Stride: 1},
		{Lo: 0x115f, Hi: 0x1160, Stride: 1}, {Lo: 0x17b4, Hi: 0x17b5, Stride: 1}, {Lo: 0x180b, Hi: 0x180f, Stride: 1},
		{Lo: 0x200b, Hi: 0x200f, Stride: 1}, {Lo: 0x202a, Hi: 0x202e, Stride: 1}, {Lo: 0x2060, Hi: 0x206f, Stride: 1},
		{Lo: 0x3164, Hi: 0x3164, Stride: 1}, {Lo: 0xfe00, Hi: 0xfe0f, Stride: 1}, {Lo: 0xfeff, Hi: 0xfeff, Stride: 1},
		{Lo: 0xffa0, Hi: 0xffa0, Stride: 1},
	},
	R32: []unicode.Range32{
		{Lo: 0x1bca0, Hi: 0x1bca3, Stride: 1}, {Lo: 0x1d173, Hi: 0x1d17a, Stride: 1}, {Lo: 0xe0000, Hi: 0xe0fff, Stride: 1},
	},
}

// classify finds out the class of a character.
func classify(r rune) class {
	switch {
	case unicode.Is(ignored, r):
		return ignorable
	case unicode.Is(unicode.M, r):
		return mark
	case !unicode.In(r, unicode.L, unicode.N):
		return none
	case unicode.In(r, withoutSpaces...), unicode.Is(shared, r):
		return spaceless
	}
	return letter
}

// basic are the classes of the characters up to U+FFFF, which nearly all text is
// of: a look at each of the tables takes ten times as long.
var basic = sync.OnceValue(func() *[1 << 16]class {
	var classes [1 << 16]class
	fill := func(c class, tables ...*unicode.RangeTable) {
		for _, t := range tables {
			for _, r := range t.R16 {
				for x := int(r.Lo); x <= int(r.Hi); x += int(r.Stride) {
					classes[x] = c
				}
			}
		}
	}
	// In the order of classify, backwards. Scripts have more than letters.
	fill(letter, unicode.L, unicode.N)
	for _, t := range append(withoutSpaces, shared) {
		for _, r := range t.R16 {
			for x := int(r.Lo); x <= int(r.Hi); x += int(r.Stride) {
				if classes[x] == letter {
					classes[x] = spaceless
				}
			}
		}
	}
	fill(mark, unicode.M)
	fill(ignorable, ignored)
	return &classes
})

func classOf(r rune) class {
	if r < 1<<16 {
		return basic()[r]
	}
	return classify(r)
}

// latin reports whether a word is of Latin letters and marks alone.
func latin(word []byte) bool {
	for len(word) > 0 {
		r, n := utf8.DecodeRune(word)
		if !unicode.Is(unicode.Latin, r) && classOf(r) != mark {
			return false
		}
		word = word[n:]
	}
	return true
}
