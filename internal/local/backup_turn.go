package local

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/gofrs/flock"

	"github.com/vecwire/vecwire/internal/engine"
)

// leftoverRE finds the files of a backup that was killed, by what stands behind the path
// that it was to get: the name that Backup makes, and what SQLite puts beside a file.
var leftoverRE = regexp.MustCompile(`^\.[A-Z2-7]{26}\.new(-journal|-wal|-shm)?$`)

// backupTurn waits until no other backup to the same path is under way, and returns the
// file to write into: what one that was interrupted has left, or a name that nobody else
// has. The file of the lock is removed with the lock.
func (s *store) backupTurn(ctx context.Context, path string) (temp string, release func(), err error) {
	name := path + ".backup-lock"
	lock := flock.New(name)
	for {
		if _, err := lock.TryLockContext(ctx, 20*time.Millisecond); err != nil {
			return "", nil, err
		}
		held, err := lock.Stat()
		if err != nil {
			return "", nil, errors.Join(err, lock.Unlock())
		}
		// The one before may have removed the file that this one waited for.
		if there, err := os.Stat(name); err == nil && os.SameFile(held, there) {
			break
		}
		if err := lock.Unlock(); err != nil {
			return "", nil, err
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
		return "", nil, err
	}
	if temp, err = leftBy(path); err != nil {
		release()
		return "", nil, err
	}
	if temp == "" {
		temp = path + "." + rand.Text() + ".new"
	}
	return temp, release, nil
}

// leftBy returns the file that an interrupted backup to a path has left, or "", and
// removes what else such backups have left. The caller has the lock of the path.
func leftBy(path string) (temp string, err error) {
	dir, base := filepath.Split(path)
	if dir == "" {
		dir = "."
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "", err
	}
	for _, e := range entries {
		n := e.Name()
		if len(n) <= len(base) || n[:len(base)] != base || !leftoverRE.MatchString(n[len(base):]) {
			continue
		}
		name := filepath.Join(dir, n)
		if temp == "" && strings.HasSuffix(n, ".new") && e.Type().IsRegular() {
			temp = name
			continue
		}
		_ = os.Remove(name) // if not now, then the next time
	}
	for _, beside := range []string{"-journal", "-wal", "-shm"} { // SQLite would take it for its own
		if _, err := os.Lstat(temp + beside); temp != "" && !errors.Is(err, fs.ErrNotExist) {
			return "", nil
		}
	}
	return temp, nil
}
