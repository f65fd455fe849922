package pgvector

import (
	"database/sql/driver"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/internal/engine"
)

// The arguments that this package gives to statements. Each goes in binary form
// where the connection uses prepared statements, and as text where it does not.
type (
	vectorArg  []float32       // a vector
	doublesArg []float64       // a double precision[]
	vectorsArg []engine.Record // the records' FLOAT vectors as a vector[]
	flatArg    []engine.Record // the records' DOUBLE vectors, one after the other, as a double precision[]
)

// vectorCodec encodes those arguments for the types vector, vector[] and double
// precision[], and leaves all other values to the codec that was there before.
type vectorCodec struct {
	other  pgtype.Codec // nil if there was none
	vector uint32       // the OID of the type vector
}

var errNoCodec = errors.New("this connection has no codec for the type")

func (c vectorCodec) FormatSupported(format int16) bool {
	return format == pgtype.BinaryFormatCode || format == pgtype.TextFormatCode
}

// PreferredFormat is what the codec before wants, because the results of the
// pool's owner are decoded by it. Our own arguments and results have both forms.
func (c vectorCodec) PreferredFormat() int16 {
	if c.other != nil {
		return c.other.PreferredFormat()
	}
	return pgtype.BinaryFormatCode
}

func (c vectorCodec) PlanEncode(m *pgtype.Map, oid uint32, format int16, value any) pgtype.EncodePlan {
	if format == pgtype.BinaryFormatCode {
		switch value.(type) {
		case vectorArg, doublesArg, vectorsArg, flatArg:
			return encodeBinary{c.vector}
		}
	}
	if c.other == nil {
		return nil
	}
	return c.other.PlanEncode(m, oid, format, value)
}

// PlanScan serves the owner of a pool who scans a vector into a string: without
// this package it would come as text.
func (c vectorCodec) PlanScan(m *pgtype.Map, oid uint32, format int16, target any) pgtype.ScanPlan {
	if c.other != nil {
		return c.other.PlanScan(m, oid, format, target)
	}
	if _, ok := target.(*string); ok && format == pgtype.BinaryFormatCode {
		return scanText{}
	}
	return nil
}

func (c vectorCodec) DecodeDatabaseSQLValue(m *pgtype.Map, oid uint32, format int16, src []byte) (driver.Value, error) {
	if c.other != nil {
		return c.other.DecodeDatabaseSQLValue(m, oid, format, src)
	}
	return c.DecodeValue(m, oid, format, src)
}

func (c vectorCodec) DecodeValue(m *pgtype.Map, oid uint32, format int16, src []byte) (any, error) {
	if c.other != nil {
		return c.other.DecodeValue(m, oid, format, src)
	}
	if src == nil {
		return nil, nil
	}
	if format == pgtype.TextFormatCode {
		return string(src), nil
	}
	v, err := codec.ParseBinary(nil, src)
	return string(codec.AppendText(nil, v)), err
}

type scanText struct{}

func (scanText) Scan(src []byte, target any) error {
	if src == nil {
		return errors.New("cannot scan NULL into *string")
	}
	v, err := codec.ParseBinary(nil, src)
	*target.(*string) = string(codec.AppendText(nil, v))
	return err
}

type encodeBinary struct{ vector uint32 }

func (e encodeBinary) Encode(value any, buf []byte) ([]byte, error) {
	switch v := value.(type) {
	case vectorArg:
		return codec.AppendBinary(buf, v), nil
	case doublesArg:
		return appendDoubles(appendArrayHeader(buf, pgtype.Float8OID, len(v)), v), nil
	case flatArg:
		n := 0
		for i := range v {
			n += len(v[i].Vector.F64)
		}
		buf = appendArrayHeader(buf, pgtype.Float8OID, n)
		for i := range v {
			buf = appendDoubles(buf, v[i].Vector.F64)
		}
		return buf, nil
	case vectorsArg:
		buf = appendArrayHeader(buf, e.vector, len(v))
		for i := range v {
			at := len(buf)
			buf = codec.AppendBinary(append(buf, 0, 0, 0, 0), v[i].Vector.F32)
			binary.BigEndian.PutUint32(buf[at:], uint32(len(buf)-at-4))
		}
		return buf, nil
	}
	return nil, errNoCodec
}

// appendArrayHeader begins the binary form of a one-dimensional array without
// nulls (PostgreSQL, src/backend/utils/adt/arrayfuncs.c, array_recv).
func appendArrayHeader(buf []byte, elem uint32, n int) []byte {
	if n == 0 {
		return append(binary.BigEndian.AppendUint64(buf, 0), byte(elem>>24), byte(elem>>16), byte(elem>>8), byte(elem))
	}
	buf = binary.BigEndian.AppendUint32(buf, 1) // dimensions
	buf = binary.BigEndian.AppendUint32(buf, 0) // no nulls
	buf = binary.BigEndian.AppendUint32(buf, elem)
	buf = binary.BigEndian.AppendUint32(buf, uint32(n))
	return binary.BigEndian.AppendUint32(buf, 1) // the first index
}

