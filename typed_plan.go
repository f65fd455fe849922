package vecwire

import (
	"encoding"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unsafe"

	"github.com/vecwire/vecwire/codec"
)

// structPlan says how a struct becomes a record and a record a struct. It is made
// once for each Typed, with reflection. Records are then made through the offsets
// of fields, whose types it has checked.
type structPlan struct {
	typ        reflect.Type
	id         *structField
	idText     bool         // the ID is a string in memory
	vector     *structField // nil if the struct has none
	array      int          // the number of elements of a vector that is an array
	text       *structField // nil if the struct has none
	rest       *structField // nil if the struct has none
	element    Element
	dim        int // 0 if the struct does not say
	fields     []*structField
	fieldNames map[string]*structField // id, vector and text among them
}

// structField is one field of a struct.
type structField struct {
	name     string // in the collection
	goName   string
	offset   uintptr
	typ      FieldType
	indexed  bool
	omitZero func(unsafe.Pointer) bool // nil without omitzero
	scalar
}

// fail is an error about a field, or about the struct if f is nil.
func (p *structPlan) fail(f *structField, err error) error {
	e := &StructError{Type: p.typ.String(), Err: err}
	if f != nil {
		e.Field = f.goName
	}
	return e
}

func wrongType(t reflect.Type, want string) error {
	return &ValueError{Field: "type", Pos: -1, Want: want, Got: t.String()}
}

func planStruct(t reflect.Type) (*structPlan, error) {
	p := &structPlan{typ: t, fieldNames: map[string]*structField{}}
	if t.Kind() != reflect.Struct {
		return nil, p.fail(nil, wrongType(t, "a struct"))
	}
	if err := p.addFields(t, 0); err != nil {
		return nil, err
	}
	if p.id == nil {
		return nil, p.fail(nil, errors.New(`no field ID, and none with the tag vecwire:"id"`))
	}
	return p, nil
}

