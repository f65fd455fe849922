//go:build linux || darwin || freebsd || netbsd || openbsd

package ann

import (
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// reserveSpace returns address space that is not backed by memory.
func reserveSpace(size int) ([]byte, error) {
	if addressSpace == 0 {
		return nil, unix.ENOMEM
	}
	return unix.Mmap(-1, 0, size, unix.PROT_NONE, unix.MAP_ANON|unix.MAP_PRIVATE)
}

// commitSpace lets the system back b with memory, page by page when it is first
// touched.
func commitSpace(b []byte) error {
	return unix.Mprotect(b, unix.PROT_READ|unix.PROT_WRITE)
}

func releaseSpace(b []byte) { _ = unix.Munmap(b) }

// mapFile puts a private copy of a file's bytes from offset on in the place of b.
func mapFile(b []byte, f *os.File, offset int64) error {
	_, err := unix.MmapPtr(int(f.Fd()), offset, unsafe.Pointer(unsafe.SliceData(b)), uintptr(len(b)),
		unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_FIXED)
	return err
}
