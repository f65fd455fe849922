package local

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/vecwire/vecwire/internal/engine"
)

// lockFile is the file beside a store through which processes take turns. What makes
// one of them the writer is SQLite's lock, which the death of a process gives back;
// SQLite says neither who has it nor whose turn is next.
//
//   - The lock of the file belongs to the process that is next: it waits for SQLite's
//     lock, and all others wait for it. So one that writes without a pause cannot keep
//     out those that write now and then. It is also held by who makes a file, or brings
//     it to another format.
//   - The file says who writes, and whether somebody waits.
type lockFile struct {
	next *flock.Flock
	file *os.File
	self []byte // a holder as JSON, without Since and what closes it
}

// holder is who writes, as the file says it.
type holder struct {
	PID     int       `json:"pid"`
	Program string    `json:"program"`
	Host    string    `json:"host"`
	Since   time.Time `json:"since,omitzero"`
}

// The first byte of the file is what Windows locks. At the second, somebody waits or
// nobody does; at the third, somebody writes or nobody does, and behind it is who.
const (
	waitingAt = 1
	writingAt = 2
	holderAt  = 3
	holderLen = 1024

	yes, no = '+', '-'
)

func openLockFile(path string) (*lockFile, error) {
	name := path + ".lock"
	file, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o666) // less what the process masks
	if err != nil {
		return nil, err
	}
	host, _ := os.Hostname()
	self, err := json.Marshal(holder{PID: os.Getpid(), Program: filepath.Base(os.Args[0]), Host: host})
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return &lockFile{next: flock.New(name, flock.SetPermissions(0o666)), file: file, self: bytes.TrimSuffix(self, []byte("}"))}, nil
}

func (l *lockFile) close() error { return errors.Join(l.next.Unlock(), l.file.Close()) }

// said reports whether the byte at a place says yes.
func (l *lockFile) said(place int64) bool {
	var b [1]byte
	_, err := l.file.ReadAt(b[:], place)
	return err == nil && b[0] == yes
}

// say is for people, or for who is fair: where it fails, nothing is lost.
func (l *lockFile) say(place int64, answer byte) { _, _ = l.file.WriteAt([]byte{answer}, place) }

// sayHolder says that this process writes.
func (l *lockFile) sayHolder() {
	b := make([]byte, 1, len(l.self)+64)
	b[0] = yes
	b = append(append(b, l.self...), `,"since":"`...)
	b = append(time.Now().AppendFormat(b, time.RFC3339Nano), "\"}\n"...)
	_, _ = l.file.WriteAt(b, writingAt)
}

// holder returns who writes, as far as it has said so.
func (l *lockFile) holder() (h holder) {
	if !l.said(writingAt) {
		return holder{}
	}
	// What is behind the first value is left from a longer one.
	_ = json.NewDecoder(io.NewSectionReader(l.file, holderAt, holderLen)).Decode(&h)
	return h
}

// locked says that the store stayed locked.
func (l *lockFile) locked(path string, waited time.Duration) error {
	h := l.holder()
	return &engine.LockedError{Path: path, PID: h.PID, Program: h.Program, Host: h.Host, Since: h.Since, Waited: waited}
}

const (
	firstLook   = 50 * time.Microsecond
	longestLook = 5 * time.Millisecond
)

// whenFree tries again until another process has given back what try wants, or the
// time is over, which it reports. It does not wait for the lock in the system, since
// nothing would end that when ctx ends.
func whenFree(ctx context.Context, until time.Time, try func() (free bool, err error)) (free bool, err error) {
	pause := firstLook
	for {
		if free, err := try(); free || err != nil {
			return free, err
		}
		left := time.Until(until)
		if left <= 0 {
			return false, nil
		}
		select {
		case <-ctx.Done():
			return false, ctx.Err()
		case <-time.After(min(pause, left)):
		}
		pause = min(2*pause, longestLook)
	}
}

// takeNext makes this process the one that is next.
func (l *lockFile) takeNext(ctx context.Context, path string, timeout time.Duration) error {
	begun := time.Now()
	free, err := whenFree(ctx, begun.Add(timeout), l.next.TryLock)
	if err == nil && !free {
		err = l.locked(path, time.Since(begun))
	}
	return err
}

// giveNext lets another process be next. It cannot fail but for a lock that is gone.
func (l *lockFile) giveNext() { _ = l.next.Unlock() }

// takeSQLite takes SQLite's lock by what try does, in the order in which processes
// came.
func (l *lockFile) takeSQLite(ctx context.Context, path string, timeout time.Duration, try func() error) error {
	if !l.said(waitingAt) {
		if err := try(); !isBusy(err) {
			if err == nil {
				l.sayHolder()
			}
			return err
		}
	}
	begun := time.Now()
	if err := l.takeNext(ctx, path, timeout); err != nil {
		return err
	}
	defer l.giveNext()
	l.say(waitingAt, yes)
	defer l.say(waitingAt, no)
	free, err := whenFree(ctx, begun.Add(timeout), func() (bool, error) {
		err := try()
		if isBusy(err) {
			return false, nil
		}
		return err == nil, err
	})
	if err == nil && !free {
		err = l.locked(path, time.Since(begun))
	}
	if err == nil {
		l.sayHolder()
	}
	return err
}

// isBusy reports whether SQLite could not do something because another process has
// the file locked.
func isBusy(err error) bool {
	e, ok := errors.AsType[*sqlite.Error](err)
	return ok && e.Code()&0xff == sqlite3.SQLITE_BUSY
}

// isSchema reports whether SQLite has found the tables other than it knew them.
func isSchema(err error) bool {
	e, ok := errors.AsType[*sqlite.Error](err)
	return ok && e.Code()&0xff == sqlite3.SQLITE_SCHEMA
}

// errNoSharedMemory says that processes cannot meet in the file.
var errNoSharedMemory = errors.New("the file system has no shared memory or no locks")

const sharedRemedy = "put the store on a disk of this machine: processes meet in memory that they share"
