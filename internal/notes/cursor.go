package notes

import (
	"context"

	"github.com/vecwire/vecwire/internal/engine"
	"github.com/vecwire/vecwire/internal/gate"
)

// Cursor is a note of a job, which holds the database open while it is kept.
type Cursor struct {
	Gate   *gate.Gate
	Engine engine.Engine
	Key    string
}

// Save keeps how many records are done.
func (c Cursor) Save(ctx context.Context, done int64) error {
	if err := c.Gate.Enter(); err != nil {
		return err
	}
	defer c.Gate.Leave()
	return Put(ctx, c.Engine, c.Key, done)
}

// Forget removes the note.
func (c Cursor) Forget(ctx context.Context) error {
	if err := c.Gate.Enter(); err != nil {
		return err
	}
	defer c.Gate.Leave()
	return Forget(ctx, c.Engine, c.Key)
}
