package enginetest

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
)

// notes is a value that only encoding/json knows how to take apart.
type notes struct{ Words *[]string }

// deep returns a record whose values lead to further memory, what it is read back as,
// and a function that writes over all of that memory.
func deep(id string) (given, want vecwire.Record, poison func()) {
	type names []string // of a type of the caller's own
	tags, ints, floats := names{"a", "b"}, []int32{1, 2}, []float32{0.5, 2}
	raw := json.RawMessage(`{"raw":"text"}`)
	list := []any{"one", json.RawMessage(`"two"`)}
	meta := map[string]any{"list": list, "raw": raw, "n": 1}
	words := []string{"some", "words"}
	gathered := map[string]any{"deep": map[string]any{"key": "value"}}
	v := []float32{1, 2}
	fields := vecwire.Fields{
		"tags": tags, "ints": ints, "floats": floats, "raw": raw, "meta": meta,
		"struct": []any{notes{&words}}, "colour": gathered, "unknown": raw,
	}
	given = vecwire.Record{ID: id, Vector: v, Fields: fields}
	text := map[string]any{"raw": "text"}
	want = vecwire.Record{ID: id, Vector: []float32{1, 2}, Fields: vecwire.Fields{
		"tags": []string{"a", "b"}, "ints": []int64{1, 2}, "floats": []float64{0.5, 2}, "raw": text,
		"meta":   map[string]any{"list": []any{"one", "two"}, "raw": text, "n": json.Number("1")},
		"struct": []any{map[string]any{"Words": []any{"some", "words"}}},
		"extra":  map[string]any{"colour": map[string]any{"deep": map[string]any{"key": "value"}}, "unknown": text},
	}}
	return given, want, func() {
		tags[0], ints[0], floats[0], list[0], words[0] = "!", -1, -1, "!", "!"
		copy(raw, `{"!!!":"!!!!"}`)
		copy(list[1].(json.RawMessage), `"!!!"`)
		gathered["deep"].(map[string]any)["key"] = "!"
		meta["n"] = 2
		fields["tags"] = nil
		v[0] = -1
	}
}

// reuseValues is reuse of what lies deeper in a record's values than bytes.
func (s *suite) reuseValues(t *testing.T) {
	if !s.caps.Lists || !s.caps.JSON {
		t.Skip("the engine has no lists, or no JSON")
	}
	ctx := t.Context()
	schema := vecwire.Schema{Dim: 2, Extra: "extra", Fields: []vecwire.Field{
		{Name: "tags", Type: vecwire.Strings, Index: true}, {Name: "ints", Type: vecwire.Ints, Index: true}, {Name: "floats", Type: vecwire.Floats},
		{Name: "raw", Type: vecwire.JSON, Paths: []string{"raw"}}, {Name: "meta", Type: vecwire.JSON}, {Name: "struct", Type: vecwire.JSON}, {Name: "extra", Type: vecwire.JSON},
	}}
	for verb, write := range map[string]func(c *vecwire.Collection, given vecwire.Record, poison func()) error{
		"Upsert": func(c *vecwire.Collection, given vecwire.Record, poison func()) error {
			defer poison()
			return c.Upsert(ctx, given)
		},
		"Ingest": func(c *vecwire.Collection, given vecwire.Record, poison func()) error {
			report, err := c.Ingest(ctx, func(yield func(vecwire.Record, error) bool) {
				yield(given, nil)
				poison()
			}, vecwire.IngestOptions{})
			if err == nil {
				err = report.Err()
			}
			return err
		},
	} {
		run(t, verb, func(t *testing.T) {
			c := s.create(t, schema)
			given, want, poison := deep("1")
			require.NoError(t, write(c, given, poison))
			newModel(c.Schema(), want).expectAll(t, c)
			mirror := mirrored(t, c, vecwire.MirrorOptions{})
			given, want2, poison := deep("2")
			require.NoError(t, write(mirror.Collection, given, poison))
			newModel(c.Schema(), want, want2).expectAll(t, mirror.Collection)
		})
	}
}
