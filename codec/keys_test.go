package codec_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/codec"
)

func ExampleKeyTwice() {
	fmt.Println(codec.KeyTwice([]byte(`{"a":[{"year":1967},{"year":1967,"year":1968}]}`), false))
	fmt.Println(codec.KeyTwice([]byte(`{"db":"one","DB":"two"}`), true))
	fmt.Println(codec.KeyTwice([]byte(`{"db":"one","DB":"two"}`), false))
	// Output:
	// [a 1 year]
	// [DB]
	// []
}

func TestKeyTwice(t *testing.T) {
	for text, want := range map[string][]any{
		`{}`: nil, `[]`: nil, `7`: nil, `"a"`: nil, ` { "a" : 1 , "b" : { "a" : [ ] } } `: nil,
		`{"a":1,"a":2}`:                                {"a"},
		`{"a":1,"\u0061":2}`:                           {"a"},
		`{"a\"":1,"b":[1,"a:,{\"",{}],"a":2}`:          nil,
		`{"a":{"b":[0,[{"c":1,"d":{},"c":2}]]},"a":1}`: {"a", "b", 1, 0, "c"},
		`{"":1,"":2}`:                                  {""},
		`[{"a":1},{"a":1}]`:                            nil,
		"\t{\"a\"\n:\r-1.5e3,\"b\":true,\"a\":null}":   {"a"},
	} {
		require.True(t, json.Valid([]byte(text)), text)
		require.Equal(t, want, codec.KeyTwice([]byte(text), false), text)
	}
	require.Equal(t, []any{"Ä"}, codec.KeyTwice([]byte(`{"ä":1,"Ä":2}`), true))
	var many strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&many, `,"k%d":%d`, i, i)
	}
	for _, last := range []int{0, 31, 32, 33, 999} {
		text := "{" + many.String()[1:] + fmt.Sprintf(`,"k%d":0}`, last)
		require.Equal(t, []any{fmt.Sprintf("k%d", last)}, codec.KeyTwice([]byte(text), false))
	}
	require.Nil(t, codec.KeyTwice([]byte("{"+many.String()[1:]+"}"), true))
}

// FuzzKeyTwice holds KeyTwice against encoding/json's own tokens. Of what is no JSON
// either ends.
func FuzzKeyTwice(f *testing.F) {
	f.Add([]byte(`{"a":[{"b":1,"b":2}]}`))
	f.Add([]byte(`{"a":`))
	f.Fuzz(func(t *testing.T, b []byte) {
		got := codec.KeyTwice(b, false)
		if !json.Valid(b) || !utf8.Valid(b) {
			return
		}
		require.Equal(t, twiceByTokens(json.NewDecoder(bytes.NewReader(b))), got != nil, "%q", b)
	})
}

func twiceByTokens(d *json.Decoder) (found bool) {
	d.UseNumber()
	open, err := d.Token()
	if err != nil || open != json.Delim('{') && open != json.Delim('[') {
		return false
	}
	seen := map[any]bool{}
	for d.More() {
		if open == json.Delim('{') {
			key, _ := d.Token()
			found = found || seen[key]
			seen[key] = true
		}
		if twiceByTokens(d) {
			found = true
		}
	}
	_, _ = d.Token()
	return found
}
