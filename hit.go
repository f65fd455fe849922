package vecwire

import (
	"context"
	"time"

	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/search"
)

// Hit is a record that a query found.
type Hit struct {
	Record
	// Score says how near the record is, higher for nearer: the cosine in
	// [-1, 1], the dot product, or the negated Euclidean distance. Fusion and a
	// Reranker give another.
	Score float64
	// Distance is the same as a distance, lower for nearer: 1 - cosine, the
	// negated dot product, or the Euclidean distance.
	Distance float64
	// Explanation says what Score is made of, where it is not that of the vectors
	// alone: with Fusion or Boosts. It is nil otherwise.
	Explanation *Explanation
	// Snippet is there with [Query].Snippets, for a hit that has a text; nil otherwise.
	Snippet *Snippet
	// Passage is there with [Query].Around, for a hit that is a part of a document; nil
	// otherwise. Hits whose passages touch share one: the pointers are the same.
	Passage *Passage
}

// Explanation says what the score of a hit is made of. Without [Fusion] it has no legs.
type Explanation struct {
	Vector  Leg   // its place in the search by vectors
	Text    Leg   // its place in the search by words
	Vectors []Leg // its places in the searches of Fusion.Vectors, in their order
	// Base is the score before Boosts, and Boosts what each of them has added. They are
	// there with [Query].Boosts only.
	Base   float64
	Boosts []float64
}

// Leg is the place of a hit in one of the searches that [Fusion] makes one of.
type Leg struct {
	Rank  int     // from 1; 0 for a hit that is not among the search's candidates
	Score float64 // of vectors as [Hit].Score has it without Fusion, of words the engine's own; 0 beside a Rank of 0
}

// Snippet is the passage of a hit's text that has the most of the question's words.
// All places are bytes of [Record].Text, never within a character.
type Snippet struct {
	Text  string // the passage: what the hit's text has from Start to End
	Start int
	End   int
	Words []Span // where words of the question stand, in order; parts may overlap, as pairs of characters do
}

// Span is a part of a text, in bytes: from Start up to, and without, End.
type Span struct{ Start, End int }

// Passage is a part of a document, or all of it: records of one source that stand one
// behind the other, as one text. [Query].Around and [Collection.Source] make it.
type Passage struct {
	Source string
	// Text is the texts of the records as one. With [StartField], what two of them share
	// is there once, and those that touch are joined; otherwise a line break stands
	// between them, as it does for white space that was left out between chunks, and a
	// blank line for more than one character of it.
	Text string
	// Records are the parts, without vectors, by [PartField], and those of the same place
	// by ID.
	Records []Record
}

// Result is the answer to one query.
type Result struct {
	// Hits are the records found, the best first; those of equal score by ID.
	Hits []Hit
	// Exact says that no approximate index took part, and with Boosts that enough was
	// looked at: there is no better hit.
	Exact bool
	// Plan says what was done to find them.
	Plan Plan
}

// result makes out the answer as users know it.
func (c *Collection) result(out *Result, found *search.Result) {
	*out = Result{Exact: found.Exact, Plan: Plan(found.Plan)}
	if found.Nearest != nil {
		out.Hits = make([]Hit, len(found.Nearest))
		for i := range out.Hits {
			h, near := &out.Hits[i], &found.Nearest[i]
			c.recordInto(&h.Record, &near.Record)
			h.Score, h.Distance = near.Score, found.Distance(i)
		}
		return
	}
	if found.Hits == nil {
		return
	}
	out.Hits = make([]Hit, len(found.Hits))
	passages := map[*search.Passage]*Passage{nil: nil}
	for i := range found.Hits {
		h := &found.Hits[i]
		c.hit(&out.Hits[i], h)
		if _, made := passages[h.Passage]; !made {
			passages[h.Passage] = c.passage(h.Passage)
		}
		out.Hits[i].Passage = passages[h.Passage]
	}
}

// hit makes out the hit as users know it, without its passage.
func (c *Collection) hit(out *Hit, h *search.Hit) {
	*out = Hit{Score: h.Score, Distance: h.Distance}
	c.recordInto(&out.Record, &h.Record)
	if e := h.Explanation; e != nil {
		out.Explanation = &Explanation{Vector: Leg(e.Vector), Text: Leg(e.Text), Base: e.Base, Boosts: e.Boosts}
		for _, leg := range e.Vectors {
			out.Explanation.Vectors = append(out.Explanation.Vectors, Leg(leg))
		}
	}
	if s := h.Snippet; s != nil {
		out.Snippet = &Snippet{Text: s.Text, Start: s.Start, End: s.End}
		for _, w := range s.Words {
			out.Snippet.Words = append(out.Snippet.Words, Span(w))
		}
	}
}

// passage returns a passage as users know it.
func (c *Collection) passage(p *search.Passage) *Passage {
	out := &Passage{Source: p.Source, Text: p.Text()}
	for i := range p.Parts {
		out.Records = append(out.Records, c.record(p.Parts[i].Record))
	}
	return out
}

// hitsUsed is used for the hits of a search, of which the best counts as used last.
func (c *Collection) hitsUsed(ctx context.Context, hits []Hit) {
	if c.schema.MaxRecords == 0 {
		return
	}
	ids := make([]string, len(hits))
	for i := range hits {
		ids[len(hits)-1-i] = hits[i].ID
	}
	c.used(ctx, ids)
}

// endSearch is end for a search that has these answers, unless it failed.
func (k *call) endSearch(results []Result, err error) error {
	if err != nil || k.ended == nil || len(results) == 0 {
		return k.end(0, err)
	}
	records := 0
	for i := range results {
		records += len(results[i].Hits)
	}
	plan := results[0].Plan
	k.tell(records, &plan, nil)
	return nil
}

// Boost adds to the scores of hits; see [Query].Boosts. [Recency], [Saturation] and
// [Bonus] make one. Each adds its weight, which may be negative to take away, times a
// share from 0 to 1. A weight is from -1e300 to 1e300.
type Boost struct{ is search.Boost }

// Recency prefers what is new. The share is 0.5 to the power of age / halfLife, where
// age is how long the field's time lies before the search: 1 for now and for what lies
// ahead, 1/2 after a halfLife, 1/4 after two; 0 for a record without a value. The field
// has the type Time; halfLife is positive.
func Recency(field string, halfLife time.Duration, weight float64) Boost {
	return Boost{search.Boost{Kind: search.Recency, Field: field, HalfLife: halfLife, Weight: weight}}
}

// At returns a [Recency] whose ages are seen from a given time, and not from that of
// the search: pages of one answer need the same time.
func (b Boost) At(now time.Time) Boost {
	b.is.Now = now
	return b
}

// Saturation prefers what has a large number, such as votes, each of which counts for
// less than the one before: the share is v / (v + half), so it is 1/2 for the value
// half, and near 1 for values that are many times as large; 0 for 0, for a negative
// value and for a record without a value. The field has the type Int or Float; half is
// positive and finite.
func Saturation(field string, half, weight float64) Boost {
	return Boost{search.Boost{Kind: search.Saturation, Field: field, Half: half, Weight: weight}}
}

// Bonus prefers the records that f lets pass: the share is 1 for them and 0 for others.
func Bonus(f filter.Filter, weight float64) Boost {
	return Boost{search.Boost{Kind: search.Bonus, Filter: f, Weight: weight}}
}
