package transfer

import (
	"bufio"
	"context"
	"encoding/json"
	"io"

	"github.com/vecwire/vecwire"
)

// MaxLine is how long a line of JSONL may be, in bytes: 64 MiB. Lines up to it
// are held in memory one at a time.
const MaxLine = 64 << 20

// WriteJSONL writes records of c to w, one JSON object a line, in the order of
// their IDs, and returns how many it wrote.
//
// A vector is an array of numbers, each with the fewest digits that read back as
// the same float. A record without text, fields or named vectors has no such key,
// and a field without value is left out. Int is a number of all its digits, also beyond 2^53,
// where many JSON readers round; Time is RFC 3339 in UTC; Bytes is base64. The
// output has no schema: call [WriteSchema] before.
//
// It returns an error of c or of w, or a [*vecwire.RecordError] for a record that
// JSON cannot hold or whose line would be longer than [MaxLine]. Unless w failed,
// what was written is whole lines.
func WriteJSONL(ctx context.Context, w io.Writer, c *vecwire.Collection, o Options) (n int, err error) {
	lines, err := newEncoder(c.Schema(), o.Names)
	if err != nil {
		return 0, err
	}
	return writeLines(ctx, w, c, o, nil, lines)
}

// encoder makes lines of records. A line is valid until the next is made.
type encoder interface {
	encode(vecwire.Record) ([]byte, error)
}

// newEncoder returns the encoder of JSON with these names, or with ours.
func newEncoder(s vecwire.Schema, names *Names) (encoder, error) {
	if names == nil {
		return newLineEncoder(s), nil
	}
	return newNamedEncoder(s, *names)
}

// writeLines writes head and then a line for each record.
func writeLines(ctx context.Context, w io.Writer, c *vecwire.Collection, o Options, head []byte, lines encoder) (n int, err error) {
	m, err := o.meter(ctx, c)
	if err != nil {
		return 0, err
	}
	out := bufio.NewWriterSize(w, 64<<10)
	m.now.Bytes = int64(len(head))
	if _, err := out.Write(head); err != nil {
		return 0, err
	}
	var failed error // of w, which is not the record's
	n, err = m.each(ctx, c, o, func(r vecwire.Record) (int, error) {
		line, err := lines.encode(r)
		if err == nil {
			_, failed = out.Write(line)
			err = failed
		}
		return len(line), err
	}, out.Flush)
	if failed != nil {
		err = failed
	}
	return n, err
}

// lineEncoder makes lines of records.
type lineEncoder struct {
	fields []vecwire.Field
	keys   [][]byte // of the fields: a quoted name and a colon

	vectors    []vecwire.VectorField
	vectorKeys [][]byte
	jsonBuffer
}

func newLineEncoder(s vecwire.Schema) *lineEncoder {
	e := &lineEncoder{fields: s.Fields, vectors: s.Vectors}
	e.init()
	for _, f := range s.Fields {
		e.keys = append(e.keys, keyOf(f.Name))
	}
	for _, v := range s.Vectors {
		e.vectorKeys = append(e.vectorKeys, keyOf(v.Name))
	}
	return e
}

// keyOf returns a quoted name and a colon.
func keyOf(name string) []byte {
	key, _ := json.Marshal(name) // of a string it cannot fail
	return append(key, ':')
}

// encode returns the line of a record, valid until it is called again.
func (e *lineEncoder) encode(r vecwire.Record) ([]byte, error) {
	e.reset()
	e.buf.WriteString(`{"id":`)
	if err := e.value("id", r.ID); err != nil {
		return nil, err
	}
	if r.Vector != nil || r.Vector64 != nil {
		e.buf.WriteString(`,"vector":`)
		e.vector(r)
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
	before = `,"vectors":{`
	for i, v := range e.vectors {
		x := r.Vectors[v.Name]
		if x == nil {
			continue
		}
		e.buf.WriteString(before)
		e.buf.Write(e.vectorKeys[i])
		e.numbers(x)
		before = ","
	}
	if before == "," {
		e.buf.WriteByte('}')
	}
	e.buf.WriteString("}\n")
	return e.line()
}
