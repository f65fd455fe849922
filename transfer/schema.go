package transfer

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/vecwire/vecwire"
)

// ErrNoSchema says that a file does not begin with a schema.
var ErrNoSchema = errors.New("the file does not begin with a schema")

// header is the line that [WriteSchema] writes.
type header struct {
	Version int         `json:"vecwire"`
	Schema  schemaEntry `json:"schema"`
}

type schemaEntry struct {
	Name     string       `json:"name"`
	Dim      int          `json:"dim"`
	Element  string       `json:"element"`
	Metric   string       `json:"metric"`
	Model    string       `json:"model,omitempty"`
	FullText string       `json:"full_text,omitempty"`
	Fields   []fieldEntry `json:"fields,omitempty"`
	Extra    string       `json:"extra,omitempty"`

	MaxRecords int    `json:"max_records,omitempty"`
	Index      string `json:"index,omitempty"`
	Codes      string `json:"codes,omitempty"`

	Distributed string `json:"distributed,omitempty"`

	Vectors []vectorEntry `json:"vectors,omitempty"`
}

type vectorEntry struct {
	Name   string `json:"name"`
	Dim    int    `json:"dim"`
	Metric string `json:"metric"`
	Model  string `json:"model,omitempty"`
	Source string `json:"source,omitempty"`
}

type fieldEntry struct {
	Name  string `json:"name"`
	Type  string `json:"type"`
	Index bool   `json:"index,omitempty"`

	Paths []string `json:"paths,omitempty"`

	Expires bool `json:"expires,omitempty"`
}

const (
	headerVersion = 1
	headerStart   = `{"vecwire":`
	bom           = "\ufeff" // with which some editors begin files
	maxHeader     = 1 << 20  // bytes
)

func isHeader(line []byte) bool { return bytes.HasPrefix(line, []byte(headerStart)) }

// WriteSchema writes a schema to w as one line of JSON: before the lines of
// [WriteJSONL], or as a file of its own.
//
//	{"vecwire":1,"schema":{"name":"docs","dim":3,"element":"FLOAT","metric":"cosine","fields":[{"name":"lang","type":"String","index":true}]}}
func WriteSchema(w io.Writer, s vecwire.Schema) error {
	line, err := encodeLine(header{Version: headerVersion, Schema: entryOf(s)})
	if err != nil {
		return err
	}
	_, err = w.Write(line)
	return err
}

// SchemaJSON returns a schema as [WriteSchema] has it under "schema", for a program's own
// documents. [ParseSchemaJSON] reads it.
func SchemaJSON(s vecwire.Schema) (json.RawMessage, error) {
	line, err := encodeLine(entryOf(s))
	return bytes.TrimSpace(line), err
}

// ParseSchemaJSON reads what [SchemaJSON] returns, as [ReadSchema] reads a file's first
// line.
func ParseSchemaJSON(text []byte) (vecwire.Schema, error) {
	s, err := parseEntry(text)
	if err != nil {
		return vecwire.Schema{}, fmt.Errorf("transfer: read schema: %w", err)
	}
	return s, nil
}

// encodeLine returns JSON in one line.
func encodeLine(v any) ([]byte, error) {
	var line bytes.Buffer
	enc := json.NewEncoder(&line)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return line.Bytes(), err
}

func entryOf(s vecwire.Schema) schemaEntry {
	e := schemaEntry{Name: s.Name, Dim: s.Dim, Element: s.Element.String(), Metric: s.Metric.String(), Model: s.Model, Extra: s.Extra, MaxRecords: s.MaxRecords}
	if s.FullText != vecwire.NoFullText {
		e.FullText = s.FullText.String()
	}
	if s.Distributed != vecwire.NotDistributed {
		e.Distributed = s.Distributed.String()
	}
	if s.Index != vecwire.AutoIndex {
		e.Index = s.Index.String()
	}
	if s.Codes != vecwire.SevenBits {
		e.Codes = s.Codes.String()
	}
	for _, f := range s.Fields {
		e.Fields = append(e.Fields, fieldEntry{Name: f.Name, Type: f.Type.String(), Index: f.Index, Paths: f.Paths, Expires: f.Expires})
	}
	for _, v := range s.Vectors {
		e.Vectors = append(e.Vectors, vectorEntry{Name: v.Name, Dim: v.Dim, Metric: v.Metric.String(), Model: v.Model, Source: v.Source})
	}
	return e
}

