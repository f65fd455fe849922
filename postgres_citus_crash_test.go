package vecwire_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/testenv"
)

// units says what each unit of records, which a call changes as a whole, may be after the
// call: the version that all its records have, 0 for none of them. There are several
// until it is known whether a call was done.
type units map[string][]int64

const (
	crashWriters = 4
	crashBatch   = 100 // records of a call
	crashes      = 3   // of a server, for each verb
	crashAfter   = 40  // acknowledged calls
)

// crashLoad is a writer's part of a test: every call changes units of its own.
type crashLoad struct {
	c    *vecwire.Collection
	name string
	may  units
	size map[string]int // of units
	sure bool           // the call before was acknowledged
}

// records returns those of a unit.
func (l *crashLoad) records(unit string, version int64, size int) []vecwire.Record {
	out := make([]vecwire.Record, size)
	for i := range out {
		out[i] = vecwire.Record{
			ID: unit + "-" + strconv.Itoa(i), Vector: []float32{float32(version), float32(i), 1},
			Fields: vecwire.Fields{"unit": unit, "version": version, "source": l.name},
		}
	}
	return out
}

// call runs a call that gives units the versions, and records what they may be now.
func (l *crashLoad) call(to map[string]int64, size int, do func() error) error {
	err := do()
	for unit, version := range to {
		l.size[unit] = size
		if err == nil {
			l.may[unit] = []int64{version}
			continue
		}
		if len(l.may[unit]) == 0 {
			l.may[unit] = []int64{0}
		}
		l.may[unit] = append(l.may[unit], version)
	}
	return err
}

// version returns the version of a unit whose calls were all acknowledged, and reports
// whether that is so.
func (l *crashLoad) version(unit string) (int64, bool) {
	may := l.may[unit]
	if len(may) == 0 {
		return 0, true
	}
	return may[0], len(may) == 1
}

// exactly turns a count into an error.
func exactly(what string, got, want int64, err error) error {
	if err == nil && got != want {
		return fmt.Errorf("%w: %s %d records, want %d", errMiscounted, what, got, want)
	}
	return err
}

var errMiscounted = errors.New("miscounted")

