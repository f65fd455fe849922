package vecwire

import (
	"context"
	"iter"
	"slices"
	"sync"

	"github.com/vecwire/vecwire/embed"
	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/search"
	"github.com/vecwire/vecwire/rerank"
)

// Query asks for the records whose vectors are the nearest to one.
type Query struct {
	// Vector is compared with the records' vectors. It has as many elements as
	// the schema says.
	Vector []float32
	// Vector64 is the vector for a DOUBLE collection, which also takes Vector.
	Vector64 []float64
	// In names the vectors that are compared, one of [Schema].Vectors: Vector is then of
	// that one's dimension, Text is embedded by its embedder, and scores go by its metric.
	// Records without such a vector are not found. "" compares the records' own.
	In string
	// Text is embedded by the collection's embedder where no vector is given;
	// see [Collection.WithEmbedder]. A Reranker, Fusion and Snippets read it in any case.
	Text string
	// Away are vectors of what is not wanted: negative examples, of the schema's
	// dimension. The query is moved away from their mean by half of it.
	Away [][]float32
	// K is how many hits are wanted, from 1 to math.MaxInt. Defaults to 10. If fewer
	// records pass the filter, all of them are found.
	K int
	// Offset is how many of the best hits are left out, to show the next page: 0 or
	// more. It costs what K + Offset hits cost. Where hits are chosen among candidates,
	// give every page the same Candidates, at least K + Offset of the last one: then
	// they are the parts of one answer.
	Offset int
	// After shows the next page, too: what [Query.Token] returned for the last hit of the
	// page before. An exact search costs what the first page does, however far it goes
	// on; see [Query.Token]. It is for the order of vectors alone, and refused beside
	// Offset, Fusion, Rescore, MaxSim, Reranker, Boosts, GroupBy and Diversity.
	After string
	// Filter says which records may be found. The zero filter lets all pass.
	Filter filter.Filter
	// Exact asks for the exact answer where an approximate index might give
	// another.
	Exact bool
	// Effort is how many candidates a search of a graph index looks at (ef_search):
	// more find more of the nearest, and take longer. Defaults to what
	// [Collection.Tune] has found, or else to the engine's choice, which grows with K.
	// An engine takes less where it knows no more: pgvector 1,000.
	Effort int
	// IDsOnly leaves Text and Fields out of the hits, which is faster.
	IDsOnly bool
	// Vectors puts the records' vectors into the hits.
	Vectors bool
	// Snippets gives each hit the passage of its text, of at most so many bytes, that
	// has the most of Text's words, as [Schema].FullText takes them, and where they
	// stand: see [Hit].Snippet. It needs no full text. 0 gives none.
	Snippets int
	// Around brings the parts of the document that stand beside each hit, up to so many
	// on either side: see [Hit].Passage. The collection needs [SourceField] and [PartField].
	// What the filter does not let pass is not brought, and equal sources of two namespaces
	// are two documents. 0 brings none.
	Around int
	// AroundTokens is how many tokens the passages of the answer may hold together, each
	// part counted by itself. The hits themselves come first, the best before the others,
	// then the nearest neighbours of all. A hit that does not fit has no passage. 0 is no
	// bound.
	AroundTokens int
	// AroundCount counts the tokens of a text for AroundTokens. Defaults to
	// [chunk.EstimateTokens].
	AroundCount func(text string) int

	// Fusion searches by the words of Text, too, and fuses the two answers.
	// Hit.Score is then the fused score, and Hit.Distance that of the vectors, NaN
	// for a hit that was found by its words only; Hit.Explanation has the place of the
	// hit in each. nil searches by vectors alone.
	Fusion *Fusion
	// Candidates is how many of the nearest are taken for Fusion, Rescore, MaxSim,
	// Reranker, GroupBy and Diversity to choose K from: at least K + Offset. Defaults to 4
	// times that, at least [DefaultCandidates]; more for Rescore over an index of [Bits].
	Candidates int
	// Rescore scores the candidates again from their vectors, in full precision, in
	// this process. It mends what an index over shortened vectors gets wrong, before
	// any Fusion.
	Rescore bool
	// MaxSim scores the candidates again by the vectors of their tokens, before a
	// Reranker. Hit.Score is then that score, and Hit.Distance stays that of the vectors.
	MaxSim *MaxSim
	// Reranker scores the candidates again by their texts and Text. Hit.Score is
	// then its score, and Hit.Distance stays that of the vectors. Each candidate's
	// text is given to it once at most.
	Reranker Reranker
	// Boosts add to the scores of the candidates, after a Reranker: what is recent, what
	// has many votes, what passes a filter. A score is then what it would be without them
	// plus the sum of weight times share over the boosts, so weights are in the measure
	// of the scores: 0.1 to 0.3 is much beside a cosine or a fused score. At most 16.
	//
	// The answer is the right one if [Result].Exact says so: the search then proved that
	// no other record can come in, since it scores less than the last candidate before
	// boosts. It looks at up to 1,000 candidates for that, if Candidates does not say how
	// many. With Fusion or a Reranker, boosts choose among the candidates only.
	Boosts []Boost
	// MinScore leaves out hits that score less. 0 leaves out none; for the
	// positive ones give math.SmallestNonzeroFloat64.
	MinScore float64
	// GroupBy names a field: of the hits with the same value only GroupSize are
	// kept, the best. Those without a value are a group, too. With a list a hit
	// belongs to the group of each of its elements: it is kept if one of them has
	// room, and then counts in all of them; an empty list is as no value. If groups leave
	// fewer than K, more candidates are looked at, until there are no more; a
	// Reranker is then given only those whose group is not full.
	GroupBy string
	// GroupSize is how many hits a group may have. Defaults to 1.
	GroupSize int
	// Diversity, from 0 to 1, prefers hits that are unlike those before them: it
	// is 1 - lambda of maximal marginal relevance, see [rerank.MMR]. Hits are then
	// in its order, and not in that of their scores. It goes by vectors alone.
	Diversity float64
}

