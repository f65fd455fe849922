package folder

import (
	"context"
	"fmt"
	"io"
	"iter"
	"strings"

	"github.com/vecwire/vecwire/cmd/vecwire/internal/pdf"
)

// pages reads a PDF. Its records are named by their pages, as in guide.pdf#page-3, and
// have the page as their heading. One that cannot be read is left out as a whole.
func (f File) pages(ctx context.Context, in io.Reader) iter.Seq2[passage, error] {
	return func(yield func(passage, error) bool) {
		data, err := io.ReadAll(io.LimitReader(in, pdf.MaxBytes+1))
		if err == nil && len(data) > pdf.MaxBytes {
			yield(passage{}, &Skip{f.Source, TooLarge, nil}) // on standard input, or since it was looked at
			return
		}
		var pages []string
		if err == nil {
			if f.kept != nil {
				pages, err = f.kept.of(ctx, data)
			} else {
				pages, err = pdf.Pages(ctx, data)
			}
		}
		if err != nil {
			yield(passage{}, &Skip{f.Source, Unreadable, err})
			return
		}
		found := false
		for i, text := range pages {
			if strings.TrimSpace(text) == "" {
				continue
			}
			found = true
			if !yield(passage{id: fmt.Sprintf("page-%d", i+1), heading: fmt.Sprintf("page %d", i+1), text: text, line: 1}, nil) {
				return
			}
		}
		if !found {
			yield(passage{}, &Skip{f.Source, Scanned, nil})
		}
	}
}
