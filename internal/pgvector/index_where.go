package pgvector

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
	"github.com/vecwire/vecwire/internal/wire"
)

// An index over some of the records is named by a fingerprint of the filter that they
// pass, and its comment has the filter's text. The text is believed if the fingerprint
// says the same. An index without it is listed, and can be dropped or built again, but
// no search uses it: what the server makes of a condition is not read back.

const whereComment = "vecwire: where "

// slot tells the indexes that BuildIndex makes of a collection apart: "" is that of all
// records. The order in which And joins conditions does not matter.
func slot(where filter.Filter) string {
	var texts []string
	for _, part := range engine.Conjuncts(where) {
		texts = append(texts, part.String())
	}
	if len(texts) == 0 {
		return ""
	}
	slices.Sort(texts)
	return wire.Fingerprint(strings.Join(texts, "\n"))
}

// slotOf reads the slot out of the name of an index of a kind, and reports whether
// BuildIndex gave the name.
func (c *collection) slotOf(name, kind string) (in string, ours bool) {
	name = strings.TrimSuffix(name, next)
	rest, ours := strings.CutPrefix(name, c.indexName(kind, ""))
	in, partial := strings.CutPrefix(rest, "_")
	if _, err := hex.DecodeString(in); rest != "" && (!partial || len(in) != len(wire.Fingerprint("")) || err != nil) {
		return "", false
	}
	return in, ours
}

// whereOf reads the filter out of the comment on the index of a slot; the zero filter if
// it is not there.
func (t *table) whereOf(in, comment string) filter.Filter {
	text, ok := strings.CutPrefix(comment, whereComment)
	if !ok {
		return filter.Filter{}
	}
	f, err := filter.Parse(text)
	if err == nil {
		f, err = f.Check(t.typeOf)
	}
	if err != nil || slot(f) != in {
		return filter.Filter{}
	}
	return f
}

// typeOf returns the type of what a filter may be about.
func (t *table) typeOf(field string) (filter.Type, bool) {
	name, keys := filter.SplitPath(field)
	for _, f := range t.schema.Fields {
		if f.Name == name {
			return f.Type, len(keys) == 0 || f.Type == filter.JSON
		}
	}
	return filter.String, field == "id" || field == "text"
}

// literal writes a filter as a condition without arguments: the predicate of an index can
// have none, and a search that has the same words is known to be about its records
// however the server plans it.
func (t *table) literal(f filter.Filter) (string, error) {
	condition, args := t.predicate(f)
	var b strings.Builder
	for len(condition) > 0 {
		at := strings.IndexAny(condition, `$'"`)
		if at < 0 {
			break
		}
		b.WriteString(condition[:at])
		quote := condition[at]
		condition = condition[at+1:]
		end := strings.IndexByte(condition, quote) + 1 // quoted text has no arguments
		if quote != '$' {
			b.WriteString(string(quote) + condition[:end])
			condition = condition[end:]
			continue
		}
		end = len(condition) - len(strings.TrimLeft(condition, "0123456789"))
		n, err := strconv.Atoi(condition[:end])
		if err != nil || n < 1 || n > len(args) {
			return "", fmt.Errorf("%w: an index of the records where %s by the postgres engine", engine.ErrUnsupported, f)
		}
		value, ok := literalOf(args[n-1])
		if !ok {
			return "", fmt.Errorf("%w: an index of the records where %s by the postgres engine: it compares with a %T", engine.ErrUnsupported, f, args[n-1])
		}
		b.WriteString(quoteText(value))
		condition = condition[end:]
	}
	return b.String() + condition, nil
}

// literalOf returns the text of an argument, as the server reads it.
func literalOf(v any) (text string, ok bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case int64:
		return strconv.FormatInt(v, 10), true
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64), true
	case bool:
		return strconv.FormatBool(v), true
	case []byte:
		return `\x` + hex.EncodeToString(v), true
	case time.Time:
		return v.UTC().Format("2006-01-02 15:04:05.999999Z07:00"), v.UTC().Year() > 0
	case []string:
		return arrayLiteral(v)
	case []int64:
		return arrayLiteral(v)
	case []float64:
		return arrayLiteral(v)
	case []bool:
		return arrayLiteral(v)
	case []time.Time:
		return arrayLiteral(v)
	case [][]byte:
		return arrayLiteral(v)
	}
	return "", false
}

func arrayLiteral[T any](values []T) (string, bool) {
	elements := make([]string, len(values))
	for i, v := range values {
		text, ok := literalOf(v)
		if !ok {
			return "", false
		}
		elements[i] = `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(text) + `"`
	}
	return "{" + strings.Join(elements, ",") + "}", true
}

// indexes are those that searches can use.
type indexes struct {
	whole   *vectorIndex   // of all records, nil if there is none
	partial []*vectorIndex // of some, those with the most conditions first
}

// pick returns the index for a search and what of its filter the index leaves to be
// checked: one over some of the records, if the search is about none but them.
func (x indexes) pick(s engine.Search) (*vectorIndex, engine.Search) {
	for _, i := range x.partial {
		if rest, ok := engine.Without(s.Filter, i.parts); ok {
			s.Filter = rest
			return i, s
		}
	}
	return x.whole, s
}
