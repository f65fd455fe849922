package vecwire

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
	"github.com/vecwire/vecwire/internal/notes"
	"github.com/vecwire/vecwire/internal/recall"
)

// DefaultSample is how many queries [Collection.Recall] makes by default.
const DefaultSample = 100

// RecallOptions says how [Collection.Recall] measures. Queries, IDs and Sample say with
// what; at most one of them is given.
type RecallOptions struct {
	// Queries are the vectors to search for: those of real questions tell most.
	Queries [][]float32
	// IDs name the records whose vectors are searched for, such as those that were
	// written last. IDs that are not there are left out.
	IDs []string
	// Sample is how many records are drawn at random where neither Queries nor IDs are
	// given; all of them if there are fewer. Each then finds itself. Defaults to
	// DefaultSample. To draw them, all IDs are read once. If an index takes part, the
	// vectors of ten times as many records are read, at most 1,000, and some of these are
	// searched for in addition; see [RecallReport].
	Sample int
	// K is how many hits are compared. Defaults to [DefaultK].
	K int
	// Filter is given to each query, and says which records are drawn.
	Filter filter.Filter
	// Effort, Rescore and Candidates are given to each query; see [Query].
	Effort     int
	Rescore    bool
	Candidates int
	// Seed chooses the sample: the same records for the same seed.
	Seed uint64
}

// RecallReport says how good the answers through an approximate index are, and
// what they cost.
//
// Recall is the part of the exact answers' hits that the other answers have. A hit
// counts if it scores no less than the last of the exact ones, so that ties are no
// misses. It is 1 if nothing at all is missing.
type RecallReport struct {
	// Queries is how many queries the mean, the histogram and the times are about: the
	// sample, without those that are added for the groups.
	Queries int
	// Mean is the recall of all of them.
	Mean float64
	// Min is the recall of the worst of them.
	Min float64
	// Histogram counts queries by recall: the i-th of the first ten those from
	// i/10 up to (i+1)/10, the last those with a recall of 1.
	Histogram [11]int
	// Approximate is how many of the answers an approximate index took part in.
	// Where it is 0, there is none, or the engine did not need it.
	Approximate int
	// Index and Exact are how long the answers took, one query after another.
	Index, Exact Latency

	// Groups tells the recall of each part of the space, the worst first, if an
	// approximate index took part: it may find almost everything and still lose most of
	// a small topic, such as one that came up after it was built. There are one to eight
	// groups, which divide the drawn vectors by where they lie (k-means). A group of
	// which the sample has few is measured with more of its drawn records: a tenth of
	// the sample, at most ten. With the default Sample, a group smaller than about one
	// record in a hundred may be missed: ask for it by IDs.
	Groups []RecallGroup
	// Worst names the queries that miss something, the worst first, at most ten.
	Worst []QueryRecall
}

// RecallGroup is the recall in a part of the space; see [RecallReport].
type RecallGroup struct {
	ID      string  // a record in the middle of it, "" where the vectors are RecallOptions.Queries
	Share   float64 // about which part of the records it has, in (0, 1]
	Queries int     // how many queries it was measured with
	Mean    float64 // the recall of all of them
	Min     float64 // the recall of the worst of them
}

// QueryRecall is the recall of one query; see [RecallReport].
type QueryRecall struct {
	ID     string  // the record whose vector was searched for, "" with RecallOptions.Queries
	Query  int     // its place in RecallOptions.Queries, 0 without them
	Recall float64 // less than 1
}

// Latency is how long calls took, by percentiles.
type Latency struct{ P50, P95, P99 time.Duration }

// Recall compares answers through the collection's approximate index with exact
// ones, on the collection's own records: it makes each query in both ways. Without
// records, or queries, the report is zero.
//
// The mean alone may hide a part of the collection that is hardly found: look at
// Groups, and measure what was written last by its IDs.
func (c *Collection) Recall(ctx context.Context, o RecallOptions) (RecallReport, error) {
	c, ctx, call, err := c.begin(ctx, OpRecall)
	if err != nil {
		return RecallReport{}, err
	}
	defer call.leave()
	report, err := c.recall(ctx, o)
	return report, call.end(report.Queries, err)
}