// crashVerbs are the n-th calls of a writer, by verb, n from 1.
var crashVerbs = map[string]func(ctx context.Context, l *crashLoad, n int64) error{
	"Upsert": func(ctx context.Context, l *crashLoad, n int64) error {
		unit := fmt.Sprintf("%s-%d", l.name, n%10)
		return l.call(map[string]int64{unit: n}, crashBatch, func() error { return l.c.Upsert(ctx, l.records(unit, n, crashBatch)...) })
	},
	"Insert": func(ctx context.Context, l *crashLoad, n int64) error {
		unit := fmt.Sprintf("%s-%d", l.name, n)
		return l.call(map[string]int64{unit: n}, crashBatch, func() error { return l.c.Insert(ctx, l.records(unit, n, crashBatch)...) })
	},
	// Half of the records are new, and half of them change those of the call before.
	"Ingest": func(ctx context.Context, l *crashLoad, n int64) error {
		before, unit := fmt.Sprintf("%s-%d", l.name, n-1), fmt.Sprintf("%s-%d", l.name, n)
		return l.call(map[string]int64{before: n, unit: n}, crashBatch/2, func() error {
			records := append(l.records(before, n, crashBatch/2), l.records(unit, n, crashBatch/2)...)
			report, err := l.c.Ingest(ctx, func(yield func(vecwire.Record, error) bool) {
				for _, r := range records {
					if !yield(r, nil) {
						return
					}
				}
			}, vecwire.IngestOptions{})
			switch {
			case n == 1:
				return exactly("inserted", report.Inserted, crashBatch, err)
			case l.sure:
				return exactly("updated", report.Updated, crashBatch/2, exactly("inserted", report.Inserted, crashBatch/2, err))
			}
			return exactly("stored", report.Inserted+report.Updated, crashBatch, err)
		})
	},
	// Half of a source is the same, half is new, and half of what was there goes away.
	"ReplaceSource": func(ctx context.Context, l *crashLoad, n int64) error {
		name := func(n int64) string { return fmt.Sprintf("%s-%d", l.name, n) }
		records := append(l.records(name(n), n, crashBatch/2), l.records(name(n+1), n+1, crashBatch/2)...)
		to := map[string]int64{name(n): n, name(n + 1): n + 1}
		for unit, may := range l.may {
			if _, kept := to[unit]; !kept && !slices.Equal(may, []int64{0}) {
				to[unit] = 0
			}
		}
		return l.call(to, crashBatch/2, func() error {
			report, err := l.c.ReplaceSource(ctx, l.name, records...)
			if n > 1 && l.sure {
				err = exactly("inserted", report.Inserted, crashBatch/2, err)
				err = exactly("deleted", report.Deleted, crashBatch/2, err)
				err = exactly("unchanged", report.Unchanged, crashBatch/2, err)
			}
			return err
		})
	},
	// A change that is done twice finds no record of the version that it changes.
	"Update": func(ctx context.Context, l *crashLoad, n int64) error {
		unit := fmt.Sprintf("%s-%d", l.name, n%10)
		was, err := l.prepared(ctx, unit, n)
		if err != nil {
			return err
		}
		return l.call(map[string]int64{unit: n}, crashBatch, func() error {
			changes := make([]vecwire.Change, crashBatch)
			for i := range changes {
				changes[i] = vecwire.Change{ID: unit + "-" + strconv.Itoa(i), Set: vecwire.Fields{"version": n}, If: filter.Eq("version", was)}
			}
			return l.c.Update(ctx, changes...)
		})
	},
	"UpdateWhere": func(ctx context.Context, l *crashLoad, n int64) error {
		unit := fmt.Sprintf("%s-%d", l.name, n%10)
		was, err := l.prepared(ctx, unit, n)
		if err != nil {
			return err
		}
		return l.call(map[string]int64{unit: n}, crashBatch, func() error {
			changed, err := l.c.UpdateWhere(ctx, filter.And(filter.Eq("unit", unit), filter.Eq("version", was)), vecwire.Fields{"version": n})
			return exactly("changed", int64(changed), crashBatch, err)
		})
	},
	"DeleteWhere": func(ctx context.Context, l *crashLoad, n int64) error {
		unit := fmt.Sprintf("%s-%d", l.name, n)
		if _, err := l.prepared(ctx, unit, n); err != nil {
			return err
		}
		return l.call(map[string]int64{unit: 0}, crashBatch, func() error {
			deleted, err := l.c.DeleteWhere(ctx, filter.Eq("unit", unit))
			return exactly("deleted", int64(deleted), crashBatch, err)
		})
	},
	"Delete": func(ctx context.Context, l *crashLoad, n int64) error {
		unit := fmt.Sprintf("%s-%d", l.name, n)
		if _, err := l.prepared(ctx, unit, n); err != nil {
			return err
		}
		return l.call(map[string]int64{unit: 0}, crashBatch, func() error {
			deleted, err := l.c.Delete(ctx, crashIDs(unit)...)
			return exactly("deleted", int64(deleted), crashBatch, err)
		})
	},
}

func crashIDs(unit string) []string {
	ids := make([]string, crashBatch)
	for i := range ids {
		ids[i] = unit + "-" + strconv.Itoa(i)
	}
	return ids
}

// prepared returns the version of a unit, and stores it first if it is not there, or if it
// is not known what became of it.
func (l *crashLoad) prepared(ctx context.Context, unit string, n int64) (int64, error) {
	if was, sure := l.version(unit); sure && was > 0 {
		return was, nil
	}
	was := -n
	return was, l.call(map[string]int64{unit: was}, crashBatch, func() error { return l.c.Upsert(ctx, l.records(unit, was, crashBatch)...) })
}

