package iris

import (
	"context"
	"fmt"
	"math"
	"math/bits"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/internal/engine"
	"github.com/vecwire/vecwire/internal/wire"
)

// Search implements engine.Collection.
func (c *collection) Search(ctx context.Context, searches []engine.Search) ([]engine.Result, error) {
	results := make([]engine.Result, len(searches))
	if len(searches) == 1 {
		var err error
		results[0], err = c.search(ctx, searches[0])
		return results, err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(c.runner(ctx).Width())
	for i := range searches {
		group.Go(func() (err error) {
			results[i], err = c.search(ctx, searches[i])
			return err
		})
	}
	return results, group.Wait()
}

// search answers one search. Of an approximate index more hits are asked for
// than are wanted, and if it does not give enough, all records are compared.
func (c *collection) search(ctx context.Context, s engine.Search) (engine.Result, error) {
	plan := engine.Plan{Path: "scan", Records: -1, Why: "there is no vector index"}
	if !s.Filter.IsZero() {
		plan.Path = "filtered scan"
	}
	if c.state.indexed.Load() {
		plan.Why = "the query asks for the exact answer"
	}
	s.K = min(s.K, wire.MostHits)
	if s.After != nil {
		return c.searchAfter(ctx, s)
	}
	if c.state.indexed.Load() && !s.Exact && s.K <= mostTop {
		hits, err := c.nearest(ctx, s, false)
		if err != nil || len(hits) == s.K {
			return engine.Result{Hits: hits, Plan: engine.Plan{
				Path: "graph", Index: "hnsw", Records: -1, Why: "the index gave all K hits; the server may have used another plan",
			}}, err
		}
		plan.Why = fmt.Sprintf("the index gave %d of %d hits", len(hits), s.K)
	}
	hits, err := c.nearest(ctx, s, true)
	return engine.Result{Hits: hits, Exact: true, Plan: plan}, err
}

// topSteps is up to which K a search asks for K hits. Beyond it asks for the next
// power of two: the server keeps every text of a statement.
const topSteps = 32

// mostTop is the largest number that a statement asks for. More stands for all.
const mostTop = 1 << 30

// top returns the words that ask for at least k hits, or for all.
func top(k int) string {
	if k > mostTop {
		return ""
	}
	n := k
	if k > topSteps {
		n = 1 << bits.Len(uint(k-1))
	}
	return "TOP " + strconv.Itoa(n) + " "
}

// nearest runs a search. The vector is bound, not pasted into the statement,
// because the column is written with its table: the statement's text is always
// the same. An exact search is ordered by an expression that no index has, and
// equal scores by ID.
func (c *collection) nearest(ctx context.Context, s engine.Search, exact bool) ([]engine.Hit, error) {
	score := "VECTOR_COSINE"
	if c.schema.Metric == codec.Dot {
		score = "VECTOR_DOT_PRODUCT"
	}
	score += "(t." + c.vector + ", TO_VECTOR($1, " + elementType(c.schema.Element) + "))"
	limit, order := s.K+wire.Spare, "1 DESC"
	if exact {
		limit = s.K
		score += " + 0"
		order += ", '~' || " + c.id
		if c.idInt {
			order = "1 DESC, " + c.id
		}
	}
	query, power := scaled(s.Vector)
	condition, args := c.where(s.Filter, vectorText(query))
	if !c.own {
		condition = wire.And(condition, c.vector+" IS NOT NULL")
	}
	var hits []engine.Hit
	err := c.read(ctx, func(ctx context.Context, conn *session) error {
		hits = make([]engine.Hit, 0, min(limit, 256))
		columns := c.payload(conn, s.Payload, s.Vectors)
		sql := "SELECT " + top(limit) + score + " AS score, " + strings.Join(columns, ", ") + " FROM " + c.name + " t" +
			wire.Where(condition) + " ORDER BY " + order
		return conn.query(ctx, sql, 1+len(columns), args, func(row [][]byte) error {
			r, err := c.record(conn, row[1:], s.Payload, s.Vectors)
			if err != nil || row[0] == nil { // a vector of zeros has no cosine
				return err
			}
			score, err := strconv.ParseFloat(string(row[0]), 64)
			if err != nil {
				return fmt.Errorf("record %q: the server returned the score %.40q: %w", r.ID, row[0], err)
			}
			switch {
			case math.IsNaN(score): // of a table of others, whose vectors nobody has checked
				return nil
			case c.schema.Metric == codec.Cosine:
				score = max(-1, min(1, score))
			default:
				score = math.Ldexp(score, power)
			}
			hits = append(hits, engine.Hit{Record: r, Score: score + 0})
			return nil
		})
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(hits, (&wire.TopK{Less: c.compareIDs()}).Compare)
	return hits[:min(s.K, len(hits))], nil
}

func (c *collection) compareIDs() func(a, b string) int {
	if c.idInt {
		return wire.ByNumber
	}
	return wire.ByBytes
}
