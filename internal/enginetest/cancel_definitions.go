package enginetest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/filter"
)

// cancelledDefinitions ends the context of each call that makes, alters or drops a
// collection, or fills one, at each of its steps. What fails has changed nothing and goes
// through when it is called again; of what was dropped nothing is left.
func (s *suite) cancelledDefinitions(t *testing.T) {
	records := func(n, step int) (records []vecwire.Record) {
		for i := range n {
			records = append(records, vecwire.Record{ID: fmt.Sprintf("%02d", i*step), Vector: []float32{1, float32(i)}, Text: fmt.Sprint("text ", i), Fields: vecwire.Fields{"n": i}})
		}
		return records
	}
	schema := func(name string) vecwire.Schema {
		of := vecwire.Schema{Name: name, Dim: 2, Fields: []vecwire.Field{{Name: "n", Type: vecwire.Int}}, Model: "old"}
		if s.caps.Vectors {
			of.Vectors = []vecwire.VectorField{{Name: "title", Dim: 2}}
		}
		return of
	}
	ingest := func(ctx context.Context, name string, stop bool) (vecwire.IngestReport, error) {
		c, err := s.db.OpenCollection(t.Context(), name)
		if err != nil {
			return vecwire.IngestReport{}, err
		}
		all := input(records(24, 2)...)
		return c.Ingest(ctx, func(yield func(vecwire.Record, error) bool) {
			all(yield)
			if stop {
				yield(vecwire.Record{}, errors.New("stopped"))
			}
		}, vecwire.IngestOptions{BatchRecords: 5, Workers: 1, Ordered: true, Job: "job"})
	}
	verbs := map[string]func(ctx context.Context, name string) error{
		"CreateCollection": func(ctx context.Context, name string) error {
			_, err := s.db.CreateCollection(ctx, schema(name+"_b"))
			return err
		},
		"DropCollection": func(ctx context.Context, name string) error { return s.db.DropCollection(ctx, name) },
		"Ingest": func(ctx context.Context, name string) error {
			c, err := s.db.OpenCollection(t.Context(), name)
			require.NoError(t, err)
			_, err = c.Delete(t.Context(), "40", "42", "44", "46")
			require.NoError(t, err)
			r, err := ingest(ctx, name, false)
			n, counted := c.Count(t.Context(), filter.In("id", "40", "42", "44", "46"))
			require.NoError(t, counted)
			if s.caps.AtomicBatches {
				require.EqualValues(t, n, r.Inserted, "%+v %v", r, err)
			}
			return err
		},
	}
	if s.caps.Alter {
		verbs["EnsureCollection"] = func(ctx context.Context, name string) error {
			more := schema(name)
			more.Fields = append(more.Fields, vecwire.Field{Name: "m", Type: vecwire.Int, Index: true})
			_, err := s.db.EnsureCollection(ctx, more)
			return err
		}
		verbs["AlterCollection"] = func(ctx context.Context, name string) error {
			a := vecwire.Alter{AddFields: []vecwire.Field{{Name: "more", Index: true}}, RenameFields: map[string]string{"n": "m"}, Rename: name + "_b"}
			if s.caps.Vectors {
				a.DropVectors, a.AddVectors = []string{"title"}, []vecwire.VectorField{{Name: "image", Dim: 3}}
			}
			return s.db.AlterCollection(ctx, name, a)
		}
	}
	if s.caps.Reembed {
		verbs["Reembed"] = func(ctx context.Context, name string) error {
			_, _, err := s.db.Reembed(ctx, name, newCounting("new", 3), vecwire.ReembedOptions{Workers: 1})
			return err
		}
	}
	for verb, call := range verbs {
		run(t, verb, func(t *testing.T) {
			ctx := t.Context()
			begin := func() string {
				name := s.name()
				s.create(t, schema(name))
				_, err := ingest(ctx, name, true) // it leaves a cursor
				require.ErrorContains(t, err, "stopped")
				return name
			}
			looks, err := looksOf(ctx, func(ctx context.Context) error { return call(ctx, begin()) })
			require.NoError(t, err)
			for _, at := range s.steps(looks) {
				name := begin()
				if !s.caps.AtomicBatches { // a definition is done in parts, too, and goes on when it is called again
					l := newLooked(ctx, at)
					if err := call(l, name); err != nil {
						require.ErrorIs(t, err, context.Canceled)
						if err = call(ctx, name); !errors.Is(err, vecwire.ErrNotFound) && !errors.Is(err, vecwire.ErrExists) { // it was done
							require.NoError(t, err)
						}
					}
					l.cancel()
					s.forget(t, name)
					continue
				}
				was := s.described(t, name)
				l := newLooked(ctx, at)
				err = call(l, name)
				l.cancel()
				where := fmt.Sprintf("%d of %d looks: %v", at, looks, err)
				if errors.Is(err, vecwire.ErrOutcomeUnknown) {
					continue // it may be committed while it is looked at
				}
				switch is := s.described(t, name); {
				case err != nil:
					require.ErrorIs(t, err, context.Canceled, where)
					if verb != "Ingest" {
						require.Equal(t, was, is, where)
					}
					require.NoError(t, call(ctx, name), "again after %s", where)
				default:
					require.NotEqual(t, was, is, where)
				}
				s.forget(t, name)
			}
		})
	}
}

// described tells all of a collection and of what its name begins those of.
func (s *suite) described(t *testing.T, name string) string {
	all, err := s.db.Collections(t.Context())
	require.NoError(t, err)
	var b strings.Builder
	for _, schema := range all {
		if schema.Name != name && !strings.HasPrefix(schema.Name, name+"_") {
			continue
		}
		c, err := s.db.OpenCollection(t.Context(), schema.Name)
		require.NoError(t, err)
		cursor, err := c.Cursor(t.Context(), "job")
		require.NoError(t, err)
		fmt.Fprintln(&b, schema, cursor, collect(t, c, vecwire.Scan{Vectors: true}))
	}
	return b.String()
}

// forget drops what described tells of, and sees that a collection that is made again has
// nothing of it.
func (s *suite) forget(t *testing.T, name string) {
	for _, name := range []string{name, name + "_b"} {
		err := s.db.DropCollection(t.Context(), name)
		if !errors.Is(err, vecwire.ErrNotFound) {
			require.NoError(t, err)
		}
		c := s.create(t, vecwire.Schema{Name: name, Dim: 2})
		cursor, err := c.Cursor(t.Context(), "job")
		require.NoError(t, err)
		require.Zero(t, cursor, "of a collection that was dropped before")
		require.NoError(t, s.db.DropCollection(t.Context(), name))
	}
}
