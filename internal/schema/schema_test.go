package schema_test

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
	"github.com/vecwire/vecwire/internal/schema"
)

// collection is one that nobody calls but to ask what it is.
type collection struct {
	engine.Collection
	schema engine.Schema
	can    engine.Can
}

func (c collection) Schema() engine.Schema { return c.schema }

func (c collection) Can() engine.Can { return c.can }

var can = engine.Can{L2: true, Doubles: true, FullText: true, Lists: true, JSON: true, TextFilters: true, Like: true}

var docs = engine.Schema{Name: "docs", Dim: 2, FullText: engine.Words, Fields: []engine.Field{
	{Name: "lang"}, {Name: "year", Type: filter.Int}, {Name: "tags", Type: filter.Strings}, {Name: "meta", Type: filter.JSON, Extra: true},
}}

func rules(s engine.Schema, can engine.Can) *schema.Rules {
	return schema.Of(collection{schema: s, can: can}, "small", 5)
}

func TestCheck(t *testing.T) {
	for _, test := range []struct {
		change func(s *engine.Schema, caps *engine.Capabilities)
		extra  string
		want   string
	}{
		{func(s *engine.Schema, _ *engine.Capabilities) {}, "meta", ""},
		{func(s *engine.Schema, _ *engine.Capabilities) { s.Name = "1" }, "", `schema of "1": the name must be 1 to 48 letters, digits and underscores, beginning with a letter`},
		{func(s *engine.Schema, _ *engine.Capabilities) { s.Name = "VecWire_x" }, "", `schema of "VecWire_x": names that begin with vecwire_ are taken`},
		{func(s *engine.Schema, _ *engine.Capabilities) { s.Dim = 11 }, "", `schema of "docs": Dim is 11, want 1 to 10`},
		{func(s *engine.Schema, _ *engine.Capabilities) { s.Element = 9 }, "", `schema of "docs": Element is 9, want FLOAT or DOUBLE`},
		{func(s *engine.Schema, _ *engine.Capabilities) { s.Metric = 9 }, "", `schema of "docs": Metric is 9, want Cosine, Dot or L2`},
		{func(s *engine.Schema, c *engine.Capabilities) { s.Metric, c.L2 = codec.L2, false }, "", `not supported: the metric L2 by the small engine`},
		{func(s *engine.Schema, c *engine.Capabilities) { s.Element, c.Doubles = codec.DOUBLE, false }, "", `not supported: the element type DOUBLE by the small engine`},
		{func(s *engine.Schema, c *engine.Capabilities) { c.FullText = false }, "", `not supported: full text by the small engine`},
		{func(s *engine.Schema, c *engine.Capabilities) { c.Lists = false }, "", `not supported: the field "tags" of type Strings by the small engine`},
		{func(s *engine.Schema, c *engine.Capabilities) { c.JSON = false }, "", `not supported: the field "meta" of type JSON by the small engine`},
		{func(s *engine.Schema, _ *engine.Capabilities) { s.Fields = make([]engine.Field, 201) }, "", `schema of "docs": has 201 fields, want at most 200`},
		{func(s *engine.Schema, _ *engine.Capabilities) { s.Fields = []engine.Field{{Name: "Text"}} }, "", `schema of "docs": field "Text" is taken`},
		{func(s *engine.Schema, _ *engine.Capabilities) { s.Fields = []engine.Field{{Name: "a"}, {Name: "A"}} }, "", `schema of "docs": field "A" is taken`},
		{func(s *engine.Schema, _ *engine.Capabilities) {
			s.Fields = []engine.Field{{Name: "a", Paths: []string{"b"}}}
		}, "", `schema of "docs": field "a" is String and has Paths, which are for JSON`},
		{func(s *engine.Schema, _ *engine.Capabilities) {
			s.Fields = []engine.Field{{Name: "a", Type: filter.JSON, Paths: []string{"b..c"}}}
		}, "", `schema of "docs": field "a" has the path "b..c", want keys between dots, at most 200 bytes`},
		{func(s *engine.Schema, _ *engine.Capabilities) {}, "lang", `schema of "docs": field "lang" is Extra, which wants a field of that name and of type JSON among Fields`},
	} {
		s, caps := docs, engine.Capabilities{Engine: "small", MaxDim: 10, Can: can}
		test.change(&s, &caps)
		err := schema.Check(s, test.extra, caps)
		if test.want == "" {
			require.NoError(t, err)
			continue
		}
		require.EqualError(t, err, test.want)
	}
}

