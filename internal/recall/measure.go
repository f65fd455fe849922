package recall

import (
	"cmp"
	"context"
	"slices"
	"time"
)

// A Search answers the query for the vector at a place.
type Search func(ctx context.Context, at int, how How) (Answer, error)

// How says how a query is answered. The zero value leaves it to the query.
type How struct {
	Exact  bool // no approximate index takes part
	Effort int  // 0 for the query's own
}

// Answer is the answer to a query.
type Answer struct {
	Hits  []Hit // the best first
	Exact bool  // no approximate index took part
}

// Hit is a record that a query found. A higher score is nearer.
type Hit struct {
	ID    string
	Score float64
}

// Latency is how long calls took.
type Latency struct{ P50, P95, P99 time.Duration }

// Report says how good answers are.
type Report struct {
	// The fair sample: how many queries, their recall, that of the worst, and how many
	// have a recall from i/10 up to (i+1)/10, the last of 1.
	Queries   int
	Mean, Min float64
	Histogram [11]int
	// Approximate is how many of its answers an approximate index took part in.
	Approximate  int
	Index, Exact Latency

	// Groups are all of the space, the worst first, and Worst the queries of all groups
	// that miss something, the worst first, at most MaxWorst. Both are empty if no
	// approximate index took part: then nothing can be missing.
	Groups []Group
	Worst  []Query
}

// Group is the recall in a part of the space.
type Group struct {
	Middle    int     // the place of the vector next to its centre
	Share     float64 // the part of the vectors that lie in it
	Queries   int
	Mean, Min float64
}

// Query is the recall of one query.
type Query struct {
	At     int // the place of its vector
	Recall float64
}

// MaxWorst is how many queries a Report names.
const MaxWorst = 10

// Drawn is what to ask.
type Drawn struct {
	N int // how many vectors are the fair sample: those at the places before N
	// Vectors returns the sample's vectors and more that were drawn with them, which
	// tell where groups are. Only if an approximate index has taken part is it called;
	// then other places than those of the sample are asked for. It gives the vectors
	// away.
	Vectors func(context.Context) ([][]float64, error)
	// Directions says that the lengths of vectors do not count.
	Directions bool
	Seed       uint64
}

// Measure asks each query in both ways.
func Measure(ctx context.Context, d Drawn, search Search) (Report, error) {
	if d.N == 0 {
		return Report{}, nil
	}
	both, err := compare(ctx, upTo(d.N), search)
	if err != nil {
		return Report{}, err
	}
	report := Report{Queries: d.N, Exact: latencyOf(both.exact.took), Index: latencyOf(both.found.took)}
	var all tally
	for i, c := range both.counts {
		all.add(c)
		report.Histogram[c.hits*10/c.of]++
		if !both.found.answers[i].Exact {
			report.Approximate++
		}
	}
	report.Mean, report.Min = all.mean(), all.min()
	if report.Approximate == 0 {
		return report, nil
	}

	vectors, err := d.Vectors(ctx)
	if err != nil {
		return Report{}, err
	}
	group, groups := groupsOf(vectors, d.Directions, d.Seed)
	places := more(group, len(groups), d.N)
	extra, err := compare(ctx, places, search)
	if err != nil {
		return Report{}, err
	}
	report.Groups, report.Worst = worst(group, groups, append(upTo(d.N), places...), append(both.counts, extra.counts...))
	return report, nil
}

// worst says which groups and queries miss most.
func worst(group []int, groups []members, places []int, counts []count) (byGroup []Group, queries []Query) {
	tallies := make([]tally, len(groups))
	for i, c := range counts {
		tallies[group[places[i]]].add(c)
		if c.hits < c.of {
			queries = append(queries, Query{At: places[i], Recall: c.recall()})
		}
	}
	slices.SortStableFunc(queries, func(a, b Query) int { return cmp.Compare(a.Recall, b.Recall) })
	for i, g := range groups {
		byGroup = append(byGroup, Group{
			Middle: g.middle, Share: float64(g.size) / float64(len(group)), Queries: tallies[i].queries, Mean: tallies[i].mean(), Min: tallies[i].min(),
		})
	}
	slices.SortStableFunc(byGroup, func(a, b Group) int {
		return cmp.Or(cmp.Compare(a.Mean, b.Mean), cmp.Compare(b.Share, a.Share))
	})
	return byGroup, queries[:min(len(queries), MaxWorst)]
}

func upTo(n int) []int {
	places := make([]int, n)
	for i := range places {
		places[i] = i
	}
	return places
}

// count is how many hits of an exact answer another has.
type count struct{ hits, of int }

func (c count) recall() float64 { return float64(c.hits) / float64(c.of) }

// countHits compares an answer with an exact one. An exact answer without hits leaves
// nothing to miss: it counts as one hit that was found.
func countHits(hits, exact []Hit) count {
	if len(exact) == 0 {
		return count{1, 1}
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
	return count{min(found, len(exact)), len(exact)}
}

// tally adds up the recall of queries. It counts hits and divides once, so that no
// rounding makes of a perfect recall one that is not.
type tally struct {
	queries    int
	all, worst count
}

func (t *tally) add(c count) {
	if t.queries == 0 || c.hits*t.worst.of < t.worst.hits*c.of {
		t.worst = c
	}
	t.queries, t.all.hits, t.all.of = t.queries+1, t.all.hits+c.hits, t.all.of+c.of
}

func (t *tally) mean() float64 { return t.all.recall() }
func (t *tally) min() float64  { return t.worst.recall() }

// compared is what queries were answered in both ways.
type compared struct {
	exact, found answered
	counts       []count
}

func compare(ctx context.Context, places []int, search Search) (c compared, err error) {
	if c.exact, err = answers(ctx, places, search, How{Exact: true}); err != nil {
		return c, err
	}
	if c.found, err = answers(ctx, places, search, How{}); err != nil {
		return c, err
	}
	for i := range places {
		c.counts = append(c.counts, countHits(c.found.answers[i].Hits, c.exact.answers[i].Hits))
	}
	return c, nil
}

// answered is what queries were answered, and how long each took.
type answered struct {
	answers []Answer
	took    []time.Duration
}

// answers asks queries one after another.
func answers(ctx context.Context, places []int, search Search, how How) (a answered, err error) {
	for _, at := range places {
		begun := time.Now()
		answer, err := search(ctx, at, how)
		if err != nil {
			return a, err
		}
		a.took = append(a.took, time.Since(begun))
		a.answers = append(a.answers, answer)
	}
	return a, nil
}

// latencyOf returns the percentiles of calls' times, of which there is at least one.
func latencyOf(took []time.Duration) Latency {
	took = slices.Sorted(slices.Values(took))
	at := func(part float64) time.Duration { return took[min(len(took)-1, int(part*float64(len(took))))] }
	return Latency{P50: at(0.5), P95: at(0.95), P99: at(0.99)}
}