// Fusion asks for a search by the words of [Query].Text beside the one by
// vectors, and says how the two lists become one, with scores from 0 to 1: see
// [FusionMethod]. The collection must have been made with [Schema].FullText.
//
// A record fits the text that has any of its words; one that has more of them,
// or rarer ones, fits better. Quotes and operators mean nothing, unless Syntax is
// [Web], and of a long text the first 64 different words count. What the filter
// does not let pass is in neither list. Each list has as many records as
// [Query].Candidates says, and an answer has K hits if the two lists together
// have as many.
//
// The zero Fusion is a good one to begin with.
type Fusion struct {
	// Method says how the two lists become one. Defaults to RRF.
	Method FusionMethod
	// Syntax says how Text is read. Defaults to Plain.
	Syntax Syntax
	// K takes weight off the first ranks the larger it is, for RRF. Defaults to 60.
	K float64
	// VectorWeight is how much the search by vectors counts. Defaults to 1.
	VectorWeight float64
	// TextWeight is how much the search by words counts. Defaults to 1.
	TextWeight float64
	// TextOnly leaves the search by vectors out, but for those of Vectors; the query then
	// has no vector, and its text is not embedded. Diversity, Rescore and Away need a
	// vector.
	TextOnly bool
	// Vectors are searches by named vectors, whose lists are fused with the others. At
	// most 8.
	Vectors []VectorLeg
	// NoText leaves the search by words out, for which Vectors then stand: the collection
	// needs no full text, and the query no Text if all vectors are given.
	NoText bool
}

// FusionMethod says how [Fusion] makes one list of two.
type FusionMethod uint8

const (
	// RRF goes by the ranks that a record has in the two lists; see [rerank.RRF].
	RRF FusionMethod = iota
	// Relative goes by the scores, each seen between the least and the greatest of its
	// list; see [rerank.Relative]. The scores of words are the engine's own.
	Relative
)

// Syntax says how [Fusion] reads [Query].Text.
type Syntax uint8

const (
	// Plain takes every word for a word: nothing in a text has another meaning.
	Plain Syntax = iota
	// Web reads a text as search engines do. A text fits that has all of the words:
	//
	//	"open file"    words that stand one behind the other
	//	-java          not that word, or with quotes not those words
	//	go OR golang   one of the terms on either side, of which there may be more
	//
	// OR is in capital letters, and binds tighter than the blank: a b OR c asks for a,
	// and for b or c. What is excluded is in no hit, also not in one that its vector
	// found; all else is about the search by words. Every text can be read so: a quote
	// that is not closed goes to the end, and signs that join nothing are left out. A
	// term of several words, such as error-404, is a phrase. A text that excludes only,
	// or has more than 64 different words, is refused with a [*ValueError].
	//
	// What is excluded, and the signs, are neither embedded nor shown to a Reranker.
	Web
)

// DefaultK is how many hits a [Query] asks for that does not say.
const DefaultK = 10

// DefaultCandidates is how many candidates a [Query] takes, at least, that
// chooses among them: five times DefaultK, enough for a list that is fused or
// reranked to differ from the K nearest.
const DefaultCandidates = 50

// Reranker scores texts against a query, as cross-encoders do; see
// [rerank.Reranker].
type Reranker = rerank.Reranker

