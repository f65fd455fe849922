//go:build unix

package local

import (
	"os"

	"golang.org/x/sys/unix"
)

// writable reports whether files can be made in a directory. A directory that its owner
// may not write to is left as it is, even by those who may do all.
func writable(dir string) bool {
	info, err := os.Stat(dir)
	return err == nil && info.Mode().Perm()&0o222 != 0 && unix.Access(dir, unix.W_OK) == nil
}
