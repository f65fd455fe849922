package local

import (
	"strings"

	"github.com/vecwire/vecwire/internal/engine"
)

// matchTerms returns FTS5's query for terms, "" if a text need have none of them. A
// phrase is one string, which FTS5 takes apart at the spaces between its words.
func matchTerms(t *engine.Terms) string {
	var b strings.Builder
	anyOf := func(phrases [][]string) {
		b.WriteByte('(')
		for i, phrase := range phrases {
			if i > 0 {
				b.WriteString(" OR ")
			}
			b.WriteString(`"` + strings.Join(phrase, " ") + `"`)
		}
		b.WriteByte(')')
	}
	for i, phrases := range t.All {
		if i > 0 {
			b.WriteString(" AND ")
		}
		anyOf(phrases)
	}
	if len(t.None) > 0 && len(t.All) > 0 {
		all := b.String()
		b.Reset()
		b.WriteString("(" + all + ") NOT ")
		anyOf(t.None)
	}
	return b.String()
}
