package pgvector

import (
	"strings"

	"github.com/vecwire/vecwire/internal/engine"
)

// matchTerms returns the words that a text may have for terms, each in quotes, and
// the terms as the type tsquery reads them.
func matchTerms(t *engine.Terms) (words []string, match string) {
	words = t.Words()
	for i, word := range words {
		words[i] = "'" + word + "'"
	}
	anyOf := func(phrases [][]string) string {
		parts := make([]string, len(phrases))
		for i, phrase := range phrases {
			parts[i] = "'" + strings.Join(phrase, "' <-> '") + "'"
		}
		return "(" + strings.Join(parts, " | ") + ")"
	}
	var all []string
	for _, phrases := range t.All {
		all = append(all, anyOf(phrases))
	}
	if len(t.None) > 0 {
		all = append(all, "!"+anyOf(t.None))
	}
	return words, strings.Join(all, " & ")
}
