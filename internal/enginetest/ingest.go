package enginetest

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/embed"
	"github.com/vecwire/vecwire/filter"
)

// input yields records as an input that never fails.
func input(records ...vecwire.Record) iter.Seq2[vecwire.Record, error] {
	return func(yield func(vecwire.Record, error) bool) {
		for _, r := range records {
			if !yield(r, nil) {
				return
			}
		}
	}
}

// counts is the part of a report that a case expects.
type counts struct{ inserted, updated, unchanged, failed, deleted int64 }

func expectCounts(t testing.TB, want counts, r vecwire.IngestReport) {
	t.Helper()
	require.Equal(t, want, counts{r.Inserted, r.Updated, r.Unchanged, r.Failed, r.Deleted}, "inserted, updated, unchanged, failed, deleted")
	require.Equal(t, want.failed > 0, r.Err() != nil)
}

// ingest: inputs of any length, with what is wrong in them reported.
func (s *suite) ingest(t *testing.T) {
	ctx := t.Context()
	schema := vecwire.Schema{Dim: 4, Fields: allTypes()}

	run(t, "stores what changed", func(t *testing.T) {
		c := s.create(t, schema)
		m, g := newModel(c.Schema()), newGenerator(40, c.Schema())
		records := g.records(s.sample(300) + 20)
		n := int64(len(records))
		o := vecwire.IngestOptions{BatchRecords: 7, Total: n}
		report, err := c.Ingest(ctx, input(records...), o)
		require.NoError(t, err)
		expectCounts(t, counts{inserted: n}, report)
		m.upsert(records...)
		m.expectAll(t, c)

		report, err = c.Ingest(ctx, input(records...), vecwire.IngestOptions{BatchRecords: 11})
		require.NoError(t, err)
		expectCounts(t, counts{unchanged: n}, report)

		records[3].Text += "!"
		records[9].Vector = g.vector()
		records[11].Fields = vecwire.Fields{"i": 12345}
		records = append(records, g.record("new"))
		report, err = c.Ingest(ctx, input(records...), o)
		require.NoError(t, err)
		expectCounts(t, counts{inserted: 1, updated: 3, unchanged: n - 3}, report)
		m.upsert(records...)
		m.expectAll(t, c)
	})
	run(t, "DOUBLE", func(t *testing.T) {
		if !s.caps.Doubles {
			t.Skip("no DOUBLE on this engine")
		}
		c := s.create(t, vecwire.Schema{Dim: 3, Element: vecwire.DOUBLE})
		records := newGenerator(41, c.Schema()).records(20)
		for _, want := range []counts{{inserted: 20}, {unchanged: 20}} {
			report, err := c.Ingest(ctx, input(records...), vecwire.IngestOptions{})
			require.NoError(t, err)
			expectCounts(t, want, report)
		}
		newModel(c.Schema(), records...).expectAll(t, c)
	})
	run(t, "the last of an ID counts", func(t *testing.T) {
		c := s.create(t, schema)
		g := newGenerator(42, c.Schema())
		m := newModel(c.Schema())
		var records []vecwire.Record
		for range s.sample(200) + 20 {
			records = append(records, g.record(fmt.Sprint(g.IntN(12))))
		}
		m.upsert(records...)
		report, err := c.Ingest(ctx, input(records...), vecwire.IngestOptions{BatchRecords: 3, Workers: 8})
		require.NoError(t, err)
		require.EqualValues(t, len(m.records), report.Inserted)
		require.EqualValues(t, len(records), report.Done())
		m.expectAll(t, c)
	})
	run(t, "a bad record fails alone", func(t *testing.T) {
		c := s.create(t, schema)
		m, g := newModel(c.Schema()), newGenerator(43, c.Schema())
		records := g.records(30)
		good := slices.Clone(records)
		records[4].Vector = []float32{1}
		records[12].ID = ""
		records[13].Fields = vecwire.Fields{"i": "no number"}
		records[29].Vector = nil
		good = slices.DeleteFunc(good, func(r vecwire.Record) bool { return slices.Contains([]string{"0004", "0012", "0013", "0029"}, r.ID) })
		broken := func(yield func(vecwire.Record, error) bool) {
			for i, r := range records {
				if i == 20 && !yield(vecwire.Record{}, &vecwire.RecordError{ID: "line 21", Err: errInput}) || !yield(r, nil) {
					return
				}
			}
		}
		report, err := c.Ingest(ctx, broken, vecwire.IngestOptions{BatchRecords: 8, Ordered: true})
		require.NoError(t, err)
		expectCounts(t, counts{inserted: 26, failed: 5}, report)
		var at []int
		for _, f := range report.Failures {
			at = append(at, f.Index)
		}
		slices.Sort(at)
		require.Equal(t, []int{4, 12, 13, 20, 30}, at, "indexes count the input")
		var dim *vecwire.DimensionError
		require.ErrorAs(t, report.Err(), &dim)
		require.ErrorIs(t, report.Err(), errInput)
		m.upsert(good...)
		m.expectAll(t, c)
	})
	run(t, "too many errors", func(t *testing.T) {
		c := s.create(t, schema)
		records := newGenerator(44, c.Schema()).records(40)
		for i := range records {
			if i%4 == 3 {
				records[i].Vector = nil
			}
		}
		for _, o := range []vecwire.IngestOptions{{MaxErrors: 4}, {MaxErrors: -1}} {
			o.BatchRecords, o.Workers = 4, 1
			report, err := c.Ingest(ctx, input(records...), o)
			var batch *vecwire.BatchError
			require.ErrorAs(t, err, &batch)
			require.EqualValues(t, max(0, o.MaxErrors)+1, report.Failed)
			n, err := c.Count(ctx, filter.Filter{})
			require.NoError(t, err)
			require.EqualValues(t, 15, n, "what the first run reports as stored is stored")
		}
	})
	run(t, "an input that fails", func(t *testing.T) {
		c := s.create(t, schema)
		records := newGenerator(45, c.Schema()).records(10)
		failing := func(yield func(vecwire.Record, error) bool) {
			for _, r := range records {
				if !yield(r, nil) {
					return
				}
			}
			yield(vecwire.Record{}, errInput)
		}
		report, err := c.Ingest(ctx, failing, vecwire.IngestOptions{BatchRecords: 4})
		require.ErrorIs(t, err, errInput)
		require.ErrorContains(t, err, "record 10")
		expectCounts(t, counts{inserted: 10}, report)
	})
	run(t, "cancelled", func(t *testing.T) {
		c := s.create(t, schema)
		records := newGenerator(46, c.Schema()).records(40)
		cancelled, cancel := context.WithCancel(ctx)
		defer cancel()
		report, err := c.Ingest(cancelled, func(yield func(vecwire.Record, error) bool) {
			for i, r := range records {
				if i == 22 {
					cancel()
				}
				if !yield(r, nil) {
					return
				}
			}
		}, vecwire.IngestOptions{BatchRecords: 5, Ordered: true, Workers: 1})
		require.ErrorIs(t, err, context.Canceled)
		found := collect(t, c, vecwire.Scan{})
		require.GreaterOrEqual(t, int64(len(found)), report.Inserted, "what the report counts as stored is stored")
		for i, r := range found {
			require.Equal(t, records[i].ID, r.ID, "what is stored is the beginning of the input")
		}
		report, err = c.Ingest(ctx, input(records...), vecwire.IngestOptions{})
		require.NoError(t, err)
		expectCounts(t, counts{inserted: int64(40 - len(found)), unchanged: int64(len(found))}, report)
	})
	run(t, "progress", func(t *testing.T) {
		c := s.create(t, schema)
		var seen []vecwire.Progress
		_, err := c.Ingest(ctx, input(newGenerator(47, c.Schema()).records(60)...), vecwire.IngestOptions{
			BatchRecords: 5, Total: 60, Every: time.Millisecond,
			Progress: func(p vecwire.Progress) { seen = append(seen, p) },
		})
		require.NoError(t, err)
		last := seen[len(seen)-1]
		require.EqualValues(t, 60, last.Done)
		require.EqualValues(t, 60, last.Total)
		require.Positive(t, last.Rate)
		require.Zero(t, last.ETA)
		require.True(t, slices.IsSortedFunc(seen, func(a, b vecwire.Progress) int { return int(a.Done - b.Done) }))
	})
	run(t, "in a transaction", func(t *testing.T) {
		c := s.create(t, schema)
		err := s.db.Tx(ctx, func(ctx context.Context) error {
			_, err := c.Ingest(ctx, input(), vecwire.IngestOptions{})
			return err
		})
		require.Error(t, err)
	})
	run(t, "Embedder", s.ingestEmbedded)
	run(t, "Job", s.ingestJob)
	run(t, "ReplaceSource", s.replaceSource)
}

