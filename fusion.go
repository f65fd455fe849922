package vecwire

import (
	"context"
	"fmt"
	"math"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
	"github.com/vecwire/vecwire/rerank"
)

// FullText says whether the texts of a collection can be searched by their words,
// and what counts as a word. Words are runs of letters and digits, in any case;
// languages that put no space between words are not taken apart. Accents count.
type FullText uint8

// The kinds of full text.
const (
	// NoFullText, the default, keeps no index over the texts.
	NoFullText = FullText(engine.NoFullText)
	// Words finds words as they are written, in any language.
	Words = FullText(engine.Words)
	// English finds English words by their stems: "searching" finds "searched".
	English = FullText(engine.English)
)

// String returns "none", "words" or "english".
func (f FullText) String() string { return engine.FullText(f).String() }

// Fusion asks for a search by the words of [Query].Text beside the one by
// vectors, and says how the two lists become one: by reciprocal rank fusion, see
// [rerank.RRF]. The collection must have been made with [Schema].FullText.
//
// A record fits the text that has any of its words; one that has more of them,
// or rarer ones, fits better. There is no query syntax: quotes and operators mean
// nothing, and of a long text the first 64 different words count. What the filter
// does not let pass is in neither list. Each list has as many records as
// [Query].Candidates says, and an answer has K hits if the two lists together
// have as many.
//
// The zero Fusion is a good one to begin with.
type Fusion struct {
	// K takes weight off the first ranks the larger it is. Defaults to 60.
	K float64
	// VectorWeight is how much the search by vectors counts. Defaults to 1.
	VectorWeight float64
	// TextWeight is how much the search by words counts. Defaults to 1.
	TextWeight float64
	// TextOnly leaves the search by vectors out; the query then has no vector, and
	// its text is not embedded. Diversity, Rerank and Away need a vector.
	TextOnly bool
}

// textOnly reports whether the query compares no vectors.
func (q *Query) textOnly() bool { return q.Fusion != nil && q.Fusion.TextOnly }

// checkFusion refuses what cannot be fused.
func (c *Collection) checkFusion(q *Query) error {
	f := q.Fusion
	if f == nil {
		return nil
	}
	refuse := func(field, want, got string) error {
		return &ValueError{Field: field, Pos: -1, Want: want, Got: got}
	}
	if caps := c.db.engine.Capabilities(); !caps.FullText {
		return unsupported("full text", caps.Engine)
	}
	if c.schema.FullText == engine.NoFullText {
		return fmt.Errorf("%w: full text in this collection, which was made without: set Schema.FullText when you make one", ErrUnsupported)
	}
	if q.Text == "" {
		return refuse("Text", "a text for Fusion", "none")
	}
	for _, number := range []struct {
		field string
		value float64
	}{{"Fusion.K", f.K}, {"Fusion.VectorWeight", f.VectorWeight}, {"Fusion.TextWeight", f.TextWeight}} {
		if !(number.value >= 0 && number.value <= math.MaxFloat64) {
			return refuse(number.field, "a positive number, or 0 for the default", fmt.Sprint(number.value))
		}
	}
	if f.TextOnly {
		switch {
		case q.Vector != nil || q.Vector64 != nil:
			return refuse("Vector", "none beside Fusion.TextOnly", "one")
		case q.Away != nil:
			return refuse("Away", "none beside Fusion.TextOnly", fmt.Sprint(len(q.Away)))
		case q.Rerank:
			return refuse("Rerank", "false beside Fusion.TextOnly", "true")
		case q.Diversity != 0:
			return refuse("Diversity", "0 beside Fusion.TextOnly", fmt.Sprint(q.Diversity))
		}
	}
	return filter.CheckString("Text", q.Text)
}

// legs is what the searches of one query found: by vectors, and by words.
type legs struct {
	engine.Result
	words []engine.Hit
}

// full reports whether a leg found as many as it was asked for, so that there
// may be more.
func (l *legs) full(k int) bool { return len(l.Hits) >= k || len(l.words) >= k }

// find runs the searches of all queries, those by words beside those by vectors.
func (c *Collection) find(ctx context.Context, queries []Query, searches []engine.Search) ([]legs, error) {
	byVector := searches
	var byWords []engine.TextSearch
	if slices.ContainsFunc(queries, func(q Query) bool { return q.textOnly() }) {
		byVector = nil
		for i, s := range searches {
			if !queries[i].textOnly() {
				byVector = append(byVector, s)
			}
		}
	}
	for i := range searches {
		if s := &searches[i]; queries[i].Fusion != nil {
			byWords = append(byWords, engine.TextSearch{Text: queries[i].Text, K: s.K, Filter: s.Filter, Payload: s.Payload, Vectors: s.Vectors})
		}
	}
	results, words, err := c.search(ctx, byVector, byWords)
	if err != nil {
		return nil, err
	}
	found := make([]legs, len(searches))
	for i := range found {
		if queries[i].textOnly() {
			found[i].Result = engine.Result{Exact: true, Plan: engine.Plan{Path: "full text", Rows: -1, Why: "Fusion.TextOnly"}}
		} else {
			found[i].Result, results = results[0], results[1:]
		}
		if queries[i].Fusion != nil {
			found[i].words, words = words[0], words[1:]
		}
	}
	return found, nil
}

// search runs searches of both kinds side by side.
func (c *Collection) search(ctx context.Context, byVector []engine.Search, byWords []engine.TextSearch) (results []engine.Result, words [][]engine.Hit, err error) {
	if byWords == nil {
		results, err = c.engine.Search(ctx, byVector)
		return results, nil, err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		words, err = c.engine.(engine.TextSearcher).SearchText(ctx, byWords)
		return err
	})
	if byVector != nil {
		group.Go(func() (err error) {
			results, err = c.engine.Search(ctx, byVector)
			return err
		})
	}
	return results, words, group.Wait()
}

// fused makes one list of the hits by vectors and those by words.
func (c *Collection) fused(f *Fusion, hits []Hit, words []engine.Hit) ([]Hit, error) {
	byVector, byWords := rerank.Leg{Weight: f.VectorWeight}, rerank.Leg{Weight: f.TextWeight}
	known := make(map[string]Hit, len(hits)+len(words))
	for _, h := range hits {
		byVector.IDs = append(byVector.IDs, h.ID)
		known[h.ID] = h
	}
	for _, h := range words {
		byWords.IDs = append(byWords.IDs, h.ID)
		if _, ok := known[h.ID]; !ok {
			known[h.ID] = Hit{Record: c.record(h.Record), Distance: math.NaN()}
		}
	}
	ranked, err := rerank.RRF(f.K, byVector, byWords)
	if err != nil {
		return nil, err
	}
	out := make([]Hit, len(ranked))
	for i, r := range ranked {
		out[i] = known[r.ID]
		out[i].Score = r.Score
	}
	return out, nil
}
