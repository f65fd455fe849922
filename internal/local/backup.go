package local

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/vecwire/vecwire/internal/engine"
)

// Backup implements engine.Engine. It copies one state of the file, page by page, while
// others read and write, and looks whether the copy is whole before it gets its name.
// One that was interrupted leaves its file to the next one to that path.
func (s *store) Backup(ctx context.Context, path string, progress func(engine.Progress)) (err error) {
	if _, err := os.Lstat(path); err == nil {
		return fmt.Errorf("%s %w", path, engine.ErrExists)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if s.files != nil {
		return engine.Unsupported("a backup of a store in an fs.FS", engineName)
	}
	temp, release, err := s.backupTurn(ctx, path)
	if err != nil {
		return err
	}
	defer release()
	defer func() {
		if err != nil && ctx.Err() == nil {
			_ = os.Remove(temp) // it is of no use
		}
	}()
	job := &copying{ctx: ctx, progress: progress}
	copyRows := s.copyPages
	if s.held() {
		copyRows = s.copyHeld
	}
	if err := copyRows(job, temp); err != nil {
		return explain(err)
	}
	if err := s.finishCopy(job, temp, path); err != nil {
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

// finishCopy makes of the copy a store at the path that it gets, with the snapshots
// that it names, as far as they are still there.
func (s *store) finishCopy(job *copying, temp, path string) error {
	ctx := job.ctx
	temp, err := filepath.Abs(temp)
	if err != nil {
		return err
	}
	db, err := openPool(fileURI(temp)) // an index may call our own functions
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }() // what matters was said before
	db.SetMaxOpenConns(1)
	job.begin("checking", 0)
	var found string
	if err := db.QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&found); err != nil {
		return err
	} else if found != "ok" {
		return fmt.Errorf("%w, and so is what was copied: DB.Check names what is lost, and DB.Salvage brings over the rest: %s", errDamaged, found)
	}
	rows, err := db.QueryContext(ctx, "SELECT tag FROM vecwire_snapshots")
	if err != nil {
		return err
	}
	defer rows.Close()
	snapshots := map[string]string{}
	var size int64
	for rows.Next() {
		var tag string
		if err := rows.Scan(&tag); err != nil {
			return err
		}
		from := s.snapshotPath(tag)
		if info, err := os.Stat(from); err == nil {
			snapshots[from] = (&store{path: path}).snapshotPath(tag)
			size += info.Size()
		}
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return err
	}
	job.begin("snapshots", size)
	for from, to := range snapshots {
		if err := job.copyFile(from, to); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	for _, pragma := range []string{ // a store in memory is not marked as one
		createPlace, "DELETE FROM vecwire_place", fmt.Sprintf("PRAGMA application_id = %d", applicationID), fmt.Sprintf("PRAGMA user_version = %d", formatVersion), "PRAGMA journal_mode = WAL",
	} {
		if _, err := db.ExecContext(ctx, pragma); err != nil {
			return err
		}
	}
	return db.Close()
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
