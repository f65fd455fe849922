package enginetest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/filter"
)

// numbersOfQueries gives the options of searches, scans, counts and bounds that numbers
// does not.
func (s *suite) numbersOfQueries(t *testing.T, each eachNumber) {
	const n = 6
	fields := append([]vecwire.Field{{Name: "n", Type: vecwire.Int}, {Name: "at", Type: vecwire.Time}}, vecwire.SourceFields()...)
	c := s.create(t, vecwire.Schema{Dim: 2, Metric: vecwire.Dot, Fields: fields})
	records := make([]vecwire.Record, n)
	for i := range records {
		records[i] = vecwire.Record{
			ID: fmt.Sprintf("%02d", i), Vector: []float32{float32(n - i), 1}, Text: fmt.Sprint("word ", i),
			Fields: vecwire.Fields{"n": i, "at": time.Unix(int64(i), 0), vecwire.SourceField: "a", vecwire.PartField: i},
		}
	}
	require.NoError(t, c.Upsert(t.Context(), records...))
	// search sets an option of a query, which is refused, or changes nothing in which
	// records are found.
	search := func(option string, set func(*vecwire.Query, int), check func(t *testing.T, number int, hits []vecwire.Hit)) {
		each("Query."+option, func(t *testing.T, ctx context.Context, number int) error {
			q := vecwire.Query{Vector: []float32{1, 0}, K: n, Exact: true}
			set(&q, number)
			hits, err := c.Search(ctx, q)
			if err != nil {
				return err
			}
			check(t, number, hits)
			many, err := c.SearchMany(ctx, []vecwire.Query{q, q})
			require.NoError(t, err)
			require.Equal(t, hitIDs(hits), hitIDs(many[1].Hits))
			return nil
		})
	}
	all := func(t *testing.T, number int, hits []vecwire.Hit) { require.Len(t, hits, n) }
	natural := func(t *testing.T, number int, hits []vecwire.Hit) {
		require.GreaterOrEqual(t, number, 0)
		require.Len(t, hits, n)
	}
	search("Offset", func(q *vecwire.Query, x int) { q.Offset = x }, func(t *testing.T, number int, hits []vecwire.Hit) {
		require.GreaterOrEqual(t, number, 0)
		require.Len(t, hits, max(0, n-number))
	})
	search("K and Offset", func(q *vecwire.Query, x int) { q.K, q.Offset = x, max(0, x) }, func(t *testing.T, number int, hits []vecwire.Hit) {
		require.GreaterOrEqual(t, number, 0)
		require.Len(t, hits, max(0, n-number))
	})
	search("Snippets", func(q *vecwire.Query, x int) {
		if q.Snippets = x; x != 0 {
			q.Text = "word"
		}
	}, natural)
	search("Around", func(q *vecwire.Query, x int) { q.Around = x }, func(t *testing.T, number int, hits []vecwire.Hit) {
		natural(t, number, hits)
		require.Equal(t, number > 0, hits[0].Passage != nil)
	})
	search("AroundTokens", func(q *vecwire.Query, x int) { q.Around, q.AroundTokens = 1, x }, natural)
	search("what AroundCount returns", func(q *vecwire.Query, x int) {
		q.Around, q.AroundTokens, q.AroundCount = 2, 10, func(string) int { return x }
	}, func(t *testing.T, number int, hits []vecwire.Hit) {
		require.Len(t, hits, n)
		for _, h := range hits {
			require.True(t, number <= 10 || h.Passage == nil, "a part of %d tokens is within 10", number)
		}
	})
	search("Diversity", func(q *vecwire.Query, x int) { q.Diversity = float64(x) }, func(t *testing.T, number int, hits []vecwire.Hit) {
		require.Zero(t, number)
		require.Len(t, hits, n)
	})
	search("MinScore", func(q *vecwire.Query, x int) { q.MinScore = float64(x) }, func(t *testing.T, number int, hits []vecwire.Hit) {
		require.Len(t, hits, map[bool]int{true: 0, false: n}[number > 1<<20])
	})
	half := func(x int) int { // which has no default
		if x == 0 {
			return 1
		}
		return x
	}
	search("Recency's half life", func(q *vecwire.Query, x int) {
		q.Boosts = []vecwire.Boost{vecwire.Recency("at", time.Duration(half(x)), 1)}
	}, func(t *testing.T, number int, hits []vecwire.Hit) {
		require.GreaterOrEqual(t, number, 0)
		require.Len(t, hits, n)
	})
	search("Saturation's half", func(q *vecwire.Query, x int) {
		q.Boosts = []vecwire.Boost{vecwire.Saturation("n", float64(half(x)), 1)}
	}, func(t *testing.T, number int, hits []vecwire.Hit) {
		require.GreaterOrEqual(t, number, 0)
		require.Len(t, hits, n)
	})
	search("a Boost's weight", func(q *vecwire.Query, x int) {
		q.Boosts = []vecwire.Boost{vecwire.Saturation("n", 1, float64(x)), vecwire.Bonus(filter.Eq("n", 1), float64(x)), vecwire.Recency("at", time.Hour, float64(x))}
	}, func(t *testing.T, number int, hits []vecwire.Hit) {
		all(t, number, hits)
		for _, h := range hits {
			require.False(t, math.IsNaN(h.Score), h.ID)
		}
	})
	s.numbersOfReads(t, c, n, each)
	s.numbersOfBounds(t, each)
}

