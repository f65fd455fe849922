//go:build unix

package local

import (
	"io/fs"
	"syscall"
)

// hardLinked reports whether a file has several names.
func hardLinked(info fs.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && stat.Nlink > 1
}
