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
)

// extremes returns numbers that a caller can give by mistake, or to say "all":
// arithmetic over them overflows, and as many of anything do not fit into memory.
func (s *suite) extremes() []int {
	numbers := []int{math.MaxInt, math.MaxInt / 2, 0, -1}
	if beyond := int64(1) << 31; int64(int(beyond)) == beyond && !s.target.Light {
		numbers = append(numbers, int(beyond), int(beyond-1))
	}
	return numbers
}

// numbers: every whole number that a caller gives is used as it is, or refused
// with a *ValueError that names it.
func (s *suite) numbers(t *testing.T) {
	const n = 12
	schema := vecwire.Schema{Dim: 2, Metric: vecwire.Dot, Fields: []vecwire.Field{{Name: "n", Type: vecwire.Int}}}
	if s.caps.FullText {
		schema.FullText = vecwire.Words
	}
	c := s.create(t, schema)
	records := make([]vecwire.Record, n)
	for i := range records {
		records[i] = vecwire.Record{
			ID: fmt.Sprintf("%02d", i), Vector: []float32{float32(n - i), 1}, Text: fmt.Sprint("word ", i), Fields: vecwire.Fields{"n": i / 2},
		}
	}
	m := newModel(c.Schema(), records...)
	require.NoError(t, c.Upsert(t.Context(), records...))

	// each gives an option each of the numbers. The call checks its own answer.
	each := func(option string, call func(t *testing.T, ctx context.Context, number int) error) {
		t.Helper()
		run(t, option, func(t *testing.T) {
			for _, number := range s.extremes() {
				run(t, fmt.Sprint(number), func(t *testing.T) {
					ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // a call that runs without end is wrong, too
					defer cancel()
					err := call(t, ctx, number)
					if err == nil {
						return
					}
					require.NotZero(t, number, "0 stands for the default: %v", err)
					var value *vecwire.ValueError
					require.ErrorAs(t, err, &value)
					require.NotEmpty(t, value.Field)
				})
			}
		})
	}
	q := vecwire.Query{Vector: []float32{1, 0}, K: 3, Exact: true}
	// count is how many hits K asks for of those that there are.
	count := func(k, there int) int {
		if k == 0 {
			k = vecwire.DefaultK
		}
		return min(k, there)
	}

	asked := 0
	kinds := map[string]struct {
		q     vecwire.Query
		there int
	}{
		"":            {q, n},
		"approximate": {vecwire.Query{Vector: q.Vector}, n},
		"with IDs":    {vecwire.Query{Vector: q.Vector, IDsOnly: true}, n},
		"Rescore":     {vecwire.Query{Vector: q.Vector, Rescore: true}, n},
		"Reranker":    {vecwire.Query{Vector: q.Vector, Text: "word", Reranker: longest{&asked}}, n},
		"Diversity":   {vecwire.Query{Vector: q.Vector, Diversity: 0.5}, n},
		"MinScore":    {vecwire.Query{Vector: q.Vector, MinScore: 1}, n},
		"GroupBy":     {vecwire.Query{Vector: q.Vector, GroupBy: "n"}, n / 2},
	}
	if s.caps.FullText {
		kinds["Fusion"] = struct {
			q     vecwire.Query
			there int
		}{vecwire.Query{Vector: q.Vector, Text: "word", Fusion: &vecwire.Fusion{}}, n}
	}
	for kind, k := range kinds {
		each("K "+kind, func(t *testing.T, ctx context.Context, number int) error {
			q := k.q
			q.K = number
			hits, err := c.Search(ctx, q)
			refusesNegative(t, number, err)
			if err != nil {
				return err
			}
			require.Len(t, hits, count(number, k.there))
			results, err := c.SearchMany(ctx, []vecwire.Query{q, {Vector: q.Vector}, q})
			if err == nil {
				require.Len(t, results, 3)
				require.Equal(t, hitIDs(hits), hitIDs(results[2].Hits))
			}
			return err
		})
		if kind == "" || kind == "approximate" || kind == "with IDs" || kind == "MinScore" {
			continue
		}
		each("Candidates "+kind, func(t *testing.T, ctx context.Context, number int) error {
			q := k.q
			q.K = n
			q.Candidates = number
			hits, err := c.Search(ctx, q)
			refusesNegative(t, number, err)
			if err == nil {
				require.Len(t, hits, k.there)
			}
			return err
		})
	}
	each("K SearchAll", func(t *testing.T, ctx context.Context, number int) error {
		found := 0
		for _, err := range c.SearchAll(ctx, vecwire.Query{Vector: q.Vector, K: number}) {
			if err != nil {
				return err
			}
			found++
		}
		require.Equal(t, n, found)
		return nil
	})
	each("GroupSize", func(t *testing.T, ctx context.Context, number int) error {
		q := vecwire.Query{Vector: q.Vector, K: n, GroupBy: "n", GroupSize: number}
		hits, err := c.Search(ctx, q)
		refusesNegative(t, number, err)
		if err == nil {
			require.Len(t, hits, min(2, max(1, number))*n/2) // each group has two
		}
		return err
	})
	if s.caps.FullText {
		for field, set := range map[string]func(*vecwire.Fusion, float64){
			"K":            func(f *vecwire.Fusion, x float64) { f.K = x },
			"VectorWeight": func(f *vecwire.Fusion, x float64) { f.VectorWeight = x },
			"TextWeight":   func(f *vecwire.Fusion, x float64) { f.TextWeight = x },
		} {
			each("Fusion."+field, func(t *testing.T, ctx context.Context, number int) error {
				var fusion vecwire.Fusion
				set(&fusion, float64(number))
				hits, err := c.Search(ctx, vecwire.Query{Vector: q.Vector, Text: "word", K: n, Fusion: &fusion})
				refusesNegative(t, number, err)
				if err == nil {
					require.Len(t, hits, n)
				}
				return err
			})
		}
	}
	each("Effort", func(t *testing.T, ctx context.Context, number int) error {
		q := vecwire.Query{Vector: q.Vector, K: 3, Effort: number}
		hits, err := c.Search(ctx, q)
		refusesNegative(t, number, err)
		if number > 0 && !s.caps.Effort {
			require.ErrorIs(t, err, vecwire.ErrUnsupported)
			return nil
		}
		if err == nil {
			q.Exact = true
			m.expectHits(t, q, hits)
		}
		return err
	})
	each("Away", func(t *testing.T, ctx context.Context, number int) error {
		if number > 1<<20 {
			number = 20_000 // more do not fit into every machine
		}
		away := make([][]float32, max(0, number))
		for i := range away {
			away[i] = []float32{0, 1}
		}
		hits, err := c.Search(ctx, vecwire.Query{Vector: q.Vector, K: 3, Away: away})
		if err == nil {
			require.Equal(t, []string{"00", "01", "02"}, hitIDs(hits))
		}
		return err
	})
	s.numbersOfIngest(t, each)
	s.numbersOfQueries(t, each)
	each("MirrorOptions.MaxRecords", func(t *testing.T, ctx context.Context, number int) error {
		mirror, err := c.Mirror(ctx, vecwire.MirrorOptions{MaxRecords: number})
		refusesNegative(t, number, err)
		if err != nil {
			return err
		}
		defer mirror.Close()
		hits, err := mirror.Search(ctx, vecwire.Query{Vector: q.Vector, K: math.MaxInt})
		require.NoError(t, err)
		require.Len(t, hits, n)
		return mirror.Upsert(ctx, records[0])
	})
	s.numbersOfIndexes(t, c, m, each)
	s.numbersOfRecall(t, c, each)
	each("Schema.Dim", func(t *testing.T, ctx context.Context, number int) error {
		_, err := s.db.CreateCollection(ctx, vecwire.Schema{Name: s.name(), Dim: number})
		var schema *vecwire.SchemaError
		require.ErrorAs(t, err, &schema)
		return nil
	})
	if s.caps.Attach {
		each("AttachOptions.Dim", func(t *testing.T, ctx context.Context, number int) error {
			_, err := s.db.AttachCollection(ctx, vecwire.AttachOptions{Table: "there_is_none", Dim: number})
			refusesNegative(t, number, err)
			if number != 0 {
				var schema *vecwire.SchemaError
				require.ErrorAs(t, err, &schema)
			} else {
				require.Error(t, err, "there is no such table")
			}
			return nil
		})
	}
	m.expectAll(t, c)
}

