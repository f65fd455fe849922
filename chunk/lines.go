package chunk

import "strings"

// This file says what each line of a Markdown text is: as much of CommonMark
// (https://spec.commonmark.org/0.31.2/, sections 4 and 5) as decides where
// headings, code, list items and paragraphs begin. How blocks nest does not
// matter to a cut. A YAML front matter counts as code.

// kind is what a line belongs to.
type kind uint8

const (
	blank kind = iota
	paragraph
	item // the first line of a list item
	row  // a table's row or a line of a quote
	code // a line of code, its fences too
	heading
)

// line is a line of Markdown with its end of line.
type line struct {
	start, end int
	kind       kind
	begins     bool // a block, even if the line before is of the same kind
	level      int  // of a heading, from 1 to 6
	title      string
}

// scanner reads lines one after the other.
type scanner struct {
	text  string
	lines []line

	items     []int  // where the text of each open list item begins, in columns
	paragraph int    // the first line of the open paragraph that is in no list or quote; -1 for none
	lazy      bool   // whether a line of text goes on with the paragraph of a list item or quote
	raw       string // what ends the open HTML, as htmlEnd says
	rawIn     int    // how many list items the HTML is in
	fence     string // what closes the open fence: "```" or more of it; "" if none is open
	fenceIn   int    // how many list items the fence is in
	matter    int    // where the front matter ends
}

func scan(text string) []line {
	at := textStart(text)
	s := scanner{text: text, paragraph: -1, matter: at + frontMatter(text[at:])}
	for t := range linesOf(text[at:]) {
		l := line{start: at, end: at + len(t)}
		at = l.end
		s.lines = append(s.lines, l)
		s.read(&s.lines[len(s.lines)-1], t)
	}
	return s.lines
}

// read finds out what the last line is.
func (s *scanner) read(l *line, text string) {
	indent, body := indentation(text, 0)
	if l.start < s.matter {
		l.kind = code
		return
	}
	if s.raw != noHTML && s.rawIn > 0 && body != "" && indent < s.items[s.rawIn-1] {
		s.raw = noHTML // its list item has ended
	}
	if s.raw != noHTML && s.raw != endOfBlank {
		l.kind = code
		s.closeHTML(body)
		return
	}
	if body == "" {
		s.paragraph, s.lazy, s.raw = -1, false, noHTML
		if s.fence != "" {
			l.kind = code
		}
		return
	}
	if s.fence != "" {
		if s.fenceIn == 0 || indent >= s.items[s.fenceIn-1] {
			l.kind = code
			if s.fenceIn > 0 {
				indent -= s.items[s.fenceIn-1]
			}
			if fence := fenceOf(body); indent < 4 && len(fence) >= len(s.fence) && fence[0] == s.fence[0] && len(fence) == len(body) {
				s.fence = ""
			}
			return
		}
		s.fence = "" // its list item has ended
	}
	for len(s.items) > 0 && indent < s.items[len(s.items)-1] {
		s.items = s.items[:len(s.items)-1]
	}
	s.block(l, indent, body)
}

// block reads a line that is not blank and in no code.
func (s *scanner) block(l *line, indent int, body string) {
	l.kind = paragraph
	open := s.paragraph >= 0 || s.lazy // a paragraph that the line may go on with
	inside := len(s.items) > 0
	if inside {
		indent -= s.items[len(s.items)-1]
	}
	switch {
	case s.raw != noHTML:
		return
	case indent >= 4 && !open:
		l.kind = code
		return
	case indent >= 4:
		return
	case s.openFence(l, body):
		return
	case !inside && readHeading(l, body):
		s.paragraph, s.lazy = -1, false
		return
	case s.paragraph >= 0 && isUnderline(body):
		s.underline(body[0])
		return
	case isBreak(body):
		l.begins = true
		s.paragraph, s.lazy = -1, false
		return
	case body[0] == '>':
		l.kind = row
		s.paragraph, s.lazy = -1, true
		return
	case body[0] == '|':
		l.kind = row
		s.paragraph, s.lazy = -1, false
		return
	case s.openHTML(l, body, open):
		return
	}
	if s.readItem(l, indent, body, open) {
		return
	}
	if inside {
		s.lazy = true
	} else if !open {
		s.paragraph = len(s.lines) - 1
		l.begins = true
	}
}

// openHTML says whether the line begins HTML. What only its own end ends counts
// as code; in the rest a blank line ends a paragraph as elsewhere.
func (s *scanner) openHTML(l *line, body string, open bool) bool {
	end := htmlEnd(body, open)
	if end == noHTML {
		return false
	}
	if l.begins = true; end != endOfBlank {
		l.kind = code
	}
	s.raw, s.rawIn = end, len(s.items)
	s.paragraph, s.lazy = -1, false
	s.closeHTML(body)
	return true
}

