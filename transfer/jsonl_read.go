package transfer

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"strconv"
	"strings"

	"github.com/vecwire/vecwire"
)

// ReadJSONL reads records of schema s from r, one JSON object a line, as
// [WriteJSONL] writes them, for [vecwire.Collection.Ingest]. It yields them as
// they come; ranged over again, it goes on where it stopped.
//
// The keys of a line are "id", which is required, "vector", "text", "fields" and "vectors";
// a key that is missing or null stands for none. A vector may be base64 of the
// little-endian bytes of its elements, too. Numbers are rounded to the
// nearest value that the vector's element or the Float holds; an Int must be
// whole, and may end in ".0". Blank lines are passed over, and so is a schema in
// the first line, which must fit s.
//
// A line that cannot be read is yielded as a [*vecwire.RecordError], with the
// place of the record from 0, the ID if it is known, and the number of the line
// from 1 in its text; the next line follows. That is one which is not JSON or
// not UTF-8, has a key twice or an unknown one, has an unknown field or a value
// of another type, or is longer than [MaxLine]. Whether the vector has the right
// length, and all else, is for the collection to check. A *vecwire.RecordError that r
// returns refuses the line that it stands in, and reading goes on behind it. Any other
// error is r's, or says that the schema in the file does not fit, and ends the sequence.
func ReadJSONL(r io.Reader, s vecwire.Schema) iter.Seq2[vecwire.Record, error] {
	return readLines(newDecoder(r, s))
}

// readLines streams the records of lines.
func readLines(d *decoder) iter.Seq2[vecwire.Record, error] {
	return func(yield func(vecwire.Record, error) bool) {
		for {
			r, err := d.next()
			if err == nil && (r.Vector != nil || r.Vector64 != nil || r.Vectors != nil) {
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
	names  *keyTree        // of another program; nil for ours
	header *vecwire.Schema // the schema in the file, if it has one
	seen   []bool          // fields of the record being read
	lists  longLists       // of the line being read
	aside  gathered        // of the record being read
	count  int             // records read
	failed error           // what ended reading for good; io.EOF at the end
}

func newDecoder(r io.Reader, s vecwire.Schema) *decoder {
	d := &decoder{lines: newLineReader(r), schema: s, lists: longLists{schema: s}, fields: make(map[string]int, len(s.Fields)), seen: make([]bool, len(s.Fields))}
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
		switch {
		case err != nil:
		case d.names != nil:
			r, err = d.named(line)
		default:
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
	d.lists.begin(line)
	if err := checkObject(line, &d.lists); err != nil {
		return r, err
	}
	var seen [5]bool
	for key, value := range members(trim(line), &d.lists) {
		name, err := unquote("key", key)
		if err != nil {
			return r, err
		}
		var place int
		switch name {
		case "id":
			place = 0
		case "vector":
			place = 1
		case "text":
			place = 2
		case "fields":
			place = 3
		case "vectors":
			place = 4
		default:
			return r, mismatch("key", `"id", "vector", "text", "fields" or "vectors"`, key)
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
			if list := d.lists.of(value); list != nil {
				r.Vector = list.numbers
			} else {
				err = vectorValue(&r, d.schema, value)
			}
		case 2:
			r.Text, err = text("text", value)
		case 3:
			r.Fields, err = d.values(value)
		case 4:
			err = d.namedVectors(&r, value)
		}
		if err != nil {
			return r, err
		}
	}
	if r.ID == "" {
		return r, noID("id")
	}
	return r, nil
}

// noID is the error of a record without an ID, whose name is given.
func noID(name string) error {
	return &vecwire.ValueError{Field: name, Pos: -1, Want: "a String that is not empty", Got: "nothing"}
}

func twice(key string) error {
	return &vecwire.ValueError{Field: key, Pos: -1, Want: "one value", Got: "there twice"}
}

// values reads the fields of a record.
func (d *decoder) values(object []byte) (vecwire.Fields, error) {
	if object[0] != '{' {
		return nil, mismatch("fields", "an object", object)
	}
	clear(d.seen)
	var fields vecwire.Fields
	for key, value := range members(object, nil) {
		name, err := unquote("key", key)
		if err != nil {
			return nil, err
		}
		i, ok := d.fields[name]
		if !ok && d.schema.Extra != "" {
			if _, twiceThere := fields[name]; twiceThere {
				return nil, twice(name)
			}
			if fields == nil {
				fields = make(vecwire.Fields, len(d.schema.Fields))
			}
			fields[name] = json.RawMessage(bytes.Clone(value)) // which the collection checks, and gathers
			continue
		}
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
	kind := kindOf(value)
	if f.Type == vecwire.JSON && kind != "null" {
		return f.Type.Convert(f.Name, json.RawMessage(value))
	}
	switch kind {
	case "null":
		return nil, nil
	case "an array":
		if _, list := f.Type.Elem(); list {
			return listValue(f, value)
		}
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

// listValue makes a list of a JSON array.
func listValue(f vecwire.Field, array []byte) (any, error) {
	list := []any{}
	for value := range elements(array) {
		var v any
		switch kindOf(value) {
		case "a string":
			s, err := unquote(f.Name, value)
			if err != nil {
				return nil, err
			}
			v = s
		case "a number":
			v = json.Number(value)
		default:
			return nil, &vecwire.ValueError{Field: f.Name, Pos: len(list), Want: f.Type.String(), Got: kindOf(value)}
		}
		list = append(list, v)
	}
	return f.Type.Convert(f.Name, list)
}

// shorten cuts a name that is too long to be read in an error.
func shorten(name string) string {
	const most = 64
	if len(name) <= most {
		return name
	}
	return strings.ToValidUTF8(name[:most], "") + "…"
}
