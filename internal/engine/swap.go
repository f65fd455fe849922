package engine

import "context"

// Swap names the collections of a swap.
type Swap struct {
	Name string // as the collection that gives way has it, and then the other
	Next string // the collection that takes its place; nobody has this name after
	Old  string // the name that the one which gave way gets
	// Drop says that it is dropped as a part of the swap. Only an engine without
	// AtomicBatches keeps it under Old until that is done.
	Drop bool
	// Settle is called before names change, and may be called again, with a context
	// that its use of the two collections needs. Where the
	// engine has AtomicBatches nobody else can write to the two collections from
	// then on, so that no write is acknowledged and then lost; what Settle writes
	// is part of the swap. It must not use the engine otherwise.
	Settle func(ctx context.Context, old, next Collection) error
}