// closeHTML closes the open HTML if the line does.
func (s *scanner) closeHTML(body string) {
	if endsHTML(body, s.raw) {
		s.raw = noHTML
	}
}

// openFence says whether the line begins fenced code.
func (s *scanner) openFence(l *line, body string) bool {
	fence := fenceOf(body)
	if fence == "" || fence[0] == '`' && strings.Contains(body[len(fence):], "`") {
		return false
	}
	l.kind, l.begins = code, true
	s.fence, s.fenceIn = fence, len(s.items)
	s.paragraph, s.lazy = -1, false
	return true
}

// underline makes a heading of the open paragraph and the last line below it.
func (s *scanner) underline(mark byte) {
	level := 2
	if mark == '=' {
		level = 1
	}
	first, last := &s.lines[s.paragraph], s.lines[len(s.lines)-1]
	first.begins, first.level = true, level
	first.title = strings.Join(strings.Fields(s.text[first.start:last.start]), " ")
	for i := s.paragraph; i < len(s.lines); i++ {
		s.lines[i].kind = heading
	}
	s.paragraph = -1
}

// readItem says whether the line begins a list item, or several in each other.
func (s *scanner) readItem(l *line, indent int, body string, open bool) bool {
	if len(s.items) > 0 {
		indent += s.items[len(s.items)-1]
	}
	found := false
	for {
		width := markerOf(body)
		if width == 0 {
			break
		}
		spaces, rest := indentation(body[width:], indent+width)
		if open && (rest == "" || body[0] != '-' && body[0] != '*' && body[0] != '+' && body[:width-1] != "1") && len(s.items) == 0 {
			break // it may not interrupt a paragraph
		}
		if rest == "" || spaces > 4 {
			spaces = 1
		}
		indent += width + spaces
		s.items = append(s.items, indent)
		body, found, open = rest, true, false
		if rest == "" {
			break
		}
	}
	if !found {
		return false
	}
	l.kind, l.begins = item, true
	s.paragraph, s.lazy = -1, body != ""
	if s.openFence(l, body) {
		l.kind = item
	}
	return true
}

// indentation returns how many columns of white space a text begins with, if it
// begins at the given column, and the rest without the white space at its end. A
// tab reaches to the next column that four divides.
func indentation(text string, column int) (int, string) {
	first := column
	for i := range len(text) {
		switch text[i] {
		case ' ':
			column++
		case '\t':
			column += 4 - column%4
		default:
			return column - first, strings.TrimRight(text[i:], " \t\r\n")
		}
	}
	return column - first, ""
}

// fenceOf returns the three or more backticks or tildes that a line begins with.
func fenceOf(body string) string {
	if body == "" || body[0] != '`' && body[0] != '~' {
		return ""
	}
	n := len(body) - len(strings.TrimLeft(body, body[:1]))
	if n < 3 {
		return ""
	}
	return body[:n]
}

// readHeading says whether a line is a heading that begins with number signs.
func readHeading(l *line, body string) bool {
	title := strings.TrimLeft(body, "#")
	level := len(body) - len(title)
	if level < 1 || level > 6 || title != "" && title[0] != ' ' && title[0] != '\t' {
		return false
	}
	l.kind, l.begins, l.level = heading, true, level
	if open := strings.TrimRight(title, "#"); open == "" || strings.HasSuffix(open, " ") || strings.HasSuffix(open, "\t") {
		title = open
	}
	l.title = strings.TrimSpace(title)
	return true
}

// isUnderline says whether a line makes a heading of the paragraph above it.
func isUnderline(body string) bool {
	return strings.Trim(body, "=") == "" || strings.Trim(body, "-") == ""
}

// isBreak says whether a line is a thematic break.
func isBreak(body string) bool {
	if strings.IndexByte("*-_", body[0]) < 0 {
		return false
	}
	return strings.Trim(body, body[:1]+" \t") == "" && strings.Count(body, body[:1]) >= 3
}

// markerOf returns the length of the list marker that a line begins with, 0 for
// none.
func markerOf(body string) int {
	digits := 0
	for digits < len(body) && digits < 10 && body[digits] >= '0' && body[digits] <= '9' {
		digits++
	}
	n := digits + 1
	switch {
	case n > len(body) || digits > 9:
		return 0
	case digits == 0 && strings.IndexByte("-+*", body[0]) < 0:
		return 0
	case digits > 0 && body[digits] != '.' && body[digits] != ')':
		return 0
	case n < len(body) && body[n] != ' ' && body[n] != '\t':
		return 0
	}
	return n
}
