package enginetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/filter"
)

// alterHandles: what stands for a collection in another way.
func (s *suite) alterHandles(t *testing.T) {
	ctx := t.Context()
	e := newCounting("model", 2)
	c := s.create(t, vecwire.Schema{Dim: 2, Model: "model", Fields: []vecwire.Field{{Name: "a"}, {Name: vecwire.NamespaceField, Index: true}}})
	name := c.Schema().Name
	embedding, err := c.WithEmbedder(e)
	require.NoError(t, err)
	part, err := embedding.Namespace("tenant")
	require.NoError(t, err)
	require.NoError(t, part.Upsert(ctx, vecwire.Record{ID: "1", Text: "one", Fields: vecwire.Fields{"a": "x"}}))
	mirror := mirrored(t, c, vecwire.MirrorOptions{})
	_, err = mirror.Search(ctx, vecwire.Query{Vector: []float32{1, 1}})
	require.NoError(t, err)

	require.NoError(t, s.db.AlterCollection(ctx, name, vecwire.Alter{DropFields: []string{"a"}, AddFields: []vecwire.Field{{Name: "b"}, {Name: "c", Type: vecwire.Int}}}))
	require.NoError(t, part.Upsert(ctx, vecwire.Record{ID: "2", Text: "two", Fields: vecwire.Fields{"b": "y", "c": 2}}))
	got, err := part.Get(ctx, "1", "2")
	require.NoError(t, err)
	require.Nil(t, got[0].Fields)
	require.Equal(t, vecwire.Fields{"b": "y", "c": int64(2)}, got[1].Fields)
	require.Equal(t, []vecwire.Field{{Name: "b"}, {Name: "c", Type: vecwire.Int}}, part.Schema().Fields)
	require.NoError(t, embedding.Upsert(ctx, vecwire.Record{ID: "3", Text: "three", Fields: vecwire.Fields{"c": 3}}))
	n, err := part.Count(ctx, filter.Filter{})
	require.NoError(t, err)
	require.Equal(t, 2, n)
	n, err = part.UpdateWhere(ctx, filter.Eq("c", 2), vecwire.Fields{"b": "z"})
	require.NoError(t, err)
	require.Equal(t, 1, n)
	_, err = part.Count(ctx, filter.Eq("a", "x"))
	var unknown *vecwire.FilterError
	require.ErrorAs(t, err, &unknown)
	_, err = mirror.Search(ctx, vecwire.Query{Vector: []float32{1, 1}})
	require.ErrorIs(t, err, vecwire.ErrAltered)
	require.ErrorIs(t, mirror.Refresh(ctx), vecwire.ErrAltered)
	mirrored(t, c, vecwire.MirrorOptions{})

	require.NoError(t, s.db.AlterCollection(ctx, name, vecwire.Alter{DropFields: []string{vecwire.NamespaceField}}))
	var schema *vecwire.SchemaError
	_, err = part.Count(ctx, filter.Filter{})
	require.ErrorAs(t, err, &schema)
	_, err = c.Namespace("tenant")
	require.ErrorAs(t, err, &schema)
	n, err = embedding.Count(ctx, filter.Filter{})
	require.NoError(t, err)
	require.Equal(t, 3, n)
}

// alterVectorIndex: an index over the vectors stays.
func (s *suite) alterVectorIndex(t *testing.T) {
	if !s.caps.Indexes {
		return
	}
	ctx := t.Context()
	c := s.create(t, vecwire.Schema{Dim: 4, Fields: []vecwire.Field{{Name: "i", Type: vecwire.Int}}})
	g := newGenerator(402, c.Schema())
	m := newModel(c.Schema(), g.records(s.sample(200))...)
	require.NoError(t, c.Upsert(ctx, m.all()...))
	require.NoError(t, c.BuildIndex(ctx, vecwire.IndexOptions{}))
	name := s.name()
	require.NoError(t, s.db.AlterCollection(ctx, c.Schema().Name, vecwire.Alter{RenameFields: map[string]string{"i": "j"}, AddFields: []vecwire.Field{{Name: "k", Type: vecwire.Int, Index: true}}, Rename: name}))
	t.Cleanup(func() { _ = s.db.DropCollection(context.Background(), name) })
	m.rename(c.Schema(), map[string]string{"i": "j"})
	g.schema = c.Schema()
	for range 2 {
		found, err := c.Indexes(ctx)
		require.NoError(t, err)
		require.Len(t, found, 1)
		records := g.records(10)
		m.upsert(records...)
		require.NoError(t, c.Upsert(ctx, records...))
		m.expectSearch(t, c, vecwire.Query{Vector: g.vector(), K: 10})
		_, err = c.Search(ctx, vecwire.Query{Vector: g.vector(), K: 10})
		require.NoError(t, err)
		require.NoError(t, c.BuildIndex(ctx, vecwire.IndexOptions{}))
	}
	m.expectAll(t, c)
}