func TestDiffers(t *testing.T) {
	for _, test := range []struct {
		change func(want *engine.Schema)
		extra  string
		want   string
	}{
		{func(s *engine.Schema) { s.Fields = append(s.Fields[:1:1], engine.Field{Name: "more"}) }, "", ""},
		{func(s *engine.Schema) { s.Model = "m" }, "", `embedding model mismatch: schema of "docs": Model is "", want "m": vectors of two models cannot be compared; DB.Reembed gives the collection those of another`},
		{func(s *engine.Schema) { s.Metric = codec.Dot }, "", `schema of "docs": Metric is cosine, want dot: use another name, and copy the records there, as transfer.Copy does`},
		{func(s *engine.Schema) { s.FullText = engine.English }, "", `schema of "docs": FullText is words, want english: DB.AlterCollection turns it on and off`},
		{func(s *engine.Schema) { s.Fields = []engine.Field{{Name: "year"}} }, "", `schema of "docs": field "year" is Int, want String: DB.AlterCollection can rename or drop it`},
		{func(s *engine.Schema) {}, "other", `schema of "docs": Extra is "meta", want "other": use another name, and copy the records there, as transfer.Copy does`},
	} {
		want := docs
		test.change(&want)
		err := schema.Differs(docs, want, test.extra)
		if test.want == "" {
			require.NoError(t, err)
			require.Equal(t, []engine.Field{{Name: "more"}}, schema.Missing(docs, want))
			continue
		}
		require.EqualError(t, err, test.want)
	}
}

func TestAlter(t *testing.T) {
	kind := engine.English
	got, err := schema.Alter{
		DropFields: []string{"tags"}, RenameFields: map[string]string{"lang": "year", "year": "lang"}, AddFields: []engine.Field{{Name: "new"}},
		Indexed: map[string]bool{"new": true}, FullText: &kind, Rename: "other",
	}.Of(docs)
	require.NoError(t, err)
	require.Equal(t, engine.Alteration{
		Schema: engine.Schema{Name: "other", Dim: 2, FullText: engine.English, Fields: []engine.Field{
			{Name: "year"}, {Name: "lang", Type: filter.Int}, docs.Fields[3], {Name: "new", Index: true},
		}},
		From: []int{0, 1, 3, -1},
	}, got)
	require.False(t, docs.Fields[0].Index, "what was given stays")
	for want, a := range map[string]schema.Alter{
		`schema of "docs": field "no" does not exist`:                                       {DropFields: []string{"no"}},
		`schema of "docs": field "no" does not exist, and is in Indexed`:                    {Indexed: map[string]bool{"no": true}},
		`schema of "docs": field "lang" is in DropFields and in RenameFields: name it once`: {DropFields: []string{"lang"}, RenameFields: map[string]string{"lang": "a"}},
	} {
		_, err := a.Of(docs)
		require.EqualError(t, err, want)
	}
}

func TestIDs(t *testing.T) {
	r := rules(docs, can)
	require.Equal(t, []string{"b", "a", "12345"}, r.IDs([]string{"b", "", "a", "b", "\xff", "a\x00", "123456", "12345"}))
}

func TestFilter(t *testing.T) {
	lacks := can
	lacks.Like, lacks.TextFilters = false, false
	for _, test := range []struct {
		text string
		can  engine.Can
		want string
	}{
		{`words(text, "go") && (lang == "de" || meta.a.b == 1) && id == "1"`, can, ""},
		{`like(lang, "a%")`, lacks, "not supported: the filter like by the small engine"},
		{`contains(text, "a")`, lacks, "not supported: a filter over the text by the small engine"},
		{`words(text, "go")`, lacks, ""},
		{`text == "go"`, can, `filter: field "text" is the record's text, which has no operation ==: it has contains, prefix, like, words and isNull`},
		{`words(lang, "go")`, can, `filter: field "lang" has no words: they are those of the text`},
		{`words(text, "...")`, can, `text is String "...", want a text with a word that counts`},
		{`yeer == 1`, can, `filter: field "yeer" does not exist`},
	} {
		f, err := filter.Parse(test.text)
		require.NoError(t, err, test.text)
		_, err = rules(docs, test.can).Filter(f)
		if test.want == "" {
			require.NoError(t, err, test.text)
			continue
		}
		require.EqualError(t, err, test.want)
	}
	bare := docs
	bare.FullText = engine.NoFullText
	_, err := rules(bare, can).Filter(filter.Words("text", "go"))
	require.EqualError(t, err, `filter: field "text" has no words: the collection has no full text`)
}

