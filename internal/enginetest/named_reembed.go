package enginetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
)

// namedReembedOne: one of the vectors is made again by another model, and all else stays.
func (s *suite) namedReembedOne(t *testing.T) {
	if !s.caps.Reembed {
		return
	}
	ctx := t.Context()
	filled := func(t *testing.T, n int) (*vecwire.Collection, []vecwire.Record) {
		c := s.create(t, namedSchema())
		records := namedRecords(n)
		records[1].Fields = vecwire.Fields{"n": int64(1)} // it has a vector, and no source
		require.NoError(t, c.Upsert(ctx, records...))
		return c, records
	}
	with := func(records []vecwire.Record, e *counting) {
		for i := range records {
			r := &records[i]
			title, _ := r.Fields["title"].(string)
			made := map[string][]float32{}
			if image, ok := r.Vectors["image"]; ok {
				made["image"] = image
			}
			if title != "" {
				made["head"] = e.vector(title)
			}
			if r.Vectors = made; len(made) == 0 {
				r.Vectors = nil
			}
		}
	}
	run(t, "every record with a source", func(t *testing.T) {
		defer s.namedChecked(t)
		c, want := filled(t, 300)
		name := c.Schema().Name
		stale, err := c.WithVectorEmbedder("head", newCounting("heads", 4))
		require.NoError(t, err)
		heads, err := c.In("head")
		require.NoError(t, err)
		if s.caps.Indexes {
			require.NoError(t, heads.BuildIndex(ctx, vecwire.IndexOptions{M: 9}))
		}
		e := newCounting("new", 4)
		again, report, err := s.db.Reembed(ctx, name, e, vecwire.ReembedOptions{In: "head"})
		require.NoError(t, err)
		require.EqualValues(t, len(want)-1, report.Embedded)
		with(want, e)
		for _, c := range []*vecwire.Collection{again, c, s.elsewhere(t, name)} {
			require.Equal(t, "new", c.Schema().Vectors[0].Model)
			require.Equal(t, namedSchema().Vectors[1], c.Schema().Vectors[1])
			expectNamed(t, c, want)
		}
		all, err := s.db.Collections(ctx)
		require.NoError(t, err)
		for _, s := range all {
			if s.Name == name {
				require.Equal(t, "new", s.Vectors[0].Model)
			}
		}
		if s.caps.Indexes {
			heads, err = c.In("head")
			require.NoError(t, err)
			indexes, err := heads.Indexes(ctx)
			require.NoError(t, err)
			require.Len(t, indexes, 1)
			require.Equal(t, 9, indexes[0].M)
		}
		_, err = stale.Get(ctx, "r0000")
		require.ErrorIs(t, err, vecwire.ErrModelMismatch)
		hits, err := again.Search(ctx, vecwire.Query{In: "head", Text: "title 7", K: 300})
		require.NoError(t, err)
		require.Len(t, hits, 299)

		// Another time there is nothing to do, and another dimension is another vector.
		calls := e.calls
		_, report, err = s.db.Reembed(ctx, name, e, vecwire.ReembedOptions{In: "head"})
		require.NoError(t, err)
		require.Zero(t, report.Embedded)
		require.Equal(t, calls, e.calls)
		wide := newCounting("wide", 6)
		again, _, err = s.db.Reembed(ctx, name, wide, vecwire.ReembedOptions{In: "head"})
		require.NoError(t, err)
		require.Equal(t, 6, again.Schema().Vectors[0].Dim)
		require.NoError(t, again.Update(ctx, vecwire.Change{ID: "r0001", Set: vecwire.Fields{"title": "a title"}}))
		got, err := again.Get(ctx, "r0001", "r0004")
		require.NoError(t, err)
		require.Equal(t, wide.vector("a title"), got[0].Vectors["head"])
		require.Equal(t, wide.vector("title 4"), got[1].Vectors["head"])
	})
	run(t, "interrupted", func(t *testing.T) {
		defer s.namedChecked(t)
		c, want := filled(t, 300)
		e := newCounting("new", 4)
		cut, cancel := context.WithCancel(ctx)
		defer cancel()
		e.call = func(n int) error {
			if n == 2 {
				cancel()
			}
			return nil
		}
		_, _, err := s.db.Reembed(cut, c.Schema().Name, e, vecwire.ReembedOptions{In: "head", Workers: 1})
		require.ErrorIs(t, err, context.Canceled)
		expectNamed(t, c, want)
		e.call = nil
		again, report, err := s.db.Reembed(ctx, c.Schema().Name, e, vecwire.ReembedOptions{In: "head"})
		require.NoError(t, err)
		require.Positive(t, report.Unchanged)
		with(want, e)
		expectNamed(t, again, want)
	})
	run(t, "written meanwhile", func(t *testing.T) {
		defer s.namedChecked(t)
		c, _ := filled(t, 150)
		writer, err := c.WithVectorEmbedder("head", newCounting("heads", 4))
		require.NoError(t, err)
		var writing sync.WaitGroup
		begun := make(chan struct{})
		writing.Go(func() {
			var once sync.Once
			defer once.Do(func() { close(begun) })
			for i := 0; ; i++ {
				id := fmt.Sprintf("r%04d", i%7)
				err := writer.Update(ctx, vecwire.Change{ID: id, Set: vecwire.Fields{"title": fmt.Sprint("written ", i)}})
				if i == 5 {
					once.Do(func() { close(begun) })
				}
				if errors.Is(err, vecwire.ErrModelMismatch) {
					return
				}
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
		<-begun
		e := newCounting("new", 4)
		again, _, err := s.db.Reembed(ctx, c.Schema().Name, e, vecwire.ReembedOptions{In: "head"})
		if err != nil {
			require.NoError(t, s.db.DropCollection(ctx, c.Schema().Name)) // which ends the writer
		}
		writing.Wait()
		require.NoError(t, err)
		for r, err := range again.All(ctx, vecwire.Scan{Vectors: true}) {
			require.NoError(t, err)
			title, ok := r.Fields["title"].(string)
			require.Equal(t, ok, r.Vectors["head"] != nil, r.ID)
			if ok {
				require.Equal(t, e.vector(title), r.Vectors["head"], r.ID)
			}
		}
	})
	run(t, "refusals", func(t *testing.T) {
		defer s.namedChecked(t)
		c, want := filled(t, 20)
		name := c.Schema().Name
		var schema *vecwire.SchemaError
		var dim *vecwire.DimensionError
		_, _, err := s.db.Reembed(ctx, name, newCounting("new", 4), vecwire.ReembedOptions{In: "none"})
		require.ErrorContains(t, err, "none")
		_, _, err = s.db.Reembed(ctx, name, newCounting("new", 4), vecwire.ReembedOptions{In: "head", Keep: s.name()})
		require.ErrorAs(t, err, &schema)
		_, _, err = s.db.Reembed(ctx, name, newCounting("heads", 5), vecwire.ReembedOptions{In: "head"})
		require.ErrorAs(t, err, &dim)
		require.NoError(t, c.Update(ctx, vecwire.Change{ID: "r0003", Set: vecwire.Fields{"title": "!"}}))
		want[3].Fields["title"] = "!"
		_, _, err = s.db.Reembed(ctx, name, newCounting("new", 4), vecwire.ReembedOptions{In: "head"})
		var batch *vecwire.BatchError
		require.ErrorAs(t, err, &batch)
		expectNamed(t, c, want)
		e := newCounting("new", 4)
		again, report, err := s.db.Reembed(ctx, name, e, vecwire.ReembedOptions{In: "head", SkipFailed: true})
		require.NoError(t, err)
		require.EqualValues(t, 1, report.Failed)
		got, err := again.Get(ctx, "r0003")
		require.NoError(t, err)
		require.NotContains(t, got[0].Vectors, "head")
	})
}
