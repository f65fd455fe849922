package main

import (
	"cmp"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/vecwire/vecwire"
)

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
