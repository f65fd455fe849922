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

// onCall returns a record that is on call, or was.
func onCall(id, state string) vecwire.Record {
	return vecwire.Record{
		ID: id, Vector: []float32{1, 1}, Text: state,
		Fields: vecwire.Fields{"state": state, "n": 1, vecwire.SourceField: id},
	}
}

// looks are the verbs by which a transaction may see who is on call.
func (s *suite) looks() map[string]func(context.Context, *vecwire.Collection) (int, error) {
	on := filter.Eq("state", "on")
	q := vecwire.Query{Vector: []float32{1, 1}, K: 9, Filter: on}
	looks := map[string]func(context.Context, *vecwire.Collection) (int, error){
		"Get": func(ctx context.Context, c *vecwire.Collection) (n int, err error) {
			got, err := c.Get(ctx, "a", "b")
			for _, r := range got {
				if r.Fields["state"] == "on" {
					n++
				}
			}
			return n, err
		},
		"Count": func(ctx context.Context, c *vecwire.Collection) (int, error) { return c.Count(ctx, on) },
		"All": func(ctx context.Context, c *vecwire.Collection) (n int, err error) {
			for _, err := range c.All(ctx, vecwire.Scan{Filter: on}) {
				if err != nil {
					return n, err
				}
				n++
			}
			return n, nil
		},
		"Search": func(ctx context.Context, c *vecwire.Collection) (int, error) {
			hits, err := c.Search(ctx, q)
			return len(hits), err
		},
		"SearchAll": func(ctx context.Context, c *vecwire.Collection) (n int, err error) {
			for _, err := range c.SearchAll(ctx, q) {
				if err != nil {
					return n, err
				}
				n++
			}
			return n, nil
		},
		"SearchMany": func(ctx context.Context, c *vecwire.Collection) (int, error) {
			results, err := c.SearchMany(ctx, []vecwire.Query{q, q})
			if err != nil {
				return 0, err
			}
			return len(results[1].Hits), nil
		},
		"Source": func(ctx context.Context, c *vecwire.Collection) (n int, err error) {
			for _, id := range []string{"a", "b"} {
				p, err := c.Source(ctx, id)
				switch {
				case errors.Is(err, vecwire.ErrNotFound):
				case err != nil:
					return n, err
				case p.Text == "on":
					n++
				}
			}
			return n, nil
		},
	}
	if s.caps.Facets {
		looks["Facet"] = func(ctx context.Context, c *vecwire.Collection) (int, error) {
			facets, err := c.Facet(ctx, "state", vecwire.FacetOptions{})
			for _, f := range facets {
				if f.Value == "on" {
					return f.Count, err
				}
			}
			return 0, err
		}
		looks["Range"] = func(ctx context.Context, c *vecwire.Collection) (int, error) {
			least, greatest, err := c.Range(ctx, vecwire.SourceField, on)
			if least == greatest { // none, or one
				return 1, err
			}
			return 2, err
		}
	}
	return looks
}

// acts are the verbs by which a transaction may take a record off call.
func (s *suite) acts() map[string]func(context.Context, *vecwire.Collection, string) error {
	is := func(id string) filter.Filter { return filter.Eq(vecwire.SourceField, id) }
	off := vecwire.Fields{"state": "off"}
	acts := map[string]func(context.Context, *vecwire.Collection, string) error{
		"Upsert": func(ctx context.Context, c *vecwire.Collection, id string) error {
			return c.Upsert(ctx, onCall(id, "off"))
		},
		"Delete": func(ctx context.Context, c *vecwire.Collection, id string) error {
			_, err := c.Delete(ctx, id)
			return err
		},
		"DeleteWhere": func(ctx context.Context, c *vecwire.Collection, id string) error {
			_, err := c.DeleteWhere(ctx, is(id))
			return err
		},
		"ReplaceSource": func(ctx context.Context, c *vecwire.Collection, id string) error {
			_, err := c.ReplaceSource(ctx, id, onCall(id, "off"))
			return err
		},
	}
	if s.caps.Update {
		acts["Update"] = func(ctx context.Context, c *vecwire.Collection, id string) error {
			return c.Update(ctx, vecwire.Change{ID: id, Set: off, Text: "off", Vector: []float32{1, 1}})
		}
		acts["UpdateWhere"] = func(ctx context.Context, c *vecwire.Collection, id string) error {
			_, err := c.UpdateWhere(ctx, is(id), off)
			return err
		}
	}
	return acts
}

