package transfer

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"iter"
	"strconv"
	"strings"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/codec"
)

// ReadJSONL reads records of schema s from r, one JSON object a line, as
// [WriteJSONL] writes them, for [vecwire.Collection.Ingest]. It yields them as
// they come; ranged over again, it goes on where it stopped.
//
// The keys of a line are "id", which is required, "vector", "text" and "fields";
// a key that is missing or null stands for none. Numbers are rounded to the
// nearest value that the vector's element or the Float holds; an Int must be
// whole, and may end in ".0". Blank lines are passed over, and so is a schema in
// the first line, which must fit s.
//
// A line that cannot be read is yielded as a [*vecwire.RecordError], with the
// place of the record from 0, the ID if it is known, and the number of the line
// from 1 in its text; the next line follows. That is one which is not JSON or
// not UTF-8, has a key twice or an unknown one, has an unknown field or a value
// of another type, or is longer than [MaxLine]. Whether the vector has the right
// length, and all else, is for the collection to check. Any other error is r's,
// or says that the schema in the file does not fit, and ends the sequence.
func ReadJSONL(r io.Reader, s vecwire.Schema) iter.Seq2[vecwire.Record, error] {
	d := newDecoder(r, s)
	return func(yield func(vecwire.Record, error) bool) {
		for {
			r, err := d.next()
			if err == nil && (r.Vector != nil || r.Vector64 != nil) {
				err = d.vectorsFit()
			}
			if errors.Is(d.failed, io.EOF) || !yield(r, err) || d.failed != nil {
				return
			}
		}
	}
}

// decoder makes records of lines.
type decoder struct {
	lines  lineReader
	schema vecwire.Schema
	fields map[string]int  // a field's place in the schema
	header *vecwire.Schema // the schema in the file, if it has one
	seen   []bool          // fields of the record being read
	count  int             // records read
	failed error           // what ended reading for good; io.EOF at the end
}

func newDecoder(r io.Reader, s vecwire.Schema) *decoder {
	d := &decoder{lines: newLineReader(r), schema: s, fields: make(map[string]int, len(s.Fields)), seen: make([]bool, len(s.Fields))}
	for i, f := range s.Fields {
		d.fields[f.Name] = i
	}
	return d
}

// next returns the next record. After an error that is not a *RecordError it
// returns the same again.
func (d *decoder) next() (vecwire.Record, error) {
	for d.failed == nil {
		line, err := d.lines.next()
		if err != nil && !errors.Is(err, errLongLine) {
			return vecwire.Record{}, d.fail(err)
		}
		if err == nil && d.count == 0 && d.header == nil && isHeader(line) {
			if err := d.readHeader(line); err != nil {
				return vecwire.Record{}, d.fail(err)
			}
			continue
		}
		var r vecwire.Record
		if err == nil {
			r, err = d.record(line)
		}
		d.count++
		if err != nil {
			return vecwire.Record{}, d.refuse(r.ID, err)
		}
		return r, nil
	}
	return vecwire.Record{}, d.failed
}

// fail ends reading for good.
func (d *decoder) fail(err error) error {
	d.failed = err
	return err
}

// refuse is the error of the record that was just read.
func (d *decoder) refuse(id string, err error) error {
	return &vecwire.RecordError{ID: id, Index: d.count - 1, Err: fmt.Errorf("line %d: %w", d.lines.number, err)}
}

func (d *decoder) readHeader(line []byte) error {
	s, err := parseHeader(line)
	if err == nil {
		d.header = &s
		err = fieldsFit(s, d.schema)
	}
	if err != nil {
		return fmt.Errorf("transfer: the schema in the file does not fit: %w", err)
	}
	return nil
}

// vectorsFit fails if the file has a schema whose vectors do not fit.
func (d *decoder) vectorsFit() error {
	if d.header == nil {
		return nil
	}
	if err := vectorsFit(*d.header, d.schema); err != nil {
		return d.fail(fmt.Errorf("transfer: the schema in the file does not fit: %w", err))
	}
	return nil
}

// record reads a line. With an error it returns a record that has the ID, if
// that was read.
func (d *decoder) record(line []byte) (r vecwire.Record, err error) {
	if err := checkObject(line); err != nil {
		return r, err
	}
	var seen [4]bool
	for key, value := range members(trim(line)) {
		name, err := unquote("key", key)
		if err != nil {
			return r, err
		}
		place := -1
		switch name {
		case "id":
			place = 0
		case "vector":
			place = 1
		case "text":
			place = 2
		case "fields":
			place = 3
		default:
			return r, mismatch("key", `"id", "vector", "text" or "fields"`, key)
		}
		if seen[place] {
			return r, twice(name)
		}
		seen[place] = true
		if value[0] == 'n' { // null
			continue
		}
		switch place {
		case 0:
			r.ID, err = text("id", value)
		case 1:
			err = d.vector(&r, value)
		case 2:
			r.Text, err = text("text", value)
		case 3:
			r.Fields, err = d.values(value)
		}
		if err != nil {
			return r, err
		}
	}
	if r.ID == "" {
		return r, &vecwire.ValueError{Field: "id", Pos: -1, Want: "a String that is not empty", Got: "nothing"}
	}
	return r, nil
}

