package enginetest

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/filter"
)

// isolation is about transactions at the same time: the anomalies that are named
// in Berenson et al., "A Critique of ANSI SQL Isolation Levels" (1995), which none
// of them may see. A function that a conflict makes run again must find its
// transaction as it was at the beginning.
func (s *suite) isolation(t *testing.T) {
	if !s.db.Capabilities().Serializable {
		return
	}
	schema := vecwire.Schema{Dim: 2, Fields: []vecwire.Field{{Name: "n", Type: vecwire.Int}, {Name: "kind", Type: vecwire.String}}}
	record := func(id string, n int64) vecwire.Record {
		return vecwire.Record{ID: id, Vector: []float32{1, 1}, Fields: vecwire.Fields{"n": n, "kind": "k"}}
	}
	read := func(ctx context.Context, c *vecwire.Collection, id string) (int64, error) {
		got, err := c.Get(ctx, id)
		if err != nil {
			return 0, err
		}
		if len(got) != 1 {
			return 0, fmt.Errorf("%d records of the ID %s", len(got), id)
		}
		return got[0].Fields["n"].(int64), nil
	}

	run(t, "no lost update", func(t *testing.T) {
		c := s.create(t, schema)
		require.NoError(t, c.Upsert(t.Context(), record("counter", 0)))
		const writers, each = 8, 25
		group, ctx := errgroup.WithContext(t.Context())
		for range writers {
			group.Go(func() error {
				for range each {
					err := s.db.Tx(ctx, func(ctx context.Context) error {
						n, err := read(ctx, c, "counter")
						if err != nil {
							return err
						}
						return c.Upsert(ctx, record("counter", n+1))
					})
					if err != nil {
						return err
					}
				}
				return nil
			})
		}
		require.NoError(t, group.Wait())
		n, err := read(t.Context(), c, "counter")
		require.NoError(t, err)
		require.Equal(t, int64(writers*each), n)
	})

	// Each of two takes one away if the two together have enough: so that one of
	// them is left whatever happens at the same time.
	run(t, "no write skew", func(t *testing.T) {
		c := s.create(t, schema)
		for range s.sample(10) {
			require.NoError(t, c.Upsert(t.Context(), record("a", 1), record("b", 1)))
			group, ctx := errgroup.WithContext(t.Context())
			for _, mine := range []string{"a", "b"} {
				group.Go(func() error {
					return s.db.Tx(ctx, func(ctx context.Context) error {
						a, errA := read(ctx, c, "a")
						b, errB := read(ctx, c, "b")
						if err := errors.Join(errA, errB); err != nil || a+b < 2 {
							return err
						}
						return c.Upsert(ctx, record(mine, 0))
					})
				})
			}
			require.NoError(t, group.Wait())
			a, err := read(t.Context(), c, "a")
			require.NoError(t, err)
			b, err := read(t.Context(), c, "b")
			require.NoError(t, err)
			require.Equal(t, int64(1), a+b)
		}
	})

	// Each of two adds a record if there is none that its filter finds.
	run(t, "no phantom", func(t *testing.T) {
		c := s.create(t, schema)
		for range s.sample(10) {
			group, ctx := errgroup.WithContext(t.Context())
			for _, id := range []string{"x", "y"} {
				group.Go(func() error {
					return s.db.Tx(ctx, func(ctx context.Context) error {
						n, err := c.Count(ctx, filter.Eq("kind", "k"))
						if err != nil || n > 0 {
							return err
						}
						return c.Upsert(ctx, record(id, 1))
					})
				})
			}
			require.NoError(t, group.Wait())
			n, err := c.DeleteWhere(t.Context(), filter.Filter{})
			require.NoError(t, err)
			require.Equal(t, 1, n)
		}
	})

	run(t, "no dirty read", func(t *testing.T) {
		c := s.create(t, schema)
		require.NoError(t, c.Upsert(t.Context(), record("a", 0)))
		group, ctx := errgroup.WithContext(t.Context())
		group.Go(func() error {
			for range s.sample(20) {
				undo := errors.New("undo")
				err := s.db.Tx(ctx, func(ctx context.Context) error {
					if err := c.Upsert(ctx, record("a", 1)); err != nil {
						return err
					}
					return undo
				})
				if !errors.Is(err, undo) {
					return fmt.Errorf("the transaction returned %w", err)
				}
			}
			return nil
		})
		for range s.sample(20) {
			group.Go(func() error {
				n, err := read(ctx, c, "a")
				if err == nil && n != 0 {
					err = errors.New("what was never committed was read")
				}
				return err
			})
		}
		require.NoError(t, group.Wait())
	})

	run(t, "one state of the database", func(t *testing.T) {
		c := s.create(t, schema)
		require.NoError(t, c.Upsert(t.Context(), record("a", 0), record("b", 0)))
		group, ctx := errgroup.WithContext(t.Context())
		group.Go(func() error {
			for i := range int64(s.sample(20)) {
				if err := c.Upsert(ctx, record("a", i), record("b", i)); err != nil {
					return err
				}
			}
			return nil
		})
		for range s.sample(20) {
			group.Go(func() error {
				var a, b int64
				err := s.db.Tx(ctx, func(ctx context.Context) (err error) {
					if a, err = read(ctx, c, "a"); err != nil {
						return err
					}
					b, err = read(ctx, c, "b")
					return err
				})
				if err == nil && a != b {
					err = fmt.Errorf("read %d and then %d", a, b)
				}
				return err
			})
		}
		require.NoError(t, group.Wait())
	})
}
