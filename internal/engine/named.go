package engine

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/vecwire/vecwire/codec"
)

// NamedVector describes a further vector that records may have beside their own. Its
// elements are FLOAT.
type NamedVector struct {
	Name   string
	Dim    int
	Metric codec.Metric
	Model  string
	Source string // the String field that the vector stands for, "" for the text
	// Store names the collection that keeps these vectors. It is chosen once, so that it
	// stays when the collection gets another name.
	Store string
}

// namedSpec is a NamedVector in a registry.
type namedSpec struct {
	Name   string `json:"name"`
	Dim    int    `json:"dim"`
	Metric string `json:"metric"`
	Model  string `json:"model,omitempty"`
	Source string `json:"source,omitempty"`
	Store  string `json:"store"`
}

// MarshalJSON implements json.Marshaler, for registries.
func (v NamedVector) MarshalJSON() ([]byte, error) {
	return json.Marshal(namedSpec{v.Name, v.Dim, v.Metric.String(), v.Model, v.Source, v.Store})
}

// UnmarshalJSON implements json.Unmarshaler.
func (v *NamedVector) UnmarshalJSON(b []byte) error {
	var s namedSpec
	if err := json.Unmarshal(b, &s); err != nil {
		return err
	}
	*v = NamedVector{s.Name, s.Dim, codec.Cosine, s.Model, s.Source, s.Store}
	for _, m := range []codec.Metric{codec.Cosine, codec.Dot, codec.L2} {
		if m.String() == s.Metric {
			v.Metric = m
			return nil
		}
	}
	return fmt.Errorf("the vector %q has the metric %q, which this version does not know", s.Name, s.Metric)
}

// Check reports whether a vector may be one of this name; see [codec.Check].
func (v NamedVector) Check(x []float32) error {
	if err := codec.Check(x, v.Dim, v.Metric); err != nil {
		return fmt.Errorf("the vector %q: %w", v.Name, err)
	}
	return nil
}

// VectorPlace returns the place of a named vector, -1 if there is none of the name.
func (s Schema) VectorPlace(name string) int {
	return slices.IndexFunc(s.Vectors, func(v NamedVector) bool { return v.Name == name })
}

// NamedValue is what becomes of one named vector of a record.
type NamedValue struct {
	Place  int    // in Schema.Vectors
	Vector Vector // the zero Vector takes it away
}

// Through returns the schema of a collection as it is seen through one of its named
// vectors: that takes the place of the records' own.
func (s Schema) Through(place int) Schema {
	v := s.Vectors[place]
	s.Dim, s.Element, s.Metric, s.Model = v.Dim, codec.FLOAT, v.Metric, v.Model
	return s
}

// IsZero reports whether there is no vector.
func (v Vector) IsZero() bool { return v.F32 == nil && v.F64 == nil }

// SameNamed reports whether two records' named vectors are the same. A nil list is as
// one of none.
func SameNamed(a, b []Vector) bool {
	n := max(len(a), len(b))
	at := func(list []Vector, i int) Vector {
		if i < len(list) {
			return list[i]
		}
		return Vector{}
	}
	for i := range n {
		if !at(a, i).Equal(at(b, i)) {
			return false
		}
	}
	return true
}

// SameVectors reports whether two schemas name the same vectors.
func (s Schema) SameVectors(t Schema) bool { return slices.Equal(s.Vectors, t.Vectors) }

// LackVectors is the feature of Can.Vectors, as errors name it.
const LackVectors = "several vectors a record"
