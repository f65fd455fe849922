package notes

import (
	"context"
	"sync/atomic"

	"github.com/vecwire/vecwire/internal/engine"
)

// Kept is a note that is read often: the database is asked for it once, and again when
// another process may have changed it. The zero Kept is ready for use; a nil one remembers
// nothing.
type Kept struct{ known atomic.Pointer[kept] }

type kept struct {
	value   int64
	changes uint64 // see engine.Engine
}

// Known returns the note if the database need not be asked for it. The changes are those
// that the database counts now.
func (k *Kept) Known(changes uint64) (value int64, known bool) {
	if is := k.known.Load(); is != nil && is.changes == changes {
		return is.value, true
	}
	return 0, false
}

// Get asks the database for the note.
func (k *Kept) Get(ctx context.Context, e engine.Engine, key string, changes uint64) (int64, error) {
	value, err := Get(ctx, e, key)
	if err == nil {
		k.known.Store(&kept{value, changes})
	}
	return value, err
}

// Put keeps the note in the database.
func (k *Kept) Put(ctx context.Context, e engine.Engine, key string, value int64) error {
	changes, err := e.Changes(ctx)
	if err == nil {
		err = Put(ctx, e, key, value)
	}
	if err == nil && k != nil {
		k.known.Store(&kept{value, changes})
	}
	return err
}
