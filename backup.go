package vecwire

import (
	"context"
	"errors"
	"time"

	"github.com/vecwire/vecwire/internal/engine"
	"github.com/vecwire/vecwire/internal/fault"
)

// BackupOptions says how a [DB.Backup] is made. The zero value is useful.
type BackupOptions struct {
	// Progress is told how far the backup is, from time to time and by one goroutine, in
	// bytes: of the pages of the store, and then of its snapshots, between which the copy
	// is checked.
	Progress func(Progress)
}

// Backup writes a copy of the whole database into a new file, while others read and
// write it: one state of it, with indexes and full text. The file is a store like any
// other. It is not there before it is whole, for which SQLite's own check of its pages is
// run over it; Backup returns [ErrExists] if it is there already. It takes one
// BackupOptions at most, or none.
//
// If ctx ends, Progress panics or the process is killed, what was copied stays beside the
// path, and the next Backup to that path goes on from it: it compares that with the state
// of then, and writes what differs. After any other error nothing stays behind. The copy
// is as large as the store, with the room of deleted records, which [DB.Compact] gives
// back.
//
// Servers have backups of their own: Backup returns [ErrUnsupported] there, and inside a
// transaction an error.
func (db *DB) Backup(ctx context.Context, path string, options ...BackupOptions) error {
	ctx, call, err := db.beginOutsideTx(ctx, OpBackup, "", "make a backup outside")
	if err != nil {
		return err
	}
	defer call.leave()
	if path == "" {
		return call.end(0, badValue("path", "that of the new file", ""))
	}
	if len(options) > 1 {
		return call.end(0, badValue("options", "one at most", len(options)))
	}
	var o BackupOptions
	if len(options) > 0 {
		o = options[0]
	}
	return call.end(0, withProgress(ctx, o.Progress, func(ctx context.Context, tell func(engine.Progress)) error {
		return db.engine.Backup(ctx, path, tell)
	}))
}

// withProgress runs f, which tells report how far it is, perhaps from goroutines of the
// engine's own, where a panic would end the process. A panic in report ends f, and is
// returned as an error; report is not called again.
func withProgress(ctx context.Context, report func(Progress), f func(ctx context.Context, tell func(engine.Progress)) error) error {
	if report == nil {
		return f(ctx, nil)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	begun := time.Now()
	err := f(ctx, func(at engine.Progress) {
		if ctx.Err() != nil {
			return
		}
		err := fault.Guard("Progress", func() error {
			report(Progress{Phase: at.Phase, Done: at.Done, Total: at.Total, Elapsed: time.Since(begun)})
			return nil
		})
		if err != nil {
			cancel(err)
		}
	})
	if panicked, ok := errors.AsType[*fault.PanicError](context.Cause(ctx)); ok {
		return panicked
	}
	return err
}
