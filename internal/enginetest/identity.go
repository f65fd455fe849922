package enginetest

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/filter"
)

// hostile are strings that something between Go and a table may change, refuse
// or run. Some differ from another only in case, in a space at the end, or in
// the form of an accent.
var hostile = []string{
	"007", "7", "1e5", "1E5", "100000", " 12 ", "12", "+5", "5", "-0", "0", "0x10", "1.0", "1.", ".5", "NaN", "Infinity", "true", "t", "NULL", "null", "nil",
	"'", "''", `"`, `""`, "`", "it's", `say "hi"`, `\`, `\\`, `\'`, `\n`, `\x41`, "E'\\x'", ";", "--", "/* x */", "x ; DELETE FROM victim ; y",
	"'); DELETE FROM victim; --", "$1", "$$", ":1", ":name", "?", "??", "@p1", "%s", "%", "_", "'::int", "version()", "[1,2]", "{1,2}", "(1,2)", "{fn NOW()}",
	"@%SYS.Python", "##class(%SYS)", "&sql(x)", "^global", "\n", "\r\n", "a\nb", "\t", "\u0001", "\u007f", "\u0085", "\u2028", "\ufeffx",
	" ", "  ", "a", "a ", " a", "A", "é", "e\u0301", "É", "ß", "ss", "İ", "ı", "I", "i", "日本語", "😀", "👩\u200d👩\u200d👧", "\U0010ffff", "\uffff", "ﬀ",
	"2024-01-15T10:00:00Z", "2024-01-15", "{ts '2024-01-15 10:00:00'}", "<xml/>", `{"json": [1]}`, "http://x/?a=b&c=d#e", "../../etc/passwd", "C:\\x", "a,b", "a|b",
	"a\u00adb", "a\u200bb", "\u202eabc", "\u00a0", "ª", "①",
}

// identity: IDs, texts and strings are kept byte for byte.
func (s *suite) identity(t *testing.T) {
	ctx := t.Context()
	victim := s.create(t, vecwire.Schema{Name: "victim", Dim: 2, Fields: []vecwire.Field{{Name: "n", Type: vecwire.Int}}})
	victims := newModel(victim.Schema())
	for _, id := range []string{"1", "2", "3"} {
		victims.upsert(vecwire.Record{ID: id, Vector: []float32{1, 2}, Text: "unharmed", Fields: vecwire.Fields{"n": 1}})
	}
	require.NoError(t, victim.Upsert(ctx, victims.all()...))

	c := s.create(t, vecwire.Schema{Dim: 2, Fields: []vecwire.Field{{Name: "s"}, {Name: "si", Index: true}}})
	m := newModel(c.Schema())
	for i, x := range hostile {
		m.upsert(vecwire.Record{ID: x, Text: x, Vector: []float32{float32(i + 1), 1}, Fields: vecwire.Fields{"s": x, "si": x}})
	}
	require.Len(t, m.records, len(hostile), "the suite lists a string twice")

	run(t, "Upsert in one batch", func(t *testing.T) {
		require.NoError(t, c.Upsert(ctx, m.all()...))
		m.expectAll(t, c)
	})
	run(t, "Upsert one at a time", func(t *testing.T) {
		for i, r := range m.all() {
			if i%3 > 0 {
				continue
			}
			r.Text += "!"
			m.upsert(r)
			require.NoError(t, c.Upsert(ctx, r), "record %q", r.ID)
		}
		m.expectAll(t, c)
	})
	run(t, "Get", func(t *testing.T) {
		got, err := c.Get(ctx, hostile...)
		require.NoError(t, err)
		require.Equal(t, hostile, idsOf(got))
		for _, r := range got {
			expectRecord(t, m.records[r.ID], r, payload|vector)
		}
		for _, id := range hostile[:s.sample(40)] {
			got, err := c.Get(ctx, id)
			require.NoError(t, err, "id %q", id)
			expectRecords(t, []vecwire.Record{m.records[id]}, got, payload|vector)
		}
	})
	run(t, "Search", func(t *testing.T) {
		m.expectSearch(t, c, vecwire.Query{Vector: []float32{1, 2}, K: 1000, Vectors: true})
	})
	run(t, "filters", func(t *testing.T) {
		for i, x := range hostile[:s.sample(len(hostile))] {
			turns := []filter.Filter{filter.Eq("s", x), filter.Eq("si", x), filter.And(filter.Prefix("si", x), filter.Contains("s", x))}
			for _, f := range []filter.Filter{filter.Eq("id", x), turns[i%len(turns)]} {
				require.Equal(t, m.ids(f), idsOf(collect(t, c, vecwire.Scan{Filter: f})), "%s", f)
			}
		}
		for _, f := range []filter.Filter{
			filter.In("id", hostile...), filter.NotIn("s", hostile[:10]...), filter.Gt("id", "a"), filter.Between("id", "A", "z"), filter.Prefix("id", "a"),
			filter.Contains("id", "'"), filter.IsNull("id"), filter.Not(filter.IsNull("id")), filter.Ne("id", "a "), filter.Not(filter.Eq("id", "é")),
		} {
			require.Equal(t, m.ids(f), idsOf(collect(t, c, vecwire.Scan{Filter: f})), "%s", f)
		}
	})
	run(t, "Delete", func(t *testing.T) {
		gone := []string{"a ", "É", "e\u0301", "7", "1E5", "x ; DELETE FROM victim ; y", "%", "I"}
		n, err := c.Delete(ctx, gone...)
		require.NoError(t, err)
		require.Equal(t, len(gone), n)
		for _, id := range gone {
			delete(m.records, id)
		}
		m.expectAll(t, c)
	})
	run(t, "nothing else was touched", func(t *testing.T) { victims.expectAll(t, victim) })

	run(t, "long", func(t *testing.T) {
		c := s.create(t, vecwire.Schema{Dim: 2, Fields: []vecwire.Field{{Name: "s"}, {Name: "si", Index: true}, {Name: "y", Type: vecwire.Bytes}}})
		g := newGenerator(11, c.Schema())
		m := newModel(c.Schema(),
			vecwire.Record{ID: strings.Repeat("x", s.caps.MaxIDBytes), Vector: g.vector(), Text: g.prose(64 << 10)},
			vecwire.Record{ID: strings.Repeat("x", s.caps.MaxIDBytes-1), Vector: g.vector(), Text: strings.Repeat("'", 64<<10)},
			vecwire.Record{ID: strings.Repeat("é", s.caps.MaxIDBytes/2), Vector: g.vector(), Text: strings.Repeat("😀", 16<<10)},
			vecwire.Record{ID: "s", Vector: g.vector(), Fields: vecwire.Fields{"s": g.prose(16 << 10)}},
			vecwire.Record{ID: "si", Vector: g.vector(), Fields: vecwire.Fields{"si": g.prose(16 << 10)}},
			vecwire.Record{ID: "y", Vector: g.vector(), Fields: vecwire.Fields{"y": []byte(g.prose(16 << 10))}},
		)
		require.NoError(t, c.Upsert(ctx, m.all()...))
		m.expectAll(t, c)
		m.expectSearch(t, c, vecwire.Query{Vector: []float32{1, 2}})
		f := filter.Eq("si", m.records["si"].Fields["si"])
		require.Equal(t, []string{"si"}, idsOf(collect(t, c, vecwire.Scan{Filter: f})), "filter by a long indexed value")
	})
}

// prose returns n bytes of text that does not compress to almost nothing.
func (g *generator) prose(n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = " abcdefghijklmnopqrstuvwxyz,.;'\"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"[g.IntN(68)]
	}
	return string(b)
}