var errInput = errors.New("the input is broken")

// counted counts the texts that reach an embedder.
type counted struct {
	words
	texts *atomic.Int64
}

func (c counted) Embed(ctx context.Context, texts []string, use embed.Use) ([][]float32, error) {
	c.texts.Add(int64(len(texts)))
	for i, text := range texts {
		if strings.Contains(text, "!refuse") {
			return nil, &embed.TextError{Index: i, Err: errEmbed}
		}
	}
	uses := []embed.Use{}
	return words{c.model, c.dim, &uses}.Embed(ctx, texts, use)
}

func newCounted() counted {
	return counted{words{"words-8", 8, nil}, new(atomic.Int64)}
}

// ingestEmbedded: texts are embedded once.
func (s *suite) ingestEmbedded(t *testing.T) {
	ctx := t.Context()
	e := newCounted()
	bare := s.create(t, vecwire.Schema{Dim: 8, Model: e.model, Fields: []vecwire.Field{{Name: "n", Type: vecwire.Int}}})
	c, err := bare.WithEmbedder(e)
	require.NoError(t, err)
	m := newModel(c.Schema())
	var records []vecwire.Record
	for i := range 50 {
		r := vecwire.Record{ID: fmt.Sprintf("%02d", i), Text: fmt.Sprintf("line %d of a text", i), Fields: vecwire.Fields{"n": i}}
		records = append(records, r)
	}
	expect := func(want counts, texts int64) {
		t.Helper()
		e.texts.Store(0)
		report, err := c.Ingest(ctx, input(records...), vecwire.IngestOptions{BatchRecords: 10})
		require.NoError(t, err)
		expectCounts(t, want, report)
		require.Equal(t, texts, e.texts.Load(), "texts embedded")
		require.Equal(t, texts, report.Embedded)
		for _, r := range records {
			v, err := e.words.embedOne(r.Text)
			require.NoError(t, err)
			r.Vector = v
			m.upsert(r)
		}
		m.expectAll(t, c)
	}
	expect(counts{inserted: 50}, 50)
	expect(counts{unchanged: 50}, 0)
	records[7].Fields = vecwire.Fields{"n": -7}
	expect(counts{updated: 1, unchanged: 49}, 0)
	records[8].Text = "another text"
	expect(counts{updated: 1, unchanged: 49}, 1)

	run(t, "texts that the embedder refuses fail alone", func(t *testing.T) {
		more := []vecwire.Record{
			{ID: "a", Text: "fine"}, {ID: "b", Text: "!refuse this"}, {ID: "c", Text: "a !nan"}, {ID: "d", Text: "good"},
			{ID: "e", Text: "", Fields: vecwire.Fields{"n": 1}}, {ID: "f", Text: "!refuse that"},
		}
		report, err := c.Ingest(ctx, input(more...), vecwire.IngestOptions{})
		require.NoError(t, err)
		expectCounts(t, counts{inserted: 2, failed: 4}, report)
		failed := map[string]int{}
		for _, f := range report.Failures {
			failed[f.ID] = f.Index
		}
		require.Equal(t, map[string]int{"b": 1, "c": 2, "e": 4, "f": 5}, failed)
		require.ErrorIs(t, report.Err(), errEmbed)
	})
	run(t, "an embedder that fails ends the job", func(t *testing.T) {
		broken, err := bare.WithEmbedder(embed.Func(c.Schema().Model, c.Schema().Dim, func(context.Context, []string, embed.Use) ([][]float32, error) {
			return nil, errEmbed
		}))
		require.NoError(t, err)
		report, err := broken.Ingest(ctx, input(vecwire.Record{ID: "x", Text: "x"}), vecwire.IngestOptions{})
		require.ErrorIs(t, err, errEmbed)
		expectCounts(t, counts{}, report)
	})
	run(t, "without an embedder", func(t *testing.T) {
		report, err := bare.Ingest(ctx, input(vecwire.Record{ID: "x", Text: "y"}), vecwire.IngestOptions{})
		require.NoError(t, err)
		require.ErrorContains(t, report.Err(), "WithEmbedder")
	})
}

