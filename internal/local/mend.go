package local

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/vecwire/vecwire/internal/ann"
	"github.com/vecwire/vecwire/internal/engine"
)

// heal is called when something that is mapped from a snapshot turned out to be
// damaged. Vectors are read from the rows again. Where more is damaged, or the file was
// cut short, the collection falls behind, so that it is loaded again before it is used,
// and not from that snapshot.
//
// It reports whether vectors were mended.
func (c *collection) heal(ctx context.Context) (mended bool, err error) {
	c.mu.RLock()
	moved := error(nil) // what is not found again is read from the rows
	if !c.gone {
		moved = c.index.relocate()
	}
	c.mu.RUnlock()
	if moved != nil {
		c.store.log.DebugContext(ctx, "vectors are not found in the file", "collection", c.schema.Name, "err", moved)
	}
	c.mu.RLock()
	if !c.gone {
		err = c.index.intact()
	}
	c.mu.RUnlock()
	if err == nil {
		mended, err = c.mend(ctx)
	}
	if errors.Is(err, ann.ErrDamaged) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.distrust(ctx, err)
		return false, nil
	}
	return mended, err
}

// distrust says that the snapshot that is in memory must not be used any more. The
// caller has c.mu for writing.
func (c *collection) distrust(ctx context.Context, why error) {
	c.store.log.WarnContext(ctx, "the snapshot of an index was changed while it was in use: the collection is loaded again from its records",
		"collection", c.schema.Name, "err", why)
	c.distrusted = c.loadedFrom
	c.touched.Add(1)
	c.behind = true
	c.store.unsettled.Store(true)
}

// mend reads from the rows again the vectors that have changed by themselves in
// memory, because something else wrote to the snapshot that they are mapped from. It
// reports whether there were any. The rows are the truth: what is in memory is never
// made a snapshot before it was compared.
func (c *collection) mend(ctx context.Context) (mended bool, err error) {
	c.still.Lock() // no commit comes in between
	defer c.still.Unlock()
	c.mu.RLock()
	settled := c.store.upToDate() // else another process may have changed them
	var damaged []int32
	var mapped bool
	if !c.gone {
		mapped = c.index.mapsVectors()
		damaged, err = c.index.damaged()
	}
	c.mu.RUnlock()
	if len(damaged) == 0 || err != nil {
		return false, err
	}
	if mapped {
		c.store.log.WarnContext(ctx, "the snapshot of an index was changed while it was in use: vectors in memory are damaged, and are read from the rows again",
			"collection", c.schema.Name, "damaged", len(damaged))
	} else { // they are in SQLite's log, or another process has changed them
		c.store.log.DebugContext(ctx, "vectors are not where they were in the file, and are kept in memory", "collection", c.schema.Name, "vectors", len(damaged))
	}
	vectors, err := c.vectorsOf(ctx, damaged)
	if err != nil {
		return false, err
	}
	settled = settled && c.store.upToDate()
	c.mu.Lock()
	defer c.mu.Unlock()
	if mapped {
		c.saved.noted = max(c.saved.noted, c.saved.saveAt) // and a sound one is to be written
	}
	return true, c.index.guard(func() error {
		for _, row := range damaged {
			v, ok := vectors[row]
			switch {
			case !ok && !c.index.mend(row, nil):
				c.index.remove(row)
			case ok && !c.index.mend(row, &v):
				if settled && !mapped { // nobody has: the file is damaged, or something else writes to it
					c.store.log.WarnContext(ctx, "the vector of a record is not what was stored: look at the store with DB.Check",
						"collection", c.schema.Name, "record", c.ids.id(row))
				}
				if err := c.index.set(row, v); err != nil {
					return fmt.Errorf("%w: record %q in %q: %w", errDamaged, c.ids.id(row), c.schema.Name, err)
				}
			}
		}
		return nil
	})
}

// vectorsOf reads the vectors of some rows, as far as they are in use.
func (c *collection) vectorsOf(ctx context.Context, numbers []int32) (map[int32]engine.Vector, error) {
	list, err := json.Marshal(numbers)
	if err != nil {
		return nil, err
	}
	rows, err := c.store.read.QueryContext(ctx, fmt.Sprintf(`SELECT r.%[1]s, r.id, d.vector FROM json_each(?) j
		JOIN %[2]s r ON r.%[1]s = j.value JOIN %[3]s d ON d.%[1]s = j.value`,
		rowColumn, rowsTable(c.schema.Name), dataTable(c.schema.Name)), string(list))
	if err != nil {
		return nil, explain(err)
	}
	defer rows.Close()
	vectors := make(map[int32]engine.Vector, len(numbers))
	var row int32
	var id string
	var blob sql.RawBytes
	for rows.Next() {
		if err := rows.Scan(&row, &id, &blob); err != nil {
			return nil, explain(err)
		}
		if vectors[row], err = c.decodeVector(engine.Vector{}, id, blob); err != nil {
			return nil, err
		}
	}
	return vectors, explain(rows.Err())
}