func twice(key string) error {
	return &vecwire.ValueError{Field: key, Pos: -1, Want: "one value", Got: "there twice"}
}

func (d *decoder) vector(r *vecwire.Record, value []byte) (err error) {
	if value[0] != '[' {
		return mismatch("vector", "an array of numbers", value)
	}
	if d.schema.Element == vecwire.DOUBLE {
		r.Vector64, err = codec.ParseText(make([]float64, 0, d.room()), value)
	} else {
		r.Vector, err = codec.ParseText(make([]float32, 0, d.room()), value)
	}
	if err != nil {
		r.Vector, r.Vector64 = nil, nil
		return fmt.Errorf("vector: %w", err)
	}
	return nil
}

// room is how many elements a vector will have, within reason.
func (d *decoder) room() int { return max(0, min(d.schema.Dim, 1<<16)) }

// values reads the fields of a record.
func (d *decoder) values(object []byte) (vecwire.Fields, error) {
	if object[0] != '{' {
		return nil, mismatch("fields", "an object", object)
	}
	clear(d.seen)
	var fields vecwire.Fields
	for key, value := range members(object) {
		name, err := unquote("key", key)
		if err != nil {
			return nil, err
		}
		i, ok := d.fields[name]
		if !ok {
			return nil, &vecwire.SchemaError{Collection: d.schema.Name, Field: shorten(name), Msg: "does not exist"}
		}
		if d.seen[i] {
			return nil, twice(name)
		}
		d.seen[i] = true
		v, err := fieldValue(d.schema.Fields[i], value)
		if err != nil {
			return nil, err
		}
		if v == nil {
			continue
		}
		if fields == nil {
			fields = make(vecwire.Fields, len(d.schema.Fields))
		}
		fields[name] = v
	}
	return fields, nil
}

// fieldValue makes a field's value of JSON; nil of null.
func fieldValue(f vecwire.Field, value []byte) (any, error) {
	switch kindOf(value) {
	case "null":
		return nil, nil
	case "a bool":
		if f.Type == vecwire.Bool {
			return value[0] == 't', nil
		}
	case "a string":
		s, err := unquote(f.Name, value)
		if err != nil {
			return nil, err
		}
		if f.Type != vecwire.Bytes {
			return f.Type.Convert(f.Name, s)
		}
		if b, err := base64.StdEncoding.DecodeString(s); err == nil {
			return b, nil
		}
		return nil, mismatch(f.Name, "Bytes in base64", value)
	case "a number":
		if f.Type == vecwire.Int {
			whole, fraction, _ := strings.Cut(string(value), ".")
			if strings.Trim(fraction, "0") == "" {
				if n, err := strconv.ParseInt(whole, 10, 64); err == nil {
					return n, nil
				}
			}
		}
		if f.Type == vecwire.Float {
			if x, err := strconv.ParseFloat(string(value), 64); err == nil {
				return f.Type.Convert(f.Name, x)
			}
		}
	}
	return nil, mismatch(f.Name, f.Type.String(), value)
}

// shorten cuts a name that is too long to be read in an error.
func shorten(name string) string {
	const most = 64
	if len(name) <= most {
		return name
	}
	return strings.ToValidUTF8(name[:most], "") + "…"
}

var errLongLine = errors.New("line is too long")

// lineReader reads lines that are not blank.
type lineReader struct {
	r      *bufio.Reader
	number int // of the line, from 1
	max    int // bytes of a line
	long   []byte
}

func newLineReader(r io.Reader) lineReader {
	buffered, ok := r.(*bufio.Reader)
	if !ok {
		buffered = bufio.NewReaderSize(r, 64<<10)
	}
	return lineReader{r: buffered, max: MaxLine}
}

// next returns the next line, valid until it is called again. It returns io.EOF
// after the last, and an errLongLine for one that it has passed over.
func (l *lineReader) next() ([]byte, error) {
	for {
		line, err := l.read()
		if l.number == 1 {
			line = bytes.TrimPrefix(line, []byte("\ufeff")) // as some editors begin files
		}
		if err != nil || len(bytes.TrimSpace(line)) > 0 {
			return line, err
		}
	}
}

func (l *lineReader) read() ([]byte, error) {
	if cap(l.long) > 1<<20 {
		l.long = nil
	}
	l.long = l.long[:0]
	l.number++
	size := 0
	for {
		piece, err := l.r.ReadSlice('\n')
		size += len(piece)
		if size <= l.max {
			if err == nil && len(l.long) == 0 {
				return piece, nil
			}
			l.long = append(l.long, piece...)
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case errors.Is(err, io.EOF) && size == 0:
			return nil, io.EOF
		case err != nil && !errors.Is(err, io.EOF):
			return nil, fmt.Errorf("transfer: read line %d: %w", l.number, err)
		case size > l.max:
			return nil, fmt.Errorf("%w: it has %d bytes, want at most %d", errLongLine, size, l.max)
		}
		return l.long, nil
	}
}
