package enginetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/embed"
	"github.com/vecwire/vecwire/filter"
)

// byText asks for what fits a text, without vectors.
func byText(text string, k int) vecwire.Query {
	return vecwire.Query{Text: text, K: k, Fusion: &vecwire.Fusion{TextOnly: true}}
}

func searchIDs(t testing.TB, c *vecwire.Collection, q vecwire.Query) []string {
	t.Helper()
	hits, err := c.Search(t.Context(), q)
	require.NoError(t, err)
	return hitIDs(hits)
}

// fullText: records are found by the words of their texts.
func (s *suite) fullText(t *testing.T) {
	ctx := t.Context()
	if !s.caps.FullText {
		name := s.name()
		_, err := s.db.CreateCollection(ctx, vecwire.Schema{Name: name, Dim: 2, FullText: vecwire.Words})
		require.ErrorIs(t, err, vecwire.ErrUnsupported)
		require.ErrorContains(t, err, "full text")
		require.ErrorContains(t, err, s.caps.Engine)
		require.ErrorIs(t, s.db.DropCollection(ctx, name), vecwire.ErrNotFound, "it was made all the same")
		_, err = s.create(t, vecwire.Schema{Dim: 2}).Search(ctx, byText("x", 1))
		require.ErrorIs(t, err, vecwire.ErrUnsupported)
		require.ErrorContains(t, err, s.caps.Engine)
		return
	}
	run(t, "Schema", s.fullTextSchema)
	run(t, "Words", s.fullTextWords)
	run(t, "Ranking", s.fullTextRanking)
	run(t, "Filters", s.fullTextFilters)
	run(t, "Model", s.fullTextModel)
	run(t, "AnyText", s.fullTextAnyText)
	run(t, "LongTexts", s.fullTextLong)
	run(t, "Transactions", s.fullTextTransactions)
	run(t, "Namespaces", s.fullTextNamespaces)
	run(t, "Reembed", s.fullTextReembed)
	run(t, "Fusion", s.fusion)
	run(t, "Web", s.web)
	run(t, "Stems", s.stems)
	run(t, "Refusals", s.fusionRefusals)
}

func (s *suite) fullTextSchema(t *testing.T) {
	ctx := t.Context()
	for _, kind := range []vecwire.FullText{vecwire.Words, vecwire.English} {
		schema := vecwire.Schema{Name: s.name(), Dim: 2, FullText: kind, Fields: []vecwire.Field{
			{Name: "words"}, {Name: "score"}, {Name: "best"}, {Name: "rank"}, {Name: "len"}, {Name: "r0", Index: true},
		}}
		c := s.create(t, schema)
		expectSchema(t, schema, c.Schema())
		opened, err := s.db.EnsureCollection(ctx, schema)
		require.NoError(t, err)
		expectSchema(t, schema, opened.Schema())
		without := schema
		without.FullText = vecwire.NoFullText
		_, err = s.db.EnsureCollection(ctx, without)
		var e *vecwire.SchemaError
		require.ErrorAs(t, err, &e)
		require.ErrorContains(t, err, kind.String())

		r := vecwire.Record{ID: "1", Vector: []float32{1, 2}, Text: "some sentence", Fields: vecwire.Fields{"words": "x", "score": "y", "len": "z", "r0": "q"}}
		require.NoError(t, c.Upsert(ctx, r))
		q := byText("sentence", 3)
		q.Filter = filter.And(filter.Eq("words", "x"), filter.Eq("score", "y"), filter.Eq("len", "z"), filter.Eq("r0", "q"), filter.IsNull("rank"))
		for _, parts := range []part{payload, payload | vector, vector, 0} {
			q.IDsOnly, q.Vectors = parts&payload == 0, parts&vector != 0
			hits, err := opened.Search(ctx, q)
			require.NoError(t, err)
			require.Len(t, hits, 1)
			expectRecord(t, r, hits[0].Record, parts)
		}
	}
	_, err := s.db.CreateCollection(ctx, vecwire.Schema{Name: s.name(), Dim: 2, FullText: 255})
	var e *vecwire.SchemaError
	require.ErrorAs(t, err, &e)
	_, err = s.create(t, vecwire.Schema{Dim: 2}).Search(ctx, byText("x", 1))
	require.ErrorIs(t, err, vecwire.ErrUnsupported)
	require.ErrorContains(t, err, "FullText")
}

