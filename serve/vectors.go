package serve

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/codec"
)

// vectorsOf reads the named vectors of a record, nil for those that are null. It checks them, too: the library's
// errors say only in words which of the vectors they are about.
func vectorsOf(h *handle, raw json.RawMessage) (map[string][]float32, error) {
	var given map[string]json.RawMessage
	if err := json.Unmarshal(raw, &given); err != nil {
		return nil, malformed("the vectors are not JSON")
	}
	vectors := make(map[string][]float32, len(given))
	for _, name := range slices.Sorted(maps.Keys(given)) {
		value, pointer := given[name], "/vectors/"+pointerOf(name)
		through, err := seenThrough(h.schema, name, pointer)
		switch {
		case err != nil:
			return nil, err
		case string(value) == "null":
			vectors[name] = nil
			continue
		case value[0] != '[' && value[0] != '"':
			return nil, invalid(pointer, "a list of numbers or base64", describe(value))
		}
		x, _, err := numbers(value).read(through, nil)
		if err == nil {
			err = codec.Check(x, through.Dim, through.Metric)
		}
		if err != nil {
			return nil, refusedVector(pointer, err)
		}
		vectors[name] = x
	}
	return vectors, nil
}

// refusedNamed says which named vector of a record the library has refused, nil if none of
// them is to blame: its errors say only in words which vector they are about.
func (h *handle) refusedNamed(r vecwire.Record) error {
	if r.Vector != nil && codec.Check(r.Vector, h.schema.Dim, h.schema.Metric) != nil || r.Vector64 != nil && codec.Check(r.Vector64, h.schema.Dim, h.schema.Metric) != nil {
		return nil
	}
	for _, name := range slices.Sorted(maps.Keys(r.Vectors)) {
		pointer := "/vectors/" + pointerOf(name)
		through, err := seenThrough(h.schema, name, pointer)
		if err == nil {
			err = codec.Check(r.Vectors[name], through.Dim, through.Metric)
		}
		if err != nil {
			return refusedVector(pointer, err)
		}
	}
	return nil
}

// refusedVector says what is wrong with the vector at a pointer.
func refusedVector(pointer string, err error) error {
	if bad, ok := errors.AsType[*codec.DimensionError](err); ok {
		return invalid(pointer, fmt.Sprintf("%d numbers", bad.Want), strconv.Itoa(bad.Got))
	}
	if bad, ok := errors.AsType[*codec.ValueError](err); ok {
		if bad.Pos >= 0 {
			pointer = fmt.Sprintf("%s/%d", pointer, bad.Pos)
		}
		return invalid(pointer, bad.Want, bad.Got)
	}
	return within(pointer, err)
}

// seenThrough returns a schema whose vectors are its named ones of a name. The name
// stands at pointer.
func seenThrough(s vecwire.Schema, name, pointer string) (vecwire.Schema, error) {
	for _, v := range s.Vectors {
		if v.Name == name {
			s.Dim, s.Element, s.Metric = v.Dim, vecwire.FLOAT, v.Metric
			return s, nil
		}
	}
	return s, invalid(pointer, "a named vector of the collection", describe([]byte(name)))
}
