package search_test

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
	"github.com/vecwire/vecwire/internal/schema"
	"github.com/vecwire/vecwire/internal/search"
)

// small is a collection of records with vectors of one element: it finds by their
// products, and by the words of their texts.
type small struct {
	engine.Collection
	schema  engine.Schema
	records []engine.Record
	passing []string        // what a filter lets pass in a Scan
	asked   []engine.Search // all that it was asked
}

func (c *small) Schema() engine.Schema { return c.schema }

func (c *small) Can() engine.Can { return engine.Can{FullText: true, Effort: true} }

func (c *small) Search(_ context.Context, searches []engine.Search) ([]engine.Result, error) {
	var out []engine.Result
	for _, s := range searches {
		c.asked = append(c.asked, s)
		var hits []engine.Hit
		for _, r := range c.records {
			hits = append(hits, engine.Hit{Record: r, Score: float64(r.Vector.F32[0] * s.Vector.F32[0])})
		}
		out = append(out, engine.Result{Hits: first(hits, s.K), Exact: true, Plan: engine.Plan{Path: "scan"}})
	}
	return out, nil
}

func (c *small) SearchText(_ context.Context, searches []engine.TextSearch) ([][]engine.Hit, error) {
	var out [][]engine.Hit
	for _, s := range searches {
		var hits []engine.Hit
		for _, r := range c.records {
			if n := strings.Count(r.Text, s.Text); n > 0 {
				hits = append(hits, engine.Hit{Record: r, Score: float64(n)})
			}
		}
		out = append(out, first(hits, s.K))
	}
	return out, nil
}

func (c *small) Scan(context.Context, engine.Scan) (found []engine.Record, err error) {
	for _, r := range c.records {
		if slices.Contains(c.passing, r.ID) {
			found = append(found, r)
		}
	}
	return found, nil
}

func first(hits []engine.Hit, k int) []engine.Hit {
	slices.SortStableFunc(hits, func(a, b engine.Hit) int { return cmp.Compare(b.Score, a.Score) })
	return hits[:min(k, len(hits))]
}

// newSmall returns a collection of n records, the later of which are nearer.
func newSmall(n int) *small {
	c := &small{schema: engine.Schema{Name: "docs", Dim: 1, Metric: codec.Dot, FullText: engine.Words, Fields: []engine.Field{
		{Name: "lang"}, {Name: "votes", Type: filter.Int}, {Name: "at", Type: filter.Time},
	}}}
	for i := range n {
		c.records = append(c.records, engine.Record{
			ID: fmt.Sprintf("%03d", i), Vector: engine.Vector{F32: []float32{float32(i + 1)}}, Text: fmt.Sprintf("text number %d", i), Fields: []any{"go", nil, nil},
		})
	}
	return c
}

func over(c *small) *search.Collection {
	caps := engine.Capabilities{Engine: "small", MaxIDBytes: 100, Can: c.Can()}
	return &search.Collection{Engine: c, Rules: schema.Of(c, "small", 100), Caps: caps}
}

var one = []float32{1}

func (c *small) search(t *testing.T, q search.Query) search.Result {
	t.Helper()
	var result [1]search.Result
	require.NoError(t, over(c).Search(t.Context(), []search.Query{q}, result[:], 0))
	result[0].Hits, result[0].Nearest = result[0].All(), nil
	return result[0]
}

func idsOf(hits []search.Hit) (ids []string) {
	for _, h := range hits {
		ids = append(ids, h.ID)
	}
	return ids
}

func TestPlan(t *testing.T) {
	for _, test := range []struct {
		q    search.Query
		want engine.Search
	}{
		{search.Query{}, engine.Search{K: 10, Payload: true, Effort: 7}},
		{search.Query{K: 3, Exact: true, Effort: 9, IDsOnly: true, Vectors: true}, engine.Search{K: 3, Exact: true, Effort: 9, Vectors: true}},
		{search.Query{K: math.MaxInt, Diversity: 0.5}, engine.Search{K: math.MaxInt, Payload: true, Vectors: true, Effort: 7}},
		{search.Query{K: 20, Rescore: true, IDsOnly: true}, engine.Search{K: 80, Vectors: true, Rescore: true, Effort: 7}},
		{search.Query{K: 2, Offset: 3, GroupBy: "lang", IDsOnly: true}, engine.Search{K: 50, Payload: true, Effort: 7}},
	} {
		c := newSmall(1)
		test.q.Vector, test.want.Vector.F32 = one, one
		require.NoError(t, over(c).Search(t.Context(), []search.Query{test.q}, make([]search.Result, 1), 7))
		require.Equal(t, test.want, c.asked[0])
	}
}

