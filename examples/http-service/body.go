package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"math/big"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/vecwire/vecwire"
)

const (
	maxBody     = 8 << 20
	maxBuffered = 16 * maxBody // of all bodies, and of all answers that are being written
	maxRecords  = 1000
	maxFields   = 64
	maxDigits   = 64 // of a number
)

// A memory bounds the bytes of all bodies and answers. A client that sends slowly takes only as
// many as it has sent.
type memory struct{ left atomic.Int64 }

func (m *memory) take(n int) bool {
	if m.left.Add(-int64(n)) >= 0 {
		return true
	}
	m.left.Add(int64(n))
	return false
}

// read reads the body of a request. Call release when the body is no longer used.
func (m *memory) read(w http.ResponseWriter, r *http.Request) (body []byte, release func(), err error) {
	release = func() { m.left.Add(int64(cap(body))) }
	from := http.MaxBytesReader(w, r.Body, maxBody)
	for {
		if len(body) == cap(body) {
			larger := max(1<<12, 2*cap(body))
			if !m.take(larger - cap(body)) {
				return body, release, errBusy
			}
			body = append(make([]byte, 0, larger), body...)
		}
		n, err := from.Read(body[len(body):cap(body)])
		body = body[:len(body)+n]
		switch {
		case errors.Is(err, io.EOF):
			return body, release, nil
		case err != nil:
			if _, large := errors.AsType[*http.MaxBytesError](err); large {
				err = &requestError{Status: http.StatusRequestEntityTooLarge, Code: "too_large", Message: fmt.Sprintf("the body has more than %d bytes", maxBody)}
			} else {
				err = badRequest("", "the body could not be read to its end")
			}
			return body, release, err
		}
	}
}

// checkText refuses a body in which encoding/json would replace characters: invalid
// UTF-8 and halves of surrogate pairs.
func checkText(body []byte) error {
	if !utf8.Valid(body) {
		return badRequest("", "the body is not valid UTF-8")
	}
	unit := func(i int) rune { // the value of an escape \uXXXX at i, -1 if there is none
		if i+6 > len(body) || body[i] != '\\' || body[i+1] != 'u' {
			return -1
		}
		x, err := strconv.ParseUint(string(body[i+2:i+6]), 16, 16)
		if err != nil {
			return -1
		}
		return rune(x)
	}
	for i := 0; i < len(body); i++ {
		if body[i] != '\\' { // outside of strings there is none in JSON
			continue
		}
		u := unit(i)
		switch {
		case u < 0:
			i++ // past what is escaped, which may be a backslash
		case !utf16.IsSurrogate(u):
			i += 5
		case utf16.DecodeRune(u, unit(i+6)) == utf8.RuneError:
			return badRequest("", fmt.Sprintf(`the body has half a character at byte %d: \u%04x`, i, u))
		default:
			i += 11
		}
	}
	return nil
}

// decode reads exactly one JSON value.
func decode(body []byte, into func(*json.Decoder) error) error {
	if err := checkText(body); err != nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	d.UseNumber()
	err := into(d)
	if err == nil {
		if _, more := d.Token(); !errors.Is(more, io.EOF) {
			err = errors.New("there is more after it")
		}
	}
	if own, ok := errors.AsType[*requestError](err); ok {
		return own
	}
	if err != nil {
		return badRequest("", "the body is not the JSON that is wanted: "+err.Error())
	}
	return nil
}

// vector reads a vector of at most dim elements. A longer one is not read.
func vector(raw json.RawMessage, dim int) ([]float32, error) {
	if elements := bytes.Count(raw, []byte(",")) + 1; elements > dim {
		return nil, badRequest("vector", fmt.Sprintf("vector has %d dimensions, want %d", elements, dim))
	}
	if bytes.Contains(raw, []byte("null")) && len(raw) != len("null") { // it would become 0
		return nil, badRequest("vector", "vector has null, want numbers")
	}
	var v []float32
	if len(raw) > 0 {
		if err := json.Unmarshal(raw, &v); err != nil {
			return nil, badRequest("vector", "vector is not a list of numbers: "+err.Error())
		}
	}
	return v, nil
}

// record reads one record.
func record(d *json.Decoder, dim int) (vecwire.Record, error) {
	var in struct {
		ID     string          `json:"id"`
		Vector json.RawMessage `json:"vector"`
		Text   string          `json:"text"`
		Fields json.RawMessage `json:"fields"`
	}
	if err := d.Decode(&in); err != nil {
		return vecwire.Record{}, err
	}
	v, err := vector(in.Vector, dim)
	if err != nil {
		return vecwire.Record{}, err
	}
	fields, err := fields(in.Fields)
	return vecwire.Record{ID: in.ID, Vector: v, Text: in.Text, Fields: fields}, err
}

// fields reads an object of single values.
func fields(raw json.RawMessage) (vecwire.Fields, error) {
	if len(raw) == 0 || string(raw) == "null" {
		return nil, nil
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, badRequest("fields", "fields is not an object")
	}
	out := vecwire.Fields{}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, err
		}
		name, _ := key.(string) // the decoder takes nothing else
		value, err := d.Token()
		if err != nil {
			return nil, err
		}
		if number, ok := value.(json.Number); ok {
			if value, err = exact(number); err != nil {
				return nil, badRequest(name, err.Error())
			}
		}
		_, list := value.(json.Delim)
		_, twice := out[name]
		switch {
		case list:
			return nil, badRequest(name, "it is not a single value")
		case twice:
			return nil, badRequest(name, "it has two values")
		case len(out) == maxFields:
			return nil, badRequest("fields", fmt.Sprintf("fields has more than %d", maxFields))
		}
		out[name] = value
	}
	return out, nil
}

// exact returns a number as an int64, or as a float64 if it has a fraction or an
// exponent. A number that would become another whole number is refused.
func exact(number json.Number) (any, error) {
	text := number.String()
	if len(text) > maxDigits {
		return nil, fmt.Errorf("a number has %d characters, want at most %d", len(text), maxDigits)
	}
	if !strings.ContainsAny(text, ".eE") {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("%s does not fit into 64 bits", text)
		}
		return n, nil
	}
	f, err := strconv.ParseFloat(text, 64)
	mantissa, _, _ := strings.Cut(strings.ToLower(text), "e")
	switch {
	case err != nil, f == 0 && strings.ContainsAny(mantissa, "123456789"):
		return nil, fmt.Errorf("%s does not fit into 64 bits", text)
	case f != math.Trunc(f), f == 0, math.Abs(f) >= 1<<63:
		return f, nil
	}
	r, ok := new(big.Rat).SetString(text)
	switch {
	case ok && new(big.Rat).SetFloat64(f).Cmp(r) == 0:
		return f, nil
	case ok && r.IsInt() && r.Num().IsInt64(): // beyond 2^53 not every whole number is a float64
		return r.Num().Int64(), nil
	}
	return nil, fmt.Errorf("%s would become %.0f", text, f)
}
