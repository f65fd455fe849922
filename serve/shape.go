package serve

import (
	"fmt"
	"regexp"
	"strings"
)

// kind is what a JSON value is.
type kind uint8

const (
	object    kind = iota // with the members of the shape and no others
	list                  // of items
	text                  // a string
	whole                 // a number without fraction
	number                // any finite number
	boolean               // true or false
	vector                // a list of numbers, or base64 of their bytes
	condition             // a filter, as text or as an object
	free                  // an object of any members
	anything              // any value; in answers only
)

// shape says what a JSON value must be. Requests are read by shapes, see
// [parse], and the OpenAPI document is written from them, see [document].
type shape struct {
	name     string // of the document's component, "" for one that stands in its place
	kind     kind
	doc      string
	members  []member
	items    *shape
	enum     []string       // of text
	pattern  *regexp.Regexp // of text
	min, max int64          // of whole: its range; of text: bytes; of list: items; none if max is 0
	low      *float64       // of number
	high     *float64
}

// member is a named value of an object.
type member struct {
	key      string
	shape    *shape
	required bool
}

// want says in words what the shape takes.
func (s *shape) want() string {
	switch s.kind {
	case object:
		if len(s.members) == 0 {
			return "an empty object"
		}
		keys := make([]string, len(s.members))
		for i, m := range s.members {
			keys[i] = m.key
		}
		return "an object of " + strings.Join(keys, ", ")
	case list:
		if s.max > 0 {
			return fmt.Sprintf("a list of %d to %d", s.min, s.max)
		}
		return "a list"
	case text:
		switch {
		case s.enum != nil:
			return "one of " + strings.Join(s.enum, ", ")
		case s.pattern != nil:
			return "a string that fits " + s.pattern.String()
		case s.max > 0:
			return fmt.Sprintf("a string of %d to %d bytes", s.min, s.max)
		}
		return "a string"
	case whole:
		if s.max > 0 {
			return fmt.Sprintf("a whole number from %d to %d", s.min, s.max)
		}
		return "a whole number"
	case number:
		switch {
		case s.low != nil && s.high != nil:
			return fmt.Sprintf("a number from %g to %g", *s.low, *s.high)
		case s.low != nil:
			return fmt.Sprintf("a number, at least %g", *s.low)
		}
		return "a finite number"
	case boolean:
		return "true or false"
	case vector:
		return "a list of numbers, or base64 of their little-endian bytes"
	case condition:
		return "a filter: text, or an object of conditions"
	default:
		return "an object"
	}
}

// schema returns the shape as JSON Schema, in which shapes with names are
// references.
func (s *shape) schema(nullable bool) map[string]any {
	if s.name != "" {
		return map[string]any{"$ref": "#/components/schemas/" + s.name}
	}
	out := s.define()
	if nullable {
		if t, ok := out["type"].(string); ok {
			out["type"] = []string{t, "null"}
			if enum, ok := out["enum"].([]any); ok {
				out["enum"] = append(enum, nil)
			}
		} else if ways, ok := out["anyOf"].([]map[string]any); ok {
			out["anyOf"] = append(ways, map[string]any{"type": "null"})
		}
	}
	return out
}

// define returns the shape as JSON Schema, whether it has a name or not.
func (s *shape) define() map[string]any {
	out := map[string]any{}
	if s.doc != "" {
		out["description"] = s.doc
	}
	switch s.kind {
	case object:
		out["type"] = "object"
		properties, required := map[string]any{}, []string{}
		for _, m := range s.members {
			properties[m.key] = m.shape.schema(!m.required)
			if m.required {
				required = append(required, m.key)
			}
		}
		out["properties"], out["additionalProperties"] = properties, false
		if len(required) > 0 {
			out["required"] = required
		}
	case list:
		out["type"], out["items"] = "array", s.items.schema(false)
		if s.max > 0 {
			out["minItems"], out["maxItems"] = s.min, s.max
		}
	case text:
		out["type"] = "string"
		if s.enum != nil {
			values := make([]any, len(s.enum))
			for i, v := range s.enum {
				values[i] = v
			}
			out["enum"] = values
		}
		if s.pattern != nil {
			out["pattern"] = s.pattern.String()
		}
		if s.max > 0 {
			out["minLength"], out["maxLength"] = s.min, s.max
		}
	case whole:
		out["type"] = "integer"
		if s.max > 0 {
			out["minimum"], out["maximum"] = s.min, s.max
		}
	case number:
		out["type"] = "number"
		if s.low != nil {
			out["minimum"] = *s.low
		}
		if s.high != nil {
			out["maximum"] = *s.high
		}
	case boolean:
		out["type"] = "boolean"
	case vector:
		out["anyOf"] = []map[string]any{
			{"type": "array", "items": map[string]any{"type": "number"}, "minItems": 1},
			{"type": "string", "contentEncoding": "base64"},
		}
	case condition:
		out["anyOf"] = []map[string]any{{"type": "string"}, {"type": "object"}}
	case free:
		out["type"] = "object"
	case anything:
	}
	return out
}