func appendDoubles(buf []byte, v []float64) []byte {
	for _, x := range v {
		buf = binary.BigEndian.AppendUint32(buf, 8)
		buf = binary.BigEndian.AppendUint64(buf, math.Float64bits(x))
	}
	return buf
}

// parseDoubles reads a double precision[] that holds no nulls.
func parseDoubles(dst []float64, format int16, b []byte) ([]float64, error) {
	if format == pgtype.TextFormatCode {
		text := make([]byte, len(b))
		for i, c := range b {
			switch c {
			case '{':
				c = '['
			case '}':
				c = ']'
			}
			text[i] = c
		}
		return codec.ParseText(dst, text)
	}
	const header, each = 20, 12
	if len(b) < header || (len(b)-header)%each != 0 || binary.BigEndian.Uint32(b[12:])*each != uint32(len(b)-header) {
		return dst, fmt.Errorf("an array of %d bytes is not a vector", len(b))
	}
	for b = b[header:]; len(b) > 0; b = b[each:] {
		dst = append(dst, math.Float64frombits(binary.BigEndian.Uint64(b[4:])))
	}
	return dst, nil
}

// parseVector reads a vector in either form.
func parseVector(dst []float32, format int16, b []byte) ([]float32, error) {
	if format == pgtype.TextFormatCode {
		return codec.ParseText(dst, b)
	}
	return codec.ParseBinary(dst, b)
}

func text(b []byte) (pgtype.Text, error) { return pgtype.Text{String: string(b), Valid: true}, nil }

func (v vectorArg) TextValue() (pgtype.Text, error) { return text(codec.AppendText(nil, v)) }

func (v doublesArg) TextValue() (pgtype.Text, error) { return text(appendBraces(nil, v)) }

func appendBraces(b []byte, v []float64) []byte {
	at := len(b)
	b = codec.AppendText(b, v)
	b[at], b[len(b)-1] = '{', '}'
	return b
}

func (v vectorsArg) TextValue() (pgtype.Text, error) {
	b := []byte{'{'}
	for i := range v {
		b = append(codec.AppendText(append(b, '"'), v[i].Vector.F32), '"', ',')
	}
	b[max(1, len(b))-1] = '}'
	if len(v) == 0 {
		b = []byte("{}")
	}
	return text(b)
}

func (v flatArg) TextValue() (pgtype.Text, error) {
	var all []float64
	for i := range v {
		all = append(all, v[i].Vector.F64...)
	}
	return text(appendBraces(nil, all))
}

// column is an array of one of the records' columns: the text, or a field.
type column struct {
	records []engine.Record
	field   int // -1 for the text
}

func (c column) value(i int) any {
	r := &c.records[i]
	if c.field >= 0 {
		if text, ok := fieldText(r.Fields[c.field]); ok {
			return text // see unnested
		}
		return r.Fields[c.field]
	}
	if r.Text == "" {
		return nil
	}
	return r.Text
}

// Dimensions implements pgtype.ArrayGetter.
func (c column) Dimensions() []pgtype.ArrayDimension {
	return []pgtype.ArrayDimension{{Length: int32(len(c.records)), LowerBound: 1}}
}

// Index implements pgtype.ArrayGetter.
func (c column) Index(i int) any { return c.value(i) }

// IndexType implements pgtype.ArrayGetter: a value of any type.
func (c column) IndexType() any { return nil }

// TextValue implements pgtype.TextValuer.
func (c column) TextValue() (pgtype.Text, error) { return arrayText(len(c.records), c.value) }

// values is an array of values as fields have them.
type values []any

// Dimensions implements pgtype.ArrayGetter.
func (v values) Dimensions() []pgtype.ArrayDimension {
	return []pgtype.ArrayDimension{{Length: int32(len(v)), LowerBound: 1}}
}

// Index implements pgtype.ArrayGetter.
func (v values) Index(i int) any { return v[i] }

// IndexType implements pgtype.ArrayGetter: a value of any type.
func (v values) IndexType() any { return nil }

// TextValue implements pgtype.TextValuer.
func (v values) TextValue() (pgtype.Text, error) { return arrayText(len(v), v.Index) }

// arrayText writes an array of n values.
func arrayText(n int, value func(i int) any) (pgtype.Text, error) {
	b := []byte{'{'}
	for i := range n {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendElement(b, value(i))
	}
	return text(append(b, '}'))
}

// appendElement appends a field's value as an array's text form has it.
func appendElement(b []byte, v any) []byte {
	switch v := v.(type) {
	case nil:
		return append(b, "NULL"...)
	case string:
		b = append(b, '"')
		for i := range len(v) {
			if v[i] == '"' || v[i] == '\\' {
				b = append(b, '\\')
			}
			b = append(b, v[i])
		}
		return append(b, '"')
	case int64:
		return strconv.AppendInt(b, v, 10)
	case float64:
		return strconv.AppendFloat(b, v, 'g', -1, 64)
	case bool:
		return strconv.AppendBool(b, v)
	case time.Time:
		return v.AppendFormat(b, `"2006-01-02 15:04:05.999999Z07:00"`)
	case []byte:
		b = append(b, `"\\x`...)
		return append(hex.AppendEncode(b, v), '"')
	}
	return append(b, "NULL"...)
}
