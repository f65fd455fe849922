package search

import (
	"slices"
	"time"
)

// group keeps the best of each group: a hit stays if one of its groups has room,
// and then takes a place in all of them.
func (p *plan) group(hits []Hit) []Hit {
	if p.q.GroupBy == "" {
		return hits
	}
	members := map[any]int{}
	var out []Hit
	for i := range hits {
		if keys := p.groupsOf(&hits[i]); p.haveRoom(members, keys) {
			out = append(out, hits[i])
			join(members, keys)
		}
	}
	return out
}

// haveRoom reports whether one of the groups is not full.
func (p *plan) haveRoom(members map[any]int, groups []any) bool {
	return slices.ContainsFunc(groups, func(key any) bool { return members[key] < p.q.GroupSize })
}

func join(members map[any]int, groups []any) {
	for _, key := range groups {
		members[key]++
	}
}

// valueOf returns the value of the field at a place of the schema.
func valueOf(h *Hit, place int) any {
	if place >= len(h.Fields) {
		return nil
	}
	return h.Fields[place]
}

// groupsOf returns the groups of a hit as keys of a map: its value of the field, nil
// if it has none, or the different elements of its list.
func (p *plan) groupsOf(h *Hit) []any {
	switch v := valueOf(h, p.groupAt).(type) {
	case []byte:
		return []any{bytesKey(v)}
	case time.Time:
		return []any{timeKey{v.Unix(), v.Nanosecond()}}
	case []string:
		return elementKeys(v)
	case []int64:
		return elementKeys(v)
	case []float64:
		return elementKeys(v)
	default:
		return []any{v}
	}
}

func elementKeys[T comparable](list []T) []any {
	keys := make([]any, 0, max(1, len(list)))
	for _, x := range list {
		if !slices.Contains(keys, any(x)) {
			keys = append(keys, x)
		}
	}
	if len(keys) == 0 {
		return []any{nil}
	}
	return keys
}

// bytesKey and timeKey stand for values that Go's == does not compare as filters
// do.
type (
	bytesKey string
	timeKey  struct {
		second int64
		nano   int
	}
)
