package main

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/mattn/go-isatty"
	"github.com/vecwire/vecwire"
)

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && (isatty.IsTerminal(f.Fd()) || isatty.IsCygwinTerminal(f.Fd()))
}

// A bar shows how far a long task is: in place on a terminal, elsewhere in a
// line when a task begins and one when it is done.
type bar struct {
	w        io.Writer
	terminal bool
	what     string
	last     time.Time
}

func newBar(w io.Writer) *bar { return &bar{w: w, terminal: isTerminal(w)} }

func (b *bar) show(what string, done, total int) {
	begins, ends := what != b.what, done == total
	b.what = what
	switch {
	case b.terminal && (begins || ends || time.Since(b.last) > 50*time.Millisecond):
		const width = 30
		full := width * done / total
		fmt.Fprintf(b.w, "\r\x1b[K%-17s %s%s %d/%d", what, strings.Repeat("█", full), strings.Repeat("░", width-full), done, total)
		b.last = time.Now()
	case !b.terminal && (begins || ends):
		fmt.Fprintf(b.w, "%s: %d of %d\n", what, done, total)
	}
}

// end takes the bar away.
func (b *bar) end() {
	if b.terminal && b.what != "" {
		fmt.Fprint(b.w, "\r\x1b[K")
	}
}

// A printer writes the answer. It keeps the first error.
type printer struct {
	w     io.Writer
	color bool
	err   error
}

const (
	bold = "\x1b[1m"
	dim  = "\x1b[2m"
)

func (p *printer) line(style, text string) {
	if p.color && style != "" {
		text = style + text + "\x1b[0m"
	}
	_, err := fmt.Fprintln(p.w, text)
	p.err = cmp.Or(p.err, err)
}

func (p *printer) hit(h vecwire.Hit, src string) {
	field := func(name string) string { s, _ := h.Fields[name].(string); return s }
	p.line(bold, fmt.Sprintf("%5.1f  %s", h.Score, h.ID))
	if kind := field("kind"); kind == "func" || kind == "method" {
		p.line("", "       "+field("signature"))
	}
	p.text(field("synopsis"))
	p.line(dim, fmt.Sprintf("       %s:%d", filepath.Join(src, filepath.FromSlash(field("file"))), h.Fields["line"]))
	p.line("", "")
}

// text writes a paragraph, indented.
func (p *printer) text(s string) {
	const width = 80
	line := ""
	for word := range strings.FieldsSeq(s) {
		if line != "" && len(line)+1+len(word) > width {
			p.line("", "       "+line)
			line = ""
		}
		line = strings.TrimPrefix(line+" "+word, " ")
	}
	p.line("", "       "+line)
}

func (p *printer) note(s string) { p.line(dim, s) }
