package words

import (
	"slices"
	"unicode"
	"unicode/utf8"
)

// Passage is the part of a text that has the most of some words.
type Passage struct {
	Span
	Words []Span // where they stand, in order; parts may overlap
}

// Passage returns the passage of at most so many bytes with the most different ones
// of the wanted words, and of those the one with most of their places, and the first;
// of a text without any the beginning. It begins and ends between words where its
// length allows that, and never within a character.
func (l *Language) Passage(text string, wanted []string, most int) Passage {
	want := make(map[string]bool, len(wanted))
	for _, w := range wanted {
		want[w] = true
	}
	type place struct {
		Span
		word string
	}
	var places []place
	if len(want) > 0 {
		l.Places(text, func(word []byte, at Span) bool {
			if want[string(word)] {
				places = append(places, place{at, string(word)})
			}
			return true
		})
	}
	// A window over the places: each time it takes in one more at its end, it lets go
	// of those at its beginning for which it is too short.
	var best struct{ from, to, different int }
	count := map[string]int{}
	from := 0
	for to, p := range places {
		count[p.word]++
		for from < to && p.End-places[from].Start > most {
			if count[places[from].word]--; count[places[from].word] == 0 {
				delete(count, places[from].word)
			}
			from++
		}
		if n := len(count); n > best.different || n == best.different && to+1-from > best.to-best.from {
			best.from, best.to, best.different = from, to+1, n
		}
	}
	found := places[best.from:best.to]
	core := Span{}
	if len(found) > 0 {
		core = Span{found[0].Start, found[len(found)-1].End}
	}
	p := Passage{Span: around(text, core, most)}
	for _, f := range found {
		if f.Start >= p.Start && f.End <= p.End {
			p.Words = append(p.Words, f.Span)
		}
	}
	slices.SortFunc(p.Words, func(a, b Span) int { return a.Start - b.Start })
	p.Words = slices.Compact(p.Words)
	return p
}

// around returns a part of a text of at most so many bytes with the core, or as much of
// that as goes into it, and what stands before and after it.
func around(text string, core Span, most int) Span {
	if len(text) <= most {
		return trim(text, Span{0, len(text)})
	}
	if core.End-core.Start >= most {
		return Span{core.Start, backToRune(text, core.Start+most)}
	}
	start := max(0, core.Start-(most-(core.End-core.Start))/2)
	end := min(len(text), start+most)
	start = max(0, end-most)
	if start > 0 {
		start = forward(text, start, core.Start)
	}
	if end < len(text) {
		end = back(text, end, max(core.End, start))
	}
	return trim(text, Span{start, end})
}

// forward returns the first place from at on, up to limit, that is behind a space, or
// else the first that is the beginning of a character.
func forward(text string, at, limit int) int {
	for at < limit && !utf8.RuneStart(text[at]) {
		at++
	}
	for i := at; i < limit; {
		r, n := utf8.DecodeRuneInString(text[i:])
		if i += n; unicode.IsSpace(r) {
			return i
		}
	}
	return at
}

// back is forward in the other direction: it returns a place before a space.
func back(text string, at, limit int) int {
	at = max(limit, backToRune(text, at))
	if r, _ := utf8.DecodeRuneInString(text[at:]); unicode.IsSpace(r) {
		return at
	}
	for i := at; i > limit; {
		r, n := utf8.DecodeLastRuneInString(text[limit:i])
		if i -= n; unicode.IsSpace(r) {
			return i
		}
	}
	return at
}

func backToRune(text string, at int) int {
	for at > 0 && at < len(text) && !utf8.RuneStart(text[at]) {
		at--
	}
	return at
}

// trim leaves out the white space on either side.
func trim(text string, s Span) Span {
	for s.Start < s.End {
		r, n := utf8.DecodeRuneInString(text[s.Start:s.End])
		if !unicode.IsSpace(r) {
			break
		}
		s.Start += n
	}
	for s.Start < s.End {
		r, n := utf8.DecodeLastRuneInString(text[s.Start:s.End])
		if !unicode.IsSpace(r) {
			break
		}
		s.End -= n
	}
	return s
}
