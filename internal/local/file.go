package local

import (
	"cmp"
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

var (
	errDamaged = errors.New("the store is damaged")
	errCutOff  = errors.New("the file is truncated")
)

// Open opens a store, and makes the file if there is none. It returns an
// *engine.ConnectError if that cannot be done, and never changes a file that is
// not a store of this format.
func Open(ctx context.Context, opts Options) (engine.Engine, error) {
	if opts.FS != nil {
		s, err := openFS(ctx, opts)
		if err != nil {
			return nil, err
		}
		return s, nil
	}
	if opts.Path == "" {
		return openMemory(ctx, opts)
	}
	path, err := resolve(opts.Path)
	if err != nil {
		return nil, &engine.ConnectError{Target: opts.Path, Err: err, Remedy: openRemedy(err)}
	}
	if opts.ReadOnly {
		s, err := openReadOnly(ctx, path, opts)
		if err != nil {
			return nil, err
		}
		return s, nil
	}
	// What is no store is left alone, without a lock file beside it.
	if _, err := headerOf(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, &engine.ConnectError{Target: path, Err: err, Remedy: openRemedy(err)}
	}
	if err := checkLinks(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, &engine.ConnectError{Target: path, Err: err, Remedy: openRemedy(err)}
	}
	if err := onNetwork(path); err != nil {
		return nil, &engine.ConnectError{Target: path, Err: err, Remedy: openRemedy(err)}
	}
	s, err := openPath(ctx, path, opts)
	if err != nil {
		return nil, err
	}
	if s.isNew && opts.FitPages {
		return newFresh(s, opts), nil
	}
	return s, nil
}

func openPath(ctx context.Context, path string, opts Options) (*store, error) {
	lock, err := openLockFile(path)
	if err != nil {
		return nil, &engine.ConnectError{Target: path, Err: err, Remedy: openRemedy(err)}
	}
	s, err := openFile(ctx, path, lock, opts)
	if err != nil {
		return nil, errors.Join(err, lock.close())
	}
	return s, nil
}

// defaultLockTimeout is how long a call waits while another process writes.
const defaultLockTimeout = 5 * time.Second

func openFile(ctx context.Context, path string, lock *lockFile, opts Options) (*store, error) {
	fail := func(err error, remedy string) (*store, error) {
		return nil, &engine.ConnectError{Target: path, Err: explain(err), Remedy: remedy}
	}
	timeout := cmp.Or(opts.LockTimeout, defaultLockTimeout)
	// Of those who find no file one makes it, and of those who find an older one, one
	// brings it to this format. Programs that know only formats before 4 have this lock
	// as long as they have the store open.
	if err := lock.takeNext(ctx, path, timeout); err != nil {
		return fail(err, "wait until it is closed, or open another file")
	}
	defer lock.giveNext()
	header, err := headerOf(path)
	isNew := errors.Is(err, fs.ErrNotExist) && opts.pageSize == 0
	switch {
	case isNew:
		if err := createFile(ctx, path); err != nil {
			return fail(err, openRemedy(err))
		}
	case err != nil:
		return fail(err, openRemedy(err))
	case header.version > formatVersion:
		return fail(fmt.Errorf("the store has format %d, this program reads up to %d", header.version, formatVersion),
			"update the program; the file was not changed")
	}
	if opts.pageSize != 0 || hasJournal(path) {
		if err := setPageSize(ctx, path, opts.pageSize); err != nil {
			opts.Logger.DebugContext(ctx, "the pages of a new store keep their size", "err", err)
		}
	}
	synchronous := "FULL"
	if opts.SyncNormal {
		synchronous = "NORMAL"
	}
	s := blankStore(opts)
	s.isNew = isNew
	if err := enterHere(s, path); err != nil {
		return fail(err, "")
	}
	if header.version == formatVersion {
		if err := opts.checkCopied(ctx, path); err != nil {
			leaveHere(s)
			return fail(err, openRemedy(err))
		}
	}
	if !opts.SyncNormal {
		if s.durable, err = newDurable(); err != nil {
			leaveHere(s)
			return fail(err, "")
		}
	}
	if err := s.connect(ctx, fileURI(path)+"?mode=rw", "journal_mode(WAL)", "synchronous("+synchronous+")"); err != nil {
		s.durable.close()
		leaveHere(s)
		return fail(err, openRemedy(err))
	}
	s.path, s.lock, s.lockTimeout = path, lock, timeout
	s.saving, s.saveLock = semaphore.NewWeighted(1), flock.New(path+".saving.lock", flock.SetPermissions(0o666))
	s.indexLock = flock.New(path+".indexing.lock", flock.SetPermissions(0o666))
	if err := s.prepareFile(ctx, int(header.version)); err != nil {
		s.lock = nil // the caller's
		return fail(errors.Join(err, s.Close()), openRemedy(err))
	}
	return s, nil
}

// prepareFile makes the store ready for calls.
func (s *store) prepareFile(ctx context.Context, inFile int) (err error) {
	if err := s.rememberPlace(); err != nil {
		return err
	}
	if err := s.migrate(ctx, inFile); err != nil {
		return err
	}
	if err := s.notePlace(ctx); err != nil {
		return err
	}
	// Who waits for another process waits by himself from now on, and looks more often.
	if _, err := s.write.ExecContext(ctx, "PRAGMA busy_timeout = 0"); err != nil {
		return err
	}
	if s.watch, err = newWatch(s.path, false); err != nil {
		return err
	}
	s.pages = newPages(s.path, s.watch)
	s.known.Store(&mark{}) // no log is like this
	last, err := lastCommit(ctx, s.read)
	if err != nil {
		return err
	}
	s.seq.Store(last)
	if err := s.readNames(ctx, s.read); err != nil {
		return err
	}
	return s.sweep(ctx)
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
	for _, migrate := range migrations[version-1:] {
		if err := migrate(ctx, tx); err != nil {
			return err
		}
	}
	if _, err := tx.ExecContext(ctx, fmt.Sprintf("PRAGMA user_version = %d", formatVersion)); err != nil {
		return err
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
	case errors.Is(err, errLinked):
		return linkedRemedy
	case errors.Is(err, errNoSharedMemory):
		return sharedRemedy
	case errors.Is(err, errOtherLog):
		return otherLogRemedy
	case errors.Is(err, errTorn):
		return tornRemedy
	case errors.Is(err, fs.ErrPermission):
		return "let this process read and write the file and its directory, or open it with Config.ReadOnly"
	case errors.Is(err, fs.ErrNotExist):
		return "make the directory first"
	}
	return "give another path, or restore the file from a copy; it was not changed"
}

// memories numbers the stores in memory, whose names must differ in a process.
var memories atomic.Int64

func openMemory(ctx context.Context, opts Options) (engine.Engine, error) {
	uri := fmt.Sprintf("file:/vecwire-%d?vfs=memdb", memories.Add(1))
	s := blankStore(opts)
	if err := s.connect(ctx, uri); err != nil {
		return nil, &engine.ConnectError{Target: "mem:", Err: explain(err)}
	}
	if err := limitMemory(uri, mostInMemory); err != nil {
		return nil, errors.Join(&engine.ConnectError{Target: "mem:", Err: err}, s.Close())
	}
	s.gate = semaphore.NewWeighted(writerWeight)
	err := s.update(ctx, call{verb: "Open"}, func(t *txn) error {
		_, err := t.tx.ExecContext(t.ctx, registry)
		return err
	})
	if err != nil {
		return nil, errors.Join(&engine.ConnectError{Target: "mem:", Err: err}, s.Close())
	}
	return s, nil
}

func blankStore(opts Options) *store {
	return &store{
		Lacks: engineName, log: opts.Logger, bound: opts.Memory, leastSave: 16 << 10, paying: whatPays, indexing: semaphore.NewWeighted(1), keep: keptCommits, payloads: newPayloads(payloadBytes),
		following: semaphore.NewWeighted(1), line: semaphore.NewWeighted(1), open: map[string]*collection{}, names: map[string]bool{},
	}
}

// connect opens the writer's connection and the readers' pool. The caller explains its error.
func (s *store) connect(ctx context.Context, uri string, pragmas ...string) (err error) {
	params := url.Values{"_pragma": append(pragmas, "busy_timeout(10000)", "foreign_keys(0)")}
	join := "?"
	if strings.Contains(uri, "?") {
		join = "&"
	}
	base := uri + join + params.Encode()
	if s.write, err = openPool(base + writerCache + s.durable.parameter() + "&_txlock=immediate"); err != nil {
		return err
	}
	s.write.SetMaxOpenConns(1)
	s.write.SetMaxIdleConns(1)
	if err := s.write.PingContext(ctx); err != nil {
		return errors.Join(err, s.write.Close())
	}
	db, err := openPool(base + readerCache + "&_pragma=query_only(1)")
	if err != nil {
		return errors.Join(err, s.write.Close())
	}
	s.read = readers{db, s}
	s.read.SetMaxOpenConns(maxReaders)
	s.read.SetMaxIdleConns(maxReaders)
	s.read.SetConnMaxIdleTime(5 * time.Minute)
	return nil
}

const maxReaders = 16

// SQLite keeps pages for each connection, in memory of the process. The writer needs them
// while it goes through indexes. Readers find pages in the system's cache, which processes
// share: what readers kept was most of what a process took that searches.
const (
	writerCache = "&_pragma=cache_size(-16384)&_pragma=wal_autocheckpoint(0)" // KiB; see checkpoint
	readerCache = "&_pragma=cache_size(-2048)"
)

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
		"PRAGMA journal_mode = WAL", // at once, since to change it takes the whole file
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
	var b [headerSize]byte
	if n, err := io.ReadFull(f, b[:]); err != nil {
		if !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			return header{}, err
		}
		if n < 16 || string(b[:16]) == magic {
			return header{}, fmt.Errorf("%w: it has %d bytes", errCutOff, n)
		}
	}
	h, want, err := parseHeader(b)
	if err != nil {
		return header{}, err
	}
	// The size is in the header once the log has been written back into the file.
	if info.Size() >= want || hasLog(path) || hasJournal(path) {
		return h, nil
	}
	if info, err = f.Stat(); err != nil || info.Size() >= want { // a journal is gone when the file is whole
		return h, err
	}
	return header{}, fmt.Errorf("%w: it has %d bytes of %d", errCutOff, info.Size(), want)
}

