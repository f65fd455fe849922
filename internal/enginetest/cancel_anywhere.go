package enginetest

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/filter"
)

// looked is a context that ends when it was looked at a number of times: a call looks
// at its context before each of its steps.
type looked struct {
	context.Context
	cancel context.CancelFunc
	left   *atomic.Int64
}

func newLooked(ctx context.Context, looks int) looked {
	ctx, cancel := context.WithCancel(ctx)
	l := looked{ctx, cancel, new(atomic.Int64)}
	l.left.Store(int64(looks))
	return l
}

func (l looked) look() {
	if l.left.Add(-1) == 0 {
		l.cancel()
	}
}

func (l looked) Err() error {
	l.look()
	return l.Context.Err()
}

func (l looked) Done() <-chan struct{} {
	l.look()
	return l.Context.Done()
}

func (l looked) Value(key any) any {
	l.look()
	return l.Context.Value(key)
}

// steps returns at which looks of a call to end its context, which makes so many: the last
// ones, when a call may be done already, and some before.
func (s *suite) steps(looks int) (at []int) {
	few, last := s.sample(8), s.sample(20)
	if !s.caps.AtomicBatches { // there is less to be seen, and each call takes long
		few, last = 1+few/4, 1+last/8
	}
	for n := 1; n < looks-last; n += 1 + looks/few {
		at = append(at, n)
	}
	for n := max(1, looks-last); n <= looks+1; n++ {
		at = append(at, n)
	}
	return at
}

// looksOf returns how often a call looks at its context.
func looksOf(ctx context.Context, call func(ctx context.Context) error) (int, error) {
	const many = 1 << 30
	l := newLooked(ctx, many)
	defer l.cancel()
	err := call(l)
	return many - int(l.left.Load()), err
}

