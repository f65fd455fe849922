package local

import (
	"fmt"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// onNetwork refuses a directory of another machine: memory is not shared with those who
// have the store open there, and to SQLite its log would seem to be whole.
func onNetwork(path string) error {
	var info unix.Statfs_t
	if err := unix.Statfs(filepath.Dir(path), &info); err != nil {
		return nil // whoever opens the file says why not
	}
	const smb2, cifs = 0xfe534d42, 0xff534d42
	var name string
	switch uint32(info.Type) {
	case unix.NFS_SUPER_MAGIC:
		name = "NFS"
	case unix.SMB_SUPER_MAGIC, smb2, cifs:
		name = "SMB"
	case unix.AFS_SUPER_MAGIC, unix.AFS_FS_MAGIC:
		name = "AFS"
	case unix.CODA_SUPER_MAGIC:
		name = "Coda"
	default:
		return nil
	}
	return fmt.Errorf("%w between machines: it is %s", errNoSharedMemory, name)
}