// TestRefused: a query that is refused asks the engine for nothing, and the error says
// which it is.
func TestRefused(t *testing.T) {
	plain := &search.Fusion{}
	for want, q := range map[string]search.Query{
		"K is -1, want a positive number, or 0 for the default":                            {K: -1},
		"Diversity is NaN, want 0 to 1":                                                    {Diversity: math.NaN()},
		"Candidates is 11, want at least K + Offset, which is 12":                          {Offset: 2, Candidates: 11},
		"Text is none, want a text for Snippets":                                           {Snippets: 1},
		`schema of "docs": field "no" does not exist, to group by`:                         {GroupBy: "no"},
		"Text is none, want a text for Fusion":                                             {Fusion: plain},
		"Fusion.Method is 2, want RRF or Relative":                                         {Text: "a", Fusion: &search.Fusion{Method: 2}},
		"Vector is one, want none beside Fusion.TextOnly":                                  {Text: "a", Fusion: &search.Fusion{TextOnly: true}},
		"Boosts[0] is a zero Boost, want what Recency, Saturation or Bonus returns":        {Boosts: make([]search.Boost, 1)},
		`schema of "docs": field "lang" is String, and Boosts[0] needs one of [Int Float]`: {Boosts: []search.Boost{{Kind: search.Saturation, Half: 1, Field: "lang"}}},
		"Text is none, want words to find, beside those that are excluded":                 {Text: "-a", Fusion: &search.Fusion{Syntax: search.Web}},
	} {
		c := newSmall(1)
		q.Vector = one
		err := over(c).Search(t.Context(), []search.Query{q}, make([]search.Result, 1), 0)
		require.EqualError(t, err, want)
		err = over(c).Search(t.Context(), []search.Query{{Vector: one}, q}, make([]search.Result, 2), 0)
		require.EqualError(t, err, "query 1: "+want)
		require.Empty(t, c.asked)
	}
}

func TestDistance(t *testing.T) {
	for _, test := range []struct {
		metric          codec.Metric
		score, distance float64
	}{
		{codec.Cosine, 1, 0}, {codec.Cosine, -1, 2}, {codec.Cosine, 0.25, 0.75}, {codec.Dot, 3, -3}, {codec.Dot, -3, 3}, {codec.Dot, 0, 0}, {codec.L2, -5, 5}, {codec.L2, 0, 0},
	} {
		c := newSmall(1)
		c.schema.Metric, c.records[0].Vector.F32 = test.metric, []float32{float32(test.score)}
		hit := c.search(t, search.Query{Vector: one}).Hits[0]
		require.Equal(t, test.score, hit.Score)
		require.Equal(t, test.distance, hit.Distance)
		require.False(t, math.Signbit(hit.Distance) && hit.Distance == 0, "a distance of -0")
	}
}

// TestLooksFurther: where groups leave an answer short, the search takes more
// candidates, until there are no more.
func TestLooksFurther(t *testing.T) {
	c := newSmall(300)
	c.records[0].Fields, c.records[1].Fields = []any{"rust", nil, nil}, []any{nil, nil, nil}
	got := c.search(t, search.Query{Vector: one, K: 4, GroupBy: "lang"})
	require.Equal(t, []string{"299", "001", "000"}, idsOf(got.Hits))
	var ks []int
	for _, s := range c.asked {
		ks = append(ks, s.K)
	}
	require.Equal(t, []int{50, 200, 800}, ks)
}

// TestBoosts: an answer is exact once no record that is no candidate can come in.
func TestBoosts(t *testing.T) {
	c := newSmall(300)
	c.records[100].Fields = []any{"go", int64(3), nil}
	c.records[0].Fields = []any{"go", nil, time.Unix(1e9, 0)}
	votes := search.Boost{Kind: search.Saturation, Field: "votes", Half: 1, Weight: 400}
	got := c.search(t, search.Query{Vector: one, K: 2, Boosts: []search.Boost{votes}})
	require.Equal(t, []string{"100", "299"}, idsOf(got.Hits))
	require.True(t, got.Exact)
	require.Equal(t, &search.Explanation{Base: 101, Boosts: []float64{300}}, got.Hits[0].Explanation)

	got = c.search(t, search.Query{Vector: one, K: 2, Candidates: 5, Boosts: []search.Boost{votes}})
	require.Equal(t, []string{"299", "298"}, idsOf(got.Hits))
	require.False(t, got.Exact, "it may look at no more")

	c.passing = []string{"298"}
	recent := search.Boost{Kind: search.Recency, Field: "at", HalfLife: time.Hour, Now: time.Unix(1e9+3600, 0), Weight: 2000}
	bonus := search.Boost{Kind: search.Bonus, Filter: filter.Eq("lang", "go"), Weight: 10}
	got = c.search(t, search.Query{Vector: one, K: 2, Boosts: []search.Boost{recent, bonus}})
	require.Equal(t, []string{"000", "298"}, idsOf(got.Hits))
	require.Equal(t, []float64{1000, 0}, got.Hits[0].Explanation.Boosts)
	require.Equal(t, []float64{0, 10}, got.Hits[1].Explanation.Boosts)
}

