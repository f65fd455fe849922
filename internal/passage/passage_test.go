package passage_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/internal/passage"
)

type part = passage.Part[string]

// document cuts a text at places into parts that overlap by so many bytes.
func document(source, text string, size, overlap int) (parts []part) {
	for start := 0; start < len(text); start += size {
		from := max(0, start-overlap)
		id := fmt.Sprintf("%s#%d", source, len(parts))
		parts = append(parts, part{
			Record: id, ID: id, Document: passage.Document{Source: source}, Place: int64(len(parts)),
			Text: text[from:min(start+size, len(text))], Start: int64(from),
		})
	}
	return parts
}

func TestTextIsTheDocument(t *testing.T) {
	text := strings.Repeat("0123456789 abcdefghij ", 9)
	for size := 1; size < 30; size++ {
		for _, overlap := range []int{0, 1, size / 2, size, 2 * size} {
			p := passage.Passage[string]{Parts: document("a", text, size, overlap)}
			require.Equal(t, text, p.Text(), "size %d, overlap %d", size, overlap)
		}
	}
}

func TestSeams(t *testing.T) {
	for name, tt := range map[string]struct {
		a, b part
		want string
	}{
		"touch":                 {part{Text: "one", Start: 0}, part{Text: "two", Start: 3}, "onetwo"},
		"a space left out":      {part{Text: "one", Start: 0}, part{Text: "two", Start: 4}, "one\ntwo"},
		"a blank line left out": {part{Text: "one", Start: 0}, part{Text: "two", Start: 5}, "one\n\ntwo"},
		"overlap":               {part{Text: "one", Start: 0}, part{Text: "ne two", Start: 1}, "one two"},
		"within":                {part{Text: "one two", Start: 0}, part{Text: "ne", Start: 1}, "one two"},
		"the same":              {part{Text: "one", Start: 7}, part{Text: "one", Start: 7}, "one"},
		"another version":       {part{Text: "one", Start: 0}, part{Text: "xx two", Start: 1}, "one\nxx two"},
		"other within":          {part{Text: "one two", Start: 0}, part{Text: "xx", Start: 1}, "one two\nxx"},
		"backwards":             {part{Text: "one", Start: 9}, part{Text: "two", Start: 1}, "one\ntwo"},
		"unknown":               {part{Text: "one", Start: passage.Unknown}, part{Text: "two", Start: 3}, "one\ntwo"},
		"unknown behind":        {part{Text: "one", Start: 0}, part{Text: "two", Start: passage.Unknown}, "one\ntwo"},
		"negative":              {part{Text: "one", Start: math.MinInt64}, part{Text: "two", Start: math.MinInt64 + 1}, "one\ntwo"},
		"too far":               {part{Text: "one", Start: math.MaxInt64 - 1}, part{Text: "ne", Start: math.MaxInt64}, "one\nne"},
		"empty":                 {part{Text: "", Start: 0}, part{Text: "two", Start: 0}, "two"},
	} {
		p := passage.Passage[string]{Parts: []part{tt.a, tt.b}}
		require.Equal(t, tt.want, p.Text(), name)
	}
}

func TestWindows(t *testing.T) {
	of := func(source string) passage.Document { return passage.Document{Source: source} }
	at := func(source string, place int64) *part { return &part{Document: of(source), Place: place} }
	hits := []*part{at("b", 4), nil, at("a", 9), at("a", 2), at("a", 5), at("a", 2), at("b", math.MaxInt64-1), at("c", math.MinInt64)}
	require.Equal(t, []passage.Window{
		{of("a"), 1, 6}, {of("a"), 8, 10}, {of("b"), 3, 5}, {of("b"), math.MaxInt64 - 2, math.MaxInt64}, {of("c"), math.MinInt64, math.MinInt64 + 1},
	}, passage.Windows(hits, 1))
	require.Equal(t, []passage.Window{{of("a"), 0, 11}, {of("b"), 2, 6}, {of("b"), math.MaxInt64 - 3, math.MaxInt64}, {of("c"), math.MinInt64, math.MinInt64 + 2}}, passage.Windows(hits, 2))
	one, other := at("a", 1), at("a", 2)
	one.Namespace, one.Owned, other.Owned = "n", true, true
	require.Len(t, passage.Windows([]*part{one, at("a", 1), other, at("a", 3), one}, 1), 3, "of one name in no namespace, and in two")
	require.Empty(t, passage.Windows([]*part{nil}, 3))
}

func ids(p *passage.Passage[string]) string {
	if p == nil {
		return "none"
	}
	var out []string
	for _, x := range p.Parts {
		out = append(out, x.Record)
	}
	return strings.Join(out, " ")
}

func count(text string) int { return len(text) }

