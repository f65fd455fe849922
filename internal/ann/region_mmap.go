//go:build linux || darwin || freebsd || netbsd || openbsd

package ann

import "golang.org/x/sys/unix"

// reserveSpace returns address space that is not backed by memory.
func reserveSpace(size int) ([]byte, error) {
	if addressSpace == 0 {
		return nil, unix.ENOMEM
	}
	b, err := unix.Mmap(-1, 0, size, unix.PROT_NONE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err == nil {
		adviseHuge(b)
	}
	return b, err
}

// commitSpace lets the system back b with memory, page by page when it is first
// touched.
func commitSpace(b []byte) error {
	return unix.Mprotect(b, unix.PROT_READ|unix.PROT_WRITE)
}

func releaseSpace(b []byte) { _ = unix.Munmap(b) }
