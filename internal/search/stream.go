package search

import (
	"context"
	"math"
	"slices"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/schema"
)

// ToEmbed returns the texts of the queries that are to be embedded, and which queries
// they belong to. It refuses texts for which there is no use.
func ToEmbed(queries []Query, embedder bool) (texts []string, of []int, err error) {
	for i := range queries {
		q := &queries[i]
		given := q.Vector != nil || q.Vector64 != nil
		switch {
		case q.Text == "" || given && (q.Reranker != nil || q.Fusion != nil || q.Snippets != 0):
		case given:
			return nil, nil, &codec.ValueError{Field: "Text", Pos: -1, Want: "none beside a vector, but for a Reranker, Fusion or Snippets", Got: filter.Describe(q.Text)}
		case q.textOnly():
		case !embedder:
			return nil, nil, &codec.ValueError{Field: "Text", Pos: -1, Want: "none without an embedder: use the collection that WithEmbedder returns", Got: filter.Describe(q.Text)}
		default:
			text := q.asked()
			if text == "" {
				return nil, nil, &codec.ValueError{Field: "Text", Pos: -1, Want: "words to find in the syntax Web, beside signs and what is excluded", Got: filter.Describe(q.Text)}
			}
			texts, of = append(texts, text), append(of, i)
		}
	}
	return texts, of, nil
}

// streamPage is how many hits a stream asks for first, if the query does not say:
// enough for most loops, and cheap for those that stop early.
const streamPage = 100

// CheckStream refuses queries that cannot be streamed.
func (q *Query) CheckStream() error {
	if q.looksAround() {
		return schema.BadValue("query", "one that does not choose among candidates", "Fusion, Rescore, MaxSim, Reranker, Boosts, GroupBy or Diversity")
	}
	if q.Offset < 0 {
		return schema.BadValue("Offset", "0 or more", q.Offset)
	}
	if q.After != "" && q.Offset != 0 {
		return schema.BadValue("After", "none beside Offset", "a token")
	}
	if q.Around != 0 {
		return schema.BadValue("Around", "0 in a stream of hits: their passages would be those of a list", q.Around)
	}
	return nil
}

// Stream gives the hits of a query that has its vector to yield, the nearest first,
// until that returns false. The function page answers one query.
func Stream(ctx context.Context, q Query, page func(context.Context, Query) ([]Hit, error), yield func(Hit) bool) error {
	if q.K == 0 {
		q.K = streamPage
	}
	skip := q.Offset
	if q.Offset = 0; q.Snippets == 0 {
		q.Text = ""
	}
	q.Vector, q.Vector64, q.Away = slices.Clone(q.Vector), slices.Clone(q.Vector64), slices.Clone(q.Away)
	for i := range q.Away { // the loop may reuse what it gave
		q.Away[i] = slices.Clone(q.Away[i])
	}
	seen := map[string]bool{}
	for {
		hits, err := page(ctx, q)
		if err != nil {
			return err
		}
		for _, h := range hits {
			if seen[h.ID] {
				continue
			}
			seen[h.ID] = true
			if len(seen) <= skip {
				continue
			}
			if !yield(h) {
				return nil
			}
		}
		if len(hits) < q.K {
			return nil
		}
		if q.K > math.MaxInt/2 {
			q.K = math.MaxInt
		} else {
			q.K *= 2
		}
	}
}
