package engine

import "context"

// Swapper is an engine that can put one collection in the place of another.
type Swapper interface {
	// Swap does what s says. It returns ErrNotFound if one of the two collections
	// is not there, ErrExists if s.Old is another's name, or what s.Settle returns;
	// then all is as it was, but for what Settle wrote on an engine without
	// AtomicBatches.
	//
	// Who asks for s.Name finds the one collection or the other at any moment,
	// and after the swap the other. A collection that was opened before never
	// meets the other's records: in this process its methods return ErrNotFound,
	// and in another process it goes on with its own records until they are
	// dropped.
	//
	// A Swap that was cut off on an engine without AtomicBatches can be done again,
	// as long as Name stands for what it did. Otherwise Next and, with Drop, Old
	// may be left over: to Drop them is all that remains to be done, and harms
	// nothing.
	Swap(ctx context.Context, s Swap) error
}

// Swap names the collections of a swap.
type Swap struct {
	Name string // as the collection that gives way has it, and then the other
	Next string // the collection that takes its place; nobody has this name after
	Old  string // the name that the one which gave way gets
	// Drop says that it is dropped as a part of the swap. Only an engine without
	// AtomicBatches keeps it under Old until that is done.
	Drop bool
	// Settle is called before names change, and may be called again. Where the
	// engine has AtomicBatches nobody else can write to the two collections from
	// then on, so that no write is acknowledged and then lost; what Settle writes
	// is part of the swap. It must not use the engine otherwise.
	Settle func(old, next Collection) error
}
