package engine

import (
	"context"
	"time"
)

// restTime bounds what is left of a call that is done: a server may be gone by then.
const restTime = 10 * time.Second

// Rest returns a context for what is left to do when the work of a call is committed,
// such as removing what belonged to a collection that is dropped. It does not end with
// ctx: the call would say that nothing was done, and what is left would stay for ever.
func Rest(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), restTime)
}
