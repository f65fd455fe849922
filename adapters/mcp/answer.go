package mcp

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/chunk"
)

// answer is a text within a budget of tokens.
type answer struct {
	b    strings.Builder
	left int
}

func newAnswer(tokens int) *answer { return &answer{left: tokens} }

func (a *answer) text() string { return strings.TrimRight(a.b.String(), "\n") }

// write adds a line, whatever is left.
func (a *answer) write(line string) {
	if line == "" {
		return
	}
	a.b.WriteString(line + "\n")
	a.left -= chunk.EstimateTokens(line)
}

// records adds n records, each with a line about it and its text, from a byte on. A text may take half
// of what is left, the last one all of it, and is cut if it is longer. Records for which
// nothing is left are counted.
func (a *answer) records(n int, record func(i int) (head, text string, from int)) {
	for i := range n {
		head, text, from := record(i)
		if i > 0 && a.left < chunk.EstimateTokens(head)+20 {
			a.write(fmt.Sprintf("(%d more left out: too long for one answer)", n-i))
			return
		}
		a.write(head)
		share := a.left / 2
		if i == n-1 {
			share = a.left
		}
		a.write(cut(text, max(share, 20), from))
		a.b.WriteString("\n")
	}
}

// cut shortens a text to about a number of tokens, and says so. The text begins at a
// byte of the record's.
func cut(text string, tokens, from int) string {
	if chunk.EstimateTokens(text) <= tokens {
		return text
	}
	low, high := 0, len(text) // low fits, high does not
	for high-low > 16 {
		middle := (low + high) / 2
		for middle > low && !utf8.RuneStart(text[middle]) {
			middle--
		}
		if middle == low {
			break
		}
		if chunk.EstimateTokens(text[:middle]) <= tokens-15 {
			low = middle
		} else {
			high = middle
		}
	}
	return fmt.Sprintf("%s… (cut: get reads on from offset %d of %d)", text[:low], from+low, from+len(text))
}

// head is the line about a record: its ID, its score and its fields.
func head(r vecwire.Record, score *float64) string {
	line := "id=" + strconv.Quote(r.ID)
	if score != nil {
		line += fmt.Sprintf(" score=%.4f", *score)
	}
	for _, name := range slices.Sorted(maps.Keys(r.Fields)) {
		if r.Fields[name] != nil {
			line += " " + name + "=" + value(r.Fields[name])
		}
	}
	return line
}

// value writes a field's value as a filter would have it, not longer than a line.
func value(v any) string {
	switch v := v.(type) {
	case string:
		return strconv.Quote(short(v, 120))
	case time.Time:
		return strconv.Quote(v.Format(time.RFC3339Nano))
	case []byte:
		return fmt.Sprintf("hex(%q)", short(fmt.Sprintf("%x", v), 60))
	}
	return short(fmt.Sprint(v), 120)
}

// short cuts a text to a number of runes.
func short(text string, runes int) string {
	if utf8.RuneCountInString(text) <= runes {
		return text
	}
	return string([]rune(text)[:runes-1]) + "…"
}