// isolationVerbs goes through the verbs by which transactions see and change what others
// change at the same time.
func (s *suite) isolationVerbs(t *testing.T) {
	if !s.db.Capabilities().Serializable {
		return
	}
	schema := vecwire.Schema{Dim: 2, Fields: append(vecwire.SourceFields(), vecwire.Field{Name: "state", Index: true}, vecwire.Field{Name: "n", Type: vecwire.Int})}
	looks, acts := s.looks(), s.acts()
	// One is left on call, whatever the two see and do it by, each in its own collection or both in one.
	skew := func(t *testing.T, c, other *vecwire.Collection, look func(context.Context, *vecwire.Collection) (int, error), act func(context.Context, *vecwire.Collection, string) error) {
		ctx := t.Context()
		for range s.sample(10) {
			require.NoError(t, c.Upsert(ctx, onCall("a", "on")))
			require.NoError(t, other.Upsert(ctx, onCall("b", "on")))
			group, groupCtx := errgroup.WithContext(ctx)
			on := func(ctx context.Context) (int, error) {
				n, err := look(ctx, c)
				if err != nil || c == other {
					return n, err
				}
				more, err := look(ctx, other)
				return n + more, err
			}
			for id, mine := range map[string]*vecwire.Collection{"a": c, "b": other} {
				group.Go(func() error {
					return s.db.Tx(groupCtx, func(ctx context.Context) error {
						n, err := on(ctx)
						if err != nil || n < 2 {
							return err
						}
						return act(ctx, mine, id)
					})
				})
			}
			require.NoError(t, group.Wait())
			n, err := c.Count(ctx, filter.Eq("state", "on"))
			require.NoError(t, err)
			if c != other {
				more, err := other.Count(ctx, filter.Eq("state", "on"))
				require.NoError(t, err)
				n += more
			}
			require.Equal(t, 1, n)
		}
	}
	for name, look := range looks {
		run(t, "seen by "+name, func(t *testing.T) {
			c := s.create(t, schema)
			skew(t, c, c, look, acts["Upsert"])
		})
	}
	for name, act := range acts {
		run(t, "changed by "+name, func(t *testing.T) {
			c := s.create(t, schema)
			skew(t, c, c, looks["Count"], act)
		})
	}
	run(t, "in two collections", func(t *testing.T) {
		skew(t, s.create(t, schema), s.create(t, schema), looks["Count"], acts["Upsert"])
	})
	if !s.caps.Update {
		return
	}

	run(t, "counted up by UpdateWhere", func(t *testing.T) {
		c := s.create(t, schema)
		require.NoError(t, c.Upsert(t.Context(), onCall("a", "on"), onCall("b", "on")))
		const writers = 4
		each := s.sample(10)
		group, ctx := errgroup.WithContext(t.Context())
		for range writers {
			group.Go(func() error {
				for range each {
					if err := s.db.Tx(ctx, func(ctx context.Context) error {
						got, err := c.Get(ctx, "b")
						if err != nil {
							return err
						}
						_, err = c.UpdateWhere(ctx, filter.Eq("state", "on"), vecwire.Fields{"n": got[0].Fields["n"].(int64) + 1})
						return err
					}); err != nil {
						return err
					}
				}
				return nil
			})
		}
		require.NoError(t, group.Wait())
		n, err := c.Count(t.Context(), filter.Eq("n", 1+writers*each))
		require.NoError(t, err)
		require.Equal(t, 2, n)
	})
	s.besideTx(t, schema)
}