func (w words) embedOne(text string) ([]float32, error) {
	uses := []embed.Use{}
	v, err := words{w.model, w.dim, &uses}.Embed(context.Background(), []string{text}, embed.Document)
	if err != nil {
		return nil, err
	}
	return v[0], nil
}

// ingestJob: the cursor of a job that was interrupted.
func (s *suite) ingestJob(t *testing.T) {
	ctx := t.Context()
	c := s.create(t, vecwire.Schema{Dim: 4})
	records := newGenerator(48, c.Schema()).records(30)
	cursor := func() int64 {
		n, err := c.Cursor(ctx, "load")
		require.NoError(t, err)
		return n
	}
	require.Zero(t, cursor())
	o := vecwire.IngestOptions{Job: "load", BatchRecords: 4}
	_, err := c.Ingest(ctx, func(yield func(vecwire.Record, error) bool) {
		for _, r := range records[:14] {
			if !yield(r, nil) {
				return
			}
		}
		yield(vecwire.Record{}, errInput)
	}, o)
	require.ErrorIs(t, err, errInput)
	done := cursor()
	require.EqualValues(t, 14, done)
	o.Skipped = done
	report, err := c.Ingest(ctx, input(records[done:]...), o)
	require.NoError(t, err)
	expectCounts(t, counts{inserted: 16}, report)
	newModel(c.Schema(), records...).expectAll(t, c)
	require.Zero(t, cursor(), "a job that has ended has no cursor")

	_, err = c.Ingest(ctx, func(yield func(vecwire.Record, error) bool) {
		if yield(records[0], nil) {
			yield(vecwire.Record{}, errInput)
		}
	}, o)
	require.ErrorIs(t, err, errInput)
	require.Positive(t, cursor())
	list, err := s.db.Collections(ctx)
	require.NoError(t, err)
	for _, schema := range list {
		require.NotContains(t, schema.Name, "vecwire_", "the cursors' own collection is not listed")
	}
	require.NoError(t, s.db.DropCollection(ctx, c.Schema().Name))
	require.Zero(t, cursor(), "the cursors of a collection go with it")

	_, err = c.Ingest(ctx, input(), vecwire.IngestOptions{Job: strings.Repeat("x", 201)})
	var value *vecwire.ValueError
	require.ErrorAs(t, err, &value)
}

