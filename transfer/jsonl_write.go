package transfer

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/filter"
)

// MaxLine is how long a line of JSONL may be, in bytes: 64 MiB. Lines up to it
// are held in memory one at a time.
const MaxLine = 64 << 20

// WriteJSONL writes records of c to w, one JSON object a line, in the order of
// their IDs, and returns how many it wrote.
//
// A vector is an array of numbers, each with the fewest digits that read back as
// the same float. A record without text or fields has no such key, and a field
// without value is left out. Int is a number of all its digits, also beyond 2^53,
// where many JSON readers round; Time is RFC 3339 in UTC; Bytes is base64. The
// output has no schema: call [WriteSchema] before.
//
// It returns an error of c or of w, or a [*vecwire.RecordError] for a record that
// JSON cannot hold or whose line would be longer than [MaxLine]. Unless w failed,
// what was written is whole lines.
func WriteJSONL(ctx context.Context, w io.Writer, c *vecwire.Collection, o Options) (n int, err error) {
	m, err := o.meter(ctx, c)
	if err != nil {
		return 0, err
	}
	out := bufio.NewWriterSize(w, 64<<10)
	defer func() {
		if failed := out.Flush(); err == nil {
			err = failed
		}
		m.tell()
	}()
	lines := newLineEncoder(c.Schema())
	for r, err := range o.scan(ctx, c, !o.NoVectors) {
		if err != nil {
			return n, err
		}
		line, err := lines.encode(r)
		if err != nil {
			return n, &vecwire.RecordError{ID: r.ID, Index: n, Err: err}
		}
		if _, err := out.Write(line); err != nil {
			return n, err
		}
		n++
		if m.add(r.ID, len(line)) {
			if err := out.Flush(); err != nil {
				return n, err
			}
			m.tell()
		}
	}
	return n, nil
}

// lineEncoder makes lines of records.
type lineEncoder struct {
	fields []vecwire.Field
	keys   [][]byte // of the fields: a quoted name and a colon
	max    int      // bytes of a line
	buf    bytes.Buffer
	json   *json.Encoder // into buf
}

func newLineEncoder(s vecwire.Schema) *lineEncoder {
	e := &lineEncoder{fields: s.Fields, max: MaxLine}
	e.json = json.NewEncoder(&e.buf)
	e.json.SetEscapeHTML(false)
	for _, f := range s.Fields {
		key, _ := json.Marshal(f.Name) // of a string it cannot fail
		e.keys = append(e.keys, append(key, ':'))
	}
	return e
}

// encode returns the line of a record, valid until it is called again.
func (e *lineEncoder) encode(r vecwire.Record) ([]byte, error) {
	e.buf.Reset()
	if e.buf.Cap() > 1<<20 { // after a long line
		e.buf = bytes.Buffer{}
	}
	e.buf.WriteString(`{"id":`)
	if err := e.value("id", r.ID); err != nil {
		return nil, err
	}
	switch {
	case r.Vector != nil:
		e.buf.WriteString(`,"vector":`)
		e.buf.Write(codec.AppendText(e.buf.AvailableBuffer(), r.Vector))
	case r.Vector64 != nil:
		e.buf.WriteString(`,"vector":`)
		e.buf.Write(codec.AppendText(e.buf.AvailableBuffer(), r.Vector64))
	}
	if r.Text != "" {
		e.buf.WriteString(`,"text":`)
		if err := e.value("text", r.Text); err != nil {
			return nil, err
		}
	}
	before := `,"fields":{`
	for i, f := range e.fields {
		v := r.Fields[f.Name]
		if v == nil {
			continue
		}
		e.buf.WriteString(before)
		e.buf.Write(e.keys[i])
		if err := e.value(f.Name, v); err != nil {
			return nil, err
		}
		before = ","
	}
	if before == "," {
		e.buf.WriteByte('}')
	}
	e.buf.WriteString("}\n")
	if e.buf.Len() > e.max {
		return nil, fmt.Errorf("line has %d bytes, want at most %d", e.buf.Len(), e.max)
	}
	return e.buf.Bytes(), nil
}

// value writes what JSON has for a Go value of a field.
func (e *lineEncoder) value(field string, v any) error {
	switch x := v.(type) {
	case string:
		if err := filter.CheckString(field, x); err != nil { // the encoder would replace what is not UTF-8
			return err
		}
	case []byte:
		if x == nil { // empty, and not missing
			v = ""
		}
	}
	if err := e.json.Encode(v); err != nil {
		return fmt.Errorf("%s: %w", field, err)
	}
	e.buf.Truncate(e.buf.Len() - 1) // the encoder ends values with a new line
	return nil
}
