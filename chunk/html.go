package chunk

import (
	"regexp"
	"slices"
	"strings"
)

// This file says where HTML begins and ends: section 4.6 of CommonMark, "HTML
// blocks", with its seven kinds.

// Ends of HTML that are no text to look for.
const (
	noHTML     = ""
	endOfBlank = " "  // a blank line
	endOfRaw   = "</" // one of rawTags, closed
)

// rawTags hold text that only their own end ends.
var rawTags = []string{"pre", "script", "style", "textarea"}

// blockTags are those of blocks: they end at a blank line, and may begin inside
// a paragraph.
var blockTags = strings.Fields(`address article aside base basefont blockquote body caption center col colgroup dd
	details dialog dir div dl dt fieldset figcaption figure footer form frame frameset h1 h2 h3 h4 h5 h6 head header hr
	html iframe legend li link main menu menuitem nav noframes ol optgroup option p param search section summary table
	tbody td tfoot th thead title tr track ul`)

// wholeTag is a tag with nothing behind it.
var wholeTag = regexp.MustCompile(`^<(?:/[A-Za-z][A-Za-z0-9-]*[ \t]*|[A-Za-z][A-Za-z0-9-]*` +
	`(?:[ \t]+[A-Za-z_:][A-Za-z0-9_.:-]*(?:[ \t]*=[ \t]*(?:[^ \t"'=<>` + "`" + `]+|'[^']*'|"[^"]*"))?)*[ \t]*/?)>[ \t]*$`)

// htmlEnd returns what ends the HTML that a line begins, noHTML if it begins
// none. It may be on the same line. Open says that a paragraph is: only some
// kinds of HTML may begin inside one.
func htmlEnd(body string, open bool) string {
	switch {
	case body[0] != '<':
		return noHTML
	case strings.HasPrefix(body, "<!--"):
		return "-->"
	case strings.HasPrefix(body, "<?"):
		return "?>"
	case strings.HasPrefix(body, "<![CDATA["):
		return "]]>"
	case len(body) > 2 && body[1] == '!' && isLetter(body[2]):
		return ">"
	}
	closing := strings.HasPrefix(body, "</")
	name := strings.TrimPrefix(body[1:], "/")
	n := 0
	for n < len(name) && (isLetter(name[n]) || name[n] >= '0' && name[n] <= '9') {
		n++
	}
	rest := name[n:]
	name = strings.ToLower(name[:n])
	ended := rest == "" || strings.IndexByte(" \t>", rest[0]) >= 0
	switch {
	case !closing && ended && slices.Contains(rawTags, name):
		return endOfRaw
	case (ended || strings.HasPrefix(rest, "/>")) && slices.Contains(blockTags, name):
		return endOfBlank
	case !open && wholeTag.MatchString(body):
		return endOfBlank
	}
	return noHTML
}

// endsHTML reports whether a line that is not blank ends HTML.
func endsHTML(body, end string) bool {
	if end != endOfRaw {
		return strings.Contains(body, end) && end != endOfBlank
	}
	for {
		_, rest, found := strings.Cut(body, "</")
		if !found {
			return false
		}
		for _, tag := range rawTags {
			if len(rest) > len(tag) && rest[len(tag)] == '>' && strings.EqualFold(rest[:len(tag)], tag) {
				return true
			}
		}
		body = rest
	}
}

func isLetter(b byte) bool { return b|0x20 >= 'a' && b|0x20 <= 'z' }
