package engine

import (
	"context"
	"sync"
)

// Caller is a transaction that the caller began, on a connection of the caller's.
// The root knows only that there is one; an engine with Can.Join knows what it is.
type Caller struct {
	Tx any // a pgx.Tx

	known sync.Map // the engines that have found Tx to be of their database
}

// Known reports whether e has said so by [Caller.Know].
func (c *Caller) Known(e Engine) bool {
	_, ok := c.known.Load(e)
	return ok
}

// Know notes that Tx is of the database of e.
func (c *Caller) Know(e Engine) { c.known.Store(e, true) }

type callerKey struct{}

// WithCaller returns a context that carries the caller's transaction; a nil one
// hides that which ctx carries.
func WithCaller(ctx context.Context, c *Caller) context.Context {
	return context.WithValue(ctx, callerKey{}, c)
}

// CallerOf returns the caller's transaction that ctx carries, nil if there is none.
func CallerOf(ctx context.Context) *Caller {
	c, _ := ctx.Value(callerKey{}).(*Caller)
	return c
}