func TestPayload(t *testing.T) {
	r := rules(docs, can)
	got, err := r.Payload("1", "text", map[string]any{"year": 7, "color": "red", "meta": map[string]any{"a": "b"}}, make([]any, 4))
	require.NoError(t, err)
	require.Equal(t, engine.Record{ID: "1", Text: "text", Fields: []any{nil, int64(7), nil, map[string]any{"a": "b", "color": "red"}}}, got)
	_, err = r.Payload("1", "", map[string]any{"a": 1, "meta": map[string]any{"a": 2}}, make([]any, 4))
	require.EqualError(t, err, `a is another in "meta", want one value`)
	_, err = r.Payload("123456", "", nil, make([]any, 4))
	require.EqualError(t, err, `id is String "123456", want at most 5 bytes`)
	strict := docs
	strict.Fields = docs.Fields[:2]
	_, err = rules(strict, can).Payload("1", "", map[string]any{"year": 7, "colour": 1}, make([]any, 2))
	require.EqualError(t, err, `schema of "docs": field "colour" does not exist`)
	_, err = r.Vector(nil, nil, "text")
	require.ErrorContains(t, err, "give it one, or use the collection that WithEmbedder returns")
}

func TestValues(t *testing.T) {
	r := rules(docs, can)
	got, err := r.Values(map[string]any{"year": 7, "lang": nil}, map[string]any{"lang": nil})
	require.NoError(t, err)
	require.Equal(t, []engine.FieldValue{{Place: 0}, {Place: 1, Value: int64(7)}}, got)
	_, err = r.Values(map[string]any{"color": 7})
	require.EqualError(t, err, `schema of "docs": field "color" does not exist: an Update sets what "meta" gathers as a whole, so set "meta" to the object that it is to hold`)
	_, err = r.Values(nil, map[string]any{"id": nil})
	require.EqualError(t, err, `schema of "docs": field "id" is what a record is known by, which no Update changes: store it under another ID, and delete this one`)
	_, err = r.Values(nil, map[string]any{"vector": nil})
	require.EqualError(t, err, `schema of "docs": field "vector" is no field, and no record is without: set Change.Vector or Vector64`)
}

// TestRecords: a scan in the order of a field is two, of the records that have a value
// and of those that have none, and each goes on where its last page ended.
func TestRecords(t *testing.T) {
	r := rules(docs, can)
	record := func(id string, year any) engine.Record {
		return engine.Record{ID: id, Fields: []any{nil, year, nil, nil}}
	}
	pages := [][]engine.Record{{record("b", int64(1)), record("a", int64(2))}, {record("c", int64(3))}, {record("d", nil)}}
	var asked []engine.Scan
	read := func(_ context.Context, s engine.Scan) ([]engine.Record, error) {
		if s.Order.Missing {
			asked = append(asked, s)
			return pages[2], nil
		}
		asked = append(asked, s)
		return pages[len(asked)-1], nil
	}
	var ids []string
	all := func(r engine.Record) bool {
		ids = append(ids, r.ID)
		return true
	}
	require.NoError(t, r.Records(t.Context(), schema.Scan{OrderBy: "year", Limit: 2}, read, all))
	require.Equal(t, []string{"b", "a"}, ids)
	require.Len(t, asked, 1)
	require.Equal(t, engine.Order{Field: "year", Type: filter.Int}, asked[0].Order)

	asked, ids, pages = nil, nil, [][]engine.Record{pages[1], pages[2], pages[2]}
	require.NoError(t, r.Records(t.Context(), schema.Scan{OrderBy: "year", Desc: true}, read, all))
	require.Equal(t, []string{"c", "d"}, ids)
	require.Equal(t, engine.Order{Field: "year", Type: filter.Int, Desc: true, Missing: true}, asked[1].Order)

	failed := errors.New("lost")
	spread := docs
	spread.Distributed = engine.ByID
	asked = nil
	for _, r := range []*schema.Rules{r, rules(spread, can)} {
		require.NoError(t, r.Records(t.Context(), schema.Scan{}, func(_ context.Context, s engine.Scan) ([]engine.Record, error) {
			asked = append(asked, s)
			return nil, nil
		}, all))
	}
	require.Equal(t, []int{engine.PageRecords, 2 * engine.PageRecords}, []int{asked[0].Limit, asked[1].Limit})
	require.ErrorIs(t, r.Records(t.Context(), schema.Scan{}, func(context.Context, engine.Scan) ([]engine.Record, error) { return nil, failed }, all), failed)
	for want, s := range map[string]schema.Scan{
		`Limit is -1, want a positive number, or 0 for all`:                                                                {Limit: -1},
		`schema of "docs": field "tags" is Strings, which has no order: want String, Int, Float, Bool or Time to order by`: {OrderBy: "tags"},
		`schema of "docs": field "no" does not exist, to order by`:                                                         {OrderBy: "no"},
		`After is String "x", want what Scan.Token returns`:                                                                {OrderBy: "year", After: "x"},
	} {
		require.EqualError(t, r.Records(t.Context(), s, read, all), want)
	}
	_, err := r.Counted("tags")
	require.NoError(t, err)
	_, err = r.Counted("meta")
	require.EqualError(t, err, `schema of "docs": field "meta" is JSON, whose values are not counted: want a field of another type to count by`)
}

