package local

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"time"

	"github.com/gofrs/flock"

	"github.com/vecwire/vecwire/internal/engine"
)

// leftoverRE finds the files of a backup that was killed, by what stands behind the path
// that it was to get: the name that Backup makes, and what SQLite puts beside a file.
var leftoverRE = regexp.MustCompile(`^\.[A-Z2-7]{26}\.new(-journal|-wal|-shm)?$`)

// backupTurn waits until no other backup to the same path is under way, and then removes
// what one that was killed has left. The file of the lock is removed with the lock.
func (s *store) backupTurn(ctx context.Context, path string) (release func(), err error) {
	name := path + ".backup-lock"
	lock := flock.New(name)
	for {
		if _, err := lock.TryLockContext(ctx, 20*time.Millisecond); err != nil {
			return nil, err
		}
		held, err := lock.Stat()
		if err != nil {
			return nil, errors.Join(err, lock.Unlock())
		}
		// The one before may have removed the file that this one waited for.
		if there, err := os.Stat(name); err == nil && os.SameFile(held, there) {
			break
		}
		if err := lock.Unlock(); err != nil {
			return nil, err
		}
	}
	release = func() {
		_ = os.Remove(name) // before others can have the lock
		_ = lock.Unlock()
	}
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) { // made by the one before
		release()
		if err == nil {
			err = fmt.Errorf("%s %w", path, engine.ErrExists)
		}
		return nil, err
	}
	dir, base := filepath.Split(path)
	if dir == "" {
		dir = "."
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		release()
		return nil, err
	}
	for _, e := range entries {
		if n := e.Name(); len(n) > len(base) && n[:len(base)] == base && leftoverRE.MatchString(n[len(base):]) {
			_ = os.Remove(filepath.Join(dir, n)) // if not now, then the next time
		}
	}
	return release, nil
}