func (p *structPlan) addFields(t reflect.Type, at uintptr) error {
	for i := range t.NumField() {
		sf := t.Field(i)
		offset := at + sf.Offset
		tag, tagged := sf.Tag.Lookup("vecwire")
		if tag == "-" {
			continue
		}
		if sf.Anonymous && !tagged && sf.Type.Kind() == reflect.Struct {
			if _, _, ok := scalarOf(sf.Type); !ok {
				if err := p.addFields(sf.Type, offset); err != nil {
					return err
				}
				continue
			}
		}
		f := &structField{goName: sf.Name, offset: offset}
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

// add adds a field to what its name says it is.
func (p *structPlan) add(f *structField, t reflect.Type, options string) error {
	folded := strings.ToLower(f.name)
	dim, omitZero, err := f.parse(options)
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
	case special && (f.indexed || omitZero):
		return fmt.Errorf("is the %s, which takes no index or omitzero", folded)
	case dim != 0 && folded != "vector":
		return errors.New("is not the vector, and has a dim")
	}
	switch folded {
	case "id":
		p.id = f
		return p.bindID(t)
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
		if t != reflect.TypeFor[Fields]() {
			return wrongType(t, "vecwire.Fields")
		}
		return nil
	}
	if !nameRE.MatchString(f.name) || taken(f.name) {
		return fmt.Errorf("has the name %q, which %s, and not vecwire_; give it another in its tag", f.name, nameRule)
	}
	var ok bool
	if f.typ, f.scalar, ok = scalarOf(t); !ok {
		return wrongType(t, `a string, bool, number, time.Time, []byte, a type with MarshalText and UnmarshalText, a pointer to one of them, or the tag vecwire:"-"`)
	}
	if omitZero {
		f.omitZero = zeroOf(t)
	}
	p.fields = append(p.fields, f)
	return nil
}

// parse reads a tag's options.
func (f *structField) parse(options string) (dim int, omitZero bool, err error) {
	if options == "" {
		return 0, false, nil
	}
	for option := range strings.SplitSeq(options, ",") {
		digits, isDim := strings.CutPrefix(option, "dim=")
		switch {
		case option == "index":
			f.indexed = true
		case option == "omitzero":
			omitZero = true
		case isDim:
			if dim, err = strconv.Atoi(digits); err != nil || dim < 1 {
				return 0, false, fmt.Errorf("has dim=%s in its tag, want a positive number", digits)
			}
		default:
			return 0, false, fmt.Errorf("has the option %q in its tag, want index, omitzero or dim=", option)
		}
	}
	return dim, omitZero, nil
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

// fits checks a struct against the collection that it is for.
func (p *structPlan) fits(c *Collection) error {
	schemaError := func(field, msg string) error {
		return &SchemaError{Collection: c.schema.Name, Field: field, Msg: msg}
	}
	if p.vector != nil {
		switch {
		case p.element != c.schema.Element:
			return p.fail(p.vector, &ElementError{Want: c.schema.Element, Got: p.element})
		case p.dim != 0 && p.dim != c.schema.Dim:
			return p.fail(p.vector, &DimensionError{Want: c.schema.Dim, Got: p.dim})
		}
	}
	for _, f := range p.fields {
		i, ok := c.fields[f.name]
		switch {
		case !ok:
			return p.fail(f, schemaError(f.name, "does not exist"))
		case c.schema.Fields[i].Type != f.typ:
			return p.fail(f, schemaError(f.name, fmt.Sprintf("is %s, want %s", c.schema.Fields[i].Type, f.typ)))
		}
	}
	for _, f := range c.schema.Fields {
		if p.named(f.Name) == nil && p.rest == nil {
			return p.fail(nil, schemaError(f.Name, `has no field in the struct, and Upsert would erase it: add one, or one of type vecwire.Fields with the tag vecwire:"*"`))
		}
	}
	return nil
}

// named returns the struct's field for a collection's, nil if there is none.
func (p *structPlan) named(name string) *structField {
	if f, ok := p.fieldNames[strings.ToLower(name)]; ok && f.name == name {
		return f
	}
	return nil
}

// A scalar takes values out of struct fields of one type, and puts them in. It is
// given the field's address.
type scalar struct {
	get func(p unsafe.Pointer) (any, error)  // nil for no value
	set func(p unsafe.Pointer, x any) string // returns what was wanted instead, "" if it fits
}

var (
	timeType    = reflect.TypeFor[time.Time]()
	marshaler   = reflect.TypeFor[encoding.TextMarshaler]()
	unmarshaler = reflect.TypeFor[encoding.TextUnmarshaler]()
)

// scalarOf returns the field type that stands for a Go type, and how to convert.
// A named type lies in memory as what it is made of does.
func scalarOf(t reflect.Type) (FieldType, scalar, bool) {
	switch {
	case t == timeType:
		return Time, plain[time.Time](Time), true
	case t.Kind() == reflect.Pointer:
		typ, inner, ok := scalarOf(t.Elem())
		return typ, pointerTo(t.Elem(), inner), ok && t.Elem().Kind() != reflect.Pointer
	case t.PkgPath() == "database/sql" && t.Kind() == reflect.Struct && t.NumField() == 2 && t.Field(1).Name == "Valid":
		typ, inner, ok := scalarOf(t.Field(0).Type)
		return typ, nullable(t.Field(0).Offset, t.Field(1).Offset, inner), ok && t.Field(0).Type.Kind() != reflect.Pointer
	case reflect.PointerTo(t).Implements(marshaler) && reflect.PointerTo(t).Implements(unmarshaler):
		return String, text(t), true
	case t.Kind() == reflect.Struct && t.ConvertibleTo(timeType):
		return Time, plain[time.Time](Time), true
	case t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8:
		return Bytes, bytesScalar, true
	}
	switch t.Kind() {
	case reflect.String:
		return String, plain[string](String), true
	case reflect.Bool:
		return Bool, plain[bool](Bool), true
	case reflect.Int:
		return Int, integer[int](t), true
	case reflect.Int8:
		return Int, integer[int8](t), true
	case reflect.Int16:
		return Int, integer[int16](t), true
	case reflect.Int32:
		return Int, integer[int32](t), true
	case reflect.Int64:
		return Int, integer[int64](t), true
	case reflect.Uint:
		return Int, integer[uint](t), true
	case reflect.Uint8:
		return Int, integer[uint8](t), true
	case reflect.Uint16:
		return Int, integer[uint16](t), true
	case reflect.Uint32:
		return Int, integer[uint32](t), true
	case reflect.Uint64:
		return Int, integer[uint64](t), true
	case reflect.Float32:
		return Float, float32Scalar, true
	case reflect.Float64:
		return Float, plain[float64](Float), true
	}
	return 0, scalar{}, false
}

// plain is a type that collections give back as it is.
func plain[T any](typ FieldType) scalar {
	return scalar{
		get: func(p unsafe.Pointer) (any, error) { return *(*T)(p), nil },
		set: func(p unsafe.Pointer, x any) string {
			v, ok := x.(T)
			if !ok {
				return typ.String()
			}
			*(*T)(p) = v
			return ""
		},
	}
}

func integer[T int | int8 | int16 | int32 | int64 | uint | uint8 | uint16 | uint32 | uint64](t reflect.Type) scalar {
	return scalar{
		get: func(p unsafe.Pointer) (any, error) { return *(*T)(p), nil },
		set: func(p unsafe.Pointer, x any) string {
			n, ok := x.(int64)
			v := T(n)
			if !ok || int64(v) != n || v < 0 != (n < 0) {
				return "Int that " + t.String() + " holds"
			}
			*(*T)(p) = v
			return ""
		},
	}
}

var float32Scalar = scalar{
	get: func(p unsafe.Pointer) (any, error) { return *(*float32)(p), nil },
	set: func(p unsafe.Pointer, x any) string {
		f, ok := x.(float64)
		if !ok || math.IsInf(float64(float32(f)), 0) {
			return "Float that float32 holds"
		}
		*(*float32)(p) = float32(f)
		return ""
	},
}

var bytesScalar = scalar{
	get: func(p unsafe.Pointer) (any, error) {
		if b := *(*[]byte)(p); b != nil {
			return b, nil
		}
		return nil, nil
	},
	set: func(p unsafe.Pointer, x any) string {
		b, ok := x.([]byte)
		if !ok {
			return Bytes.String()
		}
		if b == nil { // an empty value is a value
			b = []byte{}
		}
		*(*[]byte)(p) = b
		return ""
	},
}

func pointerTo(t reflect.Type, inner scalar) scalar {
	return scalar{
		get: func(p unsafe.Pointer) (any, error) {
			if to := *(*unsafe.Pointer)(p); to != nil {
				return inner.get(to)
			}
			return nil, nil
		},
		set: func(p unsafe.Pointer, x any) string {
			to := reflect.New(t).UnsafePointer()
			want := inner.set(to, x)
			if want == "" {
				*(*unsafe.Pointer)(p) = to
			}
			return want
		},
	}
}

// nullable is sql.Null and its older kin, such as sql.NullString.
func nullable(value, valid uintptr, inner scalar) scalar {
	return scalar{
		get: func(p unsafe.Pointer) (any, error) {
			if *(*bool)(unsafe.Add(p, valid)) {
				return inner.get(unsafe.Add(p, value))
			}
			return nil, nil
		},
		set: func(p unsafe.Pointer, x any) string {
			want := inner.set(unsafe.Add(p, value), x)
			*(*bool)(unsafe.Add(p, valid)) = want == ""
			return want
		},
	}
}

// text is a type that reads and writes itself as text.
func text(t reflect.Type) scalar {
	return scalar{
		get: func(p unsafe.Pointer) (any, error) {
			m, ok := reflect.NewAt(t, p).Interface().(encoding.TextMarshaler)
			if !ok {
				return nil, wrongType(t, marshaler.String())
			}
			b, err := m.MarshalText()
			if err != nil {
				return nil, fmt.Errorf("cannot be written as text: %w", err)
			}
			return string(b), nil
		},
		set: func(p unsafe.Pointer, x any) string {
			s, ok := x.(string)
			u, is := reflect.NewAt(t, p).Interface().(encoding.TextUnmarshaler)
			if !ok || !is || u.UnmarshalText([]byte(s)) != nil {
				return "the text of a " + t.String()
			}
			return ""
		},
	}
}

// zeroOf tells whether a field of type t is zero; a time is in any zone.
func zeroOf(t reflect.Type) func(unsafe.Pointer) bool {
	if t.Kind() == reflect.Struct && t.ConvertibleTo(timeType) {
		return func(p unsafe.Pointer) bool { return (*time.Time)(p).IsZero() }
	}
	return func(p unsafe.Pointer) bool { return reflect.NewAt(t, p).Elem().IsZero() }
}

// bindID makes the plan's ID of a type.
func (p *structPlan) bindID(t reflect.Type) error {
	typ, s, ok := scalarOf(t)
	switch {
	case !ok || t.Kind() == reflect.Pointer || t.PkgPath() == "database/sql" || typ != String && typ != Int:
		return wrongType(t, "a string, an integer, or a type with MarshalText and UnmarshalText")
	case typ == String:
		p.id.scalar = s
		p.idText = t.Kind() == reflect.String && !reflect.PointerTo(t).Implements(marshaler)
		return nil
	}
	p.id.scalar = scalar{
		get: func(p unsafe.Pointer) (any, error) {
			v := reflect.NewAt(t, p).Elem()
			if v.CanUint() {
				return strconv.FormatUint(v.Uint(), 10), nil
			}
			return strconv.FormatInt(v.Int(), 10), nil
		},
		set: func(p unsafe.Pointer, x any) string {
			id, _ := x.(string)
			v := reflect.NewAt(t, p).Elem()
			if v.CanUint() {
				if n, err := strconv.ParseUint(id, 10, 64); err == nil && !v.OverflowUint(n) && strconv.FormatUint(n, 10) == id {
					v.SetUint(n)
					return ""
				}
			} else if n, err := strconv.ParseInt(id, 10, 64); err == nil && !v.OverflowInt(n) && strconv.FormatInt(n, 10) == id {
				v.SetInt(n)
				return ""
			}
			return "the decimal digits of a " + t.String()
		},
	}
	return nil
}

// addVector makes the plan's vector a slice or an array.
func (p *structPlan) addVector(t reflect.Type, dim int) error {
	ok := t.Kind() == reflect.Slice || t.Kind() == reflect.Array && t.Len() > 0
	switch {
	case ok && t.Elem() == reflect.TypeFor[float32]():
		p.element = FLOAT
	case ok && t.Elem() == reflect.TypeFor[float64]():
		p.element = DOUBLE
	default:
		return wrongType(t, "a slice or an array of float32 or float64")
	}
	p.dim = dim
	if t.Kind() == reflect.Array {
		p.dim, p.array = t.Len(), t.Len()
		if dim != 0 && dim != p.dim {
			return fmt.Errorf("has %d elements, and dim=%d in its tag", p.dim, dim)
		}
	}
	return nil
}

// getVector takes a vector from a slice, or from an array of n elements if n is not 0.
func getVector[T codec.Float](p unsafe.Pointer, n int) []T {
	if n > 0 {
		return unsafe.Slice((*T)(p), n)
	}
	return *(*[]T)(p)
}

// setVector is the reverse of getVector. It reports whether v has n elements.
func setVector[T codec.Float](p unsafe.Pointer, n int, v []T) bool {
	if n > 0 {
		return copy(unsafe.Slice((*T)(p), n), v) == n && len(v) == n
	}
	*(*[]T)(p) = v
	return true
}
