package chunk

import (
	"slices"
	"strings"
)

// markdown reads the text as Markdown, section by section. Headings that follow
// each other downwards, with nothing between them, are in one section.
func (s *splitter) markdown() {
	lines := scan(s.text)
	var path []string // the headings above
	var levels []int  // and their levels
	content := false  // whether the section has more than headings
	before := atBlock
	for i := 0; i < len(lines); {
		end := i + 1
		for end < len(lines) && sameBlock(lines[i].kind, lines[end]) {
			end++
		}
		first := lines[i]
		if first.kind == heading {
			if content || len(levels) > 0 && first.level <= levels[len(levels)-1] {
				s.finish(path)
				content = false
			}
			for len(levels) > 0 && levels[len(levels)-1] >= first.level {
				levels, path = levels[:len(levels)-1], path[:len(path)-1]
			}
			levels = append(levels, first.level)
			path = append(slices.Clip(path), first.title)
		} else if first.kind != blank {
			content = true
		}
		s.block(first, lines[end-1].end, before)
		before = atBlock
		if first.kind == heading {
			before = atWord // a heading stays with what it is above
		}
		if first.kind == item && end < len(lines) && lines[end].kind == item {
			before = atItem
		}
		i = end
	}
	s.finish(path)
}

// sameBlock says whether a line goes on with a block that began with a line of
// the given kind. Blank lines belong to the block before them.
func sameBlock(first kind, next line) bool {
	switch {
	case next.begins:
		return false
	case next.kind == blank:
		return true
	case first == item || first == paragraph:
		return next.kind == paragraph
	default:
		return next.kind == first
	}
}

// block adds the block that begins with a line.
func (s *splitter) block(first line, end int, before strength) {
	switch first.kind {
	case row, code:
		at := first.start
		for line := range linesOf(s.text[first.start:end]) {
			s.add(at, at+len(line), before)
			at, before = at+len(line), atSentence
			if strings.TrimSpace(line) == "" {
				before = atItem
			}
		}
	case heading:
		s.add(first.start, end, before)
	case item:
		s.prose(first.start, end, before, atItem)
	default:
		s.prose(first.start, end, before, atBlock)
	}
}
