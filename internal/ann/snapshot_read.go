//go:build !(linux || darwin || freebsd || netbsd || openbsd)

package ann

import "os"

// fileBytes returns what a file holds.
func fileBytes(f *os.File, size int64) (data []byte, rest, release func(), err error) {
	return readFile(f, size)
}

// syncDir does nothing: these systems have no way to sync a directory.
func syncDir(string) error { return nil }
