package folder

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/codec"
)

// A row's text is its column "text", followed by a line for each other column:
//
//	title: Sailing
//	year: 1967
//
// The columns "id", which names the record, and "vector" are no text.

const maxLine = 64 << 20

// lines reads JSONL. Lines that are empty are passed over.
func (f File) lines(in io.Reader) iter.Seq2[passage, error] {
	return func(yield func(passage, error) bool) {
		lines := bufio.NewScanner(in)
		lines.Buffer(nil, maxLine)
		for n := 1; lines.Scan(); n++ {
			if len(bytes.TrimSpace(lines.Bytes())) == 0 {
				continue
			}
			columns, err := object(lines.Bytes())
			p := row(columns, n)
			if err != nil {
				err = f.badRow(n, err)
			}
			if !yield(p, err) {
				return
			}
		}
		if err := lines.Err(); err != nil {
			yield(passage{}, &Skip{f.Source, Unreadable, err})
		}
	}
}

// table reads CSV whose first row names the columns.
func (f File) table(in io.Reader, comma rune) iter.Seq2[passage, error] {
	return func(yield func(passage, error) bool) {
		rows := csv.NewReader(in)
		rows.Comma = comma
		rows.LazyQuotes = comma == '\t'
		names, err := rows.Read()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			yield(passage{}, &Skip{f.Source, Unreadable, err})
			return
		}
		names[0] = strings.TrimPrefix(names[0], "\ufeff")
		rows.FieldsPerRecord = len(names)
		rows.ReuseRecord = true
		names = slices.Clone(names)
		for {
			values, err := rows.Read()
			if errors.Is(err, io.EOF) {
				return
			}
			line := 0
			if bad, ok := errors.AsType[*csv.ParseError](err); ok {
				line = bad.StartLine
				err = f.badRow(line, bad.Err)
			} else if err != nil {
				yield(passage{}, &Skip{f.Source, Unreadable, err})
				return
			}
			var columns []column
			if err == nil {
				line, _ = rows.FieldPos(0)
				for i, value := range values {
					if !utf8.ValidString(value) || strings.ContainsRune(value, 0) {
						err = f.badRow(line, fmt.Errorf("column %q is not text in UTF-8", names[i]))
					}
					columns = append(columns, column{names[i], value})
				}
			}
			if !yield(row(columns, line), err) {
				return
			}
		}
	}
}

func (f File) badRow(line int, err error) error {
	return &vecwire.RecordError{ID: fmt.Sprintf("%s line %d", f.Source, line), Err: err}
}

type column struct{ name, value string }

func row(columns []column, line int) passage {
	p := passage{line: line}
	var text, rest strings.Builder
	for _, c := range columns {
		switch name := strings.ToLower(c.name); {
		case name == "id" && c.value != "" && p.id == "":
			p.id = c.value
		case name == "id" || name == "vector" || strings.TrimSpace(c.value) == "":
		case name == "text":
			text.WriteString(c.value + "\n")
		default:
			fmt.Fprintf(&rest, "%s: %s\n", c.name, c.value)
		}
	}
	p.text = text.String() + rest.String()
	return p
}

// object reads a JSON object as columns in the order of its keys. What is within a
// value stays JSON.
func object(line []byte) ([]column, error) {
	d := json.NewDecoder(bytes.NewReader(line))
	d.UseNumber()
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return nil, errors.New("not a JSON object")
	}
	var columns []column
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, fmt.Errorf("not JSON: %w", err)
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return nil, fmt.Errorf("not JSON: %w", err)
		}
		c := column{name: name.(string), value: string(value)}
		switch {
		case bytes.Equal(value, []byte("null")):
			c.value = ""
		case value[0] == '"':
			if err := json.Unmarshal(value, &c.value); err != nil {
				return nil, fmt.Errorf("not JSON: %w", err)
			}
		}
		columns = append(columns, c)
	}
	if _, err := d.Token(); err != nil {
		return nil, fmt.Errorf("not JSON: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one JSON value")
	}
	if path := codec.KeyTwice(line, false); path != nil {
		return nil, fmt.Errorf("the key %q is there twice", path[len(path)-1])
	}
	return columns, nil
}
