package local

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/gofrs/flock"
	"golang.org/x/sync/semaphore"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/vecwire/vecwire/internal/engine"
)

var errDamaged = errors.New("the store is damaged")

// Open opens a store, and makes the file if there is none. It returns an
// *engine.ConnectError if that cannot be done, and never changes a file that is
// not a store of this format.
func Open(ctx context.Context, opts Options) (engine.Engine, error) {
	if opts.Path == "" {
		return openMemory(ctx, opts)
	}
	path, err := resolve(opts.Path)
	if err != nil {
		return nil, &engine.ConnectError{Target: opts.Path, Err: err, Remedy: openRemedy(err)}
	}
	// What is no store is left alone, without a lock file beside it.
	if _, err := readHeader(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, &engine.ConnectError{Target: path, Err: err, Remedy: openRemedy(err)}
	}
	lock, err := takeLock(path)
	if err != nil {
		return nil, err
	}
	s, err := openFile(ctx, path, opts)
	if err != nil {
		return nil, errors.Join(err, lock.Unlock())
	}
	s.lock = lock
	return s, nil
}

func openFile(ctx context.Context, path string, opts Options) (*store, error) {
	fail := func(err error, remedy string) (*store, error) {
		return nil, &engine.ConnectError{Target: path, Err: explain(err), Remedy: remedy}
	}
	header, err := readHeader(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if err := createFile(ctx, path); err != nil {
			return fail(err, openRemedy(err))
		}
	case err != nil:
		return fail(err, openRemedy(err))
	case header.version > formatVersion:
		return fail(fmt.Errorf("the store has format %d, this program reads up to %d", header.version, formatVersion),
			"update the program; the file was not changed")
	}
	synchronous := "FULL"
	if opts.SyncNormal {
		synchronous = "NORMAL"
	}
	s, err := connect(ctx, fileURI(path), opts, "journal_mode(WAL)", "synchronous("+synchronous+")")
	if err != nil {
		return fail(err, openRemedy(err))
	}
	s.path = path
	if err := s.migrate(ctx, int(header.version)); err != nil {
		return fail(errors.Join(err, s.Close()), "")
	}
	if s.seen, err = dataVersion(ctx, s.write); err != nil {
		return fail(errors.Join(err, s.Close()), "")
	}
	if err := s.sweep(ctx); err != nil {
		return fail(errors.Join(err, s.Close()), "")
	}
	return s, nil
}

// migrate brings a store of an older format to this one, whose file says that it
// has the format inFile. The new format is then in the file itself and not only in
// its log, where programs that know only the older one would not see it.
func (s *store) migrate(ctx context.Context, inFile int) error {
	var version int
	err := s.write.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version)
	switch {
	case err != nil:
		return err
	case version < 1 || version > formatVersion:
		return fmt.Errorf("the store has format %d, this program reads 1 to %d", version, formatVersion)
	case version < formatVersion:
		if err := s.migrateFrom(ctx, version); err != nil {
			return err
		}
	}
	if inFile != formatVersion {
		_, err = s.write.ExecContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)")
	}
	return err
}

