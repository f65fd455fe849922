// Package meta is the metadata of frameworks, which is a map of anything, as fields
// of records. It is for the adapters beside it, and knows no framework.
//
// A key that is the name of one of the schema's fields is that field, which filters
// can read. All other keys are kept together as one object in the JSON field [Field],
// or in that of Schema.Extra, with their numbers exact; filters reach them by paths. On
// an engine without JSON a String field does, which filters cannot look into.
package meta

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/vecwire/vecwire"
)

// Field names the field that holds what the schema has no field for, where Schema.Extra
// names none.
const Field = "meta"

// A Mapper maps the metadata of one collection.
type Mapper struct {
	collection string
	fields     map[string]bool // those that metadata can have
	rest       string          // the field of all else, "" for none
	json       bool            // it is JSON, and not a String
}

// Of returns the Mapper of a schema.
func Of(s vecwire.Schema) Mapper {
	m := Mapper{collection: s.Name, fields: map[string]bool{}}
	name := cmp.Or(s.Extra, Field)
	for _, f := range s.Fields {
		if f.Name == name && (f.Type == vecwire.String || f.Type == vecwire.JSON) {
			m.rest, m.json = name, f.Type == vecwire.JSON
		} else if f.Name != vecwire.NamespaceField {
			m.fields[f.Name] = true
		}
	}
	return m
}

// Fields returns metadata as fields. A nil value of a field is none.
func (m Mapper) Fields(metadata map[string]any) (vecwire.Fields, error) {
	fields := vecwire.Fields{}
	rest := map[string]json.RawMessage{}
	for _, key := range slices.Sorted(maps.Keys(metadata)) {
		value := metadata[key]
		if m.fields[key] {
			fields[key] = value
			continue
		}
		if m.rest == "" {
			return nil, &vecwire.SchemaError{Collection: m.collection, Field: key, Msg: "of the metadata does not exist: add it, " +
				"or the JSON field " + strconv.Quote(Field) + " for all metadata that has no field"}
		}
		text, err := encode(value)
		if err != nil {
			return nil, fmt.Errorf("metadata %q: %w", key, err)
		}
		rest[key] = text
	}
	if len(rest) > 0 {
		text, err := encode(rest)
		if err != nil {
			return nil, fmt.Errorf("metadata: %w", err)
		}
		fields[m.rest] = string(text)
		if m.json {
			fields[m.rest] = json.RawMessage(text)
		}
	}
	return fields, nil
}

// Metadata returns fields as metadata: whole numbers as int64, others as float64,
// and as json.Number those that neither can hold. It is never nil.
func (m Mapper) Metadata(fields vecwire.Fields) (map[string]any, error) {
	metadata := make(map[string]any, len(fields))
	for name, value := range fields {
		if m.fields[name] {
			metadata[name] = value
		}
	}
	var rest map[string]any
	switch stored := fields[m.rest].(type) {
	case map[string]any:
		rest = stored
	case string:
		if err := decode(stored, &rest); err != nil {
			return nil, fmt.Errorf("the field %q is not a JSON object: %w", m.rest, err)
		}
	}
	for key, value := range rest {
		metadata[key] = numbers(value)
	}
	return metadata, nil
}

// ID returns an ID that is made of a document's text and metadata: the same for the
// same document, so that to store it again replaces it.
func ID(text string, metadata map[string]any) (string, error) {
	described, err := encode(metadata) // with its keys in order
	if err != nil {
		return "", fmt.Errorf("metadata: %w", err)
	}
	h := sha256.New()
	_, _ = fmt.Fprintf(h, "%d %s%s", len(text), text, described)
	return hex.EncodeToString(h.Sum(nil)[:16]), nil
}

var errInvalid = errors.New("a text in it is not valid UTF-8")

// encode returns JSON, and refuses what would not come back as it is.
func encode(value any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(value); err != nil {
		return nil, err
	}
	text := bytes.TrimSuffix(b.Bytes(), []byte("\n"))
	// In place of bytes that are no text, and only for them, it writes this.
	if bytes.Contains(bytes.ReplaceAll(text, []byte(`\\`), nil), []byte(`\ufffd`)) {
		return nil, errInvalid
	}
	return text, nil
}

// decode reads JSON and keeps its numbers as they are written.
func decode[T any](text string, into *T) error {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	return d.Decode(into)
}

// numbers gives the numbers of decoded JSON a Go type.
func numbers(value any) any {
	switch v := value.(type) {
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return n
		}
		if x, err := v.Float64(); err == nil && strings.ContainsAny(v.String(), ".eE") {
			return x
		}
	case []any:
		for i := range v {
			v[i] = numbers(v[i])
		}
	case map[string]any:
		for key := range v {
			v[key] = numbers(v[key])
		}
	}
	return value
}
