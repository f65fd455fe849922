package local

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
)

// A list is stored as a JSON array, each element on a line of its own. No line
// ends within an element, so a list that has an element has its line, and SQLite
// finds that without taking the array apart. Floats are strings in it, because
// SQLite would round them on their way out.
//
// An indexed list has a table beside it of which row has which value, which
// triggers keep: they see every statement that changes the list, or the row's
// number.

// listText returns a list as it is stored, and false for what is no list.
func listText(v any) (string, bool) {
	var b strings.Builder
	switch list := v.(type) {
	case []string:
		writeList(&b, list)
	case []int64:
		writeList(&b, list)
	case []float64:
		writeList(&b, list)
	default:
		return "", false
	}
	return b.String(), true
}

func writeList[T any](b *strings.Builder, list []T) {
	b.WriteByte('[')
	for i, v := range list {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(elementLine(v))
	}
	b.WriteByte(']')
}

// elementLine returns an element's line, with the ends of lines around it.
func elementLine(v any) string {
	switch v := v.(type) {
	case int64:
		return "\n" + strconv.FormatInt(v, 10) + "\n"
	case float64:
		return "\n\"" + floatText(v) + "\"\n"
	}
	quoted, _ := json.Marshal(v) // of a string it cannot fail
	return "\n" + string(quoted) + "\n"
}

// floatText is a float as text, the same for equal floats.
func floatText(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }

// parseList reads what listText wrote.
func parseList(t filter.Type, stored any) (list any, ok bool) {
	text, ok := stored.(string)
	if !ok {
		return nil, false
	}
	var err error
	switch t {
	case filter.Ints:
		ints := []int64{}
		err = json.Unmarshal([]byte(text), &ints)
		return ints, err == nil
	case filter.Strings:
		texts := []string{}
		err = json.Unmarshal([]byte(text), &texts)
		return texts, err == nil
	}
	var texts []string
	err = json.Unmarshal([]byte(text), &texts)
	floats := make([]float64, len(texts))
	for i, text := range texts {
		if err == nil {
			floats[i], err = strconv.ParseFloat(text, 64)
		}
	}
	return floats, err == nil
}

// element returns an element as the table of values has it.
func element(v any) any {
	if x, ok := v.(float64); ok {
		return floatText(x)
	}
	return v
}

// elementList returns elements as one array, as SQLite's json_each takes it.
func elementList(values []any) string {
	var b strings.Builder
	writeList(&b, values)
	return b.String()
}

// valuesTable names the table of an indexed list's values.
func valuesTable(collection, field string) string {
	return `"` + valuesPrefix(collection) + field + `"`
}

func valuesPrefix(collection string) string { return collection + ".values." }

// renameValues is the statement that gives the table of a field's values the name that
// goes with another name of the field. Triggers follow.
func renameValues(collection, from, to string) string {
	return "ALTER TABLE " + valuesTable(collection, from) + " RENAME TO " + valuesTable(collection, to)
}

// createValues returns the statements that index a list of a collection, whose
// rows may be there already. The tag is that of createTables.
func createValues(collection, field, tag string) []string {
	rows, values, list := rowsTable(collection), valuesTable(collection, field), quote(field)
	trigger := func(event, when, body string) string {
		return fmt.Sprintf(`CREATE TRIGGER "%s%s.%s.%s" AFTER %s ON %s WHEN %s BEGIN %s END`,
			valuesPrefix(collection), field, strings.ToLower(event[:6]), tag, event, rows, when, body)
	}
	put := fmt.Sprintf(`INSERT INTO %s SELECT DISTINCT j.value, new.%s FROM json_each(new.%s) j;`, values, rowColumn, list)
	drop := fmt.Sprintf(`DELETE FROM %s WHERE %s = old.%[2]s AND value IN (SELECT j.value FROM json_each(old.%[3]s) j);`, values, rowColumn, list)
	return []string{
		fmt.Sprintf(`CREATE TABLE %s (value ANY NOT NULL, %s INTEGER NOT NULL, PRIMARY KEY (value, %[2]s)) STRICT, WITHOUT ROWID`, values, rowColumn),
		fmt.Sprintf(`INSERT INTO %s SELECT DISTINCT j.value, r.%s FROM %s r, json_each(r.%s) j`, values, rowColumn, rows, list),
		trigger("INSERT", "new."+list+" IS NOT NULL", put),
		trigger("DELETE", "old."+list+" IS NOT NULL", drop),
		trigger("UPDATE OF "+list+", "+rowColumn, fmt.Sprintf("old.%s IS NOT new.%[1]s OR old.%s <> new.%[2]s", list, rowColumn), drop+" "+put),
	}
}

