package typed

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/vecwire/vecwire"
)

// plan says how a struct becomes a record and a record a struct. It is made once
// for each handle.
type plan struct {
	typ        reflect.Type
	id         *field
	asID       idScalar
	vector     *field // nil if the struct has none
	text       *field // nil if the struct has none
	rest       *field // nil if the struct has none
	element    vecwire.Element
	dim        int // 0 if the struct does not say
	fields     []*field
	vectors    []*field          // the named ones
	fieldNames map[string]*field // id, vector and text among them

	// In a namespace: the field that has its name, nil if the struct has none.
	tenant *field
	name   string
}

// field is one field of a struct.
type field struct {
	name     string // in the collection
	goName   string
	index    []int // as reflect.Value.FieldByIndex takes it
	typ      vecwire.FieldType
	indexed  bool
	expires  bool
	omitZero bool
	asJSON   bool // whatever its type
	isVector bool // a named one
	dim      int  // of a named vector, 0 if the struct does not say
	scalar
}

// of returns f in a struct.
func (f *field) of(v reflect.Value) reflect.Value {
	if len(f.index) == 1 {
		return v.Field(f.index[0])
	}
	return v.FieldByIndex(f.index)
}

func wrongType(t reflect.Type, want string) error {
	return &vecwire.ValueError{Field: "type", Pos: -1, Want: want, Got: t.String()}
}

func planOf(t reflect.Type) (*plan, error) {
	p := &plan{typ: t, fieldNames: map[string]*field{}}
	if t.Kind() != reflect.Struct {
		return nil, p.fail(nil, wrongType(t, "a struct"))
	}
	if err := p.addFields(t, nil); err != nil {
		return nil, err
	}
	if p.id == nil {
		return nil, p.fail(nil, errors.New(`no field ID, and none with the tag vecwire:"id"`))
	}
	return p, nil
}

// addFields adds the fields of the struct at a place in the plan's.
func (p *plan) addFields(t reflect.Type, at []int) error {
	for i := range t.NumField() {
		sf := t.Field(i)
		index := slices.Concat(at, []int{i})
		tag, tagged := sf.Tag.Lookup("vecwire")
		if tag == "-" {
			continue
		}
		if sf.Anonymous && !tagged && sf.Type.Kind() == reflect.Struct {
			if _, _, ok := scalarOf(sf.Type); !ok {
				if err := p.addFields(sf.Type, index); err != nil {
					return err
				}
				continue
			}
		}
		f := &field{goName: sf.Name, index: index}
		if !sf.IsExported() {
			if tagged {
				return p.fail(f, errors.New("has a tag and is not exported"))
			}
			continue
		}
		name, options, _ := strings.Cut(tag, ",")
		if f.name = name; name == "" {
			f.name = snake(sf.Name)
		}
		if err := p.add(f, sf.Type, options); err != nil {
			return p.fail(f, err)
		}
	}
	return nil
}

// add adds a field to what its name says it is. Whether a schema takes the name is
// checked where the collection is made or opened.
func (p *plan) add(f *field, t reflect.Type, options string) error {
	folded := strings.ToLower(f.name)
	dim, err := f.parse(options)
	if err != nil {
		return err
	}
	if other, ok := p.fieldNames[folded]; ok {
		return fmt.Errorf("has the name %q, as %s has", f.name, other.goName)
	}
	p.fieldNames[folded] = f
	special := folded == "id" || folded == "vector" || folded == "text" || folded == "*"
	if special {
		f.name = folded
	}
	switch {
	case special && (f.indexed || f.expires || f.omitZero || f.asJSON || f.isVector):
		return fmt.Errorf("is the %s, which takes no index, expires, omitzero, json or named", folded)
	case f.isVector:
		return p.addNamed(f, t, dim)
	case dim != 0 && folded != "vector":
		return errors.New("is not the vector, and has a dim")
	}
	switch folded {
	case "id":
		p.id = f
		p.asID, err = idOf(t)
		return err
	case "vector":
		p.vector = f
		return p.addVector(t, dim)
	case "text":
		p.text = f
		if t.Kind() != reflect.String {
			return wrongType(t, "a string")
		}
		return nil
	case "*":
		p.rest = f
		if t != reflect.TypeFor[vecwire.Fields]() {
			return wrongType(t, "vecwire.Fields")
		}
		return nil
	}
	ok := f.asJSON
	if f.asJSON {
		f.typ, f.scalar = vecwire.JSON, jsonScalar
	} else {
		f.typ, f.scalar, ok = scalarOf(t)
	}
	if !ok {
		return wrongType(t, `a string, bool, number, time.Time, []byte, a slice of strings or numbers, a type with MarshalText and UnmarshalText, a pointer to one of them, or the tag vecwire:"-"`)
	}
	p.fields = append(p.fields, f)
	return nil
}

