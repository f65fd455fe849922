package transfer

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/vecwire/vecwire"
)

// named reads a line of another program. With an error it returns a record that has
// the ID, if that was read.
func (d *decoder) named(line []byte) (r vecwire.Record, err error) {
	if err := checkObject(line, nil); err != nil {
		return r, err
	}
	clear(d.seen)
	d.aside = nil
	seen := map[int]bool{}
	if err := d.object(&r, trim(line), d.names, "", seen); err != nil {
		return r, err
	}
	if r.ID == "" {
		return r, noID("id")
	}
	return r, d.aside.into(&r, d.schema)
}

// object reads the members of an object, which is at path.
func (d *decoder) object(r *vecwire.Record, object []byte, names *keyTree, path string, seen map[int]bool) error {
	for key, value := range members(object, nil) {
		name, err := unquote("key", key)
		if err != nil {
			return err
		}
		at, known := names.under[name]
		if value[0] == 'n' { // null
			continue
		}
		if !known {
			if path != "" || d.schema.Extra == "" {
				continue
			}
			if _, field := d.fields[name]; field {
				if _, again := d.aside[name]; again {
					return twice(name)
				}
				d.aside.put(name, json.RawMessage(bytes.Clone(value)))
				continue
			}
			if _, twiceThere := r.Fields[name]; twiceThere {
				return twice(name)
			}
			setField(r, d.schema, name, json.RawMessage(bytes.Clone(value))) // which the collection checks, and gathers
			continue
		}
		for _, place := range at.places {
			if seen[place] {
				return twice(path + name)
			}
			seen[place] = true
			if err := d.assign(r, place, value); err != nil {
				if own := partName(place, d.schema); own != path+name {
					err = fmt.Errorf("key %q: %w", shorten(path+name), err)
				}
				return err
			}
		}
		if len(at.under) > 0 && value[0] == '{' {
			if err := d.object(r, value, at, path+name+".", seen); err != nil {
				return err
			}
		}
	}
	return nil
}

// assign gives a part of a record its value.
func (d *decoder) assign(r *vecwire.Record, place int, value []byte) (err error) {
	number := value[0] == '-' || '0' <= value[0] && value[0] <= '9'
	switch place {
	case placeID:
		if number {
			r.ID = string(value)
			return nil
		}
		r.ID, err = text("id", value)
	case placeText:
		if number {
			r.Text = string(value)
			return nil
		}
		r.Text, err = text("text", value)
	case placeVector:
		text, err := arrayText("vector", value)
		if err != nil {
			return err
		}
		return parseVector(r, d.schema, text)
	default:
		if place >= len(d.schema.Fields) {
			v := d.schema.Vectors[place-len(d.schema.Fields)]
			text, err := arrayText(v.Name, value)
			if err != nil {
				return err
			}
			return setVector(r, v, text)
		}
		f := d.schema.Fields[place]
		v, err := fieldValue(f, value)
		if err != nil {
			return err
		}
		setField(r, d.schema, f.Name, v)
	}
	return err
}

// arrayText returns the text of an array, which may be within a string, as columns of
// vectors are written.
func arrayText(field string, value []byte) ([]byte, error) {
	text := value
	if value[0] == '"' {
		s, err := unquote(field, value)
		if err != nil {
			return nil, err
		}
		text = trim([]byte(s))
	}
	if len(text) == 0 || text[0] != '[' {
		return nil, mismatch(field, "an array of numbers", value)
	}
	return text, nil
}

// namedEncoder makes lines for other programs.
type namedEncoder struct {
	schema vecwire.Schema
	keys   []writeKey
	jsonBuffer
}

// writeKey is a key of an object, with the part of a record that is its value or with
// the keys of an object.
type writeKey struct {
	key   string // quoted, with a colon
	place int
	under []writeKey
}

func newNamedEncoder(s vecwire.Schema, n Names) (*namedEncoder, error) {
	parts, err := n.of(s)
	if err == nil {
		err = n.Distinct(s)
	}
	if err != nil {
		return nil, err
	}
	e := &namedEncoder{schema: s}
	e.init()
	split := make([][]string, len(parts))
	for i, p := range parts {
		split[i] = strings.Split(p.name, ".")
	}
	e.keys, err = keysOf(parts, split, s)
	return e, err
}

// keysOf makes the keys of an object, of the parts in it and their paths from there.
// They keep the order in which they come first.
func keysOf(parts []part, paths [][]string, s vecwire.Schema) ([]writeKey, error) {
	var out []writeKey
	done := map[string]bool{}
	for i, path := range paths {
		if done[path[0]] {
			continue
		}
		done[path[0]] = true
		key := writeKey{key: string(keyOf(path[0])), place: parts[i].place}
		var inside []part
		var rest [][]string
		for j := i; j < len(paths); j++ {
			if paths[j][0] != path[0] {
				continue
			}
			if inside = append(inside, parts[j]); len(paths[j]) > 1 {
				rest = append(rest, paths[j][1:])
			}
		}
		switch {
		case len(rest) == 0: // names are distinct, so there is one
		case len(rest) < len(inside):
			return nil, fmt.Errorf("transfer: Names: %w", &vecwire.ValueError{Field: partName(inside[len(inside)-1].place, s), Pos: -1,
				Want: "a path that is not within another part", Got: fmt.Sprintf("%q beside %q", inside[len(inside)-1].name, inside[0].name)})
		default:
			var err error
			if key.under, err = keysOf(inside, rest, s); err != nil {
				return nil, err
			}
		}
		out = append(out, key)
	}
	return out, nil
}

func (e *namedEncoder) encode(r vecwire.Record) ([]byte, error) {
	e.reset()
	if _, err := e.object(r, e.keys, ""); err != nil {
		return nil, err
	}
	e.buf.WriteByte('\n')
	return e.line()
}

// object writes the keys of an object that have a value, and reports whether there
// are any. Without, it writes nothing.
func (e *namedEncoder) object(r vecwire.Record, keys []writeKey, before string) (any bool, err error) {
	start := e.buf.Len()
	e.buf.WriteString(before)
	open := byte('{')
	for _, k := range keys {
		from := e.buf.Len()
		e.buf.WriteByte(open)
		written := false
		if k.under != nil {
			written, err = e.object(r, k.under, k.key)
		} else {
			written, err = e.part(r, k)
		}
		if err != nil {
			return false, err
		}
		if !written {
			e.buf.Truncate(from)
			continue
		}
		open = ','
	}
	if open == '{' {
		e.buf.Truncate(start)
		return false, nil
	}
	e.buf.WriteByte('}')
	return true, nil
}

// part writes a key and its value, if the record has it.
func (e *namedEncoder) part(r vecwire.Record, k writeKey) (bool, error) {
	var v any
	name := partName(k.place, e.schema)
	switch k.place {
	case placeID:
		v = r.ID
	case placeText:
		if r.Text != "" {
			v = r.Text
		}
	case placeVector:
		if r.Vector == nil && r.Vector64 == nil {
			return false, nil
		}
		e.buf.WriteString(k.key)
		e.vector(r)
		return true, nil
	default:
		v = r.Fields[name]
		if k.place >= len(e.schema.Fields) {
			x := r.Vectors[name]
			if x == nil {
				return false, nil
			}
			e.buf.WriteString(k.key)
			e.numbers(x)
			return true, nil
		}
	}
	if v == nil {
		return false, nil
	}
	e.buf.WriteString(k.key)
	return true, e.value(name, v)
}
