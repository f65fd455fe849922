package local

import (
	"io/fs"

	"golang.org/x/sys/windows"
)

// fileNumbers returns what tells a file apart from all others. Locks belong to handles
// here, so that to open the file once more ends none. On file systems other than NTFS a
// file's number may change, or stand for two.
func fileNumbers(path string, _ fs.FileInfo) (device, inode int64, known bool) {
	name, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return 0, 0, false
	}
	const all = windows.FILE_SHARE_READ | windows.FILE_SHARE_WRITE | windows.FILE_SHARE_DELETE
	file, err := windows.CreateFile(name, 0, all, nil, windows.OPEN_EXISTING, windows.FILE_ATTRIBUTE_NORMAL, 0)
	if err != nil {
		return 0, 0, false
	}
	defer func() { _ = windows.CloseHandle(file) }() // nothing was written
	var system [windows.MAX_PATH + 1]uint16
	err = windows.GetVolumeInformationByHandle(file, nil, 0, nil, nil, nil, &system[0], uint32(len(system)))
	if err != nil || windows.UTF16ToString(system[:]) != "NTFS" {
		return 0, 0, false
	}
	var is windows.ByHandleFileInformation
	if err := windows.GetFileInformationByHandle(file, &is); err != nil {
		return 0, 0, false
	}
	return int64(is.VolumeSerialNumber), int64(is.FileIndexHigh)<<32 | int64(is.FileIndexLow), true
}
