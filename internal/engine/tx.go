package engine

import "context"

// WithTx returns a context that carries a transaction of e, which is what e
// itself makes of it. The engine is the key, so that one context can carry
// transactions of several.
func WithTx(ctx context.Context, e Engine, tx any) context.Context {
	return context.WithValue(ctx, e, tx)
}

// TxOf returns the transaction of e that ctx carries, nil if there is none.
func TxOf(ctx context.Context, e Engine) any { return ctx.Value(e) }
