package search

import (
	"github.com/vecwire/vecwire/internal/engine"
)

// snip gives hits their snippets.
func (p *plan) snip(hits []Hit) {
	if p.q.Snippets == 0 {
		return
	}
	language := p.c.Rules.Language()
	wanted := language.Distinct(p.q.asked(), engine.MaxWords)
	for i := range hits {
		text := hits[i].Text
		if text == "" {
			continue
		}
		found := language.Passage(text, wanted, p.q.Snippets)
		hits[i].Snippet = &Snippet{Text: text[found.Start:found.End], Passage: found}
	}
}
