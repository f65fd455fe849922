package ann

import (
	"fmt"
	"runtime"
)

// origin is the snapshot that an arena and its graph are loaded from, and have parts
// of in their memory, as mappings. What is changed in memory is a copy of its
// own, so that the file can be compared with its checksums as long as it is in use.
type origin struct {
	data    []byte
	header  *snapshotHeader // nil until it is loaded
	rest    func()          // what was read of data counts for the process until it is called
	release func()
	cleanup runtime.Cleanup
}

// newOrigin returns the origin of what data holds, which release gives back when the
// origin is closed, or cannot be reached any more.
func newOrigin(data []byte, rest, release func()) *origin {
	o := &origin{data: data, rest: rest, release: release}
	o.cleanup = runtime.AddCleanup(o, func(release func()) { release() }, release)
	return o
}

// close gives back the memory of data.
func (o *origin) close() {
	if o != nil {
		o.cleanup.Stop()
		o.release()
	}
}

// check returns an error that wraps ErrDamaged if the file is not what it was, apart
// from vectors, each of which has a checksum of its own.
func (o *origin) check() (err error) {
	if o == nil || o.header == nil {
		return nil
	}
	defer func() { // recovered from here as well: check is called by what recovers
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: it is shorter, or cannot be read", ErrDamaged)
		}
	}()
	defer o.rest()
	at, _ := o.header.layout()
	for i, s := range o.header.Sections {
		if i == dataSection || s.Length < mapFrom { // what is small was copied
			continue
		}
		if checksum(o.data[at[i]:at[i]+s.Length]) != s.Sum {
			return fmt.Errorf("%w: its section %d", ErrDamaged, i)
		}
	}
	return nil
}

// Intact returns an error that wraps ErrDamaged if the snapshot that the arena was loaded
// from is not what it was, apart from vectors, for which see Damaged. It reads all of it.
func (a *Arena[T]) Intact() error {
	return a.Guard(a.origin.check)
}
