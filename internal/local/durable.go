package local

import (
	"errors"
	"fmt"
	"sync/atomic"
	"unsafe"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// SQLite writes a transaction to its log, waits until the disk has that, and only then
// says in the index of the log, which readers look at, that there is more. What is in
// memory has to change at the same moment as the rows that readers find, but until the
// disk is done everybody can go on with what was there before.
//
// To be told when the disk is done, the writer's connection opens its files through a
// VFS of its own (https://www.sqlite.org/vfs.html). It is the system's, but that a sync
// of the log calls back.
type durable struct {
	tls     *libc.TLS
	system  uintptr // the system's VFS
	own     uintptr // a Tsqlite3_vfs in SQLite's memory
	methods uintptr // a Tsqlite3_io_methods there, of the log
	name    string
	cname   uintptr

	systemWrite func(tls *libc.TLS, file, from uintptr, n int32, at int64) int32
	systemSync  func(tls *libc.TLS, file uintptr, flags int32) int32

	// SQLite has the addresses of these.
	open  func(tls *libc.TLS, vfs, path, file uintptr, flags int32, opened uintptr) int32
	write func(tls *libc.TLS, file, from uintptr, n int32, at int64) int32
	sync  func(tls *libc.TLS, file uintptr, flags int32) int32

	// What follows is the writer's.
	begins bool   // what was written last is the header of the log
	synced func() // to be called once
}

// numbers of such VFSs, whose names must differ in a process.
var durables atomic.Int64

// newDurable registers the VFS.
func newDurable() (*durable, error) {
	d := &durable{tls: libc.NewTLS(), name: fmt.Sprintf("vecwire-durable-%d", durables.Add(1))}
	d.system = sqlite3.Xsqlite3_vfs_find(d.tls, 0)
	d.own = sqlite3.Xsqlite3_malloc(d.tls, int32(unsafe.Sizeof(sqlite3.Tsqlite3_vfs{})))
	d.methods = sqlite3.Xsqlite3_malloc(d.tls, int32(unsafe.Sizeof(sqlite3.Tsqlite3_io_methods{})))
	var err error
	d.cname, err = libc.CString(d.name)
	if err != nil || d.system == 0 || d.own == 0 || d.methods == 0 {
		d.free()
		return nil, errors.Join(err, errors.New("SQLite has no memory or no file system"))
	}
	own := at[sqlite3.Tsqlite3_vfs](d.own)
	*own = *at[sqlite3.Tsqlite3_vfs](d.system)
	systemOpen := function[func(tls *libc.TLS, vfs, path, file uintptr, flags int32, opened uintptr) int32](own.FxOpen)
	d.open = func(tls *libc.TLS, _, path, file uintptr, flags int32, opened uintptr) int32 {
		rc := systemOpen(tls, d.system, path, file, flags, opened)
		if rc == sqlite3.SQLITE_OK && flags&sqlite3.SQLITE_OPEN_WAL != 0 {
			d.takeLog(at[sqlite3.Tsqlite3_file](file))
		}
		return rc
	}
	d.write = func(tls *libc.TLS, file, from uintptr, n int32, at int64) int32 {
		d.begins = at == 0
		return d.systemWrite(tls, file, from, n, at)
	}
	d.sync = func(tls *libc.TLS, file uintptr, flags int32) int32 {
		rc := d.systemSync(tls, file, flags)
		if rc == sqlite3.SQLITE_OK && !d.begins {
			d.call()
		}
		return rc
	}
	own.FpNext, own.FzName, own.FxOpen = 0, d.cname, address(&d.open)
	if rc := sqlite3.Xsqlite3_vfs_register(d.tls, d.own, 0); rc != sqlite3.SQLITE_OK {
		d.free()
		return nil, fmt.Errorf("SQLite does not take a file system: error %d", rc)
	}
	return d, nil
}

// parameter is what the address of a connection needs to open its files through the VFS.
func (d *durable) parameter() string {
	if d == nil {
		return ""
	}
	return "&vfs=" + d.name
}

// takeLog puts our methods in the place of those with which a log was opened.
func (d *durable) takeLog(file *sqlite3.Tsqlite3_file) {
	methods := at[sqlite3.Tsqlite3_io_methods](d.methods)
	*methods = *at[sqlite3.Tsqlite3_io_methods](file.FpMethods)
	d.systemWrite = function[func(tls *libc.TLS, file, from uintptr, n int32, at int64) int32](methods.FxWrite)
	d.systemSync = function[func(tls *libc.TLS, file uintptr, flags int32) int32](methods.FxSync)
	methods.FxWrite, methods.FxSync = address(&d.write), address(&d.sync)
	file.FpMethods = d.methods
}

// commit runs f, which commits, and calls once what has to be done before readers see
// it: when the disk has it, or else when f is done, which has written nothing then.
func (d *durable) commit(f func() error, before func()) error {
	d.synced = before
	defer func() { d.synced = nil }()
	err := f()
	d.call()
	return err
}

// call calls what waits for the disk.
func (d *durable) call() {
	if f := d.synced; f != nil {
		d.synced = nil
		f()
	}
}

// close ends the use of the VFS, through which no file is open any more.
func (d *durable) close() {
	if d == nil || d.own == 0 {
		return
	}
	sqlite3.Xsqlite3_vfs_unregister(d.tls, d.own)
	d.free()
}

func (d *durable) free() {
	libc.Xfree(d.tls, d.cname)
	sqlite3.Xsqlite3_free(d.tls, d.own)
	sqlite3.Xsqlite3_free(d.tls, d.methods)
	d.own, d.methods = 0, 0
	d.tls.Close()
}

// function returns the function at an address that SQLite has, and address returns that
// of one, which has to live as long as SQLite may call it.
func function[F any](address uintptr) F {
	return *(*F)(unsafe.Pointer(&struct{ uintptr }{address}))
}

func address[F any](f *F) uintptr { return *(*uintptr)(unsafe.Pointer(f)) }