type eachNumber func(option string, call func(t *testing.T, ctx context.Context, number int) error)

func (s *suite) numbersOfIngest(t *testing.T, each eachNumber) {
	for option, set := range map[string]func(*vecwire.IngestOptions, int){
		"Workers":          func(o *vecwire.IngestOptions, n int) { o.Workers = n },
		"Workers, Ordered": func(o *vecwire.IngestOptions, n int) { o.Workers, o.Ordered = n, true },
		"BatchRecords":     func(o *vecwire.IngestOptions, n int) { o.BatchRecords = n },
		"MaxErrors":        func(o *vecwire.IngestOptions, n int) { o.MaxErrors = n },
		"Total":            func(o *vecwire.IngestOptions, n int) { o.Total = int64(n) },
		"Skipped":          func(o *vecwire.IngestOptions, n int) { o.Skipped = int64(n) },
		"Skipped of a job": func(o *vecwire.IngestOptions, n int) { o.Skipped, o.Job = int64(n), "numbers" },
		"Every":            func(o *vecwire.IngestOptions, n int) { o.Every = time.Duration(n) },
	} {
		each("IngestOptions."+option, func(t *testing.T, ctx context.Context, number int) error {
			c := s.create(t, vecwire.Schema{Dim: 2})
			m := newModel(c.Schema(), newGenerator(201, c.Schema()).records(7)...)
			o := vecwire.IngestOptions{Progress: func(p vecwire.Progress) {
				if p.ETA < 0 || p.Rate < 0 || p.Done < 0 {
					t.Errorf("progress runs backwards: %+v", p)
				}
			}}
			set(&o, number)
			report, err := c.Ingest(ctx, input(m.all()...), o)
			if err != nil {
				return err
			}
			expectCounts(t, counts{inserted: 7}, report)
			m.expectAll(t, c)
			return nil
		})
	}
	if !s.caps.Reembed {
		return
	}
	for option, set := range map[string]func(*vecwire.ReembedOptions, int){
		"Workers":   func(o *vecwire.ReembedOptions, n int) { o.Workers = n },
		"MaxErrors": func(o *vecwire.ReembedOptions, n int) { o.MaxErrors = n },
	} {
		each("ReembedOptions."+option, func(t *testing.T, ctx context.Context, number int) error {
			c := s.create(t, vecwire.Schema{Dim: 2, Model: "old"})
			require.NoError(t, c.Upsert(ctx, vecwire.Record{ID: "1", Vector: []float32{1, 1}, Text: "one"}))
			var o vecwire.ReembedOptions
			set(&o, number)
			_, report, err := s.db.Reembed(ctx, c.Schema().Name, newCounting("new", 2), o)
			if err == nil {
				require.EqualValues(t, 1, report.Inserted)
			}
			return err
		})
	}
}

