//go:build !unix

package local

import "os"

// writable reports whether files can be made in a directory, as far as its mode says so.
func writable(dir string) bool {
	info, err := os.Stat(dir)
	return err == nil && info.Mode().Perm()&0o222 != 0
}
