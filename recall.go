package vecwire

import (
	"context"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/vecwire/vecwire/filter"
)

// DefaultSample is how many queries [Collection.Recall] makes by default.
const DefaultSample = 100

// RecallOptions says how [Collection.Recall] measures.
type RecallOptions struct {
	// Queries are the vectors to search for: those of real questions tell most.
	// Defaults to the vectors of Sample records, each of which then finds itself.
	Queries [][]float32
	// Sample is how many records are drawn, at random, where no Queries are given.
	// Defaults to DefaultSample. To draw them, all IDs are read once.
	Sample int
	// K is how many hits are compared. Defaults to [DefaultK].
	K int
	// Filter is given to each query.
	Filter filter.Filter
	// Effort, Rerank and Candidates are given to each query; see [Query].
	Effort     int
	Rerank     bool
	Candidates int
	// Seed chooses the sample: the same records for the same seed.
	Seed uint64
}

// RecallReport says how good the answers through an approximate index are, and
// what they cost.
type RecallReport struct {
	Queries int
	// Mean is the mean recall over the queries: the part of an exact answer's hits
	// that the other answer has. A hit counts if it scores no less than the last
	// of the exact ones, so that ties are no misses.
	Mean float64
	// Min is the recall of the worst query.
	Min float64
	// Histogram counts queries by recall: the i-th of the first ten those from
	// i/10 up to (i+1)/10, the last those with a recall of 1.
	Histogram [11]int
	// Approximate is how many of the answers an approximate index took part in.
	// Where it is 0, there is none, or the engine did not need it.
	Approximate int
	// Index and Exact are how long the answers took, one query after another.
	Index, Exact Latency
}

// Latency is how long calls took.
type Latency struct{ P50, P95, P99 time.Duration }

// Recall compares answers through the collection's approximate index with exact
// ones, on the collection's own records: it makes each query in both ways. Without
// records, or queries, the report is zero.
func (c *Collection) Recall(ctx context.Context, o RecallOptions) (RecallReport, error) {
	const verb = "measure recall of"
	report, err := c.recall(ctx, o)
	return report, c.wrap(verb, err)
}

func (c *Collection) recall(ctx context.Context, o RecallOptions) (RecallReport, error) {
	queries, err := c.recallQueries(ctx, o)
	if err != nil || len(queries) == 0 {
		return RecallReport{}, err
	}
	exact, err := c.exactAnswers(ctx, queries)
	if err != nil {
		return RecallReport{}, err
	}
	report := RecallReport{Queries: len(queries), Min: 1, Exact: exact.took}
	found, err := c.answers(ctx, queries)
	if err != nil {
		return RecallReport{}, err
	}
	report.Index = found.took
	for i, r := range found.results {
		if !r.Exact {
			report.Approximate++
		}
		part := recallOf(r.Hits, exact.results[i].Hits)
		report.Mean += part / float64(len(queries))
		report.Min = min(report.Min, part)
		report.Histogram[int(part*10)]++
	}
	report.Mean = min(1, report.Mean)
	return report, nil
}

// measure measures the mean recall of searches of one effort.
func (c *Collection) measure(ctx context.Context, queries []Query, exact answered, effort int) (step TuneStep, approximate int, err error) {
	for i := range queries {
		queries[i].Effort = effort
	}
	found, err := c.answers(ctx, queries)
	if err != nil {
		return step, 0, err
	}
	step = TuneStep{Effort: effort, Index: found.took}
	for i, r := range found.results {
		if !r.Exact {
			approximate++
		}
		step.Recall += recallOf(r.Hits, exact.results[i].Hits) / float64(len(queries))
	}
	step.Recall = min(1, step.Recall)
	return step, approximate, nil
}

// answered is what queries were answered, and how long that took.
type answered struct {
	results []Result
	took    Latency
}

// answers answers queries one after another.
func (c *Collection) answers(ctx context.Context, queries []Query) (a answered, err error) {
	took := make([]time.Duration, len(queries))
	for i, q := range queries {
		begun := time.Now()
		r, err := c.SearchMany(ctx, []Query{q})
		if err != nil {
			return a, err
		}
		took[i] = time.Since(begun)
		a.results = append(a.results, r[0])
	}
	if len(took) > 0 {
		a.took = latencyOf(took)
	}
	return a, nil
}

func (c *Collection) exactAnswers(ctx context.Context, queries []Query) (answered, error) {
	exact := slices.Clone(queries)
	for i := range exact {
		exact[i].Exact, exact[i].Effort = true, 0
	}
	return c.answers(ctx, exact)
}

// recallQueries returns the queries to measure with.
func (c *Collection) recallQueries(ctx context.Context, o RecallOptions) ([]Query, error) {
	queries := make([]Query, 0, len(o.Queries))
	for _, v := range o.Queries {
		queries = append(queries, Query{Vector: v})
	}
	if o.Queries == nil {
		var err error
		if queries, err = c.sample(ctx, o); err != nil {
			return nil, err
		}
	}
	for i := range queries {
		q := &queries[i]
		q.K, q.Filter, q.Effort, q.Rerank, q.Candidates, q.IDsOnly = o.K, o.Filter, o.Effort, o.Rerank, o.Candidates, true
	}
	return queries, nil
}

// recallOf returns the part of an exact answer that another has.
func recallOf(hits, exact []Hit) float64 {
	if len(exact) == 0 {
		return 1
	}
	least := exact[len(exact)-1].Score
	in := make(map[string]bool, len(exact))
	for _, h := range exact {
		in[h.ID] = true
	}
	found := 0
	for _, h := range hits {
		if in[h.ID] || h.Score >= least {
			found++
		}
	}
	return min(1, float64(found)/float64(len(exact)))
}

// latencyOf returns the percentiles of calls' times.
func latencyOf(took []time.Duration) Latency {
	slices.Sort(took)
	at := func(part float64) time.Duration { return took[min(len(took)-1, int(part*float64(len(took))))] }
	return Latency{P50: at(0.5), P95: at(0.95), P99: at(0.99)}
}

// sample draws records, each with the same chance, and returns queries for their
// vectors.
func (c *Collection) sample(ctx context.Context, o RecallOptions) ([]Query, error) {
	if o.Sample <= 0 {
		o.Sample = DefaultSample
	}
	rng := rand.New(rand.NewPCG(o.Seed, 0))
	var ids []string
	seen := 0
	for r, err := range c.All(ctx, Scan{Filter: o.Filter}) {
		if err != nil {
			return nil, err
		}
		if seen++; len(ids) < o.Sample {
			ids = append(ids, r.ID)
		} else if at := rng.IntN(seen); at < o.Sample {
			ids[at] = r.ID
		}
	}
	if len(ids) == 0 {
		return nil, nil
	}
	records, err := c.Get(ctx, ids...)
	queries := make([]Query, len(records))
	for i, r := range records {
		queries[i] = Query{Vector: r.Vector, Vector64: r.Vector64}
	}
	return queries, err
}
