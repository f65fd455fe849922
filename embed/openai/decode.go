package openai

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"

	"github.com/vecwire/vecwire/embed"
	"github.com/vecwire/vecwire/internal/httpmodel"
)

// An answer is the body of an answer.
type answer struct {
	Data []struct {
		Index     *int   `json:"index"`
		Embedding vector `json:"embedding"`
	} `json:"data"`
}

// A vector is read from an array of numbers or from little-endian float32 in base64.
type vector []float32

// UnmarshalJSON implements [json.Unmarshaler].
func (v *vector) UnmarshalJSON(data []byte) error {
	switch {
	case bytes.Equal(data, []byte("null")):
		return nil
	case data[0] != '"' && bytes.Contains(data, []byte("null")):
		return v.unmarshalHoles(data)
	case data[0] != '"':
		return json.Unmarshal(data, (*[]float32)(v))
	}
	raw := data[1 : len(data)-1]
	if bytes.IndexByte(raw, '\\') >= 0 { // a slash may be escaped
		var text string
		if err := json.Unmarshal(data, &text); err != nil {
			return err
		}
		raw = []byte(text)
	}
	raw = bytes.TrimRight(raw, "=")
	decoded := make([]byte, base64.RawStdEncoding.DecodedLen(len(raw)))
	if _, err := base64.RawStdEncoding.Decode(decoded, raw); err != nil {
		return fmt.Errorf("a vector is not base64: %w", err)
	}
	if len(decoded)%4 != 0 {
		return fmt.Errorf("a vector in base64 has %d bytes, want a multiple of 4", len(decoded))
	}
	*v = make(vector, len(decoded)/4)
	for i := range *v {
		(*v)[i] = math.Float32frombits(binary.LittleEndian.Uint32(decoded[4*i:]))
	}
	return nil
}

// unmarshalHoles reads an array with nulls, which is how some servers write NaN.
// encoding/json would make zeros of them.
func (v *vector) unmarshalHoles(data []byte) error {
	var elements []*float32
	if err := json.Unmarshal(data, &elements); err != nil {
		return err
	}
	for _, x := range elements {
		if x == nil {
			*v = append(*v, float32(math.NaN()))
		} else {
			*v = append(*v, *x)
		}
	}
	return nil
}

// decode returns the vectors of an answer in the order of the texts.
func decode(from *httpmodel.Answer, texts, dim int) ([][]float32, error) {
	var a answer
	if err := json.Unmarshal(from.Body, &a); err != nil {
		return nil, from.Unreadable(err)
	}
	if len(a.Data) < texts {
		if said := from.Said(); said != nil {
			return nil, said
		}
	}
	if a.Data == nil {
		return nil, &AnswerError{Reason: `has no "data"; is this the address of /v1/embeddings?`}
	}
	if len(a.Data) > texts {
		return nil, &embed.CountError{Texts: texts, Vectors: len(a.Data)}
	}
	vectors := make([][]float32, texts)
	for i, item := range a.Data {
		at := i // for servers that leave the index out
		if item.Index != nil {
			at = *item.Index
		}
		switch {
		case at < 0 || at >= texts:
			return nil, &AnswerError{Reason: fmt.Sprintf("has a vector for text %d of %d", at, texts)}
		case vectors[at] != nil:
			return nil, &AnswerError{Reason: fmt.Sprintf("has two vectors for text %d", at)}
		case item.Embedding == nil:
			continue
		}
		vectors[at] = item.Embedding
	}
	for i, v := range vectors {
		if v == nil {
			return nil, &embed.TextError{Index: i, Err: &embed.CountError{Texts: texts, Vectors: len(a.Data)}}
		}
	}
	if err := embed.Verify(vectors, texts, dim); err != nil {
		return nil, err
	}
	return vectors, nil
}
