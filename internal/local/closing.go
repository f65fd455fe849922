package local

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/vecwire/vecwire/internal/engine"
)

// savedAtEnd is how many bytes of vectors Close writes to snapshots.
const savedAtEnd = 4 << 20

// savedAtEnd reports whether Close writes a snapshot, and takes it from what is left to
// be written: small ones of indexes, whose rows would have to be linked the next time.
// What others lack is read from the rows then.
func (c *collection) savedAtEnd(left *int) bool {
	size := int(c.end) * c.schema.Dim * c.schema.Element.Size()
	if c.hnsw == nil || c.saved.noted == 0 || c.gone || c.asleep || size > *left {
		return false
	}
	*left -= size
	return true
}

// Close implements engine.Engine. It returns an error if something that was
// committed is not in the file, or not in a snapshot: a copy of the file alone
// would lack it.
func (s *store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var errs []error
	left := savedAtEnd
	for _, c := range s.openCollections() {
		c.retire()
		if c.savedAtEnd(&left) {
			if err := c.trySave(context.Background()); err != nil && !errors.Is(err, errOvertaken) && !errors.Is(err, engine.ErrNotFound) {
				errs = append(errs, fmt.Errorf("the snapshot of %s was not written, no record is lost, and the next opening links again what it lacks: %w", c.schema.Name, explain(err)))
			}
		}
		c.close()
	}
	clear(s.open)
	s.pages.close()
	if s.watch != nil {
		s.watch.close()
	}
	errs = append(errs, explain(s.read.Close()), s.emptyLog(), explain(s.write.Close()))
	s.durable.close()
	if s.files != nil {
		errs = append(errs, s.files.Close())
	}
	if s.file != nil {
		_, err := s.inPlace()
		errs = append(errs, err)
	}
	leaveHere(s)
	if s.lock != nil {
		errs = append(errs, s.lock.close())
	}
	return errors.Join(errs...)
}

// emptyLog writes what is in SQLite's log into the file. SQLite does so when the
// last connection is closed, and tells no one if it cannot.
func (s *store) emptyLog() error {
	if s.path == "" || s.readOnly {
		return nil
	}
	var busy, inLog, inFile int
	err := s.write.QueryRow("PRAGMA wal_checkpoint(PASSIVE)").Scan(&busy, &inLog, &inFile) // it waits for no reader
	if err == nil || isBusy(err) {                                                         // what is left in the log is for the other process that has it open
		return nil
	}
	log := filepath.Base(s.path) + "-wal"
	return fmt.Errorf("what was committed last may be in %s alone and not in the file: keep both together, copy both, and open and close the store again: %w", log, explain(err))
}
