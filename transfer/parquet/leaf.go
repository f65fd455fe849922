package parquet

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	pq "github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/format"

	"github.com/vecwire/vecwire"
)

// kind is what a column's values are.
type kind uint8

const (
	isOther kind = iota
	isBytes
	isInt
	isFloat
	isBool
	isTime
)

// leaf is a column of a file: scalars, or lists of them.
type leaf struct {
	name   string // the path without the levels that make it a list
	kind   kind
	list   bool
	text   bool          // strings, and not any bytes
	half   bool          // floats of 2 bytes
	signed bool          // of integers
	unit   time.Duration // of times
	levels int           // definition level of a value
	there  int           // definition level from which on the value, or the list, is not null
	typ    string        // for an error
}

// String says what the column is, for an error.
func (l leaf) String() string {
	if l.list {
		return "a list of " + l.typ
	}
	return l.typ
}

// gathered reports whether Extra takes the column.
func (l leaf) gathered() bool { return l.kind != isOther && (l.kind != isBytes || l.text) }

// leavesOf returns the columns of a file, in their order.
func leavesOf(s *pq.Schema) []leaf {
	var out []leaf
	for _, path := range s.Columns() {
		column, _ := s.Lookup(path...)
		l := leaf{levels: column.MaxDefinitionLevel, there: column.MaxDefinitionLevel, list: column.MaxRepetitionLevel > 0}
		var names []string
		node := pq.Node(s)
		level, lists := 0, 0
		inList := 0 // steps that belong to a list and not to the name
		for _, step := range path {
			fields := node.Fields()
			node = fields[slices.IndexFunc(fields, func(f pq.Field) bool { return f.Name() == step })]
			if node.Optional() || node.Repeated() {
				level++
			}
			if inList > 0 {
				inList--
			} else {
				names = append(names, step)
			}
			if node.Repeated() {
				l.there = level - 1
				lists++
			}
			if !node.Leaf() && isList(node) {
				inList = 2
			}
		}
		l.name = strings.Join(names, ".")
		if lists < 2 {
			l.describe(column.Node)
		} else {
			l.typ = "lists within lists"
		}
		out = append(out, l)
	}
	return out
}

func isList(n pq.Node) bool {
	if t := n.Type().LogicalType(); t != nil {
		if _, ok := t.Value.(*format.ListType); ok {
			return true
		}
	}
	c := n.Type().ConvertedType()
	return c != nil && *c == deprecated.List
}

// describe finds out what a column's values are.
func (l *leaf) describe(n pq.Node) {
	t := n.Type()
	l.typ, l.signed = t.String(), true
	var logical format.LogicalTypeValue
	if lt := t.LogicalType(); lt != nil {
		logical = lt.Value
	}
	switch x := logical.(type) {
	case *format.TimestampType:
		l.kind, l.unit = isTime, x.Unit.Value.Duration()
		return
	case *format.DateType:
		l.kind, l.unit = isTime, 24*time.Hour
		return
	case *format.Float16Type:
		l.kind, l.half = isFloat, true
		return
	case *format.StringType, *format.EnumType, *format.JsonType:
		l.kind, l.text = isBytes, true
		return
	case *format.IntType:
		l.kind, l.signed = isInt, x.IsSigned
		return
	case nil, *format.UUIDType:
	default: // a decimal, a time of day, an interval
		return
	}
	switch t.Kind() {
	case pq.Boolean:
		l.kind = isBool
	case pq.Int32, pq.Int64:
		l.kind = isInt
	case pq.Int96:
		l.kind = isTime
	case pq.Float, pq.Double:
		l.kind = isFloat
	case pq.ByteArray, pq.FixedLenByteArray:
		l.kind = isBytes
	}
}

// null reports whether a row has no value, or no list.
func (l leaf) null(values []pq.Value) bool { return values[0].DefinitionLevel() < l.there }

// empty reports whether a list has no elements.
func (l leaf) empty(values []pq.Value) bool {
	return l.list && values[0].DefinitionLevel() == l.there
}

