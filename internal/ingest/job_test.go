package ingest_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
	"github.com/vecwire/vecwire/internal/fault"
	"github.com/vecwire/vecwire/internal/ingest"
	"github.com/vecwire/vecwire/internal/local"
)

// doc is a record as a caller has it. Its vector is made of its text, unless it
// brings one.
type doc struct {
	id, text string
	n        int64
	vector   []float32
}

var (
	errBad     = errors.New("bad")
	errRefused = errors.New("refused by the embedder")
	errGone    = errors.New("the service is gone")
)

func vectorOf(text string) engine.Vector { return engine.Vector{F32: []float32{float32(len(text)), 1}} }

func newCollection(t *testing.T) engine.Collection {
	e, err := local.Open(t.Context(), local.Options{Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	t.Cleanup(func() { e.Close() })
	c, err := e.Create(t.Context(), engine.Schema{Name: "docs", Dim: 2, Metric: codec.L2, Fields: []engine.Field{{Name: "n", Type: filter.Int, Index: true}}})
	require.NoError(t, err)
	return c
}

// options are those of a job into c. A text that begins with "bad" fails its check,
// one with "refused" is refused by the embedder.
func options(c engine.Collection) ingest.Options[doc] {
	return ingest.Options[doc]{
		Collection: c, Log: slog.New(slog.DiscardHandler),
		ID:   func(d *doc) string { return d.id },
		Size: func(d *doc) int { return len(d.text) },
		Check: func(d *doc, fields []any) (engine.Record, bool, error) {
			if strings.HasPrefix(d.text, "bad") {
				return engine.Record{}, false, errBad
			}
			fields[0] = d.n
			return engine.Record{ID: d.id, Text: d.text, Vector: engine.Vector{F32: d.vector}, Fields: fields}, d.vector == nil, nil
		},
		Embed:   embed,
		Workers: 4, BatchRecords: 5,
	}
}

func embed(_ context.Context, texts []string) ([]engine.Vector, []ingest.TextFailure, error) {
	vectors := make([]engine.Vector, len(texts))
	var failed []ingest.TextFailure
	for i, text := range texts {
		if strings.HasPrefix(text, "refused") {
			failed = append(failed, ingest.TextFailure{Index: i, Err: errRefused})
		} else {
			vectors[i] = vectorOf(text)
		}
	}
	return vectors, failed, nil
}

func input(docs []doc) iter.Seq2[doc, error] {
	return func(yield func(doc, error) bool) {
		for _, d := range docs {
			if !yield(d, nil) {
				return
			}
		}
	}
}

func numbered(n int) []doc {
	docs := make([]doc, n)
	for i := range docs {
		docs[i] = doc{id: fmt.Sprintf("%04d", i), text: fmt.Sprint("text ", i), n: int64(i)}
	}
	return docs
}

func stored(t *testing.T, c engine.Collection) map[string]engine.Record {
	t.Helper()
	records, err := c.Scan(t.Context(), engine.Scan{Limit: 1 << 20, Vectors: true})
	require.NoError(t, err)
	out := map[string]engine.Record{}
	for _, r := range records {
		out[r.ID] = r
	}
	return out
}

// refusing is a collection that refuses texts, and fails, as databases do.
type refusing struct {
	engine.Collection
	refuses func(engine.Record) bool
	names   bool // it says which, and stores the others
	before  func(verb string) error
	calls   atomic.Int64
	after   func(ids []string) // what was stored
}

func (c *refusing) Upsert(ctx context.Context, records []engine.Record) error {
	c.calls.Add(1)
	if c.before != nil {
		if err := c.before("Upsert"); err != nil {
			return err
		}
	}
	var good []engine.Record
	var refused []engine.Refusal
	for i, r := range records {
		if c.refuses != nil && c.refuses(r) {
			refused = append(refused, engine.Refusal{Index: i, Err: errBad})
		} else {
			good = append(good, r)
		}
	}
	if refused != nil && !c.names {
		return engine.Refused(errBad)
	}
	if len(good) > 0 {
		if err := c.Collection.Upsert(ctx, good); err != nil {
			return err
		}
	}
	if c.after != nil {
		c.after(engine.IDs(good))
	}
	if refused != nil {
		return &engine.RefusedError{Records: refused, Stored: len(good)}
	}
	return nil
}

func (c *refusing) Get(ctx context.Context, ids []string, vectors bool) ([]engine.Record, error) {
	if c.before != nil {
		if err := c.before(fmt.Sprint("Get ", vectors)); err != nil {
			return nil, err
		}
	}
	return c.Collection.Get(ctx, ids, vectors)
}

// Whatever the order of the IDs, and whatever is refused by the check, the embedder
// or the engine, the collection is what storing the records one after another makes
// of it, and the report says what became of each.
func TestRunIsOneAfterAnother(t *testing.T) {
	seeds := uint64(200)
	if testing.Short() {
		seeds = 60
	}
	texts := []string{"one", "two", "three", "bad", "refused", "engine"}
	for seed := range seeds {
		rng := rand.New(rand.NewPCG(seed, 1))
		c := &refusing{Collection: newCollection(t), names: seed%3 == 0, refuses: func(r engine.Record) bool { return r.Text == "engine" }}
		want := map[string]engine.Record{}
		given := map[string][]engine.Vector{} // for an ID and text: without a vector of its own, a record may keep any
		for round := range 3 {
			var docs []doc
			failed := map[int]string{}
			good := map[string]int{} // the last record of each ID that can be stored
			for i := range 40 {
				d := doc{id: fmt.Sprint(rng.IntN(25)), text: texts[rng.IntN(len(texts))], n: rng.Int64N(2)}
				if d.text != "refused" && rng.IntN(3) == 0 {
					d.vector = []float32{float32(rng.IntN(2)), 7}
				}
				docs = append(docs, d)
				if d.text == "bad" || d.text == "engine" || d.text == "refused" {
					failed[i] = d.id
					continue
				}
				good[d.id] = i
				want[d.id] = engine.Record{ID: d.id, Text: d.text, Vector: engine.Vector{F32: d.vector}, Fields: []any{d.n}}
				given[d.id+d.text] = append(given[d.id+d.text], engine.Vector{F32: d.vector})
			}
			o := options(c)
			o.BatchRecords = 1 + rng.IntN(12)
			o.Ordered = seed%2 == 0
			job := ingest.New(o)
			require.NoError(t, job.Run(t.Context(), input(docs)))
			is := stored(t, c)
			require.Len(t, is, len(want))
			for id, r := range want {
				if r.Vector.F32 == nil {
					r.Vector = is[id].Vector
					require.True(t, r.Vector.Equal(vectorOf(r.Text)) || slices.ContainsFunc(given[id+r.Text], r.Vector.Equal), "seed %d, round %d: %v in place of %v, given %v: %v", seed, round, is[id], r, given[id+r.Text], docs)
				}
				require.Equal(t, r, is[id], "seed %d, round %d", seed, round)
			}
			report := job.Report()
			require.EqualValues(t, len(docs), report.Done())
			require.EqualValues(t, len(report.Failures), report.Failed)
			reported := map[int]bool{}
			for _, f := range report.Failures {
				require.False(t, reported[f.Index], "%d is reported twice", f.Index)
				reported[f.Index] = true
				require.Equal(t, failed[f.Index], f.ID)
			}
			for i, id := range failed { // one that a later record of the batch replaced may count as updated
				at, later := good[id]
				require.True(t, reported[i] || docs[i].text != "bad" && later && at > i, "%d is not reported", i)
			}
		}
	}
}

// Counts are those of what is in the collection, also when IDs come again and the
// later record of an ID is refused.
func TestReportCounts(t *testing.T) {
	c := newCollection(t)
	run := func(docs ...doc) (r ingest.Report) {
		t.Helper()
		job := ingest.New(options(c))
		require.NoError(t, job.Run(t.Context(), input(docs)))
		r = job.Report()
		r.Elapsed, r.Failures = 0, nil
		return r
	}
	require.Equal(t, ingest.Report{Inserted: 2, Embedded: 2}, run(doc{id: "a", text: "x"}, doc{id: "b", text: "y"}))
	require.Equal(t, ingest.Report{Unchanged: 2}, run(doc{id: "a", text: "x"}, doc{id: "b", text: "y"}))
	require.Equal(t, ingest.Report{Updated: 1, Unchanged: 1}, run(doc{id: "a", text: "x", n: 1}, doc{id: "b", text: "y"}))
	require.Equal(t, ingest.Report{Updated: 1, Embedded: 1}, run(doc{id: "a", text: "xx", n: 1}))
}

// The cursor is at no time behind or before what is done: all records before it are
// stored, and it never goes back.
func TestCursorHasNoGap(t *testing.T) {
	for seed := range uint64(10) {
		c := &refusing{Collection: newCollection(t)}
		o := options(c)
		done := &cursor{}
		var calls atomic.Int64
		c.before = func(verb string) error {
			if verb == "Upsert" && calls.Add(1) == int64(5+seed) {
				return errGone
			}
			return nil
		}
		done.saved = func(at int64) {
			if at > 0 {
				is := stored(t, c.Collection)
				for i := range at {
					if _, ok := is[fmt.Sprintf("%04d", i)]; !ok {
						t.Errorf("%d is not stored, and the cursor is at %d", i, at)
					}
				}
			}
		}
		o.Cursor, o.Every, o.BatchRecords, o.Ordered = done, time.Microsecond, 3, seed%2 == 0
		docs := numbered(100)
		require.ErrorIs(t, ingest.New(o).Run(t.Context(), input(docs)), errGone)
		require.True(t, slices.IsSorted(done.list), "%v", done.list)
		require.Zero(t, done.forgotten)
		if o.Ordered {
			require.Len(t, stored(t, c.Collection), 3*(4+int(seed)), "nothing is stored after what failed")
			require.EqualValues(t, 3*(4+int(seed)), done.list[len(done.list)-1])
		}
		// The job goes on from there, and its cursor goes with its end.
		o.Skipped = 0
		if len(done.list) > 0 {
			o.Skipped = done.list[len(done.list)-1]
		}
		job := ingest.New(o)
		require.NoError(t, job.Run(t.Context(), input(docs[o.Skipped:])))
		require.Len(t, stored(t, c.Collection), 100)
		require.EqualValues(t, 100-o.Skipped, job.Report().Done())
		require.Equal(t, 1, done.forgotten)
		require.True(t, slices.IsSorted(done.list), "%v", done.list)
	}
}

type cursor struct {
	list      []int64
	saved     func(int64)
	forgotten int
}

func (c *cursor) Save(_ context.Context, done int64) error {
	c.list = append(c.list, done)
	c.saved(done)
	return nil
}

func (c *cursor) Forget(context.Context) error {
	c.forgotten++
	return nil
}

// A panic in a function of the caller's is the job's error, one over a single record is
// that record's, and one in the input is the caller's to see; afterwards nothing is running.
func TestPanics(t *testing.T) {
	boom := func() { panic("boom") }
	for name, set := range map[string]func(*ingest.Options[doc]){
		"Check": func(o *ingest.Options[doc]) {
			check := o.Check
			o.Check = func(d *doc, fields []any) (engine.Record, bool, error) {
				if d.n == 50 {
					boom()
				}
				return check(d, fields)
			}
		},
		"Embed": func(o *ingest.Options[doc]) {
			o.Embed = func(ctx context.Context, texts []string) ([]engine.Vector, []ingest.TextFailure, error) {
				if slices.Contains(texts, "text 50") {
					boom()
				}
				return embed(ctx, texts)
			}
		},
		"Progress": func(o *ingest.Options[doc]) { o.Progress = func(ingest.Progress) { boom() } },
		"Refused": func(o *ingest.Options[doc]) {
			o.Refused = func(engine.Record) { boom() }
		},
	} {
		for _, ordered := range []bool{false, true} {
			t.Run(fmt.Sprint(name, " ", ordered), func(t *testing.T) {
				c := newCollection(t)
				before := goleak.IgnoreCurrent()
				o := options(c)
				o.Ordered = ordered
				set(&o)
				docs := numbered(100)
				docs[60].text = "refused"
				job := ingest.New(o)
				err := job.Run(t.Context(), input(docs))
				if name == "Check" {
					require.NoError(t, err)
					for _, f := range job.Report().Failures {
						if f.Index == 50 {
							err = f.Err
						}
					}
				}
				panicked, ok := errors.AsType[*fault.PanicError](err)
				require.True(t, ok, "%v", err)
				require.Equal(t, "boom", panicked.Value)
				goleak.VerifyNone(t, before)
				r := job.Report()
				require.LessOrEqual(t, r.Inserted, int64(len(stored(t, c))), "what is counted is stored")
			})
		}
	}

	t.Run("input", func(t *testing.T) {
		c := newCollection(t)
		before := goleak.IgnoreCurrent()
		started := make(chan struct{})
		var running atomic.Int64
		o := options(c)
		o.Embed = func(ctx context.Context, texts []string) ([]engine.Vector, []ingest.TextFailure, error) {
			running.Add(1)
			defer running.Add(-1)
			close(started)
			<-ctx.Done()
			return nil, nil, ctx.Err()
		}
		o.BatchRecords = 1
		require.PanicsWithValue(t, "boom", func() {
			_ = ingest.New(o).Run(t.Context(), func(yield func(doc, error) bool) {
				yield(doc{id: "a", text: "x"}, nil)
				<-started
				boom()
			})
		})
		require.Zero(t, running.Load(), "the worker ended first")
		goleak.VerifyNone(t, before)
	})

	t.Run("the end of a goroutine", func(t *testing.T) {
		for _, ordered := range []bool{false, true} {
			o := options(newCollection(t))
			before := goleak.IgnoreCurrent()
			o.Ordered = ordered
			o.Embed = func(ctx context.Context, texts []string) ([]engine.Vector, []ingest.TextFailure, error) {
				if slices.Contains(texts, "text 50") {
					runtime.Goexit() // as a test's FailNow does
				}
				return embed(ctx, texts)
			}
			require.ErrorContains(t, ingest.New(o).Run(t.Context(), input(numbered(100))), "ended its goroutine")
			goleak.VerifyNone(t, before)
		}
	})
}

// What ends a job is its error, and what it counts is stored.
func TestRunEnds(t *testing.T) {
	run := func(t *testing.T, o ingest.Options[doc], ctx context.Context, in iter.Seq2[doc, error]) (ingest.Report, error) {
		job := ingest.New(o)
		before := goleak.IgnoreCurrent()
		err := job.Run(ctx, in)
		goleak.VerifyNone(t, before)
		r := job.Report()
		require.LessOrEqual(t, r.Inserted, int64(len(stored(t, o.Collection))))
		return r, err
	}
	t.Run("an error of the input", func(t *testing.T) {
		r, err := run(t, options(newCollection(t)), t.Context(), func(yield func(doc, error) bool) {
			if input(numbered(13))(yield); !yield(doc{}, errGone) {
				return
			}
			t.Error("the input is asked again after its error")
		})
		require.ErrorIs(t, err, errGone)
		require.ErrorContains(t, err, "record 13")
		require.EqualValues(t, 13, r.Inserted, "what came before is stored")
	})
	t.Run("a failure as an error of the input", func(t *testing.T) {
		r, err := run(t, options(newCollection(t)), t.Context(), func(yield func(doc, error) bool) {
			for i, d := range numbered(13) {
				if i == 4 {
					yield(doc{}, fmt.Errorf("wrapped: %w", &ingest.Failure{ID: "mine", Index: 99, Err: errBad}))
				}
				if !yield(d, nil) {
					return
				}
			}
		})
		require.NoError(t, err)
		require.Equal(t, []ingest.Failure{{ID: "mine", Index: 4, Err: errBad}}, r.Failures)
		require.EqualValues(t, 13, r.Inserted)
	})
	t.Run("the context", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		c := &refusing{Collection: newCollection(t)}
		c.after = func([]string) {
			if c.calls.Load() >= 4 { // two that store at once may both see 5
				cancel()
			}
		}
		_, err := run(t, options(c), ctx, input(numbered(1000)))
		require.ErrorIs(t, err, context.Canceled)
		require.Less(t, len(stored(t, c)), 1000)
	})
	t.Run("the embedder", func(t *testing.T) {
		o := options(newCollection(t))
		o.Embed = func(context.Context, []string) ([]engine.Vector, []ingest.TextFailure, error) {
			return nil, nil, errGone
		}
		r, err := run(t, o, t.Context(), input(numbered(100)))
		require.ErrorIs(t, err, errGone)
		require.Zero(t, r.Done())
	})
	t.Run("too many failed", func(t *testing.T) {
		docs := numbered(100)
		for i := range docs {
			if i%10 == 0 {
				docs[i].text = "bad"
			}
		}
		for max, ends := range map[int]bool{0: false, -1: true, 9: true, 10: false} {
			o := options(newCollection(t))
			o.MaxErrors, o.Workers = max, 1
			r, err := run(t, o, t.Context(), input(docs))
			if !ends {
				require.NoError(t, err)
				require.EqualValues(t, 10, r.Failed)
				require.EqualValues(t, 90, r.Inserted)
				continue
			}
			require.ErrorIs(t, err, ingest.ErrTooManyFailed)
			require.EqualValues(t, min(10, len(r.Failures)), r.Failed)
			require.Len(t, stored(t, o.Collection), int(r.Inserted))
		}
	})
	t.Run("more failures than are described", func(t *testing.T) {
		o := options(newCollection(t))
		o.BatchRecords = 999
		docs := slices.Repeat([]doc{{id: "a", text: "bad"}}, ingest.MaxFailures+1234)
		r, err := run(t, o, t.Context(), input(docs))
		require.NoError(t, err)
		require.Len(t, r.Failures, ingest.MaxFailures)
		require.EqualValues(t, len(docs), r.Failed)
	})
}

// A record that the engine refuses without naming it is found in few calls.
func TestRefusedRecordIsHalvedOut(t *testing.T) {
	for _, names := range []bool{false, true} {
		c := &refusing{Collection: newCollection(t), names: names, refuses: func(r engine.Record) bool { return r.ID == "0077" }}
		o := options(c)
		o.BatchRecords, o.Workers = 128, 1
		job := ingest.New(o)
		require.NoError(t, job.Run(t.Context(), input(numbered(128))))
		r := job.Report()
		require.Len(t, r.Failures, 1)
		require.Equal(t, []any{"0077", 77}, []any{r.Failures[0].ID, r.Failures[0].Index})
		require.ErrorIs(t, r.Failures[0].Err, errBad)
		require.EqualValues(t, 127, r.Inserted)
		require.EqualValues(t, 128, r.Embedded)
		most := 15 // 1 + 2*7
		if names {
			most = 1
		}
		require.EqualValues(t, most, c.calls.Load())
	}
}

// Another writer changes a text between the two readings of a comparison. The record
// does not get the vector of that text.
func TestRunKeepsNoVectorOfAnotherText(t *testing.T) {
	c := &refusing{Collection: newCollection(t)}
	require.NoError(t, ingest.New(options(c)).Run(t.Context(), input([]doc{{id: "a", text: "mine"}})))
	c.before = func(verb string) error {
		if verb != "Get true" {
			return nil
		}
		return c.Collection.Upsert(t.Context(), []engine.Record{{ID: "a", Text: "of another", Vector: vectorOf("of another"), Fields: []any{int64(5)}}})
	}
	require.NoError(t, ingest.New(options(c)).Run(t.Context(), input([]doc{{id: "a", text: "mine", n: 2}})))
	require.Equal(t, engine.Record{ID: "a", Text: "mine", Vector: vectorOf("mine"), Fields: []any{int64(2)}}, stored(t, c)["a"])
}

// With Ordered nothing is stored after a batch that failed, however close the next
// one is.
func TestOrderedStoresNothingAfterAFailure(t *testing.T) {
	jobs := 500
	if testing.Short() {
		jobs = 200
	}
	for range jobs {
		var list []string
		c := &refusing{Collection: discarding{}}
		c.before = func(verb string) error {
			if verb == "Upsert" && c.calls.Load() == 4 {
				return errGone
			}
			return nil
		}
		c.after = func(ids []string) { list = append(list, ids...) }
		o := options(c)
		o.Ordered, o.BatchRecords, o.Workers = true, 1, 8
		require.ErrorIs(t, ingest.New(o).Run(t.Context(), input(numbered(12))), errGone)
		require.Equal(t, []string{"0000", "0001", "0002"}, list)
	}
}

// discarding is a collection that keeps nothing.
type discarding struct{ engine.Collection }

func (discarding) Schema() engine.Schema {
	return engine.Schema{Name: "docs", Dim: 2, Fields: []engine.Field{{Name: "n", Type: filter.Int}}}
}
func (discarding) Can() engine.Can                               { return engine.Can{} }
func (discarding) Upsert(context.Context, []engine.Record) error { return nil }
func (discarding) Get(context.Context, []string, bool) ([]engine.Record, error) {
	return nil, nil
}
