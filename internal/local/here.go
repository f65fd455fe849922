package local

import (
	"io/fs"
	"os"
	"sync"

	"modernc.org/sqlite"
)

// A lock that SQLite has on a file belongs to the process, and ends when anybody in it
// closes the file, however he has opened it (POSIX). Another process would take the
// store for one that nobody has open, and remove its log. So a file that is open here as
// a store is not opened to look at its header, which is known then. Where the system
// has locks that belong to who took them, SQLite is asked to use those: what else the
// program does with the file is harmless there.
var openHere = struct {
	sync.Mutex
	files map[*store]fs.FileInfo
}{files: map[*store]fs.FileInfo{}}

// headerOf is readHeader for a file that may be open here.
func headerOf(path string) (header, error) {
	openHere.Lock()
	defer openHere.Unlock()
	if info, err := os.Stat(path); err == nil {
		for _, open := range openHere.files {
			if os.SameFile(open, info) {
				return header{version: formatVersion}, nil
			}
		}
	}
	return readHeader(path)
}

// enterHere notes that a file is about to be opened, whose header was looked at.
func enterHere(s *store, path string) error {
	_, _ = sqlite.OFDLocking(true) // it has an error where there are none, or it is too late
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	os.SameFile(info, info) // Windows asks for what tells files apart when it is compared first
	openHere.Lock()
	defer openHere.Unlock()
	openHere.files[s] = info
	return nil
}

func leaveHere(s *store) {
	openHere.Lock()
	defer openHere.Unlock()
	delete(openHere.files, s)
}