// fullTextRanking: what fits better comes first.
func (s *suite) fullTextRanking(t *testing.T) {
	texts := map[string]string{
		"a": "how to open a file and read a line",
		"b": "how to open a socket",
		"c": "how to close a file, a file that was opened: file!",
		"d": "how to sort a slice",
		"e": "",
		"f": "A FILE-SYSTEM is not searched here; it's walked.",
		"g": "naïve 7 2026 größe",
	}
	for _, kind := range []vecwire.FullText{vecwire.Words, vecwire.English} {
		run(t, kind.String(), func(t *testing.T) {
			c := s.create(t, vecwire.Schema{Dim: 2, FullText: kind})
			for id, text := range texts {
				require.NoError(t, c.Upsert(t.Context(), vecwire.Record{ID: id, Vector: []float32{1, 1}, Text: text}))
			}
			found := func(text string) []string { return searchIDs(t, c, byText(text, 9)) }
			require.Equal(t, []string{"b"}, found("socket"))
			require.Equal(t, []string{"b"}, found("an unknown SOCKET"), "any word, in any case")
			require.Equal(t, []string{"b", "d"}, found("slice, socket"), "of equal score by ID")
			require.Equal(t, "a", found("read the file line by line")[0], "more of the words")
			require.Equal(t, "b", found("file socket")[0], "the rarer word")
			require.Equal(t, "f", found("file-system")[0])
			require.Equal(t, []string{"g"}, found("2026"))
			require.Equal(t, []string{"g"}, found("größe"))
			require.Empty(t, found("grosse naive"), "accents count")
			require.Empty(t, found("?! -- (..) \" '"), "no words")
			require.Equal(t, found("open file socket")[:2], searchIDs(t, c, byText("open file socket", 2)))
			stems := found("opening FILES")
			slices.Sort(stems)
			q := byText("socket file", 9)
			q.Filter = filter.NotIn("id", "b", "c")
			filtered := searchIDs(t, c, q)
			slices.Sort(filtered)
			require.Equal(t, []string{"a", "f"}, filtered)
			if kind == vecwire.English {
				require.Equal(t, []string{"a", "b", "c", "f"}, stems)
				require.Empty(t, found("how to and that was"), "words that mean nothing alone")
			} else {
				require.Empty(t, stems)
				require.Len(t, found("how to and that was"), 4)
			}
		})
	}
}

var vocabulary = strings.Fields("amber birch coral delta ember fjord grove heron inlet jetty")

// fewWords returns up to n words of the vocabulary, the first ones oftener.
func (g *generator) fewWords(n int) string {
	var words []string
	for range g.IntN(n + 1) {
		words = append(words, vocabulary[g.IntN(1+g.IntN(len(vocabulary)))])
	}
	return strings.Join(words, " ")
}

// sharing returns the IDs of the records that pass f and share a word with text.
func (m *model) sharing(text string, f filter.Filter) []string {
	ids := []string{}
	for _, id := range m.ids(f) {
		words := strings.Fields(m.records[id].Text)
		if slices.ContainsFunc(strings.Fields(text), func(w string) bool { return slices.Contains(words, w) }) {
			ids = append(ids, id)
		}
	}
	return ids
}

