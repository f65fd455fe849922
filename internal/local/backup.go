package local

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"github.com/vecwire/vecwire/internal/engine"
)

// Backup implements engine.Engine. SQLite writes one state of the file into another,
// while others read and write.
func (s *store) Backup(ctx context.Context, path string) (err error) {
	if _, err := os.Lstat(path); err == nil {
		return fmt.Errorf("%s %w", path, engine.ErrExists)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	release, err := s.backupTurn(ctx, path)
	if err != nil {
		return err
	}
	defer release()
	// A name that nobody else has: two backups to one path must not write into one
	// file, nor remove one that is not theirs.
	temp := path + "." + rand.Text() + ".new"
	defer func() {
		if err != nil {
			_ = os.Remove(temp) // it is of no use
		}
	}()
	if err := s.vacuumInto(ctx, temp); err != nil {
		return explain(err)
	}
	if err := s.finishCopy(ctx, temp, path); err != nil {
		return explain(err)
	}
	if err := syncFile(temp); err != nil {
		return err
	}
	if err := renameToNew(temp, path); err != nil {
		return err
	}
	return syncFile(filepath.Dir(path))
}

// renameToNew gives a file a name that no other has: of two backups to one path only
// one is made. Where there are no links a file that comes just now is replaced.
func renameToNew(from, to string) error {
	err := os.Link(from, to)
	switch {
	case err == nil:
		return os.Remove(from)
	case errors.Is(err, fs.ErrExist):
		return fmt.Errorf("%s %w", to, engine.ErrExists)
	}
	return os.Rename(from, to)
}

func (s *store) vacuumInto(ctx context.Context, to string) error {
	to, err := filepath.Abs(to)
	if err != nil {
		return err
	}
	if s.files == nil && s.path == "" { // the writer's connection: who has another waits for it
		if err := s.takeTurn(ctx, call{verb: "Backup"}); err != nil {
			return err
		}
		defer s.endTurn()
		system := "unix" // or else the file would be in memory, too
		if runtime.GOOS == "windows" {
			system = "win32"
		}
		_, err := s.write.ExecContext(ctx, "VACUUM INTO ?", fileURI(to)+"?vfs="+system)
		return err
	}
	if s.files != nil {
		return engine.Unsupported("a backup of a store in an fs.FS", engineName)
	}
	db, err := openPool(fileURI(s.path) + "?mode=ro&_pragma=busy_timeout(10000)") // an index may call our own functions
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }() // what matters was said before
	_, err = db.ExecContext(ctx, "VACUUM INTO ?", to)
	return err
}

// finishCopy makes of the copy a store at the path that it gets, with the snapshots
// that it names, as far as they are still there.
func (s *store) finishCopy(ctx context.Context, temp, path string) error {
	temp, err := filepath.Abs(temp)
	if err != nil {
		return err
	}
	db, err := openPool(fileURI(temp))
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }() // what matters was said before
	db.SetMaxOpenConns(1)
	rows, err := db.QueryContext(ctx, "SELECT tag FROM vecwire_snapshots")
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var tag string
		if err := rows.Scan(&tag); err != nil {
			return err
		}
		if err := copyFile(s.snapshotPath(tag), (&store{path: path}).snapshotPath(tag)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return err
	}
	for _, pragma := range []string{ // a store in memory is not marked as one
		fmt.Sprintf("PRAGMA application_id = %d", applicationID), fmt.Sprintf("PRAGMA user_version = %d", formatVersion), "PRAGMA journal_mode = WAL",
	} {
		if _, err := db.ExecContext(ctx, pragma); err != nil {
			return err
		}
	}
	return db.Close()
}

func copyFile(from, to string) (err error) {
	src, err := os.Open(from)
	if err != nil {
		return err
	}
	defer src.Close()
	dst, err := os.Create(to)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, dst.Close()) }()
	_, err = io.Copy(dst, src)
	return err
}

// syncFile waits until the disk has a file, or the names in a directory.
func syncFile(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := f.Sync(); err != nil {
		if info, statErr := f.Stat(); statErr == nil && info.IsDir() {
			return nil // not every system can
		}
		return err
	}
	return nil
}