// ReadSchema reads the schema in the first line of r, and nothing more: the
// lines after it are left for [ReadJSONL]. A byte order mark may stand before it.
// ReadSchema returns [ErrNoSchema], having read nothing, if r begins with
// something else. Whether an engine can make a
// collection of the schema is for CreateCollection to say.
func ReadSchema(r *bufio.Reader) (vecwire.Schema, error) {
	start, err := r.Peek(len(bom) + len(headerStart))
	if err != nil && !errors.Is(err, io.EOF) {
		return vecwire.Schema{}, fmt.Errorf("transfer: read schema: %w", err)
	}
	if !isHeader(bytes.TrimPrefix(start, []byte(bom))) {
		return vecwire.Schema{}, fmt.Errorf("transfer: %w", ErrNoSchema)
	}
	lines := newLineReader(r)
	lines.max = maxHeader
	line, err := lines.next()
	if err != nil {
		return vecwire.Schema{}, fmt.Errorf("transfer: read schema: %w", err)
	}
	s, err := parseHeader(line)
	if err != nil {
		return vecwire.Schema{}, fmt.Errorf("transfer: read schema: %w", err)
	}
	return s, nil
}

// parseHeader reads the line of a schema.
func parseHeader(line []byte) (vecwire.Schema, error) {
	if err := checkObject(line, nil); err != nil {
		return vecwire.Schema{}, err
	}
	var version struct {
		Version int `json:"vecwire"`
	}
	if err := once(trim(line)); err != nil {
		return vecwire.Schema{}, err
	}
	if err := json.Unmarshal(line, &version); err != nil {
		return vecwire.Schema{}, err
	}
	if version.Version != headerVersion {
		return vecwire.Schema{}, fmt.Errorf("it has version %d, want %d", version.Version, headerVersion)
	}
	var h header
	if err := decodeKnown(line, &h); err != nil {
		return vecwire.Schema{}, err
	}
	return h.Schema.schema()
}

// parseEntry reads a schema without the line around it.
func parseEntry(text []byte) (vecwire.Schema, error) {
	if err := checkObject(text, nil); err != nil {
		return vecwire.Schema{}, err
	}
	if err := once(trim(text)); err != nil {
		return vecwire.Schema{}, err
	}
	var e schemaEntry
	if err := decodeKnown(text, &e); err != nil {
		return vecwire.Schema{}, err
	}
	return e.schema()
}

// decodeKnown reads JSON, and refuses keys that v does not have.
func decodeKnown(text []byte, v any) error {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	return dec.Decode(v)
}

func (e schemaEntry) schema() (vecwire.Schema, error) {
	s := vecwire.Schema{Name: e.Name, Dim: e.Dim, Model: e.Model, Extra: e.Extra, MaxRecords: e.MaxRecords}
	fail := func(field, what, name string) (vecwire.Schema, error) {
		return vecwire.Schema{}, &vecwire.SchemaError{Collection: shorten(e.Name), Field: shorten(field), Msg: fmt.Sprintf("has the unknown %s %q", what, shorten(name))}
	}
	var ok bool
	if s.Element, ok = named(e.Element, vecwire.FLOAT, vecwire.DOUBLE); !ok {
		return fail("", "element", e.Element)
	}
	if s.Metric, ok = named(e.Metric, vecwire.Cosine, vecwire.Dot, vecwire.L2); !ok {
		return fail("", "metric", e.Metric)
	}
	if e.FullText != "" {
		if s.FullText, ok = vecwire.ParseFullText(e.FullText); !ok {
			return fail("", "full text", e.FullText)
		}
	}
	if e.Distributed != "" {
		if s.Distributed, ok = named(e.Distributed, vecwire.NotDistributed, vecwire.ByID, vecwire.ByNamespace); !ok {
			return fail("", "distribution", e.Distributed)
		}
	}
	if e.Index != "" {
		if s.Index, ok = named(e.Index, vecwire.AutoIndex, vecwire.NoIndex); !ok {
			return fail("", "index", e.Index)
		}
	}
	if e.Codes != "" {
		if s.Codes, ok = named(e.Codes, vecwire.SevenBits, vecwire.FourBits); !ok {
			return fail("", "codes", e.Codes)
		}
	}
	for _, f := range e.Fields {
		typ, ok := named(f.Type, vecwire.String, vecwire.Int, vecwire.Float, vecwire.Bool, vecwire.Time, vecwire.Bytes, vecwire.Strings, vecwire.Ints, vecwire.Floats, vecwire.JSON)
		if !ok {
			return fail(f.Name, "type", f.Type)
		}
		s.Fields = append(s.Fields, vecwire.Field{Name: f.Name, Type: typ, Index: f.Index, Paths: f.Paths, Expires: f.Expires})
	}
	for _, v := range e.Vectors {
		metric, ok := named(v.Metric, vecwire.Cosine, vecwire.Dot, vecwire.L2)
		if !ok {
			return fail(v.Name, "metric", v.Metric)
		}
		s.Vectors = append(s.Vectors, vecwire.VectorField{Name: v.Name, Dim: v.Dim, Metric: metric, Model: v.Model, Source: v.Source})
	}
	return s, nil
}

