package transform

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/embed"
	"github.com/vecwire/vecwire/internal/pair"
)

// BenchmarkEmbed pairs the package with the reference server, which runs the same
// model in numpy. Both take one text at a time and use one CPU.
func BenchmarkEmbed(b *testing.B) {
	dir, server := reference(b)
	for _, text := range []string{
		"How do I read a file line by line in Go?",
		strings.Repeat("The committee discussed the budget for the next year. ", 20),
	} {
		e, err := Open(dir, Options{Concurrency: 1})
		require.NoError(b, err)
		run := func(e embed.Embedder) func() {
			return func() {
				if _, err := e.Embed(b.Context(), []string{text}, embed.Document); err != nil {
					b.Fatal(err)
				}
			}
		}
		b.Run(fmt.Sprintf("tokens=%d", e.CountTokens(text)), func(b *testing.B) {
			pair.Run(b, run(e), run(server))
		})
	}
}

func BenchmarkTokenizer(b *testing.B) {
	tok := tinyTokenizer(b, func(*tinyModel) {})
	text := strings.Repeat("Reads a file, line by line! ", 100)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		tok.encode(text)
	}
}
