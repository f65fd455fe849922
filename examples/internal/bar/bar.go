// Package bar shows on a terminal how far a long task is.
package bar

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/mattn/go-isatty"

	"github.com/vecwire/vecwire"
)

// IsTerminal reports whether what is written to w is seen on a terminal.
func IsTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && (isatty.IsTerminal(f.Fd()) || isatty.IsCygwinTerminal(f.Fd()))
}

// Bar shows progress in place on a terminal, and elsewhere in a line when a task
// begins and one when it is done.
type Bar struct {
	w        io.Writer
	terminal bool
	what     string
	last     time.Time
}

// New returns a bar that writes to w.
func New(w io.Writer) *Bar { return &Bar{w: w, terminal: IsTerminal(w)} }

// Show shows that so much of a task is done.
func (b *Bar) Show(what string, done, total int) { b.show(what, done, total, "") }

// Ingest shows the progress of [vecwire.Collection.Ingest]: give it as
// IngestOptions.Progress.
func (b *Bar) Ingest(p vecwire.Progress) {
	note := fmt.Sprintf(" %.0f/s", p.Rate)
	if p.ETA > 0 {
		note += fmt.Sprintf(", %s left", p.ETA)
	}
	if p.Failed > 0 {
		note += fmt.Sprintf(", %d failed", p.Failed)
	}
	b.show("ingesting", int(p.Done), int(max(p.Total, p.Done)), note)
}

func (b *Bar) show(what string, done, total int, note string) {
	begins, ends := what != b.what, done == total
	b.what = what
	switch {
	case b.terminal && (begins || ends || time.Since(b.last) > 50*time.Millisecond):
		const width = 30
		full := width * done / max(1, total)
		fmt.Fprintf(b.w, "\r\x1b[K%-17s %s%s %d/%d%s", what, strings.Repeat("█", full), strings.Repeat("░", width-full), done, total, note)
		b.last = time.Now()
	case !b.terminal && (begins || ends):
		fmt.Fprintf(b.w, "%s: %d of %d\n", what, done, total)
	}
}

// End takes the bar away.
func (b *Bar) End() {
	if b.terminal && b.what != "" {
		fmt.Fprint(b.w, "\r\x1b[K")
	}
}