func (s *store) migrateFrom(ctx context.Context, version int) error {
	tx, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	for _, m := range append(migrations[version-1:], fmt.Sprintf("PRAGMA user_version = %d", formatVersion)) {
		if _, err := tx.ExecContext(ctx, m); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// resolve follows symbolic links, so that a store has one path, and one lock.
func resolve(path string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	whole, err := filepath.EvalSymlinks(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return whole, err
	}
	if _, err := os.Lstat(path); err == nil {
		return "", errors.New("the file is a symbolic link to nothing")
	}
	dir, err := filepath.EvalSymlinks(filepath.Dir(path))
	return filepath.Join(dir, filepath.Base(path)), err
}

// openRemedy says what can be done about a file that cannot be opened.
func openRemedy(err error) string {
	switch {
	case errors.Is(err, fs.ErrPermission):
		return "let this process read and write the file and its directory; there is no mode for reading only"
	case errors.Is(err, fs.ErrNotExist):
		return "make the directory first"
	}
	return "give another path, or restore the file from a copy; it was not changed"
}

// memories numbers the stores in memory, whose names must differ in a process.
var memories atomic.Int64

func openMemory(ctx context.Context, opts Options) (engine.Engine, error) {
	uri := fmt.Sprintf("file:/vecwire-%d?vfs=memdb", memories.Add(1))
	s, err := connect(ctx, uri, opts)
	if err != nil {
		return nil, &engine.ConnectError{Target: "mem:", Err: err}
	}
	s.gate = semaphore.NewWeighted(writerWeight)
	err = s.update(ctx, func(t *txn) error {
		_, err := t.tx.ExecContext(t.ctx, registry)
		return err
	})
	if err != nil {
		return nil, errors.Join(&engine.ConnectError{Target: "mem:", Err: err}, s.Close())
	}
	return s, nil
}

// connect opens the writer's connection and the readers' pool.
func connect(ctx context.Context, uri string, opts Options, pragmas ...string) (*store, error) {
	params := url.Values{"_pragma": append(pragmas, "busy_timeout(10000)", "foreign_keys(0)", "cache_size(-16384)")}
	join := "?"
	if strings.Contains(uri, "?") {
		join = "&"
	}
	base := uri + join + params.Encode()
	s := &store{log: opts.Logger, leastSave: 16 << 10, payloads: newPayloads(payloadBytes), open: map[string]*collection{}}
	var err error
	if s.write, err = openPool(base + "&_txlock=immediate"); err != nil {
		return nil, err
	}
	s.write.SetMaxOpenConns(1)
	s.write.SetMaxIdleConns(1)
	if err := s.write.PingContext(ctx); err != nil {
		return nil, errors.Join(explain(err), s.write.Close())
	}
	if s.read, err = openPool(base + "&_pragma=query_only(1)"); err != nil {
		return nil, errors.Join(err, s.write.Close())
	}
	s.read.SetMaxOpenConns(maxReaders)
	s.read.SetMaxIdleConns(maxReaders)
	s.read.SetConnMaxIdleTime(5 * time.Minute)
	return s, nil
}

const maxReaders = 16

func fileURI(path string) string {
	path = filepath.ToSlash(path)
	if !strings.HasPrefix(path, "/") {
		path = "/" + path // C:/dir/file becomes file:/C:/dir/file
	}
	return "file:" + (&url.URL{Path: path}).EscapedPath()
}

// createFile makes an empty store beside the path and moves it there whole, so
// that a store which exists is never half made.
func createFile(ctx context.Context, path string) (err error) {
	if _, err := os.Stat(path + "-wal"); err == nil {
		return fmt.Errorf("the file is missing, but its log %s-wal is there", filepath.Base(path))
	}
	temp := path + ".new"
	if err := os.Remove(temp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	db, err := sql.Open("sqlite", fileURI(temp))
	if err != nil {
		return err
	}
	db.SetMaxOpenConns(1)
	for _, statement := range []string{
		registry,
		fmt.Sprintf("PRAGMA application_id = %d", applicationID),
		fmt.Sprintf("PRAGMA user_version = %d", formatVersion),
	} {
		if _, err := db.ExecContext(ctx, statement); err != nil {
			return errors.Join(err, db.Close(), os.Remove(temp))
		}
	}
	if err := db.Close(); err != nil {
		return err
	}
	return os.Rename(temp, path)
}

type header struct{ version uint32 }

// readHeader reads the first bytes of a SQLite file, whose layout is given in
// https://www.sqlite.org/fileformat.html, section 1.3, and refuses a file that
// is not a whole store.
func readHeader(path string) (header, error) {
	f, err := os.Open(path)
	if err != nil {
		return header{}, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return header{}, err
	}
	if !info.Mode().IsRegular() {
		return header{}, errors.New("not a regular file")
	}
	var b [100]byte
	if n, err := io.ReadFull(f, b[:]); err != nil {
		if !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			return header{}, err
		}
		if n < 16 || string(b[:16]) == magic {
			return header{}, fmt.Errorf("the file is truncated: it has %d bytes", n)
		}
	}
	if string(b[:16]) != magic || binary.BigEndian.Uint32(b[68:]) != applicationID {
		return header{}, errors.New("the file is not a vecwire store")
	}
	// The size is in the header once the log has been written back into the file.
	pageSize := int64(binary.BigEndian.Uint16(b[16:]))
	if pageSize == 1 {
		pageSize = 65536
	}
	want := pageSize * int64(binary.BigEndian.Uint32(b[28:]))
	if log, err := os.Stat(path + "-wal"); info.Size() < want && (err != nil || log.Size() == 0) {
		return header{}, fmt.Errorf("the file is truncated: it has %d bytes of %d", info.Size(), want)
	}
	return header{version: binary.BigEndian.Uint32(b[60:])}, nil
}

const magic = "SQLite format 3\x00"

// takeLock keeps other processes out of the store, and says who keeps us out.
func takeLock(path string) (*flock.Flock, error) {
	name := path + ".lock"
	lock := flock.New(name, flock.SetPermissions(0o666)) // less what the process masks
	ok, err := lock.TryLock()
	switch {
	case err != nil:
		return nil, &engine.ConnectError{Target: path, Err: err, Remedy: openRemedy(err)}
	case !ok:
		holder, err := os.ReadFile(name)
		if err != nil || len(holder) == 0 {
			holder = []byte("another process")
		}
		return nil, &engine.ConnectError{
			Target: path,
			Err:    fmt.Errorf("the store is in use by %s", strings.TrimSpace(string(holder))),
			Remedy: "wait until it is closed, or open another file",
		}
	}
	host, _ := os.Hostname()
	holder := fmt.Sprintf("process %d (%s) on %s since %s\n", os.Getpid(), filepath.Base(os.Args[0]), host, time.Now().Format(time.DateTime))
	if err := os.WriteFile(name, []byte(holder), 0o666); err != nil {
		return nil, errors.Join(&engine.ConnectError{Target: path, Err: err}, lock.Unlock())
	}
	return lock, nil
}

// explain gives SQLite's errors words that say what happened.
func explain(err error) error {
	e, ok := errors.AsType[*sqlite.Error](err)
	if !ok {
		return err
	}
	switch e.Code() & 0xff {
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		return fmt.Errorf("%w: %w", errDamaged, err)
	case sqlite3.SQLITE_FULL:
		return fmt.Errorf("the disk is full: %w", err)
	case sqlite3.SQLITE_IOERR:
		return fmt.Errorf("the disk failed: %w", err)
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM:
		return fmt.Errorf("the file cannot be written: %w", err)
	}
	return err
}
