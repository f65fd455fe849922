package transfer

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/filter"
)

// CSVOptions says how a table is to be read.
type CSVOptions struct {
	// Names are what the columns are called. The zero Names has those of [WriteCSV].
	Names Names
	// Comma is the ASCII character between cells, such as '\t'. Defaults to ','.
	Comma rune
}

// ReadCSV reads records of schema s from a table in the form of RFC 4180, as
// [WriteCSV] writes it, for [vecwire.Collection.Ingest]. It yields them as they come;
// ranged over again, it goes on where it stopped.
//
// The first row has the names of the columns, of which that of the ID is required. A
// cell without quotes that is empty is no value; an empty String is "", in quotes. A
// vector is an array of numbers, a list or JSON is JSON, Bytes is base64, Bool is true
// or false, 1 or 0, and a Time has the form of RFC 3339 or of SQL. Columns that no
// name is for are passed over; if s has Extra, it gathers them as strings.
//
// A row that cannot be read is yielded as a [*vecwire.RecordError], with the place of
// the record from 0, the ID if it is known, and in its text the number of the line
// from 1 and the column; the next row follows. That is one that is not RFC 4180 or
// not UTF-8, has more or fewer cells than there are columns, a value of another type,
// or more than [MaxLine] bytes. Any other error is r's, or says what is wrong with the
// columns, and ends the sequence.
func ReadCSV(r io.Reader, s vecwire.Schema, o CSVOptions) iter.Seq2[vecwire.Record, error] {
	d := &csvDecoder{schema: s, names: o.Names}
	comma, err := csvComma(o.Comma)
	d.rows, d.failed = newCSVReader(r, comma), err
	return func(yield func(vecwire.Record, error) bool) {
		for {
			r, err := d.next()
			if errors.Is(d.failed, io.EOF) || !yield(r, err) || d.failed != nil {
				return
			}
		}
	}
}

// csvComma checks what stands between cells.
func csvComma(comma rune) (byte, error) {
	switch {
	case comma == 0:
		return ',', nil
	case comma == '"' || comma == '\n' || comma == '\r' || comma < 0 || comma >= 0x80:
		return 0, fmt.Errorf("transfer: %w", &vecwire.ValueError{Field: "Comma", Pos: -1, Want: "an ASCII character that is neither a quote nor the end of a line", Got: fmt.Sprintf("%q", comma)})
	}
	return byte(comma), nil
}

// csvDecoder makes records of rows.
type csvDecoder struct {
	rows    *csvReader
	schema  vecwire.Schema
	names   Names
	columns []csvColumn
	count   int   // records read
	failed  error // what ended reading for good; io.EOF at the end
}

// csvColumn is a column and the parts of a record that it is for.
type csvColumn struct {
	name   string
	places []int
	extra  bool
	aside  bool // extra, and a field that is read of another column has the name
}

func (d *csvDecoder) next() (vecwire.Record, error) {
	if d.failed == nil && d.columns == nil {
		d.failed = d.header()
	}
	if d.failed != nil {
		return vecwire.Record{}, d.failed
	}
	var r vecwire.Record
	err := d.rows.next()
	switch {
	case err == nil:
		r, err = d.record()
	case !passedOver(err):
		d.failed = err
		return vecwire.Record{}, err
	}
	d.count++
	if err != nil {
		return vecwire.Record{}, &vecwire.RecordError{ID: r.ID, Index: d.count - 1, Err: fmt.Errorf("line %d: %w", d.rows.begun, err)}
	}
	return r, nil
}

// passedOver reports whether an error is one row's.
func passedOver(err error) bool {
	return errors.As(err, new(errCSV)) || errors.Is(err, errLongLine)
}

