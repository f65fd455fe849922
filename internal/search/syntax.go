package search

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/vecwire/vecwire/internal/engine"
	"github.com/vecwire/vecwire/internal/schema"
	"github.com/vecwire/vecwire/internal/words"
)

// Syntax says how a Fusion reads Query.Text. The values are the root's.
type Syntax uint8

// The syntaxes.
const (
	Plain Syntax = iota // every word is a word
	Web                 // quotes, OR and - mean something
)

// asked is the text of the query as models and snippets see it.
func (q *Query) asked() string {
	if q.Fusion == nil || q.Fusion.Syntax != Web {
		return q.Text
	}
	var b strings.Builder
	for _, t := range webTerms(q.Text) {
		if !t.not {
			if b.Len() > 0 {
				b.WriteByte(' ')
			}
			b.WriteString(t.text)
		}
	}
	return b.String()
}

// webTerm is a term of a text in the syntax Web.
type webTerm struct {
	text string
	not  bool // it is excluded
	or   bool // it is an alternative to the term before it
}

// webTerms takes a text apart at its signs.
func webTerms(text string) (terms []webTerm) {
	or := false
	for {
		text = strings.TrimLeftFunc(text, unicode.IsSpace)
		if text == "" {
			return terms
		}
		var t webTerm
		if t.not = text[0] == '-'; t.not {
			text = text[1:]
		}
		if phrase, quoted := strings.CutPrefix(text, `"`); quoted {
			t.text, text, _ = strings.Cut(phrase, `"`)
		} else {
			end := strings.IndexFunc(text, func(r rune) bool { return unicode.IsSpace(r) || r == '"' })
			if end < 0 {
				end = len(text)
			}
			t.text, text = text[:end], text[end:]
			if !t.not && (t.text == "OR" || t.text == "|") {
				or = true
				continue
			}
		}
		if t.or, or = or && !t.not && len(terms) > 0 && !terms[len(terms)-1].not, false; strings.IndexFunc(t.text, wordRune) >= 0 {
			terms = append(terms, t)
		}
	}
}

// wordRune reports whether a character may be of a word.
func wordRune(r rune) bool {
	return unicode.In(r, unicode.L, unicode.N, unicode.So) && r != utf8.RuneError
}

// terms returns what a text in the syntax Web asks for.
func (c *Collection) terms(text string) (*engine.Terms, error) {
	language := c.Rules.Language()
	out, different, asks := &engine.Terms{}, map[string]bool{}, false
	last := false // whether the term before this one is the last of out.All
	for _, t := range webTerms(text) {
		asks = asks || !t.not
		var phrase []string
		language.Each(t.text, func(word []byte) bool {
			phrase = append(phrase, string(word))
			different[string(word)] = true
			return len(different) <= engine.MaxWords
		})
		if len(different) > engine.MaxWords {
			return nil, schema.BadValue("Text", fmt.Sprintf("at most %d different words in the syntax Web", engine.MaxWords), "more")
		}
		switch {
		case phrase == nil && !t.or: // such as a word that English leaves out
			last = false
		case phrase == nil:
		case t.not:
			out.None = append(out.None, phrase)
		case t.or && last:
			i := len(out.All) - 1
			out.All[i] = append(out.All[i], phrase)
		default:
			out.All, last = append(out.All, [][]string{phrase}), true
		}
	}
	if !asks && len(out.None) > 0 {
		return nil, schema.BadValue("Text", "words to find, beside those that are excluded", "none")
	}
	return out, nil
}

// exclude leaves out hits whose texts have what the query excludes: the search by
// vectors does not know of it. It reports whether there were any.
func (p *plan) exclude(hits []Hit) ([]Hit, bool) {
	if p.terms == nil || len(p.terms.None) == 0 {
		return hits, false
	}
	n := len(hits)
	hits = slices.DeleteFunc(hits, func(h Hit) bool { return hasPhrase(p.c.Rules.Language(), h.Text, p.terms.None) })
	return hits, len(hits) < n
}

// hasPhrase reports whether a text has one of the phrases.
func hasPhrase(l *words.Language, text string, phrases [][]string) bool {
	var list []string
	l.Each(text, func(word []byte) bool {
		list = append(list, string(word))
		return true
	})
	for i := range list {
		for _, phrase := range phrases {
			if len(phrase) <= len(list)-i && slices.Equal(list[i:i+len(phrase)], phrase) {
				return true
			}
		}
	}
	return false
}
