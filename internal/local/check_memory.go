package local

import (
	"context"
	"errors"
	"fmt"

	"github.com/vecwire/vecwire/internal/engine"
)

// checkMemory compares what is in memory of the open collections with the rows, some at
// a time, so that writers need not wait for the whole.
func (k *checker) checkMemory(ctx context.Context) error {
	for _, c := range k.store.openCollections() {
		if k.unread[c.id] || c.isAsleep() { // there is nothing to compare with, or to be compared
			continue
		}
		err := k.openCollection(ctx, c)
		if errors.Is(err, engine.ErrNotFound) { // by now
			continue
		}
		if err := k.try(ctx, c.schema.Name, "what is in memory cannot be compared", err); err != nil {
			return err
		}
	}
	return nil
}

func (k *checker) openCollection(ctx context.Context, c *collection) error {
	for from := int64(0); from >= 0; {
		var next int64
		var problems []engine.Problem
		err := c.reads(ctx, "Check", func(ctx context.Context) (err error) {
			next, problems, err = c.compareRows(ctx, c.store.read, from, "in memory")
			return err
		})
		if err != nil {
			return err
		}
		k.report.Add(problems...)
		from = next
	}
	var problems []engine.Problem
	err := c.reads(ctx, "Check", func(ctx context.Context) (err error) {
		problems, err = c.compareColumns(ctx)
		return err
	})
	if err != nil {
		return err
	}
	k.report.Add(problems...)
	if err := c.view(ctx, "Check"); err != nil {
		return err
	}
	defer c.endView()
	c.index.doubt() // something else than SQLite may have written to the file
	if err := c.index.sound(); err != nil {
		k.add(c.schema.Name, "", "the index in memory: %v", err)
	}
	return nil
}

// comparedRows is how many rows compareRows looks at.
const comparedRows = 4096

// compareRows compares some rows from one on with what is in memory, and returns which
// is the next one, or -1. The caller has the collection's lock for reading, or alone
// knows it. A row whose vector cannot be read is not compared: that is said already.
func (c *collection) compareRows(ctx context.Context, q queryer, from int64, where string) (next int64, problems []engine.Problem, err error) {
	wrong := func(id, format string, args ...any) {
		problems = append(problems, engine.Problem{Collection: c.schema.Name, ID: id, What: where + ": " + fmt.Sprintf(format, args...)})
	}
	end := max(from, int64(c.end))
	free := func(to int64) {
		for ; from < min(to, int64(c.end)); from++ {
			row := int32(from)
			if id := c.ids.id(row); id != "" {
				wrong(id, "it is row %d there, and there is no such row in the file", row)
			} else if err := c.index.holds(row, nil); err != nil {
				wrong("", "row %d is free: %v", row, err)
			}
		}
		from = max(from, to)
	}
	count := 0
	err = eachRow(ctx, q, fmt.Sprintf("SELECT r.%[1]s, r.id, d.vector FROM %[2]s r LEFT JOIN %[3]s d ON d.%[1]s = r.%[1]s WHERE r.%[1]s >= ? ORDER BY r.%[1]s LIMIT %[4]d",
		rowColumn, rowsTable(c.schema.Name), dataTable(c.schema.Name), comparedRows), []any{from}, func(v []any) {
		count++
		number, _ := v[0].(int64)
		free(number)
		from = number + 1
		id, _ := v[1].(string)
		row := int32(number)
		if at, ok := c.ids.row(id); !ok || at != row || row >= c.end || c.ids.id(row) != id {
			wrong(id, "it is row %d in the file, and not there", number)
			return
		}
		if c.store.held() {
			if vector, ok := c.index.given(row); !ok {
				wrong(id, "it has no vector")
			} else if err := c.index.holds(row, &vector); err != nil {
				wrong(id, "%v", err)
			}
			return
		}
		blob, _ := v[2].([]byte)
		vector, err := c.checkedVector(id, blob)
		if err != nil {
			return
		}
		if err := c.index.holds(row, &vector); err != nil {
			wrong(id, "%v", err)
		}
	})
	if err == nil && count < comparedRows {
		free(end)
		return -1, problems, nil
	}
	return from, problems, err
}

// snapshot loads the snapshot of a collection, with what was changed since, and
// compares it with the rows. Another process, or this one, may put another in its
// place and remove this one: then that is looked at, in a later state of the file.
func (k *checker) snapshot(ctx context.Context, f *found) error {
	s := k.store
	if s.path == "" || s.files != nil || k.unread[f.c.id] {
		return nil
	}
	again, err := k.loadSnapshot(ctx, f.c)
	for try := 0; again && err == nil && try < luck; try++ {
		again, err = func() (bool, error) {
			pinned, end, err := s.pin(ctx)
			if err != nil {
				return false, err
			}
			defer end()
			fresh, err := newCollection(s, f.c.schema, f.c.id)
			if err != nil {
				return false, err
			}
			defer fresh.index.close()
			return k.loadSnapshot(pinned, fresh)
		}()
	}
	return err
}

// loadSnapshot is snapshot with one state of the file, into a blank collection.
func (k *checker) loadSnapshot(ctx context.Context, c *collection) (again bool, err error) {
	s, name := k.store, c.schema.Name
	saved, err := readSaved(ctx, s.read, c.id)
	if err != nil || saved.tag == "" {
		return false, err
	}
	b, err := readIndex(ctx, s.read, name)
	if err != nil {
		return false, err
	}
	if b != nil {
		if err := c.plan(b); err != nil {
			return false, fmt.Errorf("%w: %w", errDamaged, err)
		}
	}
	stamp, err := c.index.load(s.snapshotPath(saved.tag))
	if err == nil {
		err = c.takeIDs(stamp, saved.tag)
	}
	if err != nil {
		now, asked := readSaved(ctx, s.read.DB, c.id)
		if ctx.Err() != nil {
			return false, ctx.Err()
		}
		if asked != nil || now.tag != saved.tag {
			return true, nil
		}
		k.add(name, "", "its snapshot cannot be used, and is made again when the collection is opened: %v", err)
		return false, nil
	}
	c.hnsw, c.saved = b, saved
	if err := c.replay(ctx); err != nil {
		return false, err
	}
	for from := int64(0); from >= 0; {
		var problems []engine.Problem
		if from, problems, err = c.compareRows(ctx, s.read, from, "in the snapshot"); err != nil {
			return false, err
		}
		k.report.Add(problems...)
	}
	if err := c.index.sound(); err != nil {
		k.add(name, "", "its snapshot: %v", err)
	}
	return false, nil
}