// valueFields returns the fields of a collection that have a table of values.
func (t *txn) valueFields(collection string) (fields []string, err error) {
	prefix := valuesPrefix(collection)
	rows, err := t.tx.QueryContext(t.ctx, `SELECT substr(name, length(?1) + 1) FROM sqlite_schema
		WHERE type = 'table' AND lower(substr(name, 1, length(?1))) = lower(?1)`, prefix)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var field string
		if err := rows.Scan(&field); err != nil {
			return nil, err
		}
		fields = append(fields, field)
	}
	return fields, rows.Err()
}

// fewValues is up to how many values a list is asked for one by one.
const fewValues = 8

// contains writes that a list has any or all of some values. A list that is
// missing is neither; where that makes no difference it is not asked for, so that
// SQLite may begin with the table of values.
func (c *compiler) contains(f filter.Filter) {
	values, all := f.Values(), f.Op() == filter.OpContainsAll
	if all {
		values = distinct(values)
	}
	if len(values) == 0 {
		c.sql.WriteString(map[bool]string{true: "1", false: "0"}[all])
		return
	}
	name := "r." + quote(f.Field())
	if c.negated {
		c.sql.WriteString("CASE WHEN " + name + " IS NOT NULL THEN ")
		defer c.sql.WriteString(" END")
	}
	i := slices.IndexFunc(c.schema.Fields, func(s engine.Field) bool { return s.Name == f.Field() })
	indexed := i >= 0 && c.schema.Fields[i].Index
	switch {
	case indexed:
		c.containsIndexed(valuesTable(c.schema.Name, f.Field()), values, all)
	case len(values) <= fewValues:
		c.each(values, all, func(v any) {
			c.sql.WriteString("instr(" + name + ", ")
			c.bind(elementLine(v))
			c.sql.WriteString(") > 0")
		})
	case all:
		c.sql.WriteString("(SELECT count(DISTINCT e.value) FROM json_each(" + name + ") e WHERE e.value IN (SELECT j.value FROM json_each(?) j)) = ?")
		c.args = append(c.args, elementList(values), len(values))
	default:
		c.sql.WriteString("EXISTS (SELECT 1 FROM json_each(" + name + ") e WHERE e.value IN (SELECT j.value FROM json_each(?) j))")
		c.args = append(c.args, elementList(values))
	}
}

func (c *compiler) containsIndexed(table string, values []any, all bool) {
	open := "r." + rowColumn + " IN (SELECT v." + rowColumn + " FROM " + table + " v WHERE v.value "
	switch {
	case len(values) > fewValues && all:
		c.sql.WriteString("(SELECT count(*) FROM " + table + " v WHERE v.value IN (SELECT j.value FROM json_each(?) j) AND v." + rowColumn + " = r." + rowColumn + ") = ?")
		c.args = append(c.args, elementList(values), len(values))
	case len(values) > fewValues:
		c.sql.WriteString(open + "IN (SELECT j.value FROM json_each(?) j))")
		c.args = append(c.args, elementList(values))
	case all:
		c.each(values, true, func(v any) {
			c.sql.WriteString(open + "= ?)")
			c.args = append(c.args, element(v))
		})
	default:
		c.sql.WriteString(open + "IN (?" + strings.Repeat(", ?", len(values)-1) + "))")
		for _, v := range values {
			c.args = append(c.args, element(v))
		}
	}
}

// each joins a condition for each of a few values.
func (c *compiler) each(values []any, all bool, write func(v any)) {
	operator := " OR "
	if all {
		operator = " AND "
	}
	c.sql.WriteByte('(')
	for i, v := range values {
		if i > 0 {
			c.sql.WriteString(operator)
		}
		write(v)
	}
	c.sql.WriteByte(')')
}

// distinct returns the values without those that stand there again.
func distinct(values []any) []any {
	seen := make(map[any]bool, len(values))
	out := make([]any, 0, len(values))
	for _, v := range values {
		if !seen[v] {
			seen[v] = true
			out = append(out, v)
		}
	}
	return out
}

// found returns the FROM and WHERE of a query for the rows that a filter lets
// pass, and the column of their numbers. A row may come more than once: one filter
// over an indexed list is answered by its table of values alone, whose rows are
// fewer to read than those of the records.
func (c *collection) found(f filter.Filter) (from, row string, args []any) {
	indexed := slices.ContainsFunc(c.schema.Fields, func(s engine.Field) bool { return s.Index && s.Name == f.Field() })
	if f.Op() != filter.OpContainsAny || !indexed || len(f.Values()) == 0 {
		where, args := c.compile(f)
		return rowsTable(c.schema.Name) + " r WHERE " + where, "r." + rowColumn, args
	}
	return valuesTable(c.schema.Name, f.Field()) + " v WHERE v.value IN (SELECT j.value FROM json_each(?) j)", "v." + rowColumn, []any{elementList(f.Values())}
}
