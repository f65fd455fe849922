//go:build unix

package local

import (
	"io/fs"
	"syscall"
)

// fileNumbers returns what tells a file apart from all others.
func fileNumbers(_ string, info fs.FileInfo) (device, inode int64, known bool) {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, 0, false
	}
	return int64(stat.Dev), int64(stat.Ino), true
}
