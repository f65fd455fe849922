package pgvector

import (
	"strconv"
	"strings"
	"unicode"

	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/words"
)

// like writes that a column has the form of a pattern of filter.Like. What the
// server takes for upper and lower case depends on the database's locale, so the
// characters of the pattern in all their cases are replaced by one of them, in the
// column as well; of other characters the case does not matter.
func (w *where) like(column, pattern string) {
	var folded, from, to strings.Builder
	seen := map[rune]bool{}
	for _, r := range pattern {
		least := filter.FoldRune(r)
		folded.WriteRune(least)
		if seen[least] {
			continue
		}
		seen[least] = true
		for other := unicode.SimpleFold(least); other != least; other = unicode.SimpleFold(other) {
			from.WriteRune(other)
			to.WriteRune(least)
		}
	}
	n := len(w.args)
	w.args = append(w.args, from.String(), to.String(), folded.String())
	place := func(i int) string { return "$" + strconv.Itoa(n+i) + "::text" }
	w.sql.WriteString("(translate(" + column + ", " + place(1) + ", " + place(2) + `) COLLATE "C" LIKE ` + place(3) + ` ESCAPE E'\\')`)
}

// allWords writes that the text has each word of a question.
func (w *where) allWords(question string) {
	list := anyWord(words.Named(w.t.schema.FullText.String()), question)
	w.args = append(w.args, strings.Join(list, " & "))
	w.sql.WriteString(wordsColumn + " @@ $" + strconv.Itoa(len(w.args)) + "::tsquery")
}
