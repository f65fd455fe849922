package folder

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"iter"
	"strings"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/chunk"
)

// The fields of a chunk, beside [vecwire.SourceField].
const (
	OriginField   = "origin"   // which folder the source is relative to; see [Tree.Origin]
	KindField     = "kind"     // see [KindOf]
	PartField     = "part"     // the chunk's place in its source, from 0
	LineField     = "line"     // the first line of the chunk, from 1; in a PDF within its page
	HeadingsField = "headings" // those above the chunk, with " > " between
)

// Fields are the fields of a collection of chunks.
var Fields = []vecwire.Field{
	{Name: vecwire.SourceField, Index: true},
	{Name: OriginField, Index: true},
	{Name: KindField, Index: true},
	{Name: PartField, Type: vecwire.Int},
	{Name: LineField, Type: vecwire.Int},
	{Name: HeadingsField},
}

// Chunking says how large the chunks of a text are.
type Chunking struct {
	Size    int                   // in tokens; 0 for the default of [chunk.Options]
	Overlap int                   // in tokens
	Count   func(text string) int // nil for an estimate
}

// passage is a text within a file, before it is cut into chunks.
type passage struct {
	id       string // "" where the chunks are named by their texts
	text     string
	line     int
	markdown bool
	heading  string // above those of the text, or ""
}

// Records reads a file as records without vectors. A row that cannot be read is
// yielded as a [*vecwire.RecordError], any other error ends the records.
func (f File) Records(ctx context.Context, origin string, o Chunking) iter.Seq2[vecwire.Record, error] {
	return func(yield func(vecwire.Record, error) bool) {
		in, err := f.Open()
		if err != nil {
			yield(vecwire.Record{}, &Skip{f.Source, Unreadable, err})
			return
		}
		defer in.Close()
		part, seen := 0, map[string]int{}
		for p, err := range f.passages(ctx, in) {
			if err != nil {
				if !yield(vecwire.Record{}, err) {
					return
				}
				continue
			}
			chunks, err := chunk.Split(p.text, chunk.Options{Size: o.Size, Overlap: o.Overlap, Count: o.Count, Markdown: p.markdown})
			if err != nil {
				yield(vecwire.Record{}, err)
				return
			}
			line, at := p.line, 0
			for i, c := range chunks {
				line += strings.Count(p.text[at:max(at, c.Start)], "\n")
				at = max(at, c.Start)
				id := p.id
				if id == "" {
					id = fmt.Sprintf("%x", sha256.Sum256([]byte(c.Text)))[:12]
				} else if i > 0 {
					id = fmt.Sprintf("%s.%d", id, i+1)
				}
				seen[id]++
				if n := seen[id]; n > 1 {
					id = fmt.Sprintf("%s-%d", id, n)
				}
				r := vecwire.Record{ID: f.Source + "#" + id, Text: c.Text, Fields: vecwire.Fields{
					vecwire.SourceField: f.Source, OriginField: origin, KindField: f.Kind, PartField: int64(part), LineField: int64(line),
				}}
				headings := c.Headings
				if p.heading != "" {
					headings = append([]string{p.heading}, headings...)
				}
				if len(headings) > 0 {
					r.Fields[HeadingsField] = strings.Join(headings, " > ")
				}
				if !yield(r, nil) {
					return
				}
				part++
			}
		}
	}
}

// passages are the rows of a table, the pages of a PDF, and of any other file the whole.
func (f File) passages(ctx context.Context, in io.Reader) iter.Seq2[passage, error] {
	switch f.Kind {
	case JSONL:
		return f.lines(in)
	case CSV:
		return f.table(in, ',')
	case TSV:
		return f.table(in, '\t')
	case PDF:
		return f.pages(ctx, in)
	}
	return func(yield func(passage, error) bool) {
		data, err := io.ReadAll(in)
		if err != nil {
			yield(passage{}, &Skip{f.Source, Unreadable, err})
			return
		}
		if isBinary(data) {
			yield(passage{}, &Skip{f.Source, Binary, nil})
			return
		}
		text := string(data)
		if f.Kind == HTML {
			if text, err = markdownOf(text); err != nil {
				yield(passage{}, &Skip{f.Source, Unreadable, err})
				return
			}
		}
		yield(passage{text: text, line: 1, markdown: f.Kind == Markdown || f.Kind == HTML}, nil)
	}
}
