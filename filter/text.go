package filter

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"go/token"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// writeField writes a field's name as reader.field reads it.
func writeField(b *strings.Builder, name string) {
	field, keys := SplitPath(name)
	b.WriteString(field)
	for _, key := range keys {
		if token.IsIdentifier(key) || token.IsKeyword(key) {
			b.WriteString("." + key)
		} else {
			b.WriteString("[" + strconv.Quote(key) + "]")
		}
	}
}

// String returns the filter as text that [Parse] reads back, "" for the zero
// filter.
func (f Filter) String() string {
	var b strings.Builder
	f.write(&b)
	return b.String()
}

func (f Filter) write(b *strings.Builder) {
	switch f.op {
	case OpAll:
	case OpAnd, OpOr:
		f.writeJoined(b)
	case OpNot:
		b.WriteString("!(")
		if f.args[0].IsZero() {
			b.WriteString("true")
		}
		f.args[0].write(b)
		b.WriteByte(')')
	case OpEq, OpNe, OpGt, OpGe, OpLt, OpLe:
		writeField(b, f.field)
		b.WriteString(" " + f.op.String() + " ")
		writeValue(b, f.values[0])
	default:
		b.WriteString(f.op.String() + "(")
		writeField(b, f.field)
		for _, v := range f.values {
			b.WriteString(", ")
			writeValue(b, v)
		}
		b.WriteByte(')')
	}
}

func (f Filter) writeJoined(b *strings.Builder) {
	if len(f.args) == 0 {
		b.WriteString("false") // Or without filters; And without filters is the zero Filter
	}
	for i, arg := range f.args {
		if i > 0 {
			b.WriteString(" " + f.op.String() + " ")
		}
		if arg.op == OpOr {
			b.WriteByte('(')
			arg.write(b)
			b.WriteByte(')')
			continue
		}
		arg.write(b)
	}
}

func writeValue(b *strings.Builder, v any) {
	if x, ok := v.(time.Time); ok {
		b.WriteString(`"` + x.Format(time.RFC3339Nano) + `"`)
		return
	}
	if x, ok := v.(json.Number); ok && isNumber(string(x)) {
		b.WriteString(string(x))
		return
	}
	rv := reflect.ValueOf(v)
	switch {
	case rv.Kind() == reflect.String:
		b.WriteString(strconv.Quote(rv.String()))
	case isList(rv):
		b.WriteString("list(")
		for i, x := range elements(v) {
			if i > 0 {
				b.WriteString(", ")
			}
			writeValue(b, x)
		}
		b.WriteByte(')')
	case isBytes(rv):
		b.WriteString(`hex("` + hex.EncodeToString(rv.Bytes()) + `")`)
	case rv.CanFloat():
		s := strconv.FormatFloat(rv.Float(), 'g', -1, 64)
		if !strings.ContainsAny(s, ".eNI") { // a Float, not an Int; NaN and Inf cannot be read back
			s += ".0"
		}
		b.WriteString(s)
	case rv.CanInt():
		b.WriteString(strconv.FormatInt(rv.Int(), 10))
	default:
		fmt.Fprint(b, v)
	}
}