const headerSize = 100

// parseHeader reads a header, and how large the file should be.
func parseHeader(b [headerSize]byte) (_ header, size int64, err error) {
	if string(b[:16]) != magic || binary.BigEndian.Uint32(b[68:]) != applicationID {
		return header{}, 0, errors.New("the file is not a vecwire store")
	}
	pageSize := int64(binary.BigEndian.Uint16(b[16:]))
	if pageSize == 1 {
		pageSize = 65536
	}
	return header{version: binary.BigEndian.Uint32(b[60:])}, pageSize * int64(binary.BigEndian.Uint32(b[28:])), nil
}

const magic = "SQLite format 3\x00"

// explain gives SQLite's errors words that say what happened.
func explain(err error) error {
	e, ok := errors.AsType[*sqlite.Error](err)
	if !ok {
		return err
	}
	switch e.Code() & 0xff {
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		return fmt.Errorf("%w: %w", errDamaged, err)
	case sqlite3.SQLITE_PROTOCOL:
		return fmt.Errorf("%w: %w", errNoSharedMemory, err)
	case sqlite3.SQLITE_FULL:
		return fmt.Errorf("the disk is full, or a store in memory has 2 GiB beside its vectors, which is the most that SQLite takes: %w", err)
	case sqlite3.SQLITE_IOERR:
		switch e.Code() {
		case sqlite3.SQLITE_IOERR_SHMOPEN, sqlite3.SQLITE_IOERR_SHMSIZE, sqlite3.SQLITE_IOERR_SHMLOCK, sqlite3.SQLITE_IOERR_SHMMAP, sqlite3.SQLITE_IOERR_LOCK:
			return fmt.Errorf("%w: %w", errNoSharedMemory, err)
		}
		return fmt.Errorf("the disk failed: %w", err)
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM:
		return fmt.Errorf("the file cannot be written: %w", err)
	}
	return err
}
