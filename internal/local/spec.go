package local

import (
	"encoding/json"
	"strings"

	"github.com/vecwire/vecwire/internal/engine"
)

// fieldsSpec is what the registry's column fields holds of a collection with named
// vectors, or which gets no index by itself or has other codes. Of any other it holds the list of fields alone.
type fieldsSpec struct {
	Fields  []engine.Field       `json:"fields"`
	Vectors []engine.NamedVector `json:"vectors"`
	NoIndex bool                 `json:"noIndex,omitempty"`
	Codes   engine.Codes         `json:"codes,omitempty"`
}

// marshalFields returns what the registry holds of a schema's fields and named vectors.
func marshalFields(s engine.Schema) (string, error) {
	var v any = s.Fields
	if noIndex := s.Index == engine.NoIndex; len(s.Vectors) > 0 || noIndex || s.Codes != engine.SevenBits {
		v = fieldsSpec{s.Fields, s.Vectors, noIndex, s.Codes}
	}
	b, err := json.Marshal(v)
	return string(b), err
}

// unmarshalFields reads what marshalFields has written into s.
func unmarshalFields(text string, s *engine.Schema) error {
	if !strings.HasPrefix(text, "{") {
		return json.Unmarshal([]byte(text), &s.Fields)
	}
	var spec fieldsSpec
	err := json.Unmarshal([]byte(text), &spec)
	s.Fields, s.Vectors, s.Codes = spec.Fields, spec.Vectors, spec.Codes
	if spec.NoIndex {
		s.Index = engine.NoIndex
	}
	return err
}
