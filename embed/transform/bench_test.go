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
	for _, int8 := range []bool{false, true} {
		e, err := Open(dir, Options{Concurrency: 1, Int8: int8})
		require.NoError(b, err)
		benchmarkEmbed(b, fmt.Sprintf("int8=%t", int8), e, server)
	}
}

func benchmarkEmbed(b *testing.B, name string, e *Embedder, server embed.Embedder) {
	for _, text := range []string{
		"How do I read a file line by line in Go?",
		strings.Repeat("The committee discussed the budget for the next year. ", 20),
	} {
		run := func(e embed.Embedder) func() {
			return func() {
				if _, err := e.Embed(b.Context(), []string{text}, embed.Document); err != nil {
					b.Fatal(err)
				}
			}
		}
		b.Run(fmt.Sprintf("%s/tokens=%d", name, e.CountTokens(text)), func(b *testing.B) {
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
