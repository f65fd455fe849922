package chunk

import (
	"iter"
	"strings"
)

// bom is the byte order mark with which some editors begin files. It is no text.
const bom = "\ufeff"

// textStart returns where the text begins behind a byte order mark.
func textStart(text string) int {
	return len(text) - len(strings.TrimPrefix(text, bom))
}

// linesOf yields the lines of a text with their ends: a line feed, a carriage
// return, or both, as CommonMark has it (section 2.1).
func linesOf(text string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for text != "" {
			end := strings.IndexAny(text, "\r\n") + 1
			switch {
			case end == 0:
				end = len(text)
			case text[end-1] == '\r' && strings.HasPrefix(text[end:], "\n"):
				end++
			}
			if !yield(text[:end]) {
				return
			}
			text = text[end:]
		}
	}
}

// frontMatter returns the length of the YAML that a text begins with, between
// lines of three dashes, or 0. CommonMark does not know it: to it the first line
// is a thematic break. So the lines between must look like a mapping, and a rule
// across the top of a page, even if there are more below, stays one.
func frontMatter(text string) int {
	at, keys := 0, 0
	for line := range linesOf(text) {
		body := strings.TrimRight(line, " \t\r\n")
		first := at == 0
		at += len(line)
		switch {
		case first && body == "---":
		case first:
			return 0
		case (body == "---" || body == "...") && keys > 0:
			return at
		case isKey(body):
			keys++
		case body == "" && keys > 0, strings.HasPrefix(body, "#"), keys > 0 && strings.IndexByte(" \t-}]", body[0]) >= 0 && !strings.HasPrefix(body, "---"):
		default:
			return 0
		}
	}
	return 0
}

// isKey reports whether a line begins with a key of a YAML mapping.
func isKey(body string) bool {
	key, _, found := strings.Cut(body, ":")
	if !found || key == "" || strings.IndexByte(" \t#-*>|`", key[0]) >= 0 {
		return false
	}
	after := body[len(key)+1:]
	return after == "" || after[0] == ' ' || after[0] == '\t'
}
