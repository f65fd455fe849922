package local

import (
	"fmt"

	"modernc.org/libc"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// mostInMemory is how large SQLite's part of a store in memory may become: one piece of
// memory, of which SQLite allocates less than 2 GiB. By itself SQLite stops at half of that.
const mostInMemory = 1<<31 - 1<<16

// limitMemory says how large the database in memory with that URI may become.
func limitMemory(uri string, bytes int64) error {
	tls := libc.NewTLS()
	defer tls.Close()
	name, err := libc.CString(uri)
	if err != nil {
		return err
	}
	defer libc.Xfree(tls, name)
	main, err := libc.CString("main")
	if err != nil {
		return err
	}
	defer libc.Xfree(tls, main)
	out := tls.Alloc(16)
	defer tls.Free(16)
	rc := sqlite3.Xsqlite3_open_v2(tls, name, out, sqlite3.SQLITE_OPEN_READWRITE|sqlite3.SQLITE_OPEN_URI|sqlite3.SQLITE_OPEN_FULLMUTEX, 0)
	db := *at[uintptr](out)
	defer sqlite3.Xsqlite3_close_v2(tls, db)
	if rc == sqlite3.SQLITE_OK {
		*at[int64](out) = bytes
		rc = sqlite3.Xsqlite3_file_control(tls, db, main, sqlite3.SQLITE_FCNTL_SIZE_LIMIT, out)
	}
	if rc != sqlite3.SQLITE_OK {
		return fmt.Errorf("raise the limit of a store in memory: SQLite's error %d (%s)", rc, sqlite.ErrorCodeString[int(rc&0xff)])
	}
	return nil
}