func (c *Collection) recall(ctx context.Context, o RecallOptions) (RecallReport, error) {
	p, err := c.probe(ctx, o)
	if err != nil {
		return RecallReport{}, err
	}
	r, err := p.Measure(ctx)
	if err != nil {
		return RecallReport{}, err
	}
	report := RecallReport{
		Queries: r.Queries, Mean: r.Mean, Min: r.Min, Histogram: r.Histogram, Approximate: r.Approximate,
		Index: Latency(r.Index), Exact: Latency(r.Exact),
	}
	for _, g := range r.Groups {
		id, _ := p.Record(g.Middle)
		report.Groups = append(report.Groups, RecallGroup{ID: id, Share: g.Share, Queries: g.Queries, Mean: g.Mean, Min: g.Min})
	}
	for _, q := range r.Worst {
		id, query := p.Record(q.At)
		report.Worst = append(report.Worst, QueryRecall{ID: id, Query: query, Recall: q.Recall})
	}
	return report, nil
}

// probe chooses what to measure with.
func (c *Collection) probe(ctx context.Context, o RecallOptions) (*recall.Probe, error) {
	switch {
	case o.Sample < 0:
		return nil, badValue("Sample", "a positive number, or 0 for the default", o.Sample)
	case o.Queries != nil && o.IDs != nil:
		return nil, badValue("IDs", "none beside Queries", fmt.Sprintf("%d IDs", len(o.IDs)))
	}
	for i, v := range o.Queries {
		if _, err := c.schema.Vector(v, nil); err != nil {
			return nil, fmt.Errorf("query %d: %w", i, err)
		}
	}
	q := Query{K: o.K, Filter: o.Filter, Effort: o.Effort, Rescore: o.Rescore, Candidates: o.Candidates, IDsOnly: true}
	source := recall.Source{
		IDs: c.idsThatPass(ctx, o.Filter), Read: c.vectorsOf,
		Answer: func(ctx context.Context, v recall.Record, how recall.How) (recall.Answer, error) {
			return c.answer(ctx, q, v, how)
		},
	}
	return recall.NewProbe(ctx, source, recall.Choice{
		Queries: o.Queries, IDs: o.IDs, Sample: cmp.Or(o.Sample, DefaultSample), Directions: c.schema.Metric == Cosine, Seed: o.Seed,
	})
}

// vectorsOf reads the vectors of records.
func (c *Collection) vectorsOf(ctx context.Context, ids []string) (found []recall.Record, err error) {
	for page := range slices.Chunk(ids, engine.PageRecords) {
		records, err := c.Get(ctx, page...)
		if err != nil {
			return nil, err
		}
		for _, r := range records {
			if r.Vector == nil && r.Vector64 == nil { // it has none of this name
				continue
			}
			found = append(found, recall.Record{ID: r.ID, F32: r.Vector, F64: r.Vector64})
		}
	}
	return found, nil
}

// answer answers a query for a vector.
func (c *Collection) answer(ctx context.Context, q Query, v recall.Record, how recall.How) (recall.Answer, error) {
	q.Vector, q.Vector64 = v.F32, v.F64
	switch {
	case how.Exact:
		q.Exact, q.Effort = true, 0
	case how.Effort != 0:
		q.Effort = how.Effort
	}
	results, err := c.SearchMany(ctx, []Query{q})
	if err != nil {
		return recall.Answer{}, err
	}
	hits := make([]recall.Hit, len(results[0].Hits))
	for i, h := range results[0].Hits {
		hits[i] = recall.Hit{ID: h.ID, Score: h.Score}
	}
	return recall.Answer{Hits: hits, Exact: results[0].Exact}, nil
}

func (c *Collection) idsThatPass(ctx context.Context, f filter.Filter) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for r, err := range c.All(ctx, Scan{Filter: f}) {
			if !yield(r.ID, err) {
				return
			}
		}
	}
}

// DefaultRecall is the recall that [Collection.Tune] wants by default.
const DefaultRecall = 0.95

// maxEffort is the largest effort that Tune tries: what pgvector allows.
const maxEffort = 1000

// TuneOptions says what [Collection.Tune] looks for.
type TuneOptions struct {
	// Recall is the mean recall that is wanted, more than 0 and at most 1.
	// Defaults to DefaultRecall.
	Recall float64
	// Measure says how it is measured; see [Collection.Recall]. Its Effort is what
	// Tune looks for, and must be 0.
	Measure RecallOptions
}