func TestFusion(t *testing.T) {
	c := newSmall(3)
	c.records[0].Text = "a a"
	got := c.search(t, search.Query{Vector: one, K: 3, Text: "a", Fusion: &search.Fusion{}, Snippets: 1})
	require.Equal(t, []string{"000", "002", "001"}, idsOf(got.Hits))
	require.Equal(t, &search.Explanation{Vector: search.Leg{Rank: 3, Score: 1}, Text: search.Leg{Rank: 1, Score: 2}}, got.Hits[0].Explanation)
	require.Equal(t, "a", got.Hits[0].Snippet.Text)
	require.Len(t, got.Hits[0].Snippet.Words, 1)

	got = c.search(t, search.Query{K: 3, Text: "a", Fusion: &search.Fusion{TextOnly: true}})
	require.Equal(t, []string{"000"}, idsOf(got.Hits))
	require.True(t, math.IsNaN(got.Hits[0].Distance))
	require.Equal(t, "full text", got.Plan.Path)
}

// TestExclude: what the text excludes is in no hit, and others take its place.
func TestExclude(t *testing.T) {
	c := newSmall(60)
	for i := 10; i < 60; i++ {
		c.records[i].Text = "an Old one"
	}
	c.records[5].Text = "one that is old" // no phrase
	got := c.search(t, search.Query{Vector: one, K: 2, Text: `number -"old one"`, Fusion: &search.Fusion{Syntax: search.Web, TextWeight: 1e-9}})
	require.Equal(t, []string{"009", "008"}, idsOf(got.Hits))
}

// reranker gives the shortest texts the best scores, and notes what it is given.
type reranker struct{ queries, texts []string }

func (r *reranker) Rerank(_ context.Context, query string, texts []string) ([]float64, error) {
	r.queries, r.texts = append(r.queries, query), append(r.texts, texts...)
	scores := make([]float64, len(texts))
	for i, text := range texts {
		scores[i] = -float64(len(text))
	}
	return scores, nil
}

// TestRerank: a model sees each text once, however far the search looks, and nothing
// that the text excludes.
func TestRerank(t *testing.T) {
	c := newSmall(300)
	c.records[0].Fields = []any{"rust", nil, nil}
	var r reranker
	got := c.search(t, search.Query{Vector: one, K: 2, Text: `number -zebra`, Fusion: &search.Fusion{Syntax: search.Web}, Reranker: &r, GroupBy: "lang"})
	require.Len(t, got.Hits, 2)
	require.Equal(t, "000", got.Hits[0].ID, "its text is the shortest")
	require.Equal(t, "number", r.queries[0])
	require.Len(t, slices.Compact(slices.Sorted(slices.Values(r.texts))), len(r.texts))
}

func TestDiversityAndRescore(t *testing.T) {
	c := newSmall(4)
	got := c.search(t, search.Query{Vector: one, K: 2, Offset: 1, Rescore: true, IDsOnly: true})
	require.Equal(t, []string{"002", "001"}, idsOf(got.Hits))
	require.Zero(t, got.Hits[0].Vector)
	require.Empty(t, got.Hits[0].Text)
	got = c.search(t, search.Query{Vector: one, K: 2, Diversity: 1, Vectors: true, Away: [][]float32{{0.5}}})
	require.Len(t, got.Hits, 2)
	require.NotNil(t, got.Hits[0].Vector.F32)
	require.Equal(t, []float32{0.75}, c.asked[1].Vector.F32, "half of the example is taken away")
}

// TestStream: each page is twice as long as the one before, and no hit comes twice.
func TestStream(t *testing.T) {
	c := newSmall(10)
	var ks []int
	page := func(ctx context.Context, q search.Query) ([]search.Hit, error) {
		ks = append(ks, q.K)
		var result [1]search.Result
		err := over(c).Search(ctx, []search.Query{q}, result[:], 0)
		return result[0].All(), err
	}
	var ids []string
	q := search.Query{Vector: one, K: 3, Offset: 1}
	require.NoError(t, q.CheckStream())
	require.NoError(t, search.Stream(t.Context(), q, page, func(h search.Hit) bool {
		ids = append(ids, h.ID)
		return len(ids) < 7
	}))
	require.Equal(t, []string{"008", "007", "006", "005", "004", "003", "002"}, ids)
	require.Equal(t, []int{3, 6, 12}, ks)
	q.Rescore = true
	require.ErrorContains(t, q.CheckStream(), "query is Fusion, Rescore")
}

func TestToEmbed(t *testing.T) {
	web := &search.Fusion{Syntax: search.Web}
	texts, of, err := search.ToEmbed([]search.Query{
		{Vector: one}, {Text: "a"}, {Text: "b", Fusion: &search.Fusion{TextOnly: true}}, {Text: "c", Vector: one, Snippets: 9}, {Text: `go "d e" -f`, Fusion: web},
	}, true)
	require.NoError(t, err)
	require.Equal(t, []string{"a", "go d e"}, texts)
	require.Equal(t, []int{1, 4}, of)
	_, _, err = search.ToEmbed([]search.Query{{Text: "a", Vector: one}}, true)
	require.ErrorContains(t, err, "none beside a vector")
	_, _, err = search.ToEmbed([]search.Query{{Text: "a"}}, false)
	require.ErrorContains(t, err, "none without an embedder")
	_, _, err = search.ToEmbed([]search.Query{{Text: "-f", Fusion: web}}, true)
	require.ErrorContains(t, err, "words to find in the syntax Web")
}