// value returns what a row has: a scalar, or a list of them.
func (l leaf) value(values []pq.Value) (any, error) {
	if !l.list {
		return l.scalar(values[0])
	}
	list := []any{}
	if l.empty(values) {
		return list, nil
	}
	for i, v := range values {
		if v.DefinitionLevel() < l.levels {
			return nil, &vecwire.ValueError{Field: l.name, Pos: i, Want: "a value", Got: "null"}
		}
		x, err := l.scalar(v)
		if err != nil {
			return nil, err
		}
		if b, ok := x.([]byte); ok {
			x = string(b)
		}
		list = append(list, x)
	}
	return list, nil
}

// scalar returns a value as bytes, int64, float64, bool or time.Time.
func (l leaf) scalar(v pq.Value) (any, error) {
	switch l.kind {
	case isBool:
		return v.Boolean(), nil
	case isBytes:
		return slices.Clone(v.ByteArray()), nil
	case isInt:
		return l.integer(v)
	case isTime:
		return l.time(v)
	}
	switch {
	case l.half:
		b := v.ByteArray()
		if len(b) != 2 {
			return nil, fmt.Errorf("a half float has %d bytes", len(b))
		}
		return half(uint16(b[0]) | uint16(b[1])<<8), nil
	case v.Kind() == pq.Float:
		return float64(v.Float()), nil
	}
	return v.Double(), nil
}

func (l leaf) integer(v pq.Value) (any, error) {
	switch {
	case v.Kind() == pq.Int32 && l.signed:
		return int64(v.Int32()), nil
	case v.Kind() == pq.Int32:
		return int64(v.Uint32()), nil
	case l.signed || v.Int64() >= 0:
		return v.Int64(), nil
	}
	return nil, &vecwire.ValueError{Field: l.name, Pos: -1, Want: "a whole number up to 2^63-1", Got: fmt.Sprint(v.Uint64())}
}

func (l leaf) time(v pq.Value) (any, error) {
	switch v.Kind() {
	case pq.Int96: // nanoseconds of the day, and the Julian day
		x := v.Int96()
		nanos := int64(uint64(x[1])<<32 | uint64(x[0]))
		const epoch = 2440588
		return time.Unix((int64(x[2])-epoch)*86400, 0).Add(time.Duration(nanos)).UTC(), nil
	case pq.Int32:
		return time.Unix(int64(v.Int32())*86400, 0).UTC(), nil
	}
	n := v.Int64()
	switch l.unit {
	case time.Millisecond:
		return time.UnixMilli(n).UTC(), nil
	case time.Microsecond:
		return time.UnixMicro(n).UTC(), nil
	}
	return time.Unix(0, n).UTC(), nil
}

// half returns the number that a float of 2 bytes is.
func half(b uint16) float64 {
	sign, exp, frac := 1.0, int(b>>10&0x1f), float64(b&0x3ff)
	if b>>15 == 1 {
		sign = -1
	}
	switch exp {
	case 0:
		return sign * math.Ldexp(frac, -24)
	case 0x1f:
		if frac != 0 {
			return math.NaN()
		}
		return math.Inf(int(sign))
	}
	return sign * math.Ldexp(1024+frac, exp-25)
}

// vector returns the numbers of a list for a vector of the given elements, of the given
// name. Floats may still have to be rounded.
func (l leaf) vector(name string, element vecwire.Element, values []pq.Value) ([]float64, error) {
	if l.empty(values) {
		return nil, &vecwire.ValueError{Field: name, Pos: -1, Want: "numbers", Got: "an empty list"}
	}
	out := make([]float64, 0, len(values))
	for i, v := range values {
		if v.DefinitionLevel() < l.levels {
			return nil, &vecwire.ValueError{Field: name, Pos: i, Want: "a number", Got: "null"}
		}
		x, err := l.scalar(v)
		if err != nil {
			return nil, err
		}
		switch x := x.(type) {
		case float64:
			out = append(out, x)
		case int64:
			if f := float64(x); x > 1<<53 || x < -1<<53 || element == vecwire.FLOAT && float64(float32(f)) != f {
				return nil, &vecwire.ValueError{Field: name, Pos: i, Want: "a whole number that the element holds exactly", Got: fmt.Sprint(x)}
			}
			out = append(out, float64(x))
		}
	}
	return out, nil
}

// text returns the string that a value is.
func text(v any) string {
	switch x := v.(type) {
	case []byte:
		return string(x)
	case string:
		return x
	}
	return fmt.Sprint(v)
}