// TestPostgresCitusCrash has servers of a cluster killed, and started again, while writers
// store, change and delete records. What is acknowledged is done, once and as a whole.
// It has the cluster to itself, so it is not parallel.
func TestPostgresCitusCrash(t *testing.T) {
	servers, crash := testenv.CitusCrash(t)
	for s, of := range map[string]string{"worker": servers[len(servers)-1], "coordinator": servers[0]} {
		for _, verb := range slices.Sorted(maps.Keys(crashVerbs)) {
			t.Run(s+"/"+verb, func(t *testing.T) {
				crashWhile(t, crashVerbs[verb], func() error { return crash(of) })
			})
		}
	}
}

func crashWhile(t *testing.T, verb func(context.Context, *crashLoad, int64) error, crash func() error) {
	url := testenv.Citus(t)
	db := openURL(t, url)
	ctx, cancel := context.WithTimeout(t.Context(), 8*time.Minute)
	defer cancel()
	c, err := db.CreateCollection(ctx, vecwire.Schema{
		Name: "load", Dim: 3, Metric: vecwire.L2, Distributed: vecwire.ByID,
		Fields: []vecwire.Field{{Name: "unit", Index: true}, {Name: "source", Index: true}, {Name: "version", Type: vecwire.Int}},
	})
	require.NoError(t, err)
	var acknowledged, unknown atomic.Int64
	var failures errgroup.Group
	done, acks := make(chan struct{}), make(chan struct{}, 1)
	loads := make([]*crashLoad, crashWriters)
	for w := range loads {
		l := &crashLoad{c: c, name: "w" + strconv.Itoa(w), may: units{}, size: map[string]int{}, sure: true}
		loads[w] = l
		failures.Go(func() error {
			last := int64(-1)
			for n := int64(1); n != last; n++ {
				err := verb(ctx, l, n)
				l.sure = err == nil
				switch {
				case err == nil:
					acknowledged.Add(1)
					select {
					case acks <- struct{}{}:
					default:
					}
				case errors.Is(err, vecwire.ErrOutcomeUnknown):
					unknown.Add(1)
					t.Logf("writer %d, call %d: %v", w, n, err)
				default:
					cancel()
					return fmt.Errorf("writer %d, call %d: %w", w, n, err)
				}
				select {
				case <-done:
					if last < 0 {
						last = n + 5 // a few after the last server is back
					}
				default:
				}
			}
			return nil
		})
	}
	for range crashes {
		for range crashAfter {
			select {
			case <-acks:
			case <-ctx.Done():
			}
		}
		if ctx.Err() == nil {
			require.NoError(t, crash())
		}
	}
	close(done)
	err = failures.Wait()
	t.Logf("%d calls acknowledged, %d of unknown outcome", acknowledged.Load(), unknown.Load())
	require.NoError(t, err)

	require.NoError(t, c.Close())
	c, err = db.OpenCollection(t.Context(), "load")
	require.NoError(t, err)
	found := map[string]map[int64]int{}
	for r, err := range c.All(t.Context(), vecwire.Scan{}) {
		require.NoError(t, err)
		unit, _ := r.Fields["unit"].(string)
		version, _ := r.Fields["version"].(int64)
		if found[unit] == nil {
			found[unit] = map[int64]int{}
		}
		found[unit][version]++
	}
	for _, l := range loads {
		for unit, may := range l.may {
			got := found[unit]
			delete(found, unit)
			if len(got) == 0 {
				require.Contains(t, may, int64(0), "%s is lost: it may be of the versions %v", unit, may)
				continue
			}
			require.Len(t, got, 1, "%s is done in part: %v, where it may be %v", unit, got, may)
			for version, n := range got {
				require.Contains(t, may, version, unit)
				require.Equal(t, l.size[unit], n, unit)
			}
		}
	}
	require.Empty(t, found)
}
