package chunk

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// strength says how good a place is to cut at.
type strength uint8

const (
	atRune     strength = iota // inside a word
	atWord                     // between words, or at a line's end in prose
	atSentence                 // between sentences, table rows or lines of code
	atItem                     // between list items
	atBlock                    // between paragraphs, lists, tables, code blocks
)

// piece is a part of the text that is not cut any more. Pieces are adjacent:
// white space belongs to the piece before it.
type piece struct {
	start, end int
	weight     int // what Count says of it, at least 1
	before     strength
}

type splitter struct {
	Options
	text   string
	pieces []piece // of the section that is being read
	chunks []Chunk
}

// add appends text[start:end] to the section, in as many pieces as it takes for
// none to exceed Size, and before as the strength of its beginning.
func (s *splitter) add(start, end int, before strength) {
	if start == end {
		return
	}
	weight := s.weigh(start, end)
	if weight <= s.Size {
		s.pieces = append(s.pieces, piece{start, end, weight, before})
		return
	}
	for start < end {
		next := start + wordEnd(s.text[start:end])
		s.addWord(start, next, before)
		start, before = next, atWord
	}
}

// addWord is add for a word with the white space after it. A word that is too
// large is cut into stretches of Size runes, and these into halves until they
// fit: halving the word itself would take more than linear time.
func (s *splitter) addWord(start, end int, before strength) {
	if weight := s.weigh(start, end); weight <= s.Size {
		s.pieces = append(s.pieces, piece{start, end, weight, before})
		return
	}
	for start < end {
		next, runes := start, 0
		for next < end && runes < s.Size {
			_, width := utf8.DecodeRuneInString(s.text[next:end])
			next += width
			runes++
		}
		s.halve(start, next, runes, before)
		start, before = next, atRune
	}
}

// halve adds a stretch of text of that many runes.
func (s *splitter) halve(start, end, runes int, before strength) {
	weight := s.weigh(start, end)
	if weight <= s.Size || runes == 1 {
		s.pieces = append(s.pieces, piece{start, end, weight, before})
		return
	}
	middle := start
	for range runes / 2 {
		_, width := utf8.DecodeRuneInString(s.text[middle:end])
		middle += width
	}
	s.halve(start, middle, runes/2, before)
	s.halve(middle, end, runes-runes/2, atRune)
}

func (s *splitter) weigh(start, end int) int {
	return max(1, s.Count(s.text[start:end]))
}

// finish makes chunks of the section's pieces and forgets them.
func (s *splitter) finish(headings []string) {
	pieces := s.pieces
	first, done := 0, 0 // the chunk's first piece; the first piece that is in no chunk yet
	for done < len(pieces) {
		overlap := 0
		for i := first; i < done; i++ {
			overlap += pieces[i].weight
		}
		end, sum := done+1, overlap+pieces[done].weight
		for end < len(pieces) && sum+pieces[end].weight <= s.Size {
			sum += pieces[end].weight
			end++
		}
		if end < len(pieces) {
			end = cut(pieces, done, end)
		}
		// The sum of a tokenizer's counts may fall short of the count of the whole.
		for !s.fits(pieces[first].start, pieces[end-1].end) {
			if end-done > 1 {
				end = done + (end-done)/2
			} else if first < done {
				first = done
			} else {
				break
			}
		}
		s.emit(pieces[first].start, pieces[end-1].end, headings)
		first, done = s.overlapped(pieces, first, end), end
	}
	s.pieces = s.pieces[:0]
}

// cut returns where to end a chunk of new pieces from done to end: at the
// strongest place in its second half, the last of those.
func cut(pieces []piece, done, end int) int {
	total := 0
	for _, p := range pieces[done:end] {
		total += p.weight
	}
	best, sum := end, total
	for i := end; i > done && sum*2 >= total; i-- {
		if pieces[i].before > pieces[best].before {
			best = i
		}
		sum -= pieces[i-1].weight
	}
	return best
}

// overlapped returns the first piece of the chunk that follows one of pieces from
// first to end.
func (s *splitter) overlapped(pieces []piece, first, end int) int {
	if end == len(pieces) {
		return end
	}
	room := min(s.Overlap, s.Size-pieces[end].weight)
	begin := end
	for i, sum := end, 0; i > first+1; i-- {
		if sum += pieces[i-1].weight; sum > room {
			break
		}
		if pieces[i-1].before >= min(pieces[end].before, atSentence) {
			begin = i - 1
		}
	}
	return begin
}

func (s *splitter) fits(start, end int) bool {
	start, end = trim(s.text, start, end)
	return s.Count(s.text[start:end]) <= s.Size
}

func (s *splitter) emit(start, end int, headings []string) {
	start, end = trim(s.text, start, end)
	if start == end || len(s.chunks) > 0 && end <= s.chunks[len(s.chunks)-1].End {
		return // it would add nothing but white space
	}
	s.chunks = append(s.chunks, Chunk{Text: s.text[start:end], Start: start, End: end, Headings: headings})
}

// trim leaves out the white space at the end and the blank lines at the
// beginning; the indentation of the first line stays.
func trim(text string, start, end int) (int, int) {
	end = start + len(strings.TrimRightFunc(text[start:end], unicode.IsSpace))
	rest := strings.TrimLeftFunc(text[start:end], unicode.IsSpace)
	space := text[start : end-len(rest)]
	return start + strings.LastIndexAny(space, "\n\r") + 1, end
}
