//go:build linux || darwin || freebsd

package local

import (
	"os"

	"golang.org/x/sys/unix"
)

// mapRoom is how much larger than the file a mapping is at least, so that the file can grow.
const mapRoom = 64 << 20

// newPages maps the file of a store, or returns nil where that cannot be done. Its watch is
// nil if nothing changes the file.
func newPages(path string, w *watch) *pages {
	if !mappable() {
		return nil
	}
	p := &pages{watch: w, file: -1}
	if w != nil {
		p.file = w.descriptor()
	} else {
		f, err := os.Open(path) // SQLite has no locks on it that the end of this could end
		if err != nil {
			return nil
		}
		defer f.Close()
		p.file = int(f.Fd())
		defer func() { p.file = -1 }()
	}
	if !p.refresh() {
		return nil
	}
	return p
}

// refresh maps what the file has become, and reports whether it could.
func (p *pages) refresh() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.file < 0 {
		return p.now.Load() != nil
	}
	var info unix.Stat_t
	if unix.Fstat(p.file, &info) != nil || info.Size <= 0 {
		return false
	}
	size := int(info.Size)
	if n := len(p.all); n == 0 || len(p.all[n-1]) < size {
		b, err := unix.Mmap(p.file, 0, size+max(size, mapRoom), unix.PROT_READ, unix.MAP_SHARED)
		if err != nil {
			return false
		}
		_ = unix.Madvise(b, unix.MADV_RANDOM)
		p.all = append(p.all, b)
	}
	b := p.all[len(p.all)-1][:size:size]
	p.now.Store(&b)
	return true
}

// close unmaps the file. Nobody reads it any more.
func (p *pages) close() {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, b := range p.all {
		_ = unix.Munmap(b)
	}
	p.all, p.file = nil, -1
	p.now.Store(nil)
}

// unixFile is the beginning of SQLite's file on unix systems.
type unixFile struct {
	_, _, _    uintptr // its methods, its system, and what the process knows of the file
	descriptor int32
}

// descriptor returns the file as SQLite has opened it. To open it once more would end
// SQLite's locks when that is closed.
func (w *watch) descriptor() int { return int(at[unixFile](w.file).descriptor) }