// Search returns the K nearest records that pass the filter, the best first;
// records of equal score are in the order of their IDs.
//
// With a vector index, which a large collection of the embedded engine gets by itself
// (see [AutoIndex]), the answer may miss some unless [Query].Exact is set or the schema
// has [NoIndex]. [Collection.SearchMany] tells of each query what it used:
// [Result].Exact and Plan.
func (c *Collection) Search(ctx context.Context, q Query) ([]Hit, error) {
	var result [1]Result
	err := c.search(ctx, []Query{q}, result[:])
	return result[0].Hits, err
}

// SearchMany answers several queries, in their order, faster than one at a
// time: the embedded engine uses all processors, and answers queries with the same Filter
// together. If one of them is refused, none is answered.
func (c *Collection) SearchMany(ctx context.Context, queries []Query) ([]Result, error) {
	results := make([]Result, len(queries))
	if err := c.search(ctx, queries, results); err != nil {
		return nil, err
	}
	return results, nil
}

// search answers queries into results, as many.
func (c *Collection) search(ctx context.Context, queries []Query, results []Result) error {
	c, ctx, call, err := c.begin(ctx, OpSearch)
	if err != nil {
		return err
	}
	defer call.leave()
	a := takeAsking(len(queries))
	for i := range queries {
		queries[i].plan(&a.queries[i])
	}
	if err := c.searchMany(ctx, a.queries, a.found); err != nil {
		return call.endSearch(nil, err)
	}
	for i := range a.found {
		c.result(&results[i], &a.found[i])
		c.hitsUsed(ctx, results[i].Hits)
	}
	a.leave()
	return call.endSearch(results, nil)
}

// asking is the memory of a search for its queries and what was found, as package search
// has them.
type asking struct {
	queries []search.Query
	found   []search.Result
}

var askings = sync.Pool{New: func() any { return new(asking) }}

func takeAsking(n int) *asking {
	a := askings.Get().(*asking)
	if cap(a.queries) < n {
		a.queries, a.found = make([]search.Query, n), make([]search.Result, n)
	}
	a.queries, a.found = a.queries[:n], a.found[:n]
	return a
}

// leave lets another search have the memory. One that fails keeps it.
func (a *asking) leave() {
	const most = 64 // of how many queries at once it is kept
	if cap(a.queries) > most {
		return
	}
	clear(a.queries)
	clear(a.found)
	a.queries, a.found = a.queries[:0], a.found[:0]
	askings.Put(a)
}

// searchMany answers queries into results, as many.
func (c *Collection) searchMany(ctx context.Context, queries []search.Query, results []search.Result) error {
	if slices.ContainsFunc(queries, func(q search.Query) bool { return q.In != "" }) {
		return search.ByVector(ctx, c.engine, queries, results, func(name string, some []search.Query, found []search.Result) error {
			in, err := c.orIn(name)
			if err != nil {
				return err
			}
			return in.searchMany(ctx, some, found)
		})
	}
	if err := c.embedQueries(ctx, queries); err != nil {
		return err
	}
	if err := c.embedLegs(ctx, queries); err != nil {
		return err
	}
	effort, err := c.effort(ctx)
	if err != nil {
		return err
	}
	return c.searched.Search(ctx, queries, results, effort)
}

// embedQueries gives a vector to each query that has only a text.
func (c *Collection) embedQueries(ctx context.Context, queries []search.Query) error {
	texts, of, err := search.ToEmbed(queries, c.embedder != nil)
	if err != nil || len(texts) == 0 {
		return err
	}
	vectors, err := c.model().Texts(ctx, texts, embed.Query)
	if err != nil {
		return err
	}
	for i, at := range of {
		queries[at].Vector = vectors[i]
	}
	return nil
}

// embedLegs gives a vector to each search by a named vector that has none, if there is an
// embedder.
func (c *Collection) embedLegs(ctx context.Context, queries []search.Query) error {
	return search.EmbedLegs(queries, c.vector != "", func(name string, texts []string) ([][]float32, error) {
		e := c.named[name]
		if e == nil {
			return nil, nil
		}
		return c.modelOf(e).Texts(ctx, texts, embed.Query)
	})
}

