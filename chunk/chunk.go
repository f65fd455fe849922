// Package chunk splits texts into parts that an embedding model can take. It
// cuts where a reader would: between sections, paragraphs, list items and
// sentences, and inside a sentence or a word only if that alone is too long. In
// Markdown no chunk reaches over a heading, and each knows the headings above it.
//
// Chunks are parts of the text: text[c.Start:c.End] is the chunk, byte for byte,
// no rune is cut, and nothing but white space and a byte order mark is left out. For options that stay
// the same the work grows linearly with the text, whatever the text is.
//
// The package knows no embedder, no collection and no tokenizer.
package chunk

import (
	"fmt"

	"github.com/vecwire/vecwire/codec"
)

// DefaultSize is the default of Options.Size. It leaves room for a prefix and for
// the error of [EstimateTokens] in models that read 256 tokens or more.
const DefaultSize = 200

// Options says how a text is split. The zero value makes chunks of plain text of
// at most 200 tokens by estimate, which do not overlap.
type Options struct {
	// Size is the most that a chunk may hold, in what Count counts; 0 means
	// DefaultSize. Only a single rune that counts more makes a larger chunk.
	Size int

	// Overlap is how much of the end of a chunk the next one may begin with, in what
	// Count counts: whole sentences or lines, or words where a sentence had to be cut,
	// and none if the last of them is larger. It is at most half of Size. Chunks of two sections never
	// overlap.
	Overlap int

	// Count measures a text; nil means EstimateTokens. Give the model's own tokenizer
	// for chunks that fill its window, or utf8.RuneCountInString to count runes. It
	// should leave out the tokens that a tokenizer adds around every text. It is
	// called for each sentence and for each chunk, not concurrently.
	Count func(text string) int

	// Markdown reads the text as Markdown: headings begin sections; list items,
	// tables, quotes and fenced code are kept apart; a "#" in code is no heading.
	Markdown bool
}

// Chunk is a part of a text.
type Chunk struct {
	Text       string // the part itself; it begins and ends with no blank line
	Start, End int    // where it is in the text, in bytes
	Part       int    // its place among the chunks of the text, from 0

	// Headings are the Markdown headings above the chunk's text, the outermost
	// first, as written but for their marks. Chunks share the slice.
	Headings []string
}

func (o Options) withDefaults() (Options, error) {
	if o.Size == 0 {
		o.Size = DefaultSize
	}
	if o.Count == nil {
		o.Count = EstimateTokens
	}
	if o.Size < 1 {
		return o, &codec.ValueError{Field: "Size", Pos: -1, Want: "a positive number", Got: fmt.Sprint(o.Size)}
	}
	if o.Overlap < 0 || o.Overlap > o.Size/2 {
		return o, &codec.ValueError{Field: "Overlap", Pos: -1, Want: fmt.Sprintf("from 0 to half of Size, %d", o.Size/2), Got: fmt.Sprint(o.Overlap)}
	}
	return o, nil
}

// Split splits a text into chunks, in order. A text of white space has none. Bytes
// that are not UTF-8 are kept. The error is a [*codec.ValueError] that names the
// option that cannot be.
func Split(text string, o Options) ([]Chunk, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("chunk: %w", err)
	}
	s := splitter{Options: o, text: text}
	if o.Markdown {
		s.markdown()
	} else {
		s.plain()
	}
	for i := range s.chunks {
		s.chunks[i].Part = i
	}
	return s.chunks, nil
}