func TestAround(t *testing.T) {
	a := document("a", strings.Repeat("x", 10*10), 10, 0) // ten parts of ten
	b := document("b", strings.Repeat("y", 10*3), 10, 0)
	near := slices.Concat(a, b)
	for name, tt := range map[string]struct {
		hits   []*part
		near   []part
		reach  int
		budget int
		want   []string
	}{
		"apart":             {[]*part{&a[1], &a[7]}, near, 1, 0, []string{"a#0 a#1 a#2", "a#6 a#7 a#8"}},
		"touch":             {[]*part{&a[5], &a[2]}, near, 1, 0, []string{"a#1 a#2 a#3 a#4 a#5 a#6", "a#1 a#2 a#3 a#4 a#5 a#6"}},
		"at the ends":       {[]*part{&b[0], &a[9]}, near, 2, 0, []string{"b#0 b#1 b#2", "a#7 a#8 a#9"}},
		"one without":       {[]*part{nil, &b[1]}, near, 1, 0, []string{"none", "b#0 b#1 b#2"}},
		"a gap":             {[]*part{&a[4]}, slices.Concat(a[:3], a[5:7]), 3, 0, []string{"a#4 a#5 a#6"}},
		"all":               {[]*part{&a[4]}, near, math.MaxInt, 0, []string{"a#0 a#1 a#2 a#3 a#4 a#5 a#6 a#7 a#8 a#9"}},
		"hits first":        {[]*part{&a[4], &b[1], &a[0]}, near, 2, 25, []string{"a#4", "b#1", "none"}},
		"nearest first":     {[]*part{&a[4], &b[1]}, near, 3, 60, []string{"a#3 a#4 a#5", "b#0 b#1 b#2"}},
		"before and behind": {[]*part{&a[4]}, near, 3, 40, []string{"a#2 a#3 a#4 a#5"}},
		"nothing fits":      {[]*part{&a[4]}, near, 3, 9, []string{"none"}},
		"gone meanwhile":    {[]*part{&a[4]}, nil, 3, 0, []string{"a#4"}},
	} {
		var got []string
		for _, p := range passage.Around(tt.hits, tt.near, tt.reach, passage.Budget{Most: tt.budget, Count: count}) {
			got = append(got, ids(p))
		}
		require.Equal(t, tt.want, got, name)
	}
	touching := passage.Around([]*part{&a[5], &a[2]}, near, 1, passage.Budget{})
	require.Same(t, touching[0], touching[1])

	// A larger part does not fit; the side ends there, though a smaller one behind it would.
	sizes := slices.Clone(a)
	sizes[5].Text = strings.Repeat("z", 50)
	got := passage.Around([]*part{&sizes[4]}, sizes, 3, passage.Budget{Most: 45, Count: count})
	require.Equal(t, "a#1 a#2 a#3 a#4", ids(got[0]))

	// Two records of one place go together; what was found counts, not what was read again.
	twin, changed := a[3], a[4]
	twin.ID, twin.Record, changed.Record = "a#3x", "twin", "changed"
	got = passage.Around([]*part{&a[4]}, []part{twin, changed, a[3]}, 1, passage.Budget{})
	require.Equal(t, "a#3 twin a#4", ids(got[0]))
}

// TestAroundKeepsItsPromises compares with what is said of any hits and any budget.
func TestAroundKeepsItsPromises(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 0))
	for range 500 {
		var near []part
		for _, source := range []string{"a", "b"} {
			for _, p := range document(source, strings.Repeat("w", 5+r.IntN(120)), 1+r.IntN(9), 0) {
				if r.IntN(9) > 0 {
					near = append(near, p)
				}
			}
		}
		if len(near) == 0 {
			continue
		}
		var hits []*part
		for range 1 + r.IntN(6) {
			hits = append(hits, &near[r.IntN(len(near))])
		}
		reach, most := 1+r.IntN(4), r.IntN(60)
		got := passage.Around(hits, near, reach, passage.Budget{Most: most, Count: count})
		spent, seen := 0, map[*passage.Passage[string]]bool{}
		inside := map[string]*passage.Passage[string]{}
		for i, p := range got {
			if p == nil {
				require.Positive(t, most, "hit %d of no bound has no passage", i)
				continue
			}
			require.True(t, slices.ContainsFunc(p.Parts, func(x part) bool { return x.ID == hits[i].ID }))
			if seen[p] {
				continue
			}
			seen[p] = true
			for j, x := range p.Parts {
				spent += count(x.Text)
				require.Nil(t, inside[x.ID], "%s is in two passages", x.ID)
				inside[x.ID] = p
				require.Equal(t, p.Source, x.Source)
				if j > 0 {
					require.Equal(t, p.Parts[j-1].Place+1, x.Place)
				}
				require.True(t, slices.ContainsFunc(hits, func(h *part) bool {
					return h.Source == x.Source && max(h.Place-x.Place, x.Place-h.Place) <= int64(reach)
				}), "%s is near no hit", x.ID)
			}
		}
		for p := range seen { // those that touch are one
			last := p.Parts[len(p.Parts)-1]
			for q := range seen {
				require.False(t, q.Source == p.Source && q.Parts[0].Place == last.Place+1)
			}
		}
		if most > 0 {
			require.LessOrEqual(t, spent, most)
		}
	}
}
