package transfer

import "github.com/vecwire/vecwire"

// Encoder makes JSON of records, as [WriteJSONL] writes them, for programs that
// send it elsewhere. It may be used by one goroutine at a time.
type Encoder struct{ lines encoder }

// NewEncoder returns an encoder for records of schema s.
func NewEncoder(s vecwire.Schema) *Encoder { return &Encoder{newLineEncoder(s)} }

// NewNamedEncoder returns an encoder for records of schema s with the names of another
// program. It fails if Fields has one that the schema does not have, if two parts have
// one name, or if the path of one is within another.
func NewNamedEncoder(s vecwire.Schema, n Names) (*Encoder, error) {
	lines, err := newNamedEncoder(s, n)
	if err != nil {
		return nil, err
	}
	return &Encoder{lines}, nil
}

// Append appends the JSON object of a record to dst, without an end of line, and
// returns the result. For a record that JSON cannot hold, or whose JSON would be
// longer than [MaxLine], it returns dst as it was and an error.
func (e *Encoder) Append(dst []byte, r vecwire.Record) ([]byte, error) {
	line, err := e.lines.encode(r)
	if err != nil {
		return dst, err
	}
	return append(dst, line[:len(line)-1]...), nil
}