// besideTx is about verbs outside transactions beside one: they see all that it did, or
// nothing, also in what they choose to change.
func (s *suite) besideTx(t *testing.T, schema vecwire.Schema) {
	on, off := filter.Eq("state", "on"), filter.Eq("state", "off")
	set := func(state string) vecwire.Fields { return vecwire.Fields{"state": state} }
	// beside runs f in a transaction and verb outside it at the same time, over and over.
	beside := func(t *testing.T, f func(context.Context, *vecwire.Collection) error, verb func(context.Context, *vecwire.Collection) error) *vecwire.Collection {
		c := s.create(t, schema)
		for i := range s.sample(60) {
			require.NoError(t, c.Upsert(t.Context(), onCall("a", "on"), onCall("b", "off")))
			group, ctx := errgroup.WithContext(t.Context())
			group.Go(func() error { return s.db.Tx(ctx, func(ctx context.Context) error { return f(ctx, c) }) })
			group.Go(func() error { return verb(ctx, c) })
			require.NoError(t, group.Wait(), "round %d", i)
		}
		return c
	}
	// swap takes one off call and puts the other on: at no moment is another number of them.
	swap := func(ctx context.Context, c *vecwire.Collection) error {
		is, err := c.Get(ctx, "a", "b")
		if err != nil {
			return err
		}
		for _, r := range is {
			if _, err := c.UpdateWhere(ctx, filter.Eq("id", r.ID), set(map[any]string{"on": "off", "off": "on"}[r.Fields["state"]])); err != nil {
				return err
			}
		}
		return nil
	}
	one := func(n int, err error) error {
		if err == nil && n != 1 {
			err = fmt.Errorf("met %d records where there was one at any moment", n)
		}
		return err
	}
	for name, look := range s.looks() {
		run(t, name+" beside a transaction", func(t *testing.T) {
			if name == "Range" || name == "Source" {
				return // which look twice
			}
			beside(t, swap, func(ctx context.Context, c *vecwire.Collection) error { return one(look(ctx, c)) })
		})
	}
	run(t, "UpdateWhere beside a transaction", func(t *testing.T) {
		beside(t, swap, func(ctx context.Context, c *vecwire.Collection) error {
			return one(c.UpdateWhere(ctx, on, vecwire.Fields{"n": 2}))
		})
	})
	run(t, "DeleteWhere beside a transaction", func(t *testing.T) {
		beside(t, swap, func(ctx context.Context, c *vecwire.Collection) error { return one(c.DeleteWhere(ctx, on)) })
	})

	// again deletes a record and stores it in one transaction: it is there at any moment.
	again := func(ctx context.Context, c *vecwire.Collection) error {
		if _, err := c.Delete(ctx, "a"); err != nil {
			return err
		}
		return c.Upsert(ctx, onCall("a", "on"))
	}
	run(t, "Delete beside a transaction", func(t *testing.T) {
		beside(t, again, func(ctx context.Context, c *vecwire.Collection) error { return one(c.Delete(ctx, "a", "x")) })
	})
	run(t, "Update beside a transaction", func(t *testing.T) {
		beside(t, again, func(ctx context.Context, c *vecwire.Collection) error {
			return c.Update(ctx, vecwire.Change{ID: "a", Set: vecwire.Fields{"n": 2}}, vecwire.Change{ID: "b", Set: vecwire.Fields{"n": 3}})
		})
	})
	if s.caps.UpdateIf {
		run(t, "Update under a condition beside a transaction", func(t *testing.T) {
			beside(t, again, func(ctx context.Context, c *vecwire.Collection) error {
				return c.Update(ctx, vecwire.Change{ID: "a", Set: vecwire.Fields{"n": 2}, If: on})
			})
		})
	}

	// One makes what is on off, the other what is off on: one after the other, they leave
	// both alike.
	run(t, "two that change what the other looks for", func(t *testing.T) {
		c := s.create(t, schema)
		for i := range s.sample(60) {
			require.NoError(t, c.Upsert(t.Context(), onCall("a", "on"), onCall("b", "off")))
			group, ctx := errgroup.WithContext(t.Context())
			group.Go(func() error {
				_, err := c.UpdateWhere(ctx, on, set("off"))
				return err
			})
			group.Go(func() error {
				_, err := c.UpdateWhere(ctx, off, set("on"))
				return err
			})
			require.NoError(t, group.Wait())
			n, err := c.Count(t.Context(), on)
			require.NoError(t, err)
			require.Contains(t, []int{0, 2}, n, "round %d", i)
		}
	})
}
