package local

import (
	"context"
	"fmt"
	"time"

	"github.com/vecwire/vecwire/internal/engine"
)

// Compact implements engine.Engine. SQLite writes the file again without gaps, which is
// one commit to its log: readers stay at the state before, and row numbers are keys of
// their tables, so that memory and snapshots fit afterwards. Other processes see a
// commit that the table of changes does not know, and follow it by doing nothing.
func (s *store) Compact(ctx context.Context) error {
	if s.readOnly {
		return engine.ErrReadOnly
	}
	if err := s.takeTurn(ctx, call{verb: "Compact"}); err != nil {
		return err
	}
	defer s.endTurn()
	if s.gate != nil {
		if err := s.gate.Acquire(ctx, writerWeight); err != nil {
			return err
		}
		defer s.gate.Release(writerWeight)
	}
	if err := s.checkPlace(); err != nil {
		return err
	}
	if s.lock == nil {
		return explain(s.vacuum(ctx))
	}
	err := s.lock.takeSQLite(ctx, s.path, s.lockTimeout, func() error {
		// To VACUUM is a transaction of its own. That it can be had is seen before, so that
		// those who wait for it can say for whom.
		if _, err := s.write.ExecContext(ctx, "BEGIN IMMEDIATE; ROLLBACK"); err != nil {
			return err
		}
		s.lock.sayHolder()
		return s.vacuum(ctx)
	})
	s.lock.say(writingAt, no)
	if err != nil {
		return explain(err)
	}
	return s.truncateLog(ctx)
}

func (s *store) vacuum(ctx context.Context) error {
	_, err := s.write.ExecContext(ctx, "VACUUM")
	return err
}

// truncateLog writes what is in SQLite's log into the file, which gets its size by
// that, and empties the log. It waits for those who read what was before.
func (s *store) truncateLog(ctx context.Context) error {
	begun := time.Now()
	free, err := whenFree(ctx, begun.Add(s.lockTimeout), func() (bool, error) {
		var busy bool
		var inLog, inFile int
		err := s.write.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &inLog, &inFile)
		if isBusy(err) {
			return false, nil
		}
		return err == nil && !busy, err
	})
	if err == nil && !free {
		err = fmt.Errorf("the store is compact, and its file shrinks when those who read it are done: call Compact again: %w", s.lock.locked(s.path, time.Since(begun)))
	}
	return explain(err)
}
