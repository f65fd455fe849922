package main

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
)

func TestWords(t *testing.T) {
	for id, want := range map[string]string{
		"net/http.FileServerFS":     "net http File Server FS",
		"encoding/json.HTMLEscape":  "encoding json HTML Escape",
		"os.O_RDONLY":               "os O RDONLY",
		"bufio":                     "bufio",
		"math/rand/v2.Rand.Shuffle": "math rand v2 Rand Shuffle",
	} {
		require.Equal(t, want, words(id))
	}
}

func TestRank(t *testing.T) {
	hit := func(id, kind, text string, distance float64) vecwire.Hit {
		uses := int64(0)
		if id == "used" {
			uses = 30
		}
		return vecwire.Hit{Record: vecwire.Record{ID: id, Text: text, Fields: vecwire.Fields{"kind": kind, "uses": uses}}, Distance: distance}
	}
	var order []string
	for _, h := range rank([]vecwire.Hit{
		hit("words only", "func", "a b: removes duplicates", math.NaN()),
		hit("field", "field", "a b: nothing", -0.6),
		hit("func", "func", "a b: nothing", -0.6),
		hit("used", "func", "a b: nothing", -0.6),
		hit("method", "method", "a b: nothing", -0.61),
		hit("old", "func", "a b: nothing. Deprecated: take another", -0.6),
		hit("far", "func", "a b: nothing", -0.3),
		hit("named", "func", "remove duplicate: nothing", -0.55),
	}, newMatcher("remove the duplicates")) {
		order = append(order, h.ID)
	}
	require.Equal(t, []string{"named", "used", "func", "words only", "method", "field", "old", "far"}, order)
	require.Empty(t, rank(nil, nil))
}

func TestShare(t *testing.T) {
	m := newMatcher("read a file line by line")
	require.InDelta(t, 2./3, m.share("ReadLine reads the lines"), 1e-9)
	require.Zero(t, newMatcher("the").share("the"))
}
