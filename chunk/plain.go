package chunk

import "strings"

// plain reads the text as paragraphs between blank lines.
func (s *splitter) plain() {
	s.prose(textStart(s.text), len(s.text), atBlock, atBlock)
	s.finish(nil)
}

// prose adds paragraphs, sentence by sentence; before and between are how good it
// is to cut before them and between two of them.
func (s *splitter) prose(start, end int, before, between strength) {
	for start < end {
		next := start + paragraphEnd(s.text[start:end])
		at := start
		for sentence := range sentences(s.text[start:next]) {
			s.add(at, start+sentence, before)
			at, before = start+sentence, atSentence
		}
		start, before = next, between
	}
}

// paragraphEnd returns the end of a text's first paragraph, with the blank lines
// before and after it.
func paragraphEnd(text string) int {
	begun, blank := false, false
	at := 0
	for line := range linesOf(text) {
		switch empty := strings.TrimSpace(line) == ""; {
		case empty && begun:
			blank = true
		case !empty && blank:
			return at
		case !empty:
			begun = true
		}
		at += len(line)
	}
	return at
}