// named finds a value by its name.
func named[T fmt.Stringer](name string, values ...T) (found T, ok bool) {
	for _, v := range values {
		if v.String() == name {
			return v, true
		}
	}
	return found, false
}

// fits returns an error that says all that keeps records of from out of a
// collection of to.
func fits(from, to vecwire.Schema, vectors bool) error {
	var errs []error
	if vectors {
		errs = append(errs, vectorsFit(from, to))
	}
	return join(append(errs, fieldsFit(from, to)))
}

// misfits are several errors in one line.
type misfits []error

func (m misfits) Error() string {
	texts := make([]string, len(m))
	for i, err := range m {
		texts[i] = err.Error()
	}
	return strings.Join(texts, "; ")
}

func (m misfits) Unwrap() []error { return m }

// join returns the errors that are not nil as one, nil if there are none.
func join(errs []error) error {
	errs = slices.DeleteFunc(errs, func(err error) bool { return err == nil })
	if len(errs) == 0 {
		return nil
	}
	return misfits(errs)
}

// fieldsFit returns an error, with a [*vecwire.SchemaError] for each, that names
// the fields of from which to does not have, or has with another type.
func fieldsFit(from, to vecwire.Schema) error {
	has := make(map[string]vecwire.FieldType, len(to.Fields))
	for _, f := range to.Fields {
		has[f.Name] = f.Type
	}
	var errs []error
	for _, f := range from.Fields {
		typ, ok := has[f.Name]
		switch {
		case !ok:
			errs = append(errs, &vecwire.SchemaError{Collection: to.Name, Field: f.Name, Msg: fmt.Sprintf("does not exist, and %q has it", from.Name)})
		case typ != f.Type:
			errs = append(errs, &vecwire.SchemaError{Collection: to.Name, Field: f.Name, Msg: fmt.Sprintf("is %s, and that of %q is %s", typ, from.Name, f.Type)})
		}
	}
	return join(errs)
}

// vectorsFit returns an error that says why vectors of from cannot be stored in
// a collection of to. A FLOAT is a DOUBLE without loss, and the metric is the
// collection's own affair.
func vectorsFit(from, to vecwire.Schema) error {
	var errs []error
	if from.Dim != to.Dim {
		errs = append(errs, &vecwire.DimensionError{Want: to.Dim, Got: from.Dim})
	}
	if from.Element == vecwire.DOUBLE && to.Element == vecwire.FLOAT {
		errs = append(errs, &vecwire.ElementError{Want: to.Element, Got: from.Element})
	}
	if from.Model != "" && to.Model != "" && from.Model != to.Model {
		errs = append(errs, fmt.Errorf("%w: vectors of %q, and %q is a collection of %q", vecwire.ErrModelMismatch, from.Model, to.Name, to.Model))
	}
	errs = append(errs, namedFit(from, to))
	return join(errs)
}
