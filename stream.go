package vecwire

import (
	"context"
	"iter"
)

// searchAllPage is how many hits SearchAll asks for first, if the query does not
// say.
const searchAllPage = 100

// SearchAll streams all records that pass the query's filter, the nearest first,
// for as long as the caller goes on: K is how many are looked for at first, 100 by
// default, and twice as many each time more are wanted. It holds nothing in
// between, so the loop may take its time, call other methods and stop early.
//
// An approximate index looked at more deeply may find a nearer record late; it
// comes then, and none comes twice. A record that is written meanwhile may or may
// not be seen. MinScore ends the stream. Fusion, Rerank, Reranker, GroupBy and
// Diversity choose among a number of candidates, and are refused. After an error the stream
// ends.
func (c *Collection) SearchAll(ctx context.Context, q Query) iter.Seq2[Hit, error] {
	const verb = "search all of"
	return func(yield func(Hit, error) bool) {
		if least := q.MinScore; q.chooses() {
			q.MinScore = 0
			if q.chooses() {
				yield(Hit{}, c.wrap(verb, &ValueError{Field: "query", Pos: -1, Want: "one that does not choose among candidates", Got: "Fusion, Rerank, Reranker, GroupBy or Diversity"}))
				return
			}
			q.MinScore = least
		}
		if q.K == 0 {
			q.K = searchAllPage
		}
		queries, err := c.embedQueries(ctx, []Query{q}) // once, and not for every page
		if err != nil {
			yield(Hit{}, c.wrap(verb, err))
			return
		}
		q = queries[0]
		q.Text = ""
		seen := map[string]bool{}
		for {
			hits, err := c.Search(ctx, q)
			if err != nil {
				yield(Hit{}, err)
				return
			}
			for _, h := range hits {
				if seen[h.ID] {
					continue
				}
				seen[h.ID] = true
				if !yield(h, nil) {
					return
				}
			}
			if len(hits) < q.K {
				return
			}
			q.K *= 2
		}
	}
}
