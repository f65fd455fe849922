//go:build linux || darwin || freebsd || netbsd || openbsd

package ann

import (
	"math"
	"os"

	"golang.org/x/sys/unix"
)

// fileBytes returns what a file holds, mapped until release is called. A file that
// somebody else cuts short meanwhile would crash the program, as with any mapping:
// only whole files are renamed to their names. What was read counts as memory of the
// process, beside what other mappings of the file have of it, until rest is called; it is
// read again after that.
func fileBytes(f *os.File, size int64) (data []byte, rest, release func(), err error) {
	if size == 0 || size > math.MaxInt {
		return readFile(f, size)
	}
	data, err = unix.Mmap(int(f.Fd()), 0, int(size), unix.PROT_READ, unix.MAP_PRIVATE)
	if err != nil {
		return readFile(f, size)
	}
	return data, func() { _ = unix.Madvise(data, unix.MADV_DONTNEED) }, func() { _ = unix.Munmap(data) }, nil
}

// syncDir makes a rename in a directory durable.
func syncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
