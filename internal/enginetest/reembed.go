package enginetest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/filter"
)

// elsewhere opens a collection as another process does, or as this one does
// where the database belongs to one process.
func (s *suite) elsewhere(t *testing.T, name string) *vecwire.Collection {
	db := s.db
	if s.target.Shared {
		db = s.target.Open(t)
		t.Cleanup(func() { db.Close() })
	}
	c, err := db.OpenCollection(t.Context(), name)
	require.NoError(t, err)
	return c
}

// reembed is about another model for the texts of a collection.
func (s *suite) reembed(t *testing.T) {
	ctx := t.Context()
	if !s.caps.Reembed {
		return // capabilities has asked
	}
	old := newCounting("old", 2)
	fields := []vecwire.Field{{Name: "n", Type: vecwire.Int, Index: true}, {Name: "blob", Type: vecwire.Bytes}, {Name: "at", Type: vecwire.Time}}
	record := func(i int) vecwire.Record {
		return vecwire.Record{
			ID: fmt.Sprintf("id %03d", i), Text: fmt.Sprintf("text number %d", i),
			Fields: vecwire.Fields{"n": int64(i), "blob": []byte{0, byte(i)}, "at": time.Unix(int64(i), 1000).UTC()},
		}
	}
	const few, many = 40, 300 // many are three batches of an Ingest that embeds
	// filled makes a collection of n records under the old model.
	filled := func(t *testing.T, n int, schema vecwire.Schema) *vecwire.Collection {
		schema.Dim, schema.Model, schema.Fields = old.dim, old.model, fields
		c, err := s.create(t, schema).WithEmbedder(old)
		require.NoError(t, err)
		records := make([]vecwire.Record, n)
		for i := range records {
			records[i] = record(i)
		}
		require.NoError(t, c.Upsert(ctx, records...))
		return c
	}
	// expect is the model of such a collection after changes, under an embedder.
	expect := func(c *vecwire.Collection, e *counting, records ...vecwire.Record) *model {
		m := newModel(c.Schema())
		for _, r := range records {
			if v := e.vector(r.Text); c.Schema().Element == vecwire.DOUBLE {
				r.Vector64 = make([]float64, len(v))
				for i := range v {
					r.Vector64[i] = float64(v[i])
				}
			} else {
				r.Vector = v
			}
			m.upsert(r)
		}
		return m
	}
	all := func(n int, changes ...func(map[int]vecwire.Record)) []vecwire.Record {
		byNumber := map[int]vecwire.Record{}
		for i := range n {
			byNumber[i] = record(i)
		}
		for _, change := range changes {
			change(byNumber)
		}
		var records []vecwire.Record
		for _, r := range byNumber {
			records = append(records, r)
		}
		return records
	}
	find := func(t *testing.T, c *vecwire.Collection, r vecwire.Record) {
		t.Helper()
		hits, err := c.Search(ctx, vecwire.Query{Text: r.Text, K: 1, Exact: true, Filter: filter.Eq("n", r.Fields["n"])})
		require.NoError(t, err)
		require.Equal(t, []string{r.ID}, hitIDs(hits))
		require.InDelta(t, 1, hits[0].Score, 1e-5)
	}

	for _, element := range []vecwire.Element{vecwire.FLOAT, vecwire.DOUBLE} {
		run(t, "every record, "+element.String(), func(t *testing.T) {
			schema := vecwire.Schema{Element: element}
			if element == vecwire.DOUBLE { // the longest name, with words in it that a server might take for its own
				schema.Name = "Vector_pg_returning_" + strings.Repeat("x", 28)
			}
			was := filled(t, few, schema)
			name := was.Schema().Name
			other := s.elsewhere(t, name)
			for _, verb := range []string{"Get", "Search", "Count", "All"} {
				require.NoError(t, verbs(other)[verb](ctx)) // its statements are prepared
			}
			e := newCounting("new", 3)
			c, report, err := s.db.Reembed(ctx, strings.ToUpper(name), e, vecwire.ReembedOptions{})
			require.NoError(t, err)
			require.Equal(t, name, c.Schema().Name)
			require.Equal(t, "new", c.Schema().Model)
			require.Equal(t, 3, c.Schema().Dim)
			require.Equal(t, fields, c.Schema().Fields)
			require.EqualValues(t, few, report.Inserted)
			require.EqualValues(t, few, report.Embedded)
			require.Zero(t, report.Failed+report.Updated+report.Unchanged+report.Deleted)
			require.Equal(t, few, e.total(), "no text is embedded twice")

			m := expect(c, e, all(few)...)
			m.expectAll(t, c)
			m.expectSearch(t, c, vecwire.Query{Vector: []float32{1, 2, 3}, Filter: filter.Lt("n", 20)})
			find(t, c, record(23))
			for _, handle := range []*vecwire.Collection{was, other} {
				for verb, call := range verbs(handle) {
					require.ErrorIs(t, call(ctx), vecwire.ErrNotFound, "%s through a handle to the old vectors", verb)
				}
			}
			again, err := s.db.OpenCollection(ctx, name)
			require.NoError(t, err)
			m.expectAll(t, again)
			_, err = again.WithEmbedder(old)
			require.ErrorIs(t, err, vecwire.ErrModelMismatch)
			schemas, err := s.db.Collections(ctx)
			require.NoError(t, err)
			for _, schema := range schemas {
				require.False(t, strings.HasPrefix(schema.Name, "vecwire_"), "%s is left", schema.Name)
			}

			_, report, err = s.db.Reembed(ctx, name, e, vecwire.ReembedOptions{})
			require.NoError(t, err)
			require.Zero(t, report.Embedded+report.Done())
			require.Equal(t, few+1, e.total(), "the same model has nothing to do")
			m.expectAll(t, c)

			back, _, err := s.db.Reembed(ctx, name, old, vecwire.ReembedOptions{})
			require.NoError(t, err)
			expect(back, old, all(few)...).expectAll(t, back)
			require.ErrorIs(t, c.Upsert(ctx, record(1)), vecwire.ErrNotFound)
		})
	}

	run(t, "keep the old", func(t *testing.T) {
		was := filled(t, few, vecwire.Schema{})
		name, kept := was.Schema().Name, s.name()
		e := newCounting("new", 2)
		s.create(t, vecwire.Schema{Name: kept, Dim: 2})
		_, _, err := s.db.Reembed(ctx, name, e, vecwire.ReembedOptions{Keep: kept})
		require.ErrorIs(t, err, vecwire.ErrExists)
		require.Zero(t, e.total(), "it is known before anything is embedded")
		require.NoError(t, s.db.DropCollection(ctx, kept))

		other := s.elsewhere(t, name)
		c, _, err := s.db.Reembed(ctx, name, e, vecwire.ReembedOptions{Keep: kept})
		require.NoError(t, err)
		t.Cleanup(func() { s.db.DropCollection(context.Background(), kept) })
		for _, call := range verbs(was) {
			require.ErrorIs(t, call(ctx), vecwire.ErrNotFound)
		}
		if s.target.Shared {
			expect(other, old, all(few)...).expectAll(t, other) // as it was opened
		}
		before, err := s.db.OpenCollection(ctx, kept)
		require.NoError(t, err)
		require.Equal(t, kept, before.Schema().Name)
		expect(before, old, all(few)...).expectAll(t, before)
		expect(c, e, all(few)...).expectAll(t, c)

		// The names are names like others.
		require.NoError(t, s.db.DropCollection(ctx, name))
		fresh := s.create(t, vecwire.Schema{Name: name, Dim: 2, Fields: fields})
		newModel(fresh.Schema()).expectAll(t, fresh)
		require.NoError(t, fresh.Upsert(ctx, vecwire.Record{ID: "1", Vector: []float32{1, 1}}))
		expect(before, old, all(few)...).expectAll(t, before)
		require.NoError(t, s.db.DropCollection(ctx, kept))
		n, err := fresh.Count(ctx, filter.Filter{})
		require.NoError(t, err)
		require.Equal(t, 1, n)
	})

	run(t, "interrupted", func(t *testing.T) {
		was := filled(t, many, vecwire.Schema{})
		name := was.Schema().Name
		e := newCounting("new", 2)
		away := &net.OpError{Op: "dial", Net: "tcp", Err: errEmbed} // a model that is not reached, whatever the text
		failures := []error{away, context.Canceled}
		var c *vecwire.Collection
		for try := 0; ; try++ {
			ctx, cancel := context.WithCancel(ctx)
			if try < len(failures) {
				begun := e.calls
				e.call = func(n int) error {
					if n >= begun+2 { // in the middle: of three batches one is stored
						if errors.Is(failures[try], context.Canceled) {
							cancel()
						}
						return failures[try]
					}
					return nil
				}
			}
			var err error
			c, _, err = s.db.Reembed(ctx, name, e, vecwire.ReembedOptions{Workers: 1})
			cancel()
			e.call = nil
			if err == nil {
				require.Equal(t, len(failures), try)
				break
			}
			require.Less(t, try, len(failures), "%v", err)
			require.ErrorIs(t, err, failures[try])
			expect(was, old, all(many)...).expectAll(t, was)
			find(t, was, record(7))
		}
		expect(c, e, all(many)...).expectAll(t, c)
		require.LessOrEqual(t, e.total(), many+len(failures)*128, "at most one batch is embedded twice for each interruption")
		for text, times := range e.texts {
			require.LessOrEqual(t, times, 1+len(failures), text)
		}
	})

	run(t, "given up", func(t *testing.T) {
		was := filled(t, few, vecwire.Schema{})
		e := newCounting("new", 2)
		e.call = func(int) error { return errEmbed }
		_, _, err := s.db.Reembed(ctx, was.Schema().Name, e, vecwire.ReembedOptions{})
		require.ErrorIs(t, err, errEmbed)
		require.NoError(t, s.db.DropCollection(ctx, was.Schema().Name))

		// Of another collection of that name nothing of the first comes back.
		schema := was.Schema()
		schema.Fields = nil
		again, err := s.create(t, schema).WithEmbedder(old)
		require.NoError(t, err)
		r := vecwire.Record{ID: "1", Text: "another"}
		require.NoError(t, again.Upsert(ctx, r))
		e.call = nil
		c, _, err := s.db.Reembed(ctx, schema.Name, e, vecwire.ReembedOptions{})
		require.NoError(t, err)
		expect(c, e, r).expectAll(t, c)
	})

	run(t, "records that cannot be embedded", func(t *testing.T) {
		was := filled(t, few, vecwire.Schema{})
		name := was.Schema().Name
		require.NoError(t, was.Upsert(ctx, vecwire.Record{ID: "bare", Vector: []float32{1, 1}}, vecwire.Record{ID: "refused", Text: "!no", Vector: []float32{1, 1}}))
		e := newCounting("new", 2)
		_, report, err := s.db.Reembed(ctx, name, e, vecwire.ReembedOptions{})
		var batch *vecwire.BatchError
		require.ErrorAs(t, err, &batch)
		require.EqualValues(t, 2, report.Failed)
		failed := map[string]error{}
		for _, f := range report.Failures {
			failed[f.ID] = f.Err
		}
		require.Len(t, failed, 2)
		var value *vecwire.ValueError
		require.ErrorAs(t, failed["bare"], &value)
		require.ErrorIs(t, failed["refused"], errEmbed)
		n, err := was.Count(ctx, filter.Filter{})
		require.NoError(t, err)
		require.Equal(t, few+2, n, "nothing is replaced")

		// One that was embedded fails later: its vector of before must not stay.
		changed := vecwire.Record{ID: "id 005", Text: "!not any more", Vector: []float32{1, 1}}
		require.NoError(t, was.Upsert(ctx, changed))
		c, report, err := s.db.Reembed(ctx, name, e, vecwire.ReembedOptions{SkipFailed: true})
		require.NoError(t, err)
		require.EqualValues(t, 3, report.Failed)
		expect(c, e, all(few, func(m map[int]vecwire.Record) { delete(m, 5) })...).expectAll(t, c)
	})

	for _, how := range []string{"changes meanwhile", "changes between interruptions"} {
		run(t, how, func(t *testing.T) {
			was := filled(t, many, vecwire.Schema{})
			e := newCounting("new", 2)
			late, changed, fieldOnly := record(many), record(3), record(4)
			changed.Text = "changed meanwhile"
			fieldOnly.Fields["n"] = int64(-4)
			e.call = func(n int) error {
				if n != 3 { // of three, when two are stored
					return nil
				}
				if err := was.Upsert(ctx, late, changed, fieldOnly, vecwire.Record{ID: "id 010", Vector: []float32{1, 1}}); err != nil {
					return err
				}
				if _, err := was.Delete(ctx, "id 000", "id 001", "id 200", "id 255", "id 299"); err != nil {
					return err
				}
				if how == "changes between interruptions" {
					_, err := was.DeleteWhere(ctx, filter.Gt("n", 200))
					return errors.Join(err, errEmbed)
				}
				return nil
			}
			var last vecwire.Progress
			o := vecwire.ReembedOptions{Workers: 1, SkipFailed: true, Progress: func(p vecwire.Progress) { last = p }}
			c, _, err := s.db.Reembed(ctx, was.Schema().Name, e, o)
			if err != nil {
				require.Equal(t, "changes between interruptions", how)
				require.ErrorIs(t, err, errEmbed)
				c, _, err = s.db.Reembed(ctx, was.Schema().Name, e, o)
			}
			require.NoError(t, err)
			want := all(many, func(m map[int]vecwire.Record) {
				m[3], m[4], m[many] = changed, fieldOnly, late
				for _, i := range []int{0, 1, 10, 200, 255, 299} {
					delete(m, i)
				}
				if how == "changes between interruptions" {
					for i := 201; i <= many; i++ {
						delete(m, i)
					}
				}
			})
			expect(c, e, want...).expectAll(t, c)
			require.EqualValues(t, len(want)+1, last.Done, "of all and the one that has no text")
			require.EqualValues(t, len(want)+1, last.Total)
			if how == "changes meanwhile" {
				require.LessOrEqual(t, e.total(), many+2, "only what has another text is embedded again")
			}
		})
	}

	run(t, "readers and writers meanwhile", func(t *testing.T) {
		n := few
		if s.caps.AtomicBatches {
			n = many
		}
		was := filled(t, n, vecwire.Schema{})
		other, err := s.elsewhere(t, was.Schema().Name).WithEmbedder(old)
		require.NoError(t, err)
		e := newCounting("new", 2)
		steady := record(9)
		written := make([]map[string]vecwire.Record, 2)
		var done sync.WaitGroup
		var replaced atomic.Bool // each call that begins after it finds no collection
		ctx, stop := context.WithCancel(ctx)
		defer done.Wait()
		defer stop()
		for w, c := range []*vecwire.Collection{was, other} {
			done.Go(func() {
				for {
					late := replaced.Load()
					got, err := c.Get(ctx, steady.ID)
					if errors.Is(err, vecwire.ErrNotFound) || ctx.Err() != nil {
						return
					}
					if late || err != nil || len(got) != 1 || !slices.Equal(got[0].Vector, old.vector(steady.Text)) {
						t.Errorf("reader %d: %v, %v, replaced %t", w, got, err, late)
						return
					}
				}
			})
			if !s.caps.AtomicBatches { // which says that a write at the last moment may be lost
				continue
			}
			written[w] = map[string]vecwire.Record{}
			done.Go(func() {
				for i := 0; ; i++ {
					r := vecwire.Record{ID: fmt.Sprintf("writer %d %d", w, i%20), Text: fmt.Sprintf("by %d at %d", w, i)}
					late := replaced.Load()
					err := c.Upsert(ctx, r)
					if errors.Is(err, vecwire.ErrNotFound) || ctx.Err() != nil {
						return
					}
					if late || err != nil {
						t.Errorf("writer %d: %v, replaced %t", w, err, late)
						return
					}
					written[w][r.ID] = r
				}
			})
		}
		c, _, err := s.db.Reembed(ctx, was.Schema().Name, e, vecwire.ReembedOptions{})
		require.NoError(t, err)
		replaced.Store(true)
		done.Wait()
		expect(c, e, all(n, func(m map[int]vecwire.Record) {
			for w := range written {
				for _, r := range written[w] {
					m[len(m)] = r
				}
			}
		})...).expectAll(t, c)
	})

	run(t, "indexes", func(t *testing.T) {
		if !s.caps.Indexes {
			return // capabilities has asked
		}
		was := filled(t, few, vecwire.Schema{})
		require.NoError(t, was.BuildIndex(ctx, vecwire.IndexOptions{M: 8, EfConstruction: 40}))
		if s.caps.PartialIndexes {
			require.NoError(t, was.BuildIndex(ctx, vecwire.IndexOptions{M: 8, EfConstruction: 40, Where: filter.Ge("id", "r")}))
		}
		before, err := was.Indexes(ctx)
		require.NoError(t, err)
		c, _, err := s.db.Reembed(ctx, was.Schema().Name, newCounting("new", 4), vecwire.ReembedOptions{})
		require.NoError(t, err)
		after, err := c.Indexes(ctx)
		require.NoError(t, err)
		require.Len(t, after, len(before))
		for i := range before {
			require.Equal(t, before[i].M, after[i].M)
			require.Equal(t, before[i].EfConstruction, after[i].EfConstruction)
			require.Equal(t, before[i].Where, after[i].Where)
		}
		find(t, c, record(9))
	})

	run(t, "refusals", func(t *testing.T) {
		c := filled(t, few, vecwire.Schema{})
		name := c.Schema().Name
		e := newCounting("new", 2)
		var schema *vecwire.SchemaError
		var value *vecwire.ValueError
		var dim *vecwire.DimensionError
		refused := func(name string, e vecwire.Embedder, o vecwire.ReembedOptions) error {
			_, _, err := s.db.Reembed(ctx, name, e, o)
			require.Error(t, err)
			return err
		}
		require.ErrorIs(t, refused("missing", e, vecwire.ReembedOptions{}), vecwire.ErrNotFound)
		require.ErrorIs(t, refused("vecwire_jobs", e, vecwire.ReembedOptions{}), vecwire.ErrNotFound)
		require.ErrorAs(t, refused(name, nil, vecwire.ReembedOptions{}), &value)
		require.ErrorAs(t, refused(name, newCounting("", 2), vecwire.ReembedOptions{}), &value)
		require.ErrorAs(t, refused(name, newCounting("old", 3), vecwire.ReembedOptions{}), &dim)
		require.ErrorAs(t, refused(name, newCounting("new", s.caps.MaxDim+1), vecwire.ReembedOptions{}), &schema)
		require.ErrorAs(t, refused(name, e, vecwire.ReembedOptions{Keep: "a b"}), &schema)
		require.ErrorAs(t, refused(name, e, vecwire.ReembedOptions{Keep: "vecwire_x"}), &schema)
		require.ErrorIs(t, refused(name, e, vecwire.ReembedOptions{Keep: strings.ToUpper(name)}), vecwire.ErrExists)
		require.Zero(t, e.total())
		expect(c, old, all(few)...).expectAll(t, c)
	})
}
