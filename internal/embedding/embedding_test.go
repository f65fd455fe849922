package embedding_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/embed"
	"github.com/vecwire/vecwire/internal/embedding"
	"github.com/vecwire/vecwire/internal/engine"
	"github.com/vecwire/vecwire/internal/schema"
)

// lengths embeds a text as its length, and keeps what it was asked.
type lengths struct {
	asked [][]string
	fails bool
}

func (*lengths) Model() string { return "lengths" }
func (*lengths) Dim() int      { return 2 }

func (e *lengths) Embed(_ context.Context, texts []string, _ embed.Use) ([][]float32, error) {
	e.asked = append(e.asked, texts)
	var out [][]float32
	for i, text := range texts {
		if text == "bad" {
			return nil, &embed.TextError{Index: i, Err: errors.New("too long")}
		}
		if !e.fails {
			out = append(out, []float32{float32(len(text)), 1})
		}
	}
	return out, nil
}

var docs = engine.Schema{Name: "docs", Dim: 2, Model: "lengths"}

// small is a collection of a map; others write to it just before an update.
type small struct {
	engine.Collection
	schema  engine.Schema
	records map[string]engine.Record
	others  []string // the texts that another writer gives the record "1"
	gets    []bool   // with vectors
}

func (c *small) Schema() engine.Schema { return c.schema }

func (c *small) Can() engine.Can { return engine.Can{} }

func (c *small) Get(_ context.Context, ids []string, vectors bool) (found []engine.Record, err error) {
	c.gets = append(c.gets, vectors)
	for _, id := range ids {
		if r, ok := c.records[id]; ok {
			found = append(found, r)
		}
	}
	return found, nil
}

func (c *small) Update(_ context.Context, changes []engine.Change) error {
	if len(c.others) > 0 {
		c.records["1"] = record("1", c.others[0], 9)
		c.others = c.others[1:]
	}
	var unmet engine.Unmet
	for i, ch := range changes {
		r := c.records[ch.ID]
		if ch.Was != nil && *ch.Was != r.Text {
			unmet.Add(i, engine.ErrOtherText)
			continue
		}
		if ch.Text != nil {
			r.Text = *ch.Text
		}
		if ch.HasVector() {
			r.Vector = ch.Vector
		}
		c.records[ch.ID] = r
	}
	return unmet.Err()
}

func record(id, text string, x float32) engine.Record {
	return engine.Record{ID: id, Text: text, Vector: engine.Vector{F32: []float32{x, 1}}}
}

// outside is a model that is called outside transactions.
func outside(e embed.Embedder) embedding.Model { return in(e, nil) }

// in is a model that is called in a transaction with this memo.
func in(e embed.Embedder, memo *embedding.Memo) embedding.Model {
	return embedding.Model{
		Embedder: e, Memo: func(context.Context) *embedding.Memo { return memo }, Alone: func(ctx context.Context) context.Context { return ctx },
	}
}

func TestFillAndReuse(t *testing.T) {
	e := &lengths{}
	c := &small{records: map[string]engine.Record{"1": record("1", "a", 7), "2": record("2", "other", 7)}}
	items := []embedding.Item{{ID: "1", Text: "a"}, {ID: "2", Text: "bb"}, {ID: "3", Text: "ccc", Vector: engine.Vector{F32: []float32{5, 5}}}, {ID: "4"}, {ID: "5", Text: "ee"}}
	require.NoError(t, embedding.Reuse(t.Context(), c, items, func(ids []string) []string { return ids }))
	require.Equal(t, []bool{false, true}, c.gets)
	require.NoError(t, outside(e).Fill(t.Context(), items))
	require.Equal(t, [][]string{{"bb", "ee"}}, e.asked, "one call, for what lacks a vector and is not stored with its text")
	var got [][]float32
	for _, x := range items {
		got = append(got, x.Vector.F32)
	}
	require.Equal(t, [][]float32{{7, 1}, {2, 1}, {5, 5}, nil, {2, 1}}, got)
	require.NoError(t, outside(e).Fill(t.Context(), items))
	require.Len(t, e.asked, 1, "nothing to embed, no call")

	e.fails = true
	err := outside(e).Fill(t.Context(), []embedding.Item{{Text: "a"}})
	require.EqualError(t, err, "embed 1 texts with lengths: it returned 0 vectors")
}

// TestMemo: a transaction calls no embedder. What it wants is there in its next run.
func TestMemo(t *testing.T) {
	ctx, e := t.Context(), &lengths{}
	var memo embedding.Memo
	m := in(e, &memo)
	memo.Begin()
	_, err := m.Texts(ctx, []string{"a", "bb"}, embed.Document)
	require.Error(t, err)
	require.True(t, memo.Wants())
	require.Empty(t, e.asked)
	require.NoError(t, memo.Embed(ctx))

	memo.Begin()
	require.False(t, memo.Wants())
	vectors, err := m.Texts(ctx, []string{"bb"}, embed.Document)
	require.NoError(t, err)
	require.Equal(t, [][]float32{{2, 1}}, vectors)
	vectors[0][0] = 9
	made, _, err := m.Job(docs)(ctx, []string{"bb"})
	require.NoError(t, err)
	require.Equal(t, []float32{2, 1}, made[0].F32, "what a verb is given is its own")
	_, err = m.Texts(ctx, []string{"bb"}, embed.Query)
	require.Error(t, err, "a text has another vector as a question")
	e.fails = true
	require.EqualError(t, memo.Embed(ctx), "embed 1 texts with lengths: it returned 0 vectors")
}

