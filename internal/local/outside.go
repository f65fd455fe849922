package local

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/vecwire/vecwire/internal/ann"
)

// outside is the vectors of a collection in the store's file.
type outside struct {
	pages *pages
	store *store
	size  int                    // of a vector in bytes
	table atomic.Pointer[string] // that has them
	root  atomic.Uint32          // the table's first page, when it was looked up last
}

// outsideFrom is how many bytes the vectors of a collection have at least that are read from
// the file: of fewer the snapshot has a copy, since a page of the file may hold but one of them.
var outsideFrom = 1 << 20

// newOutside returns the vectors of a collection in the file, or nil if they are not read
// there.
func (c *collection) newOutside() *outside {
	if c.store.pages == nil {
		return nil
	}
	o := &outside{pages: c.store.pages, store: c.store, size: c.schema.Dim * c.schema.Element.Size()}
	o.rename(c.schema.Name)
	return o
}

// rename says that the collection has another name.
func (o *outside) rename(name string) {
	if o != nil {
		table := name + ".data"
		o.table.Store(&table)
	}
}

// State implements ann.Outside.
func (o *outside) State() (ann.FileState, bool) { return o.pages.state() }

// File implements ann.Outside.
func (o *outside) File() []byte { return o.pages.bytes() }

// Read implements ann.Outside.
func (o *outside) Read(file []byte, place ann.Place, dst []byte) bool {
	t, ok := newBtree(file)
	return ok && t.read(place, dst)
}

// Find implements ann.Outside.
func (o *outside) Find(row int32) (ann.Place, bool) {
	for range 2 {
		if t, ok := newBtree(o.pages.bytes()); ok {
			if c, ok := t.find(o.root.Load(), int64(row)); ok {
				return c.vector(o.size)
			}
		}
		if !o.pages.refresh() { // the file has grown, perhaps
			break
		}
	}
	return 0, false
}

// Locate implements ann.Outside.
func (o *outside) Locate(each func(row int32, place ann.Place)) error {
	if err := o.lookUp(context.Background()); err != nil {
		return err
	}
	t, ok := newBtree(o.pages.bytes())
	if !ok {
		return errNoTree
	}
	err := t.each(o.root.Load(), func(row int64, c cell) {
		if place, ok := c.vector(o.size); ok && int64(int32(row)) == row {
			each(int32(row), place)
		}
	})
	if errors.Is(err, errNoTree) { // pages are in the log alone, while somebody reads for long
		return nil
	}
	return err
}

// lookUp asks SQLite where the table begins, and maps what the file has grown by.
func (o *outside) lookUp(ctx context.Context) error {
	var root uint32
	err := o.store.read.QueryRowContext(ctx, "SELECT rootpage FROM sqlite_schema WHERE type = 'table' AND name = ?", *o.table.Load()).Scan(&root)
	if err != nil {
		return fmt.Errorf("look for the vectors of %q: %w", *o.table.Load(), err)
	}
	o.root.Store(root)
	o.pages.refresh()
	return nil
}
