package filter

import (
	"bytes"
	"encoding/json"
	"strconv"
)

// members returns how many members the objects of a decoded value have.
func members(v any) (n int) {
	switch v := v.(type) {
	case map[string]any:
		n = len(v)
		for _, x := range v {
			n += members(x)
		}
	case []any:
		for _, x := range v {
			n += members(x)
		}
	}
	return n
}

// colons returns how many members the objects of valid JSON's text have.
func colons(text []byte) (n int) {
	inside := false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case inside && c == '\\':
			i++
		case c == '"':
			inside = !inside
		case c == ':' && !inside:
			n++
		}
	}
	return n
}

// twice returns the path of the first key that an object of valid JSON's text has twice,
// such as ".a[1].b"; encoding/json takes the last. Nothing is decoded a second time unless
// there is one: v is what the text decodes to.
func twice(text []byte, v any) (path string, found bool) {
	if colons(text) == members(v) {
		return "", false
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	return twiceIn(dec, "")
}

func twiceIn(dec *json.Decoder, path string) (string, bool) {
	open, err := dec.Token()
	if err != nil || open != json.Delim('{') && open != json.Delim('[') {
		return "", false
	}
	seen := map[string]bool{}
	for i := 0; dec.More(); i++ {
		at := path + "[" + strconv.Itoa(i) + "]"
		if open == json.Delim('{') {
			key, _ := dec.Token()
			name, _ := key.(string)
			if at = path + "." + name; seen[name] {
				return at, true
			}
			seen[name] = true
		}
		if at, found := twiceIn(dec, at); found {
			return at, true
		}
	}
	_, _ = dec.Token() // the closing bracket
	return "", false
}