func TestJob(t *testing.T) {
	require.Nil(t, outside(nil).Job(docs))
	vectors, failed, err := outside(&lengths{}).Job(docs)(t.Context(), []string{"a", "bad"})
	require.NoError(t, err)
	require.Equal(t, []float32{1, 1}, vectors[0].F32)
	require.Len(t, failed, 1)
	require.Equal(t, 1, failed[0].Index)
	require.EqualError(t, failed[0].Err, "embed 1 texts with lengths: too long")
}

// TestUpdateOvertaken: a text that a record had when it was looked at, and has no longer
// when it is changed, is embedded after all. Its vector is never another's.
func TestUpdateOvertaken(t *testing.T) {
	text := "text"
	for name, test := range map[string]struct {
		others []string
		embeds int
	}{
		"once":        {[]string{"other"}, 1},
		"and back":    {[]string{"other", "text", "other"}, 1},
		"not at all":  {nil, 0},
		"to the same": {[]string{"text"}, 0},
	} {
		e := &lengths{}
		c := &small{records: map[string]engine.Record{"1": record("1", "text", 4)}, others: test.others}
		if test.others != nil && test.others[0] == "text" {
			c.records["1"] = record("1", "text", 9)
		}
		require.NoError(t, outside(e).Update(t.Context(), c, docs, []engine.Change{{ID: "1", Text: &text}}), name)
		require.Len(t, slices.Concat(e.asked...), test.embeds, name)
		require.Equal(t, "text", c.records["1"].Text, name)
	}
	c := &small{records: map[string]engine.Record{"1": record("1", "text", 4)}}
	for range 50 {
		c.others = append(c.others, "other", "text")
	}
	err := in(&lengths{}, &embedding.Memo{}).Update(t.Context(), c, docs, []engine.Change{{ID: "1", Text: &text}})
	refused, ok := errors.AsType[*engine.RefusedError](err)
	require.True(t, ok, "in a transaction it tries once: %v", err)
	require.ErrorIs(t, refused.Records[0].Err, engine.ErrOtherText)

	bad := engine.Schema{Name: "docs", Dim: 3}
	err = outside(&lengths{}).Update(t.Context(), c, bad, []engine.Change{{ID: "1", Text: new(string)}, {ID: "1", Text: &[]string{"new"}[0]}})
	refused, ok = errors.AsType[*engine.RefusedError](err)
	require.True(t, ok)
	require.Equal(t, 1, refused.Records[0].Index, "a vector that does not fit names its change")
}

// TestNamed: a named vector is made of its source, and the one that is stored for the same
// source is kept.
func TestNamed(t *testing.T) {
	ctx, e := t.Context(), &lengths{}
	s := engine.Schema{Name: "docs", Dim: 2, Fields: []engine.Field{{Name: "title"}}, Vectors: []engine.NamedVector{{Name: "title", Dim: 2, Source: "title"}, {Name: "text", Dim: 2}}}
	stored := engine.Record{ID: "1", Fields: []any{"old"}, Named: []engine.Vector{{F32: []float32{7, 7}}, {}}}
	c := &small{records: map[string]engine.Record{"1": stored}, schema: s}
	n := embedding.Named{Collection: c, Rules: schema.Of(c, "small", 100), Models: map[string]embedding.Model{"title": outside(e)}}
	fresh := func(id, title string) *engine.Record {
		return &engine.Record{ID: id, Text: "text", Fields: []any{title}, Named: make([]engine.Vector, 2)}
	}
	same, other, none := fresh("1", "old"), fresh("2", "four"), fresh("3", "")
	require.NoError(t, n.Complete(ctx, []*engine.Record{same, other, none}, true))
	require.Equal(t, [][]string{{"four"}}, e.asked)
	require.Equal(t, []float32{7, 7}, same.Named[0].F32)
	require.Equal(t, []float32{4, 1}, other.Named[0].F32)
	require.Nil(t, none.Named[0].F32)
	require.Nil(t, other.Named[1].F32, "it has no embedder")

	again := fresh("1", "old")
	require.NoError(t, n.Job()(ctx, []*engine.Record{again}))
	require.Equal(t, []float32{3, 1}, again.Named[0].F32, "a job compares before")
	require.Nil(t, embedding.Named{}.Job())

	text := "text"
	changes := []engine.Change{
		{ID: "1", Fields: []engine.FieldValue{{Place: 0, Value: "new title"}}}, {ID: "2", Fields: []engine.FieldValue{{Place: 0}}}, {ID: "3", Text: &text},
	}
	require.NoError(t, n.Changes(ctx, changes))
	require.Equal(t, []engine.NamedValue{{Place: 0, Vector: engine.Vector{F32: []float32{9, 1}}}}, changes[0].Named)
	require.Equal(t, []engine.NamedValue{{Place: 0}}, changes[1].Named, "without a title there is no vector of one")
	require.Nil(t, changes[2].Named)

	e.fails = true
	require.EqualError(t, n.Complete(ctx, []*engine.Record{fresh("9", "x")}, false), `the vector "title": embed 1 texts with lengths: it returned 0 vectors`)
	n.Models["gone"] = outside(e)
	require.ErrorContains(t, n.Complete(ctx, nil, false), "gone")
}
