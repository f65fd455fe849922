package transfer

import (
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/vecwire/vecwire"
)

// Names says what the parts of a record are called in files of other programs: the
// keys of a JSON object, or the columns of a table. With
//
//	Names{ID: "doc_id", Vector: "embedding", Text: "body", Fields: map[string]string{"lang": "meta.lang"}}
//
// a record has the line
//
//	{"doc_id":"7","embedding":[0.1,-2.5],"body":"…","meta":{"lang":"go"},"year":2009}
//
// where "year" is a field that Fields leaves as it is.
//
// [Options].Names writes such files, and the methods of Names read them: what no
// name is for is passed over, or gathered if the schema has Extra.
type Names struct {
	ID     string // defaults to "id"
	Vector string // defaults to "vector"
	Text   string // defaults to "text"
	// Fields has the names of fields, and of named vectors, that are not called in the
	// file as they are in the schema. In JSON a name with dots is a path into objects. Two parts of a
	// record may be read of one name, and must be written to two.
	Fields map[string]string
}

// Places of the parts of a record. The fields' are those in the schema, and those of
// the named vectors come after them.
const (
	placeID     = -3
	placeVector = -2
	placeText   = -1
)

// part is a part of a record and its name in a file.
type part struct {
	place int
	name  string
}

// of returns the parts that records of a schema have in a file. It fails if Fields
// has one that the schema does not have.
func (n Names) of(s vecwire.Schema) ([]part, error) {
	parts := []part{{placeID, orElse(n.ID, "id")}, {placeVector, orElse(n.Vector, "vector")}, {placeText, orElse(n.Text, "text")}}
	left := maps.Clone(n.Fields)
	for i, f := range s.Fields {
		parts = append(parts, part{i, orElse(n.Fields[f.Name], f.Name)})
		delete(left, f.Name)
	}
	for i, v := range s.Vectors {
		parts = append(parts, part{len(s.Fields) + i, orElse(n.Fields[v.Name], v.Name)})
		delete(left, v.Name)
	}
	for _, field := range slices.Sorted(maps.Keys(left)) {
		return nil, fmt.Errorf("transfer: Names: %w", &vecwire.SchemaError{Collection: s.Name, Field: shorten(field), Msg: fmt.Sprintf("does not exist, and Names reads it of %q", shorten(left[field]))})
	}
	return parts, nil
}

// Columns returns the names of the columns of a table of records of schema s: of
// the ID, the vector, the text, and each field and named vector in the order of the
// schema. It fails if Fields has one that the schema does not have.
func (n Names) Columns(s vecwire.Schema) (id, vector, text string, fields, vectors []string, err error) {
	parts, err := n.of(s)
	if err != nil {
		return "", "", "", nil, nil, err
	}
	for _, p := range parts[3:] {
		fields = append(fields, p.name)
	}
	return parts[0].name, parts[1].name, parts[2].name, fields[:len(s.Fields):len(s.Fields)], fields[len(s.Fields):], nil
}

// Distinct fails if two parts of records of schema s have one name, so that they cannot
// be written.
func (n Names) Distinct(s vecwire.Schema) error {
	parts, err := n.of(s)
	if err != nil {
		return err
	}
	seen := make(map[string]part, len(parts))
	for _, p := range parts {
		if before, taken := seen[p.name]; taken {
			return fmt.Errorf("transfer: Names: %w", &vecwire.ValueError{Field: partName(p.place, s), Pos: -1, Want: "a name of its own in the file", Got: fmt.Sprintf("%q, which %s has", shorten(p.name), partName(before.place, s))})
		}
		seen[p.name] = p
	}
	return nil
}

// Missing fails if a table with these columns lacks that of the ID of records of schema
// s, or one that n names.
func (n Names) Missing(s vecwire.Schema, columns []string) error {
	parts, err := n.of(s)
	if err != nil {
		return err
	}
	for _, p := range parts {
		named := p.place == placeID || p.place == placeVector && n.Vector != "" || p.place == placeText && n.Text != "" || p.place >= 0 && n.Fields[partName(p.place, s)] != ""
		if named && !slices.Contains(columns, p.name) {
			return fmt.Errorf("transfer: there is no column %q for %s: name one of %s", shorten(p.name), partName(p.place, s), shorten(strings.Join(columns, ", ")))
		}
	}
	return nil
}

// partName returns the name of a part in vecwire.
func partName(place int, s vecwire.Schema) string {
	switch place {
	case placeID:
		return "id"
	case placeVector:
		return "vector"
	case placeText:
		return "text"
	}
	if place >= len(s.Fields) {
		return s.Vectors[place-len(s.Fields)].Name
	}
	return s.Fields[place].Name
}

func orElse(name, otherwise string) string {
	if name == "" {
		return otherwise
	}
	return name
}

// ReadJSONL reads records of schema s from lines of another program, one JSON object
// each, as [ReadJSONL] does but for the names. A field that Fields does not name is
// found under its own name, or as that of an object "fields", and a named vector of an
// object "vectors". An ID and a text may
// be numbers, which are taken as they are written, and a vector may be a string that
// has the array in it, as PostgreSQL writes a column of vectors.
//
// Keys that no name is for are passed over. If the schema has Extra, those of the
// outermost object are gathered.
func (n Names) ReadJSONL(r io.Reader, s vecwire.Schema) iter.Seq2[vecwire.Record, error] {
	return readLines(n.decoder(r, s))
}

// ReadVecs is [ReadVecs] with a payload whose names are n's.
func (n Names) ReadVecs(vectors, payload io.Reader, s vecwire.Schema) iter.Seq2[vecwire.Record, error] {
	return readVecs(vectors, n.decoder(payload, s))
}

// ReadNPY is [ReadNPY] with a payload whose names are n's.
func (n Names) ReadNPY(vectors, payload io.Reader, s vecwire.Schema) iter.Seq2[vecwire.Record, error] {
	return readNPY(vectors, n.decoder(payload, s))
}

func (n Names) decoder(r io.Reader, s vecwire.Schema) *decoder {
	d := newDecoder(r, s)
	parts, err := n.of(s)
	if err != nil {
		d.failed = err
		return d
	}
	d.names = &keyTree{}
	for _, p := range parts {
		d.names.add(p.place, p.name)
		switch {
		case p.place < 0 || n.Fields[partName(p.place, s)] != "":
		case p.place >= len(s.Fields):
			d.names.add(p.place, "vectors."+p.name)
		default:
			d.names.add(p.place, "fields."+p.name)
		}
	}
	return d
}

// keyTree says which parts of a record the keys of an object are for.
type keyTree struct {
	places []int // of the parts that the value is
	under  map[string]*keyTree
}

// add gives a part a name. With dots in it, the name may also be a key by itself.
func (t *keyTree) add(place int, name string) {
	leaf := t.child(name)
	leaf.places = append(leaf.places, place)
	if !strings.Contains(name, ".") {
		return
	}
	for key := range strings.SplitSeq(name, ".") {
		t = t.child(key)
	}
	t.places = append(t.places, place)
}

func (t *keyTree) child(key string) *keyTree {
	if t.under == nil {
		t.under = map[string]*keyTree{}
	}
	if t.under[key] == nil {
		t.under[key] = &keyTree{}
	}
	return t.under[key]
}
