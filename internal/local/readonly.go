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

// A store that is opened for reading writes nothing, and makes no file of its own.
//
//   - Where SQLite can work with its log, that is, where somebody has the store open or
//     could open it, it is read beside writers, whose commits are followed.
//   - Where nothing can be written and there is no log, SQLite is told that nothing
//     changes. Then there is nobody to follow, and no lock.

func openReadOnly(ctx context.Context, path string, opts Options) (*store, error) {
	fail := func(err error, remedy string) (*store, error) {
		return nil, &engine.ConnectError{Target: path, Err: explain(err), Remedy: remedy}
	}
	header, err := headerOf(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fail(err, "a store is not made when it is opened for reading")
	case err != nil:
		return fail(err, openRemedy(err))
	case header.version != formatVersion:
		return fail(fmt.Errorf("the store has format %d, and for reading alone this program takes format %d", header.version, formatVersion),
			"open it once for writing, which brings an older one to this format, or update the program")
	}
	frozen := !hasLog(path) && !hasJournal(path) && !writable(filepath.Dir(path))
	s := blankStore(opts)
	s.readOnly = true
	if err := enterHere(s, path); err != nil {
		return fail(err, "")
	}
	uri := fileURI(path) + "?mode=ro"
	if frozen {
		uri += "&immutable=1"
	}
	if err := s.connect(ctx, uri); err != nil {
		leaveHere(s)
		return fail(err, readRemedy(path, err))
	}
	s.path = path
	if here, known, err := placeOf(path); err == nil && known {
		was, noted, _, err := notedPlace(ctx, s.read)
		if err != nil {
			return fail(errors.Join(err, s.Close()), openRemedy(err))
		}
		if noted && here.isCopyOf(was) {
			sayCopied(ctx, s.log, path, was.path, false)
		}
	}
	if err := s.prepareReading(ctx, frozen); err != nil {
		return fail(errors.Join(err, s.Close()), readRemedy(path, err))
	}
	return s, nil
}

// readRemedy is openRemedy for who may not write, and so cannot undo or take up what a process
// that was killed has left beside the file.
func readRemedy(path string, err error) string {
	if hasJournal(path) || hasLog(path) {
		return "open it once for writing, which takes up what a process that was killed has left beside it; it was not changed"
	}
	return openRemedy(err)
}

// prepareReading makes the store ready for calls.
func (s *store) prepareReading(ctx context.Context, frozen bool) (err error) {
	if !frozen {
		if s.watch, err = newWatch(s.path, true); err != nil {
			return err
		}
		s.known.Store(&mark{})
		last, err := lastCommit(ctx, s.read)
		if err != nil {
			return err
		}
		s.seq.Store(last)
	}
	s.pages = newPages(s.path, s.watch)
	return s.readNames(ctx, s.read)
}

// hasLog reports whether there may be something in SQLite's log.
func hasLog(path string) bool {
	info, err := os.Stat(path + "-wal")
	return err == nil && info.Size() > 0
}