func refusesNegative(t *testing.T, number int, err error) {
	t.Helper()
	if number < 0 {
		require.Error(t, err)
	}
}

func (s *suite) numbersOfIndexes(t *testing.T, c *vecwire.Collection, m *model, each eachNumber) {
	if !s.caps.Indexes {
		return
	}
	for option, set := range map[string]func(*vecwire.IndexOptions, int){
		"M":              func(o *vecwire.IndexOptions, n int) { o.M = n },
		"EfConstruction": func(o *vecwire.IndexOptions, n int) { o.EfConstruction = n },
		"MemoryBytes":    func(o *vecwire.IndexOptions, n int) { o.MemoryBytes = int64(n) },
		"Workers":        func(o *vecwire.IndexOptions, n int) { o.Workers = n },
	} {
		each("IndexOptions."+option, func(t *testing.T, ctx context.Context, number int) error {
			var o vecwire.IndexOptions
			set(&o, number)
			err := c.BuildIndex(ctx, o)
			refusesNegative(t, number, err)
			if errors.Is(err, vecwire.ErrUnsupported) && s.target.Remote {
				require.Positive(t, o.MemoryBytes+int64(o.Workers))
				return nil
			}
			if err != nil {
				return err
			}
			found, err := c.Indexes(ctx)
			require.NoError(t, err)
			require.Len(t, found, 1)
			q := vecwire.Query{Vector: []float32{1, 0}, K: math.MaxInt, Exact: true}
			hits, err := c.Search(ctx, q)
			require.NoError(t, err)
			m.expectHits(t, q, hits)
			q.Exact = false // 12 records are all of them to any graph
			if hits, err = c.Search(ctx, q); err == nil {
				require.Len(t, hits, len(m.records))
			}
			require.NoError(t, c.DropIndex(ctx, found[0].Name))
			return err
		})
	}
}

