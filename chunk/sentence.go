package chunk

import (
	"iter"
	"strings"
	"unicode"
	"unicode/utf8"
)

// sentences returns the ends of a text's sentences, each with the white space
// after it; the last is len(text).
//
// A sentence ends with a full stop, an exclamation or a question mark and what
// closes after it, if white space follows and after that no lower-case letter.
// The marks of Chinese and Japanese need no white space. A stop after a single
// letter or a number of two digits ends nothing: it is an initial or the number
// of a list item. A line's end ends nothing either, because prose is wrapped.
//
// This is the idea of Unicode Standard Annex 29 (rules SB8 to SB11) in one pass.
// Libraries that follow the annex to the letter look back over runs of white
// space and brackets again for every rune of them, which takes quadratic time.
func sentences(text string) iter.Seq[int] {
	return func(yield func(int) bool) {
		const (
			inside  = iota
			stopped // after a stop
			spaced  // after a stop and white space
			wide    // after a stop that needs no white space
		)
		state := inside
		word, digits := 0, false // the length of the word so far, and whether it is all digits
		for i, r := range text {
			switch {
			case isWideStop(r):
				state = wide
			case isStop(r):
				initial := r == '.' && (word == 1 || word == 2 && digits)
				if state != wide && !initial {
					state = stopped
				}
			case unicode.IsSpace(r):
				if state == stopped {
					state = spaced
				}
			case (state == stopped || state == wide) && isCloser(r):
			default:
				if (state == wide || state == spaced && !unicode.IsLower(r)) && !yield(i) {
					return
				}
				state = inside
			}
			if unicode.IsLetter(r) || unicode.IsDigit(r) {
				digits = (word == 0 || digits) && unicode.IsDigit(r)
				word++
			} else {
				word = 0
			}
		}
		if text != "" {
			yield(len(text))
		}
	}
}

func isStop(r rune) bool     { return strings.ContainsRune(".!?…", r) }
func isWideStop(r rune) bool { return strings.ContainsRune("。！？｡", r) }
func isCloser(r rune) bool   { return strings.ContainsRune(`"'”’»)]}*_`+"`」』）】", r) }

// wordEnd returns the end of a text's first word, with the white space after it.
// The commas of Chinese and Japanese end a word too, as there is little else to
// cut at.
func wordEnd(text string) int {
	after := false
	for i, r := range text {
		switch {
		case unicode.IsSpace(r) || strings.ContainsRune("，、；：", r):
			after = true
		case after:
			return i
		}
	}
	return len(text)
}

// EstimateTokens estimates how many tokens a model's tokenizer makes of a text,
// without knowing the tokenizer: one for every five letters or digits of a word
// begun, three in scripts other than Latin, one for each ideograph, kana and mark
// of punctuation. Over English documentation and source code that is 3 % more than
// BERT's tokenizer makes, but for one text it may be less. A model's own tokenizer
// knows better.
func EstimateTokens(text string) int {
	tokens, room := 0, 0 // room is what the last token of a word can still take, in fifteenths
	for i := 0; i < len(text); {
		r, width := utf8.DecodeRuneInString(text[i:])
		i += width
		cost := 0
		switch {
		case r == utf8.RuneError && width == 1:
			tokens, room = tokens+1, 0
			continue
		case unicode.IsSpace(r):
			room = 0
			continue
		case unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana):
			tokens, room = tokens+1, 0
			continue
		case r < utf8.RuneSelf && (unicode.IsLetter(r) || unicode.IsDigit(r)), unicode.In(r, unicode.Latin):
			cost = 3
		case unicode.IsLetter(r), unicode.IsDigit(r):
			cost = 5
		case unicode.IsMark(r):
			cost = 5
		default:
			tokens, room = tokens+1, 0
			continue
		}
		if room < cost {
			tokens, room = tokens+1, 15
		}
		room -= cost
	}
	return tokens
}