// expectText checks which records are found, that those of the same text are in
// order, and that fewer are the first ones.
func (m *model) expectText(t testing.TB, c *vecwire.Collection, text string, f filter.Filter) {
	t.Helper()
	q := byText(text, 1000)
	q.Filter = f
	hits, err := c.Search(t.Context(), q)
	require.NoError(t, err)
	found := hitIDs(hits)
	last := map[string]string{}
	for i, h := range hits {
		expectRecord(t, m.records[h.ID], h.Record, payload)
		require.Less(t, last[h.Text], h.ID, "records of the same text are in the order of their IDs")
		last[h.Text] = h.ID
		if i > 0 {
			require.Less(t, h.Score, hits[i-1].Score)
		}
	}
	if len(found) > 3 {
		q.K = len(found) / 2
		require.Equal(t, found[:q.K], searchIDs(t, c, q))
	}
	slices.Sort(found)
	require.Equal(t, m.sharing(text, f), found, "what shares a word with %q", text)
}

// fullTextModel changes records in every way, and looks whether their words are
// found as they are.
func (s *suite) fullTextModel(t *testing.T) {
	ctx := t.Context()
	schema := vecwire.Schema{Dim: 2, FullText: vecwire.Words, Fields: []vecwire.Field{{Name: "n", Type: vecwire.Int, Index: true}}}
	c := s.create(t, schema)
	g := newGenerator(91, schema)
	m := newModel(schema)
	record := func() vecwire.Record {
		return vecwire.Record{ID: fmt.Sprint(g.IntN(60)), Vector: g.vector(), Text: g.fewWords(5), Fields: vecwire.Fields{"n": g.IntN(9)}}
	}
	for range s.sample(150) + 20 {
		switch g.IntN(8) {
		case 0:
			id := fmt.Sprint(g.IntN(60))
			_, err := c.Delete(ctx, id)
			require.NoError(t, err)
			delete(m.records, id)
		case 1:
			f := filter.Eq("n", g.IntN(9))
			for _, id := range m.ids(f) {
				delete(m.records, id)
			}
			_, err := c.DeleteWhere(ctx, f)
			require.NoError(t, err)
		case 2: // another vector, the same text
			for _, r := range m.all()[:min(3, len(m.records))] {
				r.Vector = g.vector()
				require.NoError(t, c.Upsert(ctx, r))
				m.upsert(r)
			}
		default:
			batch := map[string]vecwire.Record{}
			for range g.IntN(8) {
				r := record()
				batch[r.ID] = r
			}
			for _, r := range batch {
				m.upsert(r)
				require.NoError(t, c.Upsert(ctx, r))
			}
		}
		f := filter.Filter{}
		if g.IntN(2) == 0 {
			f = filter.Ge("n", g.IntN(9))
		}
		m.expectText(t, c, g.fewWords(4)+" nowhere", f)
	}
}

