package ann

import (
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
)

// ErrDamaged is what errors wrap that say that what is mapped from a snapshot is not
// what it was: somebody has written to the file, cut it short, or the disk fails.
var ErrDamaged = errors.New("a snapshot that is in use has changed")

// damage is what a panic says of a row whose vector is not what was stored in it.
type damage struct{ row int32 }

// Guard runs f, which reads or changes the arena or graphs over it, and returns an
// error that wraps ErrDamaged if what is mapped from a file turns out to be damaged
// meanwhile. Then f has not come to its end. Without Guard a file that somebody cuts
// short ends the process, at the first access to what it does not hold any more.
//
// It guards the goroutine that calls it, and none that f starts.
func (a *Arena[T]) Guard(f func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			if err = a.damagedBy(p); err == nil {
				panic(p)
			}
		}
	}()
	return f()
}

// damagedBy returns an error for a panic that damage has caused, or nil. What is wrong
// with links shows in a row number that is none: only then the file is looked at.
func (a *Arena[T]) damagedBy(p any) error {
	if d, ok := p.(damage); ok {
		return fmt.Errorf("%w: the vector of row %d", ErrDamaged, d.row)
	}
	err, ok := p.(runtime.Error)
	if !ok {
		return nil
	}
	if _, fault := err.(interface{ Addr() uintptr }); fault && (a.origin != nil || a.away.count > 0) {
		return fmt.Errorf("%w: it is shorter, or cannot be read", ErrDamaged)
	}
	return a.origin.check()
}
