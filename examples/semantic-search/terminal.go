package main

import (
	"cmp"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/term"

	"github.com/vecwire/vecwire"
)

// A printer writes the answer. It keeps the first error.
type printer struct {
	w     io.Writer
	color bool
	width int    // of a line
	src   string // where the files are
	err   error
}

const (
	bold      = "\x1b[1m"
	dim       = "\x1b[2m"
	underline = "\x1b[4m"
	plain     = "\x1b[0m"

	indent = "    "
	// widest is how wide a line of text gets, if the terminal is wider or there is
	// none: longer ones are hard to read.
	widest = 88
)

func newPrinter(w io.Writer, src string) *printer {
	p := &printer{w: w, width: widest, src: src}
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		p.color = os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
		if width, _, err := term.GetSize(int(f.Fd())); err == nil && width > 0 {
			p.width = max(20, min(width, widest))
		}
	}
	return p
}

func (p *printer) line(text string) {
	_, err := fmt.Fprintln(p.w, text)
	p.err = cmp.Or(p.err, err)
}

func (p *printer) styled(style, text string) string {
	if !p.color {
		return text
	}
	return style + text + plain
}

// hit writes what a search has found at a place in its list.
func (p *printer) hit(place int, h vecwire.Hit, m matcher) {
	field := func(name string) string { s, _ := h.Fields[name].(string); return s }
	p.line(fmt.Sprintf("%2d  %s", place, p.styled(bold, h.ID)))
	if kind := field("kind"); kind == "func" || kind == "method" {
		p.paragraph(field("signature"), nil)
	}
	p.paragraph(field("synopsis"), m)
	path := filepath.Join(p.src, filepath.FromSlash(field("file")))
	p.line(indent + p.link(path, fmt.Sprintf("%s:%d", path, h.Fields["line"])))
	p.line("")
}

// link makes a text one that opens a file, in terminals that know OSC 8; others find
// the file and the line in the text itself.
func (p *printer) link(path, text string) string {
	if !p.color {
		return text
	}
	target := url.URL{Scheme: "file", Path: filepath.ToSlash(path)}
	return "\x1b]8;;" + target.String() + "\x1b\\" + p.styled(dim, text) + "\x1b]8;;\x1b\\"
}

// paragraph writes a text in lines of the width, with the words that match marked.
func (p *printer) paragraph(s string, m matcher) {
	line, width := indent, 0
	for word := range strings.FieldsSeq(s) {
		n := len([]rune(word))
		if width > 0 && len(indent)+width+1+n > p.width {
			p.line(line)
			line, width = indent, 0
		}
		if width > 0 {
			line += " "
			width++
		}
		if m.matches(word) {
			word = p.styled(underline, word)
		}
		line += word
		width += n
	}
	p.line(line)
}

func (p *printer) note(s string) { p.line(p.styled(dim, s)) }
