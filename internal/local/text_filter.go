package local

import (
	"database/sql/driver"
	"fmt"
	"strings"

	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
	"github.com/vecwire/vecwire/internal/words"
)

// likeFunction is (text, pattern): whether the text has the form of a pattern of
// filter.Like. SQLite's own LIKE folds the case of ASCII only.
const likeFunction = "vecwire_like"

func like(text, pattern driver.Value) driver.Value {
	s, ok := text.(string)
	p, _ := pattern.(string)
	switch {
	case !ok:
		return nil
	case filter.MatchLike(p, s):
		return int64(1)
	}
	return int64(0)
}

// column is what a filter's field is in SQL. The text is in the table of what is
// large.
func (c *compiler) column(field string) string {
	if field != "text" {
		return "r." + quote(field)
	}
	return fmt.Sprintf("(SELECT x.text FROM %s x WHERE x.%s = r.%[2]s)", dataTable(c.schema.Name), rowColumn)
}

// allWords writes that a text has each word of a question. A record without text
// has no row among the words; where that makes a difference it is asked for.
func (c *compiler) allWords(question string) {
	var match strings.Builder
	for i, word := range words.Named(c.schema.FullText.String()).Distinct(question, engine.MaxWords) {
		if i > 0 {
			match.WriteString(" AND ")
		}
		match.WriteString(`"` + word + `"`)
	}
	if c.negated {
		c.sql.WriteString("CASE WHEN " + c.column("text") + " IS NOT NULL THEN ")
		defer c.sql.WriteString(" END")
	}
	fmt.Fprintf(&c.sql, "r.%s IN (SELECT f.rowid FROM %s f WHERE f.text MATCH ?)", rowColumn, wordsTable(c.schema.Name))
	c.args = append(c.args, match.String())
}