func (s *suite) numbersOfRecall(t *testing.T, c *vecwire.Collection, each eachNumber) {
	options := map[string]func(*vecwire.RecallOptions, int){
		"Sample":     func(o *vecwire.RecallOptions, n int) { o.Sample = n },
		"K":          func(o *vecwire.RecallOptions, n int) { o.K = n },
		"Candidates": func(o *vecwire.RecallOptions, n int) { o.Candidates, o.Rescore = n, true },
		"Effort":     func(o *vecwire.RecallOptions, n int) { o.Effort = n },
	}
	for option, set := range options {
		each("RecallOptions."+option, func(t *testing.T, ctx context.Context, number int) error {
			var o vecwire.RecallOptions
			set(&o, number)
			report, err := c.Recall(ctx, o)
			refusesNegative(t, number, err)
			if option == "Effort" && number > 0 && !s.caps.Effort {
				require.ErrorIs(t, err, vecwire.ErrUnsupported)
				return nil
			}
			if err == nil {
				require.NotZero(t, report.Queries)
				require.InDelta(t, 1, report.Mean, 1e-9)
			}
			return err
		})
	}
	if !s.caps.Effort {
		return
	}
	// tune tells nothing about so few records without an index; that it does not mind
	// the number is enough.
	tune := func(t *testing.T, ctx context.Context, o vecwire.TuneOptions) error {
		_, usual := c.Tune(ctx, vecwire.TuneOptions{})
		_, err := c.Tune(ctx, o)
		if _, refused := errors.AsType[*vecwire.ValueError](err); refused {
			return err
		}
		require.Equal(t, fmt.Sprint(usual), fmt.Sprint(err))
		return nil
	}
	for option, set := range options {
		each("TuneOptions.Measure."+option, func(t *testing.T, ctx context.Context, number int) error {
			var o vecwire.TuneOptions
			set(&o.Measure, number)
			err := tune(t, ctx, o)
			refusesNegative(t, number, err)
			if option == "Effort" {
				require.Equal(t, number != 0, err != nil, "it is what Tune looks for")
			}
			return err
		})
	}
	each("TuneOptions.Recall", func(t *testing.T, ctx context.Context, number int) error {
		err := tune(t, ctx, vecwire.TuneOptions{Recall: float64(number)})
		require.Equal(t, number != 0, err != nil, "0 stands for the default, and the others are no recall")
		return err
	})
}