// addVector makes the plan's vector a slice or an array.
func (p *plan) addVector(t reflect.Type, dim int) error {
	ok := t.Kind() == reflect.Slice || t.Kind() == reflect.Array && t.Len() > 0
	switch {
	case ok && t.Elem() == reflect.TypeFor[float32]():
		p.element = vecwire.FLOAT
	case ok && t.Elem() == reflect.TypeFor[float64]():
		p.element = vecwire.DOUBLE
	default:
		return wrongType(t, "a slice or an array of float32 or float64")
	}
	p.dim = dim
	if t.Kind() == reflect.Array {
		p.dim = t.Len()
		if dim != 0 && dim != p.dim {
			return fmt.Errorf("has %d elements, and dim=%d in its tag", p.dim, dim)
		}
	}
	return nil
}

// parse reads a tag's options.
func (f *field) parse(options string) (dim int, err error) {
	if options == "" {
		return 0, nil
	}
	for option := range strings.SplitSeq(options, ",") {
		digits, isDim := strings.CutPrefix(option, "dim=")
		switch {
		case option == "index":
			f.indexed = true
		case option == "expires":
			f.expires, f.omitZero = true, true // a record of no time never expires
		case option == "omitzero":
			f.omitZero = true
		case option == "json":
			f.asJSON = true
		case option == "named":
			f.isVector = true
		case isDim:
			if dim, err = strconv.Atoi(digits); err != nil || dim < 1 {
				return 0, fmt.Errorf("has dim=%s in its tag, want a positive number", digits)
			}
		default:
			return 0, fmt.Errorf("has the option %q in its tag, want index, expires, omitzero, json, named or dim=", option)
		}
	}
	return dim, nil
}

// snake writes a Go name as a field's: UserID is user_id, HTTPServer http_server.
func snake(name string) string {
	var b strings.Builder
	runes := []rune(name)
	for i, r := range runes {
		if i > 0 && unicode.IsUpper(r) {
			begins := i+1 < len(runes) && unicode.IsLower(runes[i+1])
			if !unicode.IsUpper(runes[i-1]) && runes[i-1] != '_' || unicode.IsUpper(runes[i-1]) && begins {
				b.WriteByte('_')
			}
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

// fits checks a struct against the schema of the collection that it is for.
func (p *plan) fits(s vecwire.Schema) error {
	schemaError := func(field, msg string) error {
		return &vecwire.SchemaError{Collection: s.Name, Field: field, Msg: msg}
	}
	if p.vector != nil {
		switch {
		case p.element != s.Element:
			return p.fail(p.vector, &vecwire.ElementError{Want: s.Element, Got: p.element})
		case p.dim != 0 && p.dim != s.Dim:
			return p.fail(p.vector, &vecwire.DimensionError{Want: s.Dim, Got: p.dim})
		}
	}
	types := make(map[string]vecwire.FieldType, len(s.Fields))
	for _, f := range s.Fields {
		types[f.Name] = f.Type
	}
	for _, f := range p.fields {
		switch t, ok := types[f.name]; {
		case !ok:
			return p.fail(f, schemaError(f.name, "does not exist"))
		case t != f.typ:
			return p.fail(f, schemaError(f.name, fmt.Sprintf("is %s, want %s", t, f.typ)))
		}
	}
	for _, f := range s.Fields {
		if p.named(f.Name) == nil && p.rest == nil {
			return p.fail(nil, schemaError(f.Name, `has no field in the struct, and Upsert would erase it: add one, or one of type vecwire.Fields with the tag vecwire:"*"`))
		}
	}
	return p.vectorsFit(s)
}

// named returns the struct's field for a collection's, nil if there is none.
func (p *plan) named(name string) *field {
	if f, ok := p.fieldNames[strings.ToLower(name)]; ok && f.name == name {
		return f
	}
	return nil
}

// within returns the plan for a namespace, whose records do not have its name among
// their fields.
func (p *plan) within(name string) *plan {
	in := *p
	in.name = name
	in.fields = nil
	for _, f := range p.fields {
		if f.name == vecwire.NamespaceField {
			in.tenant = f
		} else {
			in.fields = append(in.fields, f)
		}
	}
	return &in
}
