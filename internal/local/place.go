package local

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// SQLite's log belongs to a name. A file that has lost its name, or has
// two, can be written by others, or is gone when it is closed, so that nothing which
// it is given may be acknowledged.

var errLinked = errors.New("the file has another name, too")

const linkedRemedy = "remove the other hard link, or copy the file in its place: the log of a store belongs to one name"

// checkLinks refuses a file with two names.
func checkLinks(path string) error {
	info, err := os.Stat(path)
	if err == nil && hardLinked(info) {
		err = errLinked
	}
	return err
}

// rememberPlace notes which file is open.
func (s *store) rememberPlace() (err error) {
	if s.file, err = os.Stat(s.path); err == nil {
		os.SameFile(s.file, s.file) // Windows asks for what tells files apart when it is compared first
	}
	return err
}

// inPlace returns what the path names now, and an error if that is not the file that
// is open. No file takes the number of one that is open.
func (s *store) inPlace() (fs.FileInfo, error) {
	now, err := os.Stat(s.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("the file %s was moved or removed while it was open: move it back, or close the store", s.path)
	case err != nil:
		return nil, err
	case !os.SameFile(s.file, now):
		return nil, fmt.Errorf("there is another file at %s than the one that is open: move that back, or close the store", s.path)
	}
	return now, nil
}

// checkPlace refuses to commit to a file that is not where it was, or has two names.
func (s *store) checkPlace() error {
	if s.file == nil {
		return nil
	}
	now, err := s.inPlace()
	if err == nil && hardLinked(now) {
		err = fmt.Errorf("%w: %s", errLinked, linkedRemedy)
	}
	return err
}