// replaceSource: the chunks of a document.
func (s *suite) replaceSource(t *testing.T) {
	ctx := t.Context()
	e := newCounted()
	bare := s.create(t, vecwire.Schema{Dim: 8, Model: e.model, Fields: []vecwire.Field{{Name: vecwire.SourceField, Index: true}, {Name: "n", Type: vecwire.Int}}})
	c, err := bare.WithEmbedder(e)
	require.NoError(t, err)
	m := newModel(c.Schema())
	chunks := func(source string, texts ...string) (records []vecwire.Record) {
		for i, text := range texts {
			records = append(records, vecwire.Record{ID: fmt.Sprintf("%s#%d", source, i), Text: text, Fields: vecwire.Fields{"n": i}})
		}
		return records
	}
	replace := func(source string, want counts, embedded int64, records ...vecwire.Record) {
		t.Helper()
		report, err := c.ReplaceSource(ctx, source, records...)
		require.NoError(t, err)
		expectCounts(t, want, report)
		require.Equal(t, embedded, report.Embedded)
		for id, r := range m.records {
			if r.Fields[vecwire.SourceField] == source {
				delete(m.records, id)
			}
		}
		for _, r := range records {
			require.NotContains(t, r.Fields, vecwire.SourceField, "the caller's records were changed")
			r.Vector, err = e.words.embedOne(r.Text)
			require.NoError(t, err)
			r.Fields = vecwire.Fields{vecwire.SourceField: source, "n": r.Fields["n"]}
			m.upsert(r)
		}
		m.expectAll(t, c)
	}
	replace("a.md", counts{inserted: 3}, 3, chunks("a.md", "one", "two", "three")...)
	replace("b.md", counts{inserted: 2}, 2, chunks("b.md", "one", "two")...)
	replace("a.md", counts{updated: 1, unchanged: 1, deleted: 1}, 1, chunks("a.md", "one", "second")...)
	replace("a.md", counts{unchanged: 2}, 0, chunks("a.md", "one", "second")...)
	replace("b.md", counts{deleted: 2}, 0)
	many := make([]string, 600)
	for i := range many {
		many[i] = fmt.Sprint("chunk ", i)
	}
	if s.target.Light {
		many = many[:60]
	}
	replace("c.md", counts{inserted: int64(len(many))}, int64(len(many)), chunks("c.md", many...)...)
	replace("c.md", counts{unchanged: 1, deleted: int64(len(many) - 1)}, 0, chunks("c.md", many[0])...)

	run(t, "refused", func(t *testing.T) {
		bad := chunks("a.md", "one", "new", "!nan")
		_, err := c.ReplaceSource(ctx, "a.md", bad...)
		var batch *vecwire.BatchError
		require.ErrorAs(t, err, &batch)
		require.Equal(t, "a.md#2", batch.Failed[0].ID)
		other := chunks("a.md", "one")
		other[0].Fields[vecwire.SourceField] = "b.md"
		_, err = c.ReplaceSource(ctx, "a.md", other...)
		require.ErrorAs(t, err, &batch)
		_, err = c.ReplaceSource(ctx, "a\x00", chunks("a.md", "one")...)
		var value *vecwire.ValueError
		require.ErrorAs(t, err, &value)
		_, err = c.ReplaceSource(ctx, "a.md", vecwire.Record{ID: "x", Text: "!fail"})
		require.ErrorIs(t, err, errEmbed)
		m.expectAll(t, c)
		without := s.create(t, vecwire.Schema{Dim: 8})
		_, err = without.ReplaceSource(ctx, "a.md")
		var schema *vecwire.SchemaError
		require.ErrorAs(t, err, &schema)
	})
	run(t, "in a transaction", func(t *testing.T) {
		if !s.caps.Transactions {
			t.Skip("no transactions on this engine")
		}
		abort := errors.New("abort")
		err := s.db.Tx(ctx, func(ctx context.Context) error {
			report, err := c.ReplaceSource(ctx, "a.md", chunks("a.md", "one", "drafted")...)
			if err != nil {
				return err // the first time, when the text has no vector yet
			}
			expectCounts(t, counts{updated: 1, unchanged: 1}, report)
			return abort
		})
		require.ErrorIs(t, err, abort)
		m.expectAll(t, c)
	})
}
