package transfer

import (
	"bytes"
	"context"
	"encoding/base64"
	"io"
	"time"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/filter"
)

// WriteCSV writes records of c to w as a table in the form of RFC 4180, in the order of
// their IDs, and returns how many it wrote. The first row has the names of the columns:
// the ID, the vector, the text, and each field and named vector in the order of the
// schema. With NoVectors those of vectors are left out.
//
// A vector, a list and JSON are written as JSON, Bytes as base64 and a Time in the form
// of RFC 3339. What has no value is an empty cell, and an empty String is "", in quotes,
// as PostgreSQL's COPY has it. [ReadCSV] reads all of it back as it was; programs that
// do not tell the two apart, as Go's encoding/csv, read the same of both. All else is
// as in [WriteJSONL].
func WriteCSV(ctx context.Context, w io.Writer, c *vecwire.Collection, o Options) (n int, err error) {
	var names Names
	if o.Names != nil {
		names = *o.Names
	}
	parts, err := names.of(c.Schema())
	if err == nil {
		err = names.Distinct(c.Schema())
	}
	if err != nil {
		return 0, err
	}
	comma, err := csvComma(o.Comma)
	if err != nil {
		return 0, err
	}
	rows := &csvEncoder{schema: c.Schema(), comma: comma}
	rows.init()
	for _, p := range parts {
		if vector := p.place == placeVector || p.place >= len(c.Schema().Fields); !vector || !o.NoVectors {
			rows.places = append(rows.places, p.place)
			rows.cell([]byte(p.name), true)
		}
	}
	if o.NoHeader {
		return writeLines(ctx, w, c, o, nil, rows)
	}
	head, err := rows.end()
	if err != nil {
		return 0, err
	}
	return writeLines(ctx, w, c, o, bytes.Clone(head), rows)
}

// csvEncoder makes rows of records.
type csvEncoder struct {
	schema vecwire.Schema
	comma  byte
	places []int // of the columns
	row    bytes.Buffer
	jsonBuffer
}

func (e *csvEncoder) encode(r vecwire.Record) ([]byte, error) {
	if e.row.Cap() > 1<<20 { // after a long line
		e.row = bytes.Buffer{}
	}
	e.row.Reset()
	for _, place := range e.places {
		e.reset()
		some, err := e.part(r, place)
		if err != nil {
			return nil, err
		}
		e.cell(e.buf.Bytes(), some)
	}
	return e.end()
}

// end ends the row and returns it.
func (e *csvEncoder) end() ([]byte, error) {
	b := e.row.Bytes()
	b[len(b)-1] = '\n' // for the comma behind the last cell
	return b, e.checkLength(len(b))
}

// part writes a part of a record into the buffer, and reports whether it has a value.
func (e *csvEncoder) part(r vecwire.Record, place int) (some bool, err error) {
	switch place {
	case placeID:
		e.buf.WriteString(r.ID)
		return true, filter.CheckString("id", r.ID)
	case placeText:
		e.buf.WriteString(r.Text)
		return r.Text != "", filter.CheckString("text", r.Text)
	case placeVector:
		some = r.Vector != nil || r.Vector64 != nil
		if some {
			e.vector(r)
		}
		return some, nil
	}
	if place >= len(e.schema.Fields) {
		x := r.Vectors[partName(place, e.schema)]
		if x != nil {
			e.numbers(x)
		}
		return x != nil, nil
	}
	name := e.schema.Fields[place].Name
	switch v := r.Fields[name].(type) {
	case nil:
		return false, nil
	case string:
		e.buf.WriteString(v)
		return true, filter.CheckString(name, v)
	case []byte:
		e.buf.WriteString(base64.StdEncoding.EncodeToString(v))
	case time.Time:
		e.buf.WriteString(v.Format(time.RFC3339Nano))
	default: // numbers and bools are the same in JSON
		return true, e.value(name, v)
	}
	return true, nil
}

// cell adds a cell to the row, in quotes if it needs them or if it is a value that
// would look like none.
func (e *csvEncoder) cell(text []byte, some bool) {
	quote := some && len(text) == 0 || bytes.IndexByte(text, e.comma) >= 0 || bytes.ContainsAny(text, "\"\r\n") ||
		len(text) > 0 && (text[0] == ' ' || text[0] == '\t') || bytes.HasPrefix(text, []byte(bom))
	if !quote {
		e.row.Write(text)
	} else {
		e.row.WriteByte('"')
		for i := bytes.IndexByte(text, '"'); i >= 0; i = bytes.IndexByte(text, '"') {
			e.row.Write(text[:i+1])
			e.row.WriteByte('"')
			text = text[i+1:]
		}
		e.row.Write(text)
		e.row.WriteByte('"')
	}
	e.row.WriteByte(e.comma)
}