// cancelledAnywhere ends the context of each verb that writes at each of its steps. What
// fails has changed nothing, unless it says that this is not known, what does not fail
// has done all, and the next call finds the collection as it is.
func (s *suite) cancelledAnywhere(t *testing.T) {
	fields := []vecwire.Field{{Name: "n", Type: vecwire.Int}, {Name: vecwire.SourceField, Type: vecwire.String, Index: true}}
	vector := []float32{1, 1}
	record := func(id string, n int, source string) vecwire.Record {
		return vecwire.Record{ID: id, Vector: []float32{1, float32(n)}, Text: "text of " + id, Fields: vecwire.Fields{"n": n, vecwire.SourceField: source}}
	}
	before := func() (records []vecwire.Record) {
		for i := range 12 {
			records = append(records, record(fmt.Sprintf("%02d", i), i, fmt.Sprint("source", i%2)))
		}
		return records
	}
	verbs := map[string]func(ctx context.Context, c *vecwire.Collection, m *model) error{
		"Upsert": func(ctx context.Context, c *vecwire.Collection, m *model) error {
			given := []vecwire.Record{record("00", 100, "other"), record("new", 101, "other")}
			m.upsert(given...)
			return c.Upsert(ctx, given...)
		},
		"Delete": func(ctx context.Context, c *vecwire.Collection, m *model) error {
			delete(m.records, "01")
			delete(m.records, "02")
			n, err := c.Delete(ctx, "01", "02", "no such")
			return s.exactly(2, n, err)
		},
		"DeleteWhere": func(ctx context.Context, c *vecwire.Collection, m *model) error {
			for i := range 5 {
				delete(m.records, fmt.Sprintf("%02d", i))
			}
			n, err := c.DeleteWhere(ctx, filter.Lt("n", 5))
			return s.exactly(5, n, err)
		},
	}
	if s.caps.AtomicBatches {
		verbs["ReplaceSource"] = func(ctx context.Context, c *vecwire.Collection, m *model) error {
			given := []vecwire.Record{record("00", 0, "source0"), record("02", 200, "source0"), record("added", 201, "source0")}
			for i := 4; i < 12; i += 2 {
				delete(m.records, fmt.Sprintf("%02d", i))
			}
			m.upsert(given...)
			r, err := c.ReplaceSource(ctx, "source0", given...)
			if err == nil && (r.Inserted != 1 || r.Updated != 1 || r.Unchanged != 1 || r.Deleted != 4) {
				return fmt.Errorf("the report is %+v", r)
			}
			return err
		}
	}
	if s.caps.Insert {
		verbs["Insert"] = func(ctx context.Context, c *vecwire.Collection, m *model) error {
			given := []vecwire.Record{record("new1", 100, "other"), record("new2", 101, "other")}
			m.upsert(given...)
			return c.Insert(ctx, given...)
		}
	}
	if s.caps.Update {
		verbs["Update"] = func(ctx context.Context, c *vecwire.Collection, m *model) error {
			for i, id := range []string{"03", "04"} {
				r := m.records[id]
				r.Vector, r.Fields = vector, vecwire.Fields{"n": int64(300 + i), vecwire.SourceField: r.Fields[vecwire.SourceField]}
				m.upsert(r)
			}
			return c.Update(ctx, vecwire.Change{ID: "03", Vector: vector, Set: vecwire.Fields{"n": 300}}, vecwire.Change{ID: "04", Vector: vector, Set: vecwire.Fields{"n": 301}})
		}
		verbs["UpdateWhere"] = func(ctx context.Context, c *vecwire.Collection, m *model) error {
			for i := range 5 {
				r := m.records[fmt.Sprintf("%02d", i)]
				r.Fields = vecwire.Fields{"n": int64(i), vecwire.SourceField: "set"}
				m.upsert(r)
			}
			n, err := c.UpdateWhere(ctx, filter.Lt("n", 5), vecwire.Fields{vecwire.SourceField: "set"})
			return s.exactly(5, n, err)
		}
	}
	if s.caps.Transactions {
		verbs["Tx"] = func(ctx context.Context, c *vecwire.Collection, m *model) error {
			m.upsert(record("05", 500, "tx"))
			delete(m.records, "06")
			return s.db.Tx(ctx, func(ctx context.Context) error {
				if _, err := c.Get(ctx, "05"); err != nil {
					return err
				}
				if err := c.Upsert(ctx, record("05", 500, "tx")); err != nil {
					return err
				}
				_, err := c.Delete(ctx, "06")
				return err
			})
		}
	}
	for verb, call := range verbs {
		run(t, verb, func(t *testing.T) {
			ctx := t.Context()
			// Each has a collection of its own: a call whose outcome is unknown may be
			// committed after it has returned.
			begin := func() (c *vecwire.Collection, was, then *model) {
				c = s.create(t, vecwire.Schema{Dim: 2, Fields: fields})
				require.NoError(t, c.Upsert(ctx, before()...))
				return c, newModel(c.Schema(), before()...), newModel(c.Schema(), before()...)
			}
			c, _, then := begin()
			looks, err := looksOf(ctx, func(ctx context.Context) error { return call(ctx, c, then) })
			require.NoError(t, err)
			for _, at := range s.steps(looks) {
				c, was, then := begin()
				l := newLooked(ctx, at)
				err = call(l, c, then)
				l.cancel()
				where := fmt.Sprintf("%d of %d looks: %v", at, looks, err)
				found := collect(t, c, vecwire.Scan{Vectors: true})
				same := func(m *model) bool { return fmt.Sprint(found) == fmt.Sprint(m.all()) }
				switch {
				case err == nil:
					require.True(t, same(then), "%s: all is done: %v", where, found)
				case errors.Is(err, vecwire.ErrOutcomeUnknown):
					require.True(t, same(was) || same(then), "%s: all or nothing: %v", where, found)
				case !s.caps.AtomicBatches: // and a server may go on with what it has begun
					require.ErrorIs(t, err, context.Canceled, where)
					for _, r := range found {
						require.Contains(t, []string{fmt.Sprint(was.records[r.ID]), fmt.Sprint(then.records[r.ID])}, fmt.Sprint(r), where)
					}
				default:
					require.ErrorIs(t, err, context.Canceled, where)
					require.True(t, same(was), "%s: nothing is done: %v", where, found)
				}
			}
		})
	}
}

// exactly returns err, or what is wrong with a count. A verb that does all or nothing
// counts nothing when it fails.
func (s *suite) exactly(want, got int, err error) error {
	switch {
	case err == nil && got != want:
		return fmt.Errorf("counted %d, want %d", got, want)
	case err != nil && got != 0 && s.caps.AtomicBatches:
		return fmt.Errorf("counted %d beside the error %q", got, err.Error())
	}
	return err
}