// numbersOfReads gives the bounds of scans and counts by value. The collection has n
// records.
func (s *suite) numbersOfReads(t *testing.T, c *vecwire.Collection, n int, each eachNumber) {
	for _, order := range []string{"", "n"} {
		each("Scan.Limit, ordered by "+order, func(t *testing.T, ctx context.Context, number int) error {
			found := 0
			for _, err := range c.All(ctx, vecwire.Scan{Limit: number, OrderBy: order}) {
				if err != nil {
					return err
				}
				found++
			}
			require.GreaterOrEqual(t, number, 0)
			require.Equal(t, n, found)
			return nil
		})
	}
	if s.caps.Facets {
		each("FacetOptions.Limit", func(t *testing.T, ctx context.Context, number int) error {
			counts, err := c.Facet(ctx, "n", vecwire.FacetOptions{Limit: number})
			refusesNegative(t, number, err)
			if err == nil {
				require.Len(t, counts, n)
			}
			return err
		})
	}
	each("MirrorOptions.Refresh", func(t *testing.T, ctx context.Context, number int) error {
		mirror, err := c.Mirror(ctx, vecwire.MirrorOptions{Refresh: time.Duration(number)})
		refusesNegative(t, number, err)
		if err != nil {
			return err
		}
		return mirror.Close()
	})
}

// numbersOfBounds gives what bounds a collection.
func (s *suite) numbersOfBounds(t *testing.T, each eachNumber) {
	each("Schema.MaxRecords", func(t *testing.T, ctx context.Context, number int) error {
		schema := vecwire.Schema{Name: s.name(), Dim: 2, MaxRecords: number}
		c, err := s.db.CreateCollection(ctx, schema)
		if errors.Is(err, vecwire.ErrUnsupported) {
			require.False(t, s.caps.MaxRecords)
			return nil
		}
		if number < 0 {
			require.ErrorAs(t, err, new(*vecwire.SchemaError))
			return nil
		}
		require.NoError(t, err)
		defer func() { require.NoError(t, s.db.DropCollection(context.WithoutCancel(ctx), schema.Name)) }()
		require.NoError(t, c.Upsert(ctx, vecwire.Record{ID: "1", Vector: []float32{1, 2}}))
		again, err := s.db.OpenCollection(ctx, schema.Name)
		require.NoError(t, err)
		require.Equal(t, number, again.Schema().MaxRecords)
		if !s.caps.Alter {
			return nil
		}
		for _, bound := range []int{number, -1} {
			err := s.db.AlterCollection(ctx, schema.Name, vecwire.Alter{MaxRecords: &bound})
			require.Equal(t, bound < 0, err != nil, "%d: %v", bound, err)
		}
		found, err := c.Count(ctx, filter.Filter{})
		require.Equal(t, 1, found)
		return err
	})
}