// alterReembed alters a collection while a Reembed of it is interrupted, and while
// one is under way.
func (s *suite) alterReembed(t *testing.T) {
	if !s.caps.Reembed {
		return
	}
	ctx := t.Context()
	c := s.create(t, vecwire.Schema{Dim: 2, Model: "old", Fields: []vecwire.Field{{Name: "n", Type: vecwire.Int}}})
	name := c.Schema().Name
	for i := range 30 {
		require.NoError(t, c.Upsert(ctx, vecwire.Record{ID: fmt.Sprint(i), Text: fmt.Sprint("text ", i), Vector: []float32{1, 1}, Fields: vecwire.Fields{"n": i}}))
	}
	e := newCounting("new", 3)
	e.call = func(n int) error {
		switch n {
		case 1:
			return s.db.AlterCollection(ctx, name, vecwire.Alter{AddFields: []vecwire.Field{{Name: "m"}}, RenameFields: map[string]string{"n": "o"}})
		case 2:
			return errEmbed
		}
		return nil
	}
	_, _, err := s.db.Reembed(ctx, name, e, vecwire.ReembedOptions{})
	require.Error(t, err, "the schema is another one")
	require.Equal(t, 2, c.Schema().Dim, "nothing was replaced")
	require.NoError(t, c.Update(ctx, vecwire.Change{ID: "3", Set: vecwire.Fields{"m": "x"}}))
	var now *vecwire.Collection
	for range 2 { // the first may find the failure of the second call
		if now, _, err = s.db.Reembed(ctx, name, e, vecwire.ReembedOptions{}); err == nil {
			break
		}
		require.ErrorIs(t, err, errEmbed)
	}
	require.NoError(t, err)
	require.Equal(t, []vecwire.Field{{Name: "o", Type: vecwire.Int}, {Name: "m"}}, now.Schema().Fields)
	got, err := now.Get(ctx, "3")
	require.NoError(t, err)
	require.Equal(t, vecwire.Fields{"o": int64(3), "m": "x"}, got[0].Fields)
	require.Equal(t, e.vector("text 3"), got[0].Vector)
	require.NoError(t, s.db.AlterCollection(ctx, name, vecwire.Alter{DropFields: []string{"m"}}))
	require.Len(t, now.Schema().Fields, 1)
	n, err := now.Count(ctx, filter.Ge("o", 0))
	require.NoError(t, err)
	require.Equal(t, 30, n)
}

// alterConcurrency alters a collection again and again while others read and write.
func (s *suite) alterConcurrency(t *testing.T) {
	ctx := t.Context()
	c := s.create(t, vecwire.Schema{Dim: 2, Fields: []vecwire.Field{{Name: "a", Type: vecwire.Int}, {Name: "c", Type: vecwire.Int}}})
	name := c.Schema().Name
	const writers = 3
	stop := make(chan struct{})
	errs := make([]error, writers)
	counts := make([]int, writers)
	var wait sync.WaitGroup
	for w := range writers {
		wait.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				id := fmt.Sprint(w, "-", i)
				err := c.Upsert(ctx, vecwire.Record{ID: id, Vector: []float32{float32(w), float32(i + 1)}, Fields: vecwire.Fields{"c": i}})
				if err == nil {
					_, err = c.Search(ctx, vecwire.Query{Vector: []float32{1, 1}, Filter: filter.Ge("c", 0)})
				}
				if err == nil {
					err = c.Update(ctx, vecwire.Change{ID: id, Set: vecwire.Fields{"c": i + 1}})
				}
				var got []vecwire.Record
				if err == nil {
					got, err = c.Get(ctx, id)
				}
				if err == nil && (len(got) != 1 || got[0].Fields["c"] != int64(i+1)) {
					err = fmt.Errorf("%s is %v", id, got)
				}
				if err == nil && w == 0 && s.db.Capabilities().Transactions {
					err = s.db.Tx(ctx, func(ctx context.Context) error {
						return c.Update(ctx, vecwire.Change{ID: id, Set: vecwire.Fields{"c": i + 2}})
					})
				}
				if err != nil {
					errs[w] = err
					return
				}
				counts[w]++
			}
		})
	}
	var err error
	for i := range s.sample(20) + 2 {
		for _, a := range []vecwire.Alter{
			{AddFields: []vecwire.Field{{Name: "b", Index: i%2 == 0}}},
			{RenameFields: map[string]string{"a": "d"}, Indexed: map[string]bool{"c": i%2 == 0}},
			{RenameFields: map[string]string{"d": "a"}, DropFields: []string{"b"}},
		} {
			if err == nil {
				err = s.db.AlterCollection(ctx, name, a)
			}
		}
	}
	close(stop)
	wait.Wait()
	require.NoError(t, err)
	require.NoError(t, errors.Join(errs...))
	n, err := c.Count(ctx, filter.Gt("c", 0))
	require.NoError(t, err)
	require.Equal(t, counts[0]+counts[1]+counts[2], n)
}
