package ingest_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/internal/ingest"
)

type fields map[string]any

// TestOwnFields: nothing that a copy of fields leads to is the caller's.
func TestOwnFields(t *testing.T) {
	own := func(name string, v any) any {
		return ingest.OwnFields(fields{name: v}, func(name string) bool { return name == "json" })[name]
	}
	type blob []byte
	type lines []string
	bytes, named, strings, list := []byte("ab"), blob("ab"), lines{"a"}, []any{"a"}
	for _, v := range []any{bytes, named, strings, list} {
		was := own("f", v)
		require.IsType(t, v, was)
		require.Equal(t, v, was)
		bytes[0], named[0], strings[0], list[0] = 'x', 'x', "x", "x"
		require.NotEqual(t, v, was)
		bytes[0], named[0], strings[0], list[0] = 'a', 'a', "a", "a"
	}

	deep := map[string]any{"key": "value"}
	object := map[string]any{"list": []any{deep, 1, nil}, "raw": json.RawMessage(`1`)}
	copied := own("json", object)
	require.Equal(t, object, copied)
	deep["key"] = "x"
	require.Equal(t, map[string]any{"key": "value"}, copied.(map[string]any)["list"].([]any)[0])

	at := time.Date(2026, 11, 30, 0, 0, 0, 0, time.UTC)
	text := "a"
	pointed := struct{ P *string }{&text}
	converted := own("json", pointed)
	text = "x"
	require.Equal(t, map[string]any{"P": "a"}, converted)
	require.Equal(t, at, own("f", at))
	require.Nil(t, own("f", nil))
	require.Equal(t, []string(nil), own("f", []string(nil)))
	require.Equal(t, []string{}, own("f", []string{}))
	require.Equal(t, map[string]any(nil), own("json", map[string]any(nil)))
	require.Nil(t, ingest.OwnFields(fields(nil), nil))

	within := map[string]any{}
	within["a"], within["b"] = within, within
	require.NotNil(t, own("json", within), "is refused later, and copied no longer than a record may be")
	wide := []any{}
	for range 40 {
		wide = []any{wide, wide}
	}
	require.NotNil(t, own("json", wide))
}
