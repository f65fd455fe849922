package meta

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/vecwire/vecwire/filter"
)

// Filter returns conditions in the form of MongoDB's queries, which frameworks send,
// as a filter; see [filter.FromJSON]. A key that is no field is a path into the
// metadata that has none.
func (m Mapper) Filter(conditions map[string]any) (filter.Filter, error) {
	if len(conditions) == 0 {
		return filter.Filter{}, nil
	}
	text, err := json.Marshal(conditions)
	if err != nil {
		return filter.Filter{}, fmt.Errorf("conditions: %w", err)
	}
	if m.json {
		var parsed map[string]any
		if err := decode(string(text), &parsed); err != nil {
			return filter.Filter{}, fmt.Errorf("conditions: %w", err)
		}
		if text, err = json.Marshal(m.paths(parsed)); err != nil {
			return filter.Filter{}, fmt.Errorf("conditions: %w", err)
		}
	}
	return filter.FromJSON(text)
}

// paths returns conditions with the paths of keys in place of keys that are no field.
func (m Mapper) paths(conditions any) any {
	switch c := conditions.(type) {
	case []any: // of $and, $or and $nor
		for i := range c {
			c[i] = m.paths(c[i])
		}
	case map[string]any:
		out := make(map[string]any, len(c))
		for key, condition := range c {
			first, _ := filter.SplitPath(key)
			switch {
			case strings.HasPrefix(key, "$"):
				out[key] = m.paths(condition)
			case m.fields[first] || first == m.rest || key == "id":
				out[key] = condition
			default:
				out[m.rest+"."+key] = condition
			}
		}
		return out
	}
	return conditions
}