// fullTextAnyText: no text is a query language, and none is refused.
func (s *suite) fullTextAnyText(t *testing.T) {
	ctx := t.Context()
	c := s.create(t, vecwire.Schema{Dim: 2, FullText: vecwire.English})
	texts := []string{
		`"`, `""`, `'`, `"unclosed`, `a AND`, `AND`, `NOT`, `a NOT b`, `OR OR`, `NEAR(a b, 2)`, `text:x`, `-text : x`, `^a`, `a*`, `{a b}:c`, `(`, `)(`, `a + b`,
		`a & ! | b`, `!`, `a:*`, `a:ABCD`, `\`, `\\`, `a\'b`, `'a' <-> 'b'`, `<2>`, `%_`, `$1 ? :x @y $$`, "\x01\x02\x7f", "e\u0301", "\u0301", "日本語 日本", "😀", "\ufeff\u200b\u00a0",
		"👩‍👩‍👧", `'; DROP TABLE x; --`, "http://a.example/b?c=d&e=%20", "<b>x</b> &amp; <a href='y'>", "a@b.example", "1.5e-7 -3 v1.2.3 ½ ²", "x'y''z", "/etc/passwd ../x",
		"\uffff\U0010ffff \ue000", "ﬁ Straße İstanbul ſ", "a\tb\r\nc\u2028d", "кот КОТ", "देवनागरी", strings.Repeat("word ", 2000), strings.Repeat("x", 10_000), strings.Repeat("\"'\\", 3000),
		strings.Repeat("é-", 5000),
	}
	g := newGenerator(92, c.Schema())
	var many strings.Builder
	for i := range 2000 {
		fmt.Fprintf(&many, "w%d ", i)
	}
	texts = append(texts, many.String())
	for range s.sample(60) {
		texts = append(texts, g.prose(1+g.IntN(300)))
		runes := make([]rune, 1+g.IntN(40))
		for i := range runes {
			for runes[i] == 0 || runes[i] >= 0xd800 && runes[i] < 0xe000 {
				runes[i] = rune(g.IntN(1<<(7+g.IntN(14)))) % 0x110000
			}
		}
		texts = append(texts, string(runes))
	}
	var records []vecwire.Record
	for i, text := range texts {
		records = append(records, vecwire.Record{ID: fmt.Sprint(i), Vector: []float32{1, 1}, Text: fmt.Sprintf("mark%d %s", i, text)})
	}
	require.NoError(t, c.Upsert(ctx, records...))
	for i, text := range texts {
		_, err := c.Search(ctx, byText(text, 5))
		require.NoError(t, err, "%.80q", text)
		require.Contains(t, searchIDs(t, c, byText(records[i].Text, len(texts))), fmt.Sprint(i), "%.80q does not find itself", text)
	}
}

// fullTextLong: texts that have more words than a database's index takes are
// stored all the same, and found by their first words.
func (s *suite) fullTextLong(t *testing.T) {
	if testing.Short() || s.target.Light {
		t.Skip("indexes 7 MB of texts")
	}
	ctx := t.Context()
	c := s.create(t, vecwire.Schema{Dim: 2, FullText: vecwire.Words})
	for name, word := range map[string]func(i int) string{
		"short":      func(i int) string { return fmt.Sprintf("%x", i) },
		"four bytes": func(i int) string { return string([]rune{rune(0x20000 + i%40000), rune(0x20000 + i/40000)}) },
		"one rune":   func(i int) string { return string(rune(0x20000 + i%42000)) },
		"compound":   func(i int) string { return fmt.Sprintf("a%x-b%x-c%x", i, i, i) },
		"path":       func(i int) string { return fmt.Sprintf("/x%x/y%x.z", i, i) },
		"address":    func(i int) string { return fmt.Sprintf("h%x.example.com/p%x", i, i) },
	} {
		var b strings.Builder
		b.WriteString("firstword")
		for i := 0; b.Len() < 1_200_000; i++ {
			b.WriteString(" " + word(i))
		}
		require.NoError(t, c.Upsert(ctx, vecwire.Record{ID: name, Vector: []float32{1, 1}, Text: b.String()}), name)
		require.Contains(t, searchIDs(t, c, byText("firstword", 10)), name)
	}
}

func (s *suite) fullTextTransactions(t *testing.T) {
	if !s.db.Capabilities().Transactions {
		return
	}
	ctx := t.Context()
	c := s.create(t, vecwire.Schema{Dim: 2, FullText: vecwire.English})
	record := func(id, text string) vecwire.Record {
		return vecwire.Record{ID: id, Vector: []float32{1, float32(len(text))}, Text: text}
	}
	require.NoError(t, c.Upsert(ctx, record("a", "apple cake"), record("b", "banana split"), record("c", "cherry cake")))
	ids := func(ctx context.Context, q vecwire.Query) (ids []string) {
		hits, err := c.Search(ctx, q)
		require.NoError(t, err)
		for _, h := range hits {
			ids = append(ids, h.ID)
		}
		return ids
	}
	change := func(ctx context.Context) {
		require.NoError(t, c.Upsert(ctx, record("d", "date cake"), record("a", "apple sauce")))
		_, err := c.Delete(ctx, "c")
		require.NoError(t, err)
		require.Equal(t, []string{"d"}, ids(ctx, byText("cakes", 9)))
		require.Equal(t, []string{"a"}, ids(ctx, byText("sauce", 9)))
		hybrid := byText("cakes", 9)
		hybrid.Vector, hybrid.Fusion = []float32{1, 1}, &vecwire.Fusion{}
		require.Len(t, ids(ctx, hybrid), 3)
	}
	undo := errors.New("undo")
	require.ErrorIs(t, s.db.Tx(ctx, func(ctx context.Context) error {
		change(ctx)
		return undo
	}), undo)
	require.Equal(t, []string{"a", "c"}, searchIDs(t, c, byText("cake", 9)))
	require.Empty(t, searchIDs(t, c, byText("sauce", 9)))
	require.NoError(t, s.db.Tx(ctx, func(ctx context.Context) error {
		change(ctx)
		return nil
	}))
	require.Equal(t, []string{"d"}, searchIDs(t, c, byText("cake", 9)))
}