// header reads the names of the columns.
func (d *csvDecoder) header() error {
	parts, err := d.names.of(d.schema)
	if err != nil {
		return err
	}
	switch err := d.rows.next(); {
	case errors.Is(err, io.EOF):
		return fmt.Errorf("transfer: the file is empty, want a row with the names of the columns")
	case err != nil:
		return fmt.Errorf("transfer: line %d: the names of the columns: %w", d.rows.begun, err)
	}
	var names []string
	for i := range d.rows.cells {
		cell, _ := d.rows.cell(i)
		name := string(cell)
		if !d.rows.cells[i].quoted && strings.Contains(name, "\r") { // all of the file would be names
			return fmt.Errorf("transfer: line %d: the names of the columns have a carriage return among them, want lines that end in LF or CRLF", d.rows.begun)
		}
		if err := filter.CheckString("a column's name", name); err != nil {
			return fmt.Errorf("transfer: line %d: %w", d.rows.begun, err)
		}
		if slices.Contains(names, name) {
			return fmt.Errorf("transfer: line %d: column %q is there twice, want one", d.rows.begun, shorten(name))
		}
		names = append(names, name)
		c := csvColumn{name: name}
		for _, p := range parts {
			if p.name == name {
				c.places = append(c.places, p.place)
			}
		}
		c.extra = len(c.places) == 0 && d.schema.Extra != ""
		c.aside = c.extra && slices.ContainsFunc(d.schema.Fields, func(f vecwire.Field) bool { return f.Name == name })
		d.columns = append(d.columns, c)
	}
	return d.names.Missing(d.schema, names)
}

// record reads a row. With an error it returns a record that has the ID, if that was
// read.
func (d *csvDecoder) record() (r vecwire.Record, err error) {
	if got, want := len(d.rows.cells), len(d.columns); got != want {
		return r, fmt.Errorf("the row has %d cells, want %d, as many as there are columns", got, want)
	}
	var aside gathered
	for i, c := range d.columns {
		cell, ok := d.rows.cell(i)
		if !ok {
			continue
		}
		switch {
		case c.aside:
			aside.put(c.name, string(cell))
		case c.extra:
			setField(&r, d.schema, c.name, string(cell)) // which the collection checks, and gathers
		}
		for _, place := range c.places {
			if err := d.assign(&r, place, cell); err != nil {
				if partName(place, d.schema) != c.name {
					err = fmt.Errorf("column %q: %w", shorten(c.name), err)
				}
				return r, err
			}
		}
	}
	if r.ID == "" {
		return r, noID("id")
	}
	return r, aside.into(&r, d.schema)
}

// assign gives a part of a record its value.
func (d *csvDecoder) assign(r *vecwire.Record, place int, cell []byte) (err error) {
	switch place {
	case placeID:
		r.ID = string(cell)
		return filter.CheckString("id", r.ID)
	case placeText:
		r.Text = string(cell)
		return filter.CheckString("text", r.Text)
	case placeVector:
		return parseVector(r, d.schema, cell)
	}
	if place >= len(d.schema.Fields) {
		return setVector(r, d.schema.Vectors[place-len(d.schema.Fields)], cell)
	}
	f := d.schema.Fields[place]
	v, err := cellValue(f, string(cell))
	if err == nil && v != nil {
		setField(r, d.schema, f.Name, v)
	}
	return err
}

// parseVector reads the text of a vector.
func parseVector(r *vecwire.Record, s vecwire.Schema, text []byte) (err error) {
	room := max(0, min(s.Dim, 1<<16)) // within reason
	if s.Element == vecwire.DOUBLE {
		r.Vector64, err = codec.ParseText(make([]float64, 0, room), text)
	} else {
		r.Vector, err = codec.ParseText(make([]float32, 0, room), text)
	}
	if err != nil {
		r.Vector, r.Vector64 = nil, nil
		return fmt.Errorf("vector: %w", err)
	}
	return nil
}

// setField gives a record the value of a field.
func setField(r *vecwire.Record, s vecwire.Schema, name string, v any) {
	if r.Fields == nil {
		r.Fields = make(vecwire.Fields, len(s.Fields))
	}
	r.Fields[name] = v
}