// TestToken: the value of a token is the one that it was made of, in every type.
func TestToken(t *testing.T) {
	at := time.Date(2024, 2, 3, 4, 5, 6, 7000, time.UTC)
	for typ, values := range map[filter.Type][]any{
		filter.String: {"", "a\"b", nil}, filter.Int: {int64(math.MaxInt64), int64(-1), nil}, filter.Bool: {true, false},
		filter.Float: {1.5, 0x1p63, -0x1p64, math.MaxFloat64, math.Inf(1), nil}, filter.Time: {at, nil},
	} {
		s := docs
		s.Fields = []engine.Field{{Name: "f", Type: typ}}
		for _, v := range values {
			scan := schema.Scan{OrderBy: "f", Desc: true}
			scan.After = scan.Token("id", v)
			var first *engine.Scan
			require.NoError(t, rules(s, can).Records(t.Context(), scan, func(_ context.Context, s engine.Scan) ([]engine.Record, error) {
				if first == nil {
					first = &s
				}
				return nil, nil
			}, nil))
			require.Equal(t, "id", first.After)
			require.Equal(t, engine.Order{Field: "f", Type: typ, Desc: true, Missing: v == nil, After: v}, first.Order)
		}
	}
	other := schema.Scan{OrderBy: "year"}
	other.After = schema.Scan{OrderBy: "year", Desc: true}.Token("1", int64(1))
	err := rules(docs, can).Records(t.Context(), other, nil, nil)
	require.ErrorContains(t, err, `, want a token of a scan ordered by "year" with Desc false, and not by "year" with Desc true`)
	require.Equal(t, "1", schema.Scan{OrderBy: "id"}.Token("1", nil))
	require.Equal(t, "?", schema.Scan{OrderBy: "f"}.Token("1", func() {}))
}

func TestShorten(t *testing.T) {
	require.Equal(t, strings.Repeat("x", 64), schema.Shorten(strings.Repeat("x", 64)))
	require.Equal(t, strings.Repeat("x", 64)+"…", schema.Shorten(strings.Repeat("x", 65)))
	require.Equal(t, strings.Repeat("x", 63)+"…", schema.Shorten(strings.Repeat("x", 63)+"é"), "no half of a character")
}

// TestChanges: all changes are made, or each that does not fit is refused for itself.
func TestChanges(t *testing.T) {
	of := docs
	of.Model = "m"
	r := rules(of, can)
	plan, refused := r.Changes([]schema.Change{
		{ID: "1", Set: map[string]any{"year": 7, "lang": nil}, Unset: []string{"lang", "text"}, If: filter.Eq("year", 6)},
		{ID: "2", Text: "new", F32: []float32{1, 2}},
	}, false)
	require.Empty(t, refused)
	require.Equal(t, []engine.FieldValue{{Place: 0}, {Place: 1, Value: int64(7)}}, plan[0].Fields)
	require.Empty(t, *plan[0].Text)
	require.Nil(t, plan[0].Vector.F32)
	require.Equal(t, "new", *plan[1].Text)
	require.Equal(t, []float32{1, 2}, plan[1].Vector.F32)

	bad := []schema.Change{
		{ID: ""}, {ID: "1"}, {ID: "1"}, {ID: "2", Set: map[string]any{"year": 7}, Unset: []string{"year"}}, {ID: "3", Text: "a", Unset: []string{"text"}},
		{ID: "4", Text: "a"}, {ID: "5", F32: []float32{1}}, {ID: "6", If: filter.Eq("yeer", 1)}, {ID: "7", Unset: []string{"yeer"}},
	}
	_, refused = r.Changes(bad, false)
	var texts []string
	for _, f := range refused {
		texts = append(texts, bad[f.Index].ID+": "+f.Err.Error())
	}
	require.Equal(t, []string{
		": id is empty, want a String that is not empty",
		"1: id is the ID of change 1, too, want each ID once in a call: put its changes into one Change",
		`2: schema of "docs": field "year" is in Set and in Unset: name it once`,
		"3: text is both, want a Text, or text in Unset",
		`4: vector is none, want a vector beside a new text: give the vector that "m" makes of the text, or use the collection that WithEmbedder returns`,
		"5: vector has 1 dimensions, want 2",
		`6: filter: field "yeer" does not exist`,
		`7: schema of "docs": field "yeer" does not exist: an Update sets what "meta" gathers as a whole, so set "meta" to the object that it is to hold`,
	}, texts)
	_, refused = r.Changes([]schema.Change{{ID: "4", Text: "a"}}, true)
	require.Empty(t, refused, "the embedder makes its vector")
}
