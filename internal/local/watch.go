package local

import (
	"fmt"
	"sync/atomic"
	"unsafe"

	"modernc.org/libc"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// watch sees that something was committed to the file, by whomever, without asking
// SQLite: it reads the header of the log's index, which all processes share in
// memory, and which each commit changes (https://www.sqlite.org/walformat.html,
// section 2.1). That takes some nanoseconds, and PRAGMA data_version microseconds.
//
// The header is in memory that SQLite has mapped for a connection, so that the watch
// has one of its own. To map the file beside it is no way out: who closes a file ends
// all POSIX locks of the process on it.
type watch struct {
	tls    *libc.TLS
	db     uintptr
	header *header48
	file   uintptr // SQLite's, of the store
}

// header48 is the first copy of the header, which SQLite writes last.
type header48 [6]uint64

// mark tells one state of the log from all others: the number of commits, the last
// frame with its checksum, and the salts, which another log does not have.
type mark [4]uint64

// newWatch opens the watch of a store that is in WAL mode.
func newWatch(path string, readOnly bool) (_ *watch, err error) {
	w := &watch{tls: libc.NewTLS()}
	defer func() {
		if err != nil {
			w.close()
		}
	}()
	name, err := libc.CString(path)
	if err != nil {
		return nil, err
	}
	defer libc.Xfree(w.tls, name)
	out := w.tls.Alloc(16)
	defer w.tls.Free(16)
	pointer := func() *uintptr { return *(**uintptr)(unsafe.Pointer(&out)) }
	flags := int32(sqlite3.SQLITE_OPEN_READWRITE)
	if readOnly {
		flags = sqlite3.SQLITE_OPEN_READONLY
	}
	rc := sqlite3.Xsqlite3_open_v2(w.tls, name, out, flags|sqlite3.SQLITE_OPEN_FULLMUTEX, 0)
	w.db = *pointer()
	if rc != sqlite3.SQLITE_OK {
		return nil, w.failed("open", rc)
	}
	sqlite3.Xsqlite3_busy_timeout(w.tls, w.db, 10_000)
	// The index is mapped when the log is read for the first time.
	query, err := libc.CString("PRAGMA cache_size = 10; SELECT count(*) FROM vecwire_collections")
	if err != nil {
		return nil, err
	}
	defer libc.Xfree(w.tls, query)
	if rc := sqlite3.Xsqlite3_exec(w.tls, w.db, query, 0, 0, 0); rc != sqlite3.SQLITE_OK {
		return nil, w.failed("read", rc)
	}
	main, err := libc.CString("main")
	if err != nil {
		return nil, err
	}
	defer libc.Xfree(w.tls, main)
	if rc := sqlite3.Xsqlite3_file_control(w.tls, w.db, main, sqlite3.SQLITE_FCNTL_FILE_POINTER, out); rc != sqlite3.SQLITE_OK {
		return nil, w.failed("find the file of", rc)
	}
	file := *pointer()
	w.file = file
	*pointer() = 0
	methods := at[sqlite3.Tsqlite3_io_methods](at[sqlite3.Tsqlite3_file](file).FpMethods)
	if methods.FiVersion < 2 || methods.FxShmMap == 0 {
		return nil, errNoSharedMemory
	}
	shmMap := *(*func(tls *libc.TLS, file uintptr, region, size, extend int32, to uintptr) int32)(unsafe.Pointer(&struct{ uintptr }{methods.FxShmMap}))
	const regionSize = 32 << 10 // as SQLite itself asks for it
	if rc := shmMap(w.tls, file, 0, regionSize, 0, out); rc != sqlite3.SQLITE_OK {
		return nil, w.failed("map the index of the log of", rc)
	}
	if *pointer() == 0 {
		return nil, errNoSharedMemory
	}
	w.header = at[header48](*pointer())
	return w, nil
}

// at returns what is at an address outside of Go's memory.
func at[T any](address uintptr) *T { return *(**T)(unsafe.Pointer(&address)) }

func (w *watch) failed(what string, rc int32) error {
	return fmt.Errorf("%s the store: SQLite's error %d (%s)", what, rc, sqlite.ErrorCodeString[int(rc&0xff)])
}

// words returns the index of the log in memory, as far as it is not frames, or nil if the watch was closed.
func (w *watch) words() *[34]uint32 {
	return (*[34]uint32)(unsafe.Pointer(w.header))
}

// checkpoint writes what is in the log into the file, as far as it can, and nobody reads what
// was there before. One goroutine at a time calls it.
func (w *watch) checkpoint() {
	if w.db != 0 {
		sqlite3.Xsqlite3_wal_checkpoint_v2(w.tls, w.db, 0, sqlite3.SQLITE_CHECKPOINT_PASSIVE, 0, 0)
	}
}

// now returns the present state, of a watch that is not closed. What is read while it is being written is none that
// there was before, and that is all that it is compared with.
func (w *watch) now() (m mark) {
	for i := range m {
		m[i] = atomic.LoadUint64(&w.header[i+1])
	}
	return m
}

// is reports whether the state is still m. Nothing comes after the watch was closed.
func (w *watch) is(m *mark) bool {
	if w.header == nil {
		return true
	}
	for i := range m {
		if atomic.LoadUint64(&w.header[i+1]) != m[i] {
			return false
		}
	}
	return true
}

// nextTo reports whether m is one commit after before.
func (m mark) nextTo(before mark) bool { return m.commits() == before.commits()+1 }

// commits returns how many commits there were since the index was made, which is when
// the first process opens the store or one has died while it wrote to the index.
func (m mark) commits() uint32 { return *(*uint32)(unsafe.Pointer(&m[0])) }

// pages returns how many pages are in the log.
func (m mark) pages() uint32 { return *(*uint32)(unsafe.Pointer(&m[1])) }

func (w *watch) close() {
	if w.db != 0 {
		sqlite3.Xsqlite3_close_v2(w.tls, w.db)
		w.db, w.header = 0, nil
	}
	if w.tls != nil {
		w.tls.Close()
		w.tls = nil
	}
}