// TuneReport says what [Collection.Tune] has found.
type TuneReport struct {
	Effort int        // what searches use from now on
	Recall float64    // what that gives
	Tried  []TuneStep // what was measured, in the order of the effort
}

// TuneStep is one measurement.
type TuneStep struct {
	Effort int
	Recall float64 // the mean
	// Approximate is how many of the answers an approximate index took part in. With a
	// large effort an engine may find looking at all records less work: its answers are
	// then exact.
	Approximate int
	Index       Latency
}

// effort returns what Tune has found, 0 for nothing. In a transaction it is what this
// handle knows.
func (c *Collection) effort(ctx context.Context) (int, error) {
	if c.tuned == nil {
		return 0, nil
	}
	changes, err := c.db.engine.Changes(ctx)
	if err != nil {
		return 0, err
	}
	found, known := c.tuned.Known(changes)
	if !known && c.db.txOf(ctx) == nil && engine.CallerOf(ctx) == nil && c.db.engine.Capabilities().Effort {
		found, err = c.tuned.Get(ctx, c.db.engine, c.effortKey(), changes)
	}
	return int(found), err
}

// effortKey is the key of the note that holds what Tune has found.
func (c *Collection) effortKey() string {
	if c.vector != "" {
		return notes.Key(c.engine.Schema(), "effort", c.vector)
	}
	return notes.Key(c.engine.Schema(), "effort")
}

// Tune finds the smallest Query.Effort that reaches a recall on the collection's
// own records, and keeps it in the database: searches through this handle, and
// through those that are opened later, use it unless a query has its own. Build
// the index first, and tune again when the data has changed much. The effort is the
// smallest up to a sixteenth; it may be one with which searches look at all records,
// where no smaller one is enough.
//
// If even the largest effort does not reach the recall, nothing is kept, and the
// report says how far it goes. Tune returns [ErrUnsupported] if the engine has no
// such setting.
func (c *Collection) Tune(ctx context.Context, o TuneOptions) (TuneReport, error) {
	c, ctx, call, err := c.beginOutsideTx(ctx, OpTune, "tune outside")
	if err != nil {
		return TuneReport{}, err
	}
	defer call.leave()
	report, err := c.tune(ctx, o)
	return report, call.end(0, err)
}

func (c *Collection) tune(ctx context.Context, o TuneOptions) (report TuneReport, err error) {
	if !c.db.engine.Capabilities().Effort {
		return report, engine.Unsupported("setting the effort of a search", c.db.engine.Capabilities().Engine)
	}
	if o.Recall == 0 {
		o.Recall = DefaultRecall
	}
	if !(o.Recall > 0 && o.Recall <= 1) {
		return report, badValue("Recall", "more than 0 and at most 1", o.Recall)
	}
	if o.Measure.Effort != 0 {
		return report, badValue("Effort", "0 in what Tune measures by, since it looks for the effort", o.Measure.Effort)
	}
	p, err := c.probe(ctx, o.Measure)
	if err != nil {
		return report, err
	}
	least := max(8, cmp.Or(o.Measure.K, DefaultK))
	found, err := p.Tune(ctx, recall.Goal{Recall: o.Recall, Least: least, Most: maxEffort})
	report.Effort, report.Recall = found.Effort, found.Recall
	for _, s := range found.Tried {
		report.Tried = append(report.Tried, TuneStep{Effort: s.Effort, Recall: s.Recall, Approximate: s.Approximate, Index: Latency(s.Index)})
	}
	switch {
	case errors.Is(err, recall.ErrNoIndex):
		return report, fmt.Errorf("%w: there is none, see BuildIndex, or so few records that looking at all is faster", err)
	case errors.Is(err, recall.ErrUnreachable):
		last := report.Tried[len(report.Tried)-1]
		return report, fmt.Errorf("the largest effort, %d, has a recall of %.3f, and %.3f is wanted: build the index with a larger M or EfConstruction", last.Effort, last.Recall, o.Recall)
	case err != nil:
		return report, err
	}
	return report, c.tuned.Put(ctx, c.db.engine, c.effortKey(), int64(report.Effort))
}