// plan makes p the query as package search has it.
func (q *Query) plan(p *search.Query) {
	*p = search.Query{
		In: q.In, Vector: q.Vector, Vector64: q.Vector64, Text: q.Text, Away: q.Away, K: q.K, Offset: q.Offset, After: q.After, Filter: q.Filter,
		Exact: q.Exact, Effort: q.Effort, IDsOnly: q.IDsOnly, Vectors: q.Vectors, Snippets: q.Snippets,
		Around: q.Around, AroundTokens: q.AroundTokens, AroundCount: q.AroundCount, Candidates: q.Candidates,
		Rescore: q.Rescore, Reranker: q.Reranker, MinScore: q.MinScore, GroupBy: q.GroupBy, GroupSize: q.GroupSize, Diversity: q.Diversity,
	}
	if f := q.Fusion; f != nil {
		p.Fusion = &search.Fusion{
			Method: search.Method(f.Method), Syntax: search.Syntax(f.Syntax), K: f.K,
			VectorWeight: f.VectorWeight, TextWeight: f.TextWeight, TextOnly: f.TextOnly, NoText: f.NoText,
		}
		for _, leg := range f.Vectors {
			p.Fusion.Vectors = append(p.Fusion.Vectors, search.VectorLeg(leg))
		}
	}
	if q.MaxSim != nil {
		p.MaxSim = (*search.MaxSim)(q.MaxSim)
	}
	for _, b := range q.Boosts {
		p.Boosts = append(p.Boosts, b.is)
	}
	p.Sum()
}

// Token returns the After of a query that goes on behind h: the last hit that this query
// has found, or one with the same ID and Score. It is opaque, safe in URLs, good in any
// process, and good for queries of the same collection with the same Vector, Text, Away
// and In; the others of its fields may differ from page to page. A Text must become the
// same vector each time: where a model does not see to that, give Vector. Token returns "" for
// a query that has an option which After is refused beside, but for Offset.
//
// A page holds the hits with a lower score than h, and those of the same score whose IDs
// come after, as they are now: no hit that stays as it is comes twice, also if h has gone;
// one that is written between pages is seen where it stands then. With an exact search the
// pages are the parts of one answer.
//
// Through an index they are nearly so: what an index misses on its page does not come
// later. An index knows no scores, so a page costs what K + Offset hits would; where that
// is dearer than to compare all records, or leaves a page short, they are compared. On
// IRIS every page costs what K + Offset hits do.
func (q Query) Token(h Hit) string {
	var p search.Query
	q.plan(&p)
	return p.Token(h.ID, h.Score)
}

// SearchAll streams all records that pass the query's filter, the nearest first,
// for as long as the caller goes on: K is how many are looked for at first, 100 by
// default, and twice as many each time more are wanted. It holds nothing in
// between, so the loop may take its time, call other methods and stop early.
//
// An approximate index looked at more deeply may find a nearer record late; it
// comes then, and none comes twice. A record that is written meanwhile may or may
// not be seen. MinScore ends the stream. Fusion, Rescore, MaxSim, Reranker, Boosts,
// GroupBy and Diversity choose among a number of candidates, and are refused. After an error
// the stream ends.
func (c *Collection) SearchAll(ctx context.Context, q Query) iter.Seq2[Hit, error] {
	// The loop may begin when the caller uses the vectors' memory again.
	q.Vector, q.Vector64, q.Away = slices.Clone(q.Vector), slices.Clone(q.Vector64), slices.Clone(q.Away)
	for i, v := range q.Away {
		q.Away[i] = slices.Clone(v)
	}
	return func(yield func(Hit, error) bool) {
		c, ctx, call, err := c.begin(ctx, OpSearchAll)
		if err != nil {
			yield(Hit{}, err)
			return
		}
		defer call.left()
		call.release() // each page enters for itself, so that the loop may close the database
		n := 0
		err = c.searchAll(ctx, q, func(h Hit) bool {
			n++
			c.used(ctx, []string{h.ID})
			return yield(h, nil)
		})
		if err = call.end(n, err); err != nil {
			yield(Hit{}, err)
		}
	}
}

func (c *Collection) searchAll(ctx context.Context, q Query, yield func(Hit) bool) error {
	queries := make([]search.Query, 1)
	q.plan(&queries[0])
	if err := queries[0].CheckStream(); err != nil {
		return err
	}
	in, err := c.orIn(q.In)
	if err != nil {
		return err
	}
	if err := in.embedQueries(ctx, queries); err != nil { // once, and not for every page
		return err
	}
	return search.Stream(ctx, queries[0], c.page, func(h search.Hit) bool {
		var out Hit
		c.hit(&out, &h)
		return yield(out)
	})
}

// page answers the query for a part of SearchAll.
func (c *Collection) page(ctx context.Context, q search.Query) ([]search.Hit, error) {
	if err := c.db.enter(ctx); err != nil {
		return nil, err
	}
	defer c.db.gate.Leave()
	var result [1]search.Result
	if err := c.searchMany(ctx, []search.Query{q}, result[:]); err != nil {
		return nil, err
	}
	return result[0].All(), nil
}