func (s *suite) fullTextNamespaces(t *testing.T) {
	ctx := t.Context()
	c := s.create(t, vecwire.Schema{Dim: 2, FullText: vecwire.Words, Fields: []vecwire.Field{{Name: vecwire.NamespaceField, Index: true}, {Name: "n", Type: vecwire.Int}}})
	g := newGenerator(93, vecwire.Schema{Dim: 2})
	var models []*model
	var parts []*vecwire.Collection
	for _, name := range []string{"one", "two"} {
		n, err := c.Namespace(name)
		require.NoError(t, err)
		m := newModel(n.Schema())
		for i := range 20 {
			m.upsert(vecwire.Record{ID: fmt.Sprint(i), Vector: g.vector(), Text: g.fewWords(4), Fields: vecwire.Fields{"n": i}})
		}
		require.NoError(t, n.Upsert(ctx, m.all()...))
		models, parts = append(models, m), append(parts, n)
	}
	for i, m := range models {
		for range 5 {
			m.expectText(t, parts[i], g.fewWords(3)+" nowhere", filter.And(filter.Ge("n", 3), filter.Ne("id", "7")))
		}
		hits, err := parts[i].Search(ctx, vecwire.Query{Vector: g.vector(), Text: "amber birch", K: 50, Fusion: &vecwire.Fusion{}})
		require.NoError(t, err)
		require.Len(t, hits, 20)
	}
}

// fullTextReembed: the words go over to the collection that takes the place.
func (s *suite) fullTextReembed(t *testing.T) {
	ctx := t.Context()
	var uses []embed.Use
	c := s.create(t, vecwire.Schema{Dim: 8, Model: "old", FullText: vecwire.English})
	g := newGenerator(94, c.Schema())
	for id, text := range map[string]string{"a": "apple cake", "b": "banana split"} {
		require.NoError(t, c.Upsert(ctx, vecwire.Record{ID: id, Vector: g.vector(), Text: text}))
	}
	keep := s.name()
	next, _, err := s.db.Reembed(ctx, c.Schema().Name, words{"new", 8, &uses}, vecwire.ReembedOptions{Keep: keep})
	require.NoError(t, err)
	kept, err := s.db.OpenCollection(ctx, keep)
	require.NoError(t, err)
	defer s.db.DropCollection(ctx, keep)
	for _, c := range []*vecwire.Collection{next, kept} {
		require.Equal(t, vecwire.English, c.Schema().FullText)
		require.Equal(t, []string{"a"}, searchIDs(t, c, byText("apples", 9)))
	}
	require.NoError(t, next.Upsert(ctx, vecwire.Record{ID: "c", Text: "cherry cake"}))
	_, err = next.Delete(ctx, "a")
	require.NoError(t, err)
	require.Equal(t, []string{"c"}, searchIDs(t, next, byText("cake", 9)))
	require.Equal(t, []string{"a"}, searchIDs(t, kept, byText("cake", 9)))
}
