// Package passage puts parts of documents together: the chunks of a text that stand
// beside each other become one text again, as many of them as a budget lets.
//
// It knows no collection and no engine. What a part is made of, its Record, is the
// caller's.
package passage

import (
	"cmp"
	"math"
	"sort"
	"strings"
)

// Document tells a document from all others.
type Document struct {
	Source    string
	Namespace string // whose it is: two namespaces may have the same source
	Owned     bool   // whether there is a namespace
}

func (d Document) compare(e Document) int {
	owned := map[bool]int{true: 1}
	return cmp.Or(strings.Compare(d.Source, e.Source), cmp.Compare(owned[d.Owned], owned[e.Owned]), strings.Compare(d.Namespace, e.Namespace))
}

// Part is a part of a document.
type Part[R any] struct {
	Document
	Record R
	ID     string
	Text   string
	Place  int64 // among the parts of the document; neighbours differ by one
	Start  int64 // where the text begins in the document, in bytes; -1 if that is not known
}

// What stands for a Start, or a Place, that is not known.
const (
	Unknown = -1
	Nowhere = math.MaxInt64
)

const farthest = 1 << 48 // bytes into a document; what lies beyond is no place in a text

func (p *Part[R]) known() bool { return p.Start >= 0 && p.Start <= farthest }

func (p *Part[R]) end() int64 { return p.Start + int64(len(p.Text)) }

// Passage is parts of one document, in order.
type Passage[R any] struct {
	Document
	Parts []Part[R]
}

// Text returns the texts of the parts as one. What two parts share, because chunks
// overlap, is there once. Where white space was left out between them, and where it is
// not known, there is a line break, or a blank line for more than one character.
func (p *Passage[R]) Text() string {
	var b strings.Builder
	var before *Part[R]
	for i := range p.Parts {
		part := &p.Parts[i]
		text := part.Text
		if before != nil {
			gap, rest := seam(before, part)
			b.WriteString(gap)
			text = rest
		}
		b.WriteString(text)
		if before == nil || !part.known() || part.end() > before.end() {
			before = part
		}
	}
	return b.String()
}

// seam returns what comes between two parts, and what is left of the second one.
func seam[R any](a, b *Part[R]) (gap, rest string) {
	if !a.known() || !b.known() || b.Start < a.Start {
		return "\n", b.Text
	}
	switch missing := b.Start - a.end(); {
	case missing == 0:
		return "", b.Text
	case missing == 1:
		return "\n", b.Text
	case missing > 1:
		return "\n\n", b.Text
	case -missing >= int64(len(b.Text)) && strings.HasPrefix(a.Text[b.Start-a.Start:], b.Text):
		return "", ""
	case -missing < int64(len(b.Text)) && strings.HasSuffix(a.Text, b.Text[:-missing]):
		return "", b.Text[-missing:]
	}
	return "\n", b.Text // of another version of the document
}

// Sort orders parts of one document by their places, and those of one place by ID.
func Sort[R any](parts []Part[R]) {
	// Package slices would take 10 KB of code more for what is as large as a Part.
	sort.SliceStable(parts, func(i, j int) bool {
		a, b := &parts[i], &parts[j]
		return cmp.Or(cmp.Compare(a.Place, b.Place), strings.Compare(a.ID, b.ID)) < 0
	})
}
