package enginetest

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/filter"
)

// writtenWords are words in several ways to write them, which are one word each.
var writtenWords = [][]string{
	{"go", "Go", "GO"}, {"slices", "Slices"}, {"straße", "STRASSE", "Strasse"}, {"σοφος", "ΣΟΦΟΣ", "σοφοσ"}, {"café", "CAFE\u0301"}, {"http2", "HTTP2"}, {"42"}, {"ﬁle", "file"}, {"日本", "日本"},
}

// wordsOf returns the first way to write each word of a text that was made of them.
func wordsOf(text string) (list []string) {
	for _, word := range strings.Fields(strings.NewReplacer(",", " ", "-", " ", "%", " ", "_", " ", `\`, " ", "\n", " ").Replace(text)) {
		for _, ways := range writtenWords {
			if slices.Contains(ways, word) {
				list = append(list, ways[0])
			}
		}
	}
	return list
}

// likeForm returns a pattern as a regular expression.
func likeForm(pattern string) *regexp.Regexp {
	var b strings.Builder
	literal := false
	for _, r := range pattern {
		switch {
		case literal:
			b.WriteString(regexp.QuoteMeta(string(r)))
			literal = false
		case r == '\\':
			literal = true
		case r == '%':
			b.WriteString(".*")
		case r == '_':
			b.WriteString(".")
		default:
			b.WriteString(regexp.QuoteMeta(string(r)))
		}
	}
	return regexp.MustCompile("(?is)^" + b.String() + "$")
}

// textFilters: filters over the text and the ID mean what the model says.
func (s *suite) textFilters(t *testing.T) {
	ctx := t.Context()
	schema := vecwire.Schema{Dim: 3, Fields: []vecwire.Field{{Name: "s"}, {Name: "si", Index: true}}}
	if s.caps.FullText {
		schema.FullText = vecwire.Words
	}
	c := s.create(t, schema)
	g := newGenerator(81, c.Schema())
	word := func() string {
		ways := writtenWords[g.IntN(len(writtenWords))]
		return ways[g.IntN(len(ways))]
	}
	text := func() string {
		var b strings.Builder
		for range 1 + g.IntN(5) {
			b.WriteString(word() + []string{" ", ", ", "-", "%", "_", `\`, "\n"}[g.IntN(7)])
		}
		return b.String()
	}
	m := newModel(c.Schema())
	for i := range 60 {
		r := vecwire.Record{ID: fmt.Sprintf("%s/%02d", []string{"Doc", "doc", "ß"}[i%3], i), Vector: g.vector(), Fields: vecwire.Fields{"s": text(), "si": text()}}
		if i%4 > 0 {
			r.Text = text()
			delete(r.Fields, []string{"s", "si", ""}[i%3])
		}
		m.upsert(r)
	}
	require.NoError(t, c.Upsert(ctx, m.all()...))

	fields, part := []string{"id", "s", "si"}, filter.Contains("s", "o")
	if s.caps.TextFilters {
		fields, part = append(fields, "text"), filter.Contains("text", "o")
	} else {
		_, err := c.Count(ctx, filter.Contains("text", "o"))
		require.ErrorIs(t, err, vecwire.ErrUnsupported)
		require.ErrorContains(t, err, s.caps.Engine)
	}
	comparisons := func() []filter.Filter {
		piece := text()
		piece = piece[:len(piece)-1]
		var all []filter.Filter
		for _, field := range fields {
			all = append(all, filter.Contains(field, word()), filter.Prefix(field, word()), filter.Contains(field, piece), filter.Prefix(field, "d"), filter.IsNull(field))
			if !s.caps.Like {
				continue
			}
			escaped := strings.NewReplacer(`\`, `\\`, "%", `\%`, "_", `\_`).Replace(piece)
			all = append(all, filter.Like(field, "%"+word()+"%"), filter.Like(field, word()+"%"), filter.Like(field, "%"+escaped+"%"), filter.Like(field, "_"+"%"+word()+"_"),
				filter.Like(field, "DOC/%"), filter.Like(field, ""), filter.Like(field, "%"), filter.Like(field, "%ΣΟΦΟΣ%"), filter.Like(field, "%straſ%"), filter.Like(field, "%__\n%"))
		}
		if s.caps.FullText {
			all = append(all, filter.Words("text", word()), filter.Words("text", word()+" "+word()), filter.Words("text", text()))
		}
		for _, f := range all[:len(all):len(all)] {
			all = append(all, filter.Not(f))
		}
		return all
	}
	run(t, "filters", func(t *testing.T) {
		for range s.sample(20) {
			for _, f := range comparisons() {
				m.expectFiltered(t, c, f)
			}
		}
		for range s.sample(60) {
			all := comparisons()
			pick := func() filter.Filter { return all[g.IntN(len(all))] }
			f := filter.Not(filter.Or(filter.And(pick(), pick()), pick()))
			m.expectFiltered(t, c, f)
			m.expectSearch(t, c, vecwire.Query{Vector: g.vector(), K: 7, Filter: f})
		}
	})
	run(t, "in a mirror", func(t *testing.T) {
		mirror := mirrored(t, c, vecwire.MirrorOptions{})
		f := part
		hits, err := mirror.Search(ctx, vecwire.Query{Vector: g.vector(), K: 100, Filter: f})
		require.NoError(t, err)
		require.ElementsMatch(t, m.ids(f), hitIDs(hits))
	})
	run(t, "in a namespace", func(t *testing.T) {
		if !s.caps.Like {
			return
		}
		shared := s.create(t, vecwire.Schema{Dim: 2, Fields: []vecwire.Field{{Name: vecwire.NamespaceField, Type: vecwire.String, Index: true}}})
		for _, name := range []string{"a_b", "axb"} {
			part, err := shared.Namespace(name)
			require.NoError(t, err)
			require.NoError(t, part.Upsert(ctx, vecwire.Record{ID: "Doc/1", Text: "Go", Vector: []float32{1, 2}}, vecwire.Record{ID: "x", Vector: []float32{1, 2}}))
			for _, f := range []filter.Filter{filter.Like("id", "doc/_"), filter.Contains("text", "G"), filter.Not(filter.Like("id", "X"))} {
				n, err := part.Count(ctx, f)
				require.NoError(t, err)
				require.Equal(t, 1, n, f)
			}
		}
	})
	run(t, "refused", func(t *testing.T) {
		for _, f := range []filter.Filter{filter.Eq("text", "x"), filter.Gt("text", "x"), filter.In("text", "x"), filter.Words("s", "x")} {
			_, err := c.Count(ctx, f)
			var e *vecwire.FilterError
			require.ErrorAs(t, err, &e, f)
			require.Equal(t, f.Field(), e.Field)
		}
		if !s.caps.Like {
			_, err := c.Count(ctx, filter.Not(filter.Like("s", "x")))
			require.ErrorIs(t, err, vecwire.ErrUnsupported)
			require.ErrorContains(t, err, s.caps.Engine)
		} else {
			_, err := c.Count(ctx, filter.Like("s", `x\`))
			require.ErrorAs(t, err, new(*vecwire.ValueError))
		}
		if s.caps.FullText {
			for _, question := range []string{"", " - ", strings.Join(manyWords(65), " ")} {
				_, err := c.Count(ctx, filter.Words("text", question))
				require.ErrorAs(t, err, new(*vecwire.ValueError), question)
			}
		}
		without := s.create(t, vecwire.Schema{Dim: 3})
		_, err := without.Count(ctx, filter.Words("text", "x"))
		var e *vecwire.FilterError
		require.ErrorAs(t, err, &e)
		require.Equal(t, "text", e.Field)
	})
	run(t, "deleting", func(t *testing.T) {
		f := part
		want := m.ids(f)
		n, err := c.DeleteWhere(ctx, f)
		require.NoError(t, err)
		require.Equal(t, len(want), n)
		for _, id := range want {
			delete(m.records, id)
		}
		m.expectAll(t, c)
	})
}
