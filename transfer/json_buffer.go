package transfer

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/filter"
)

// jsonBuffer is a line that is being made.
type jsonBuffer struct {
	max  int // bytes of a line
	buf  bytes.Buffer
	json *json.Encoder // into buf
}

func (b *jsonBuffer) init() {
	b.max = MaxLine
	b.json = json.NewEncoder(&b.buf)
	b.json.SetEscapeHTML(false)
}

// reset begins a line.
func (b *jsonBuffer) reset() {
	b.buf.Reset()
	if b.buf.Cap() > 1<<20 { // after a long line
		b.buf = bytes.Buffer{}
	}
}

// line returns the line, valid until reset.
func (b *jsonBuffer) line() ([]byte, error) {
	if err := b.checkLength(b.buf.Len()); err != nil {
		return nil, err
	}
	return b.buf.Bytes(), nil
}

// checkLength refuses a line that is too long to be read again.
func (b *jsonBuffer) checkLength(n int) error {
	if n > b.max {
		return fmt.Errorf("line has %d bytes, want at most %d", n, b.max)
	}
	return nil
}

// vector writes the vector that r has.
func (b *jsonBuffer) vector(r vecwire.Record) {
	if r.Vector64 != nil {
		b.buf.Write(codec.AppendText(b.buf.AvailableBuffer(), r.Vector64))
		return
	}
	b.numbers(r.Vector)
}

// numbers writes a vector.
func (b *jsonBuffer) numbers(v []float32) {
	b.buf.Write(codec.AppendText(b.buf.AvailableBuffer(), v))
}

// value writes what JSON has for a Go value of a field.
func (b *jsonBuffer) value(field string, v any) error {
	switch x := v.(type) {
	case string:
		if err := filter.CheckString(field, x); err != nil { // the encoder would replace what is not UTF-8
			return err
		}
	case []byte:
		if x == nil { // empty, and not missing
			v = ""
		}
	}
	if err := b.json.Encode(v); err != nil {
		return fmt.Errorf("%s: %w", field, err)
	}
	b.buf.Truncate(b.buf.Len() - 1) // the encoder ends values with a new line
	return nil
}
