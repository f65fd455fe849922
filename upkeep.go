package vecwire

import (
	"context"
	"errors"
	"time"

	"github.com/vecwire/vecwire/internal/engine"
	"github.com/vecwire/vecwire/internal/fault"
)

// CheckReport is what [DB.Check] has found, or what [DB.Salvage] has brought over and
// what it has not.
type CheckReport struct {
	Collections []CheckedCollection // all that were looked at, by name
	Problems    []CheckProblem      // the first 4096; nil if the database is whole
	Total       int                 // how many problems there are
}

// CheckedCollection is one collection of a [CheckReport].
type CheckedCollection struct {
	Name    string
	Records int // how many could be read, or were brought over
}

// CheckProblem is one thing that is wrong with a database.
type CheckProblem struct {
	Collection string // "" if it is of the whole file
	ID         string // the record; "" if it is of no record, or its ID cannot be read
	What       string // in words, for people
}

// Check reads the whole database and compares all that it keeps of a record: its row,
// its vector, its text and the words of that, its fields and the indexes over them, and
// the vectors, codes and links of an index, in its snapshot and in the memory of this
// process. Named vectors ([Schema].Vectors) are compared with the records, too, and those
// of no record are told. Before that SQLite checks its own pages.
//
// The problems are in the report; the error says why the check could not be done. Check
// writes nothing, mends nothing, and works in a store that is opened for reading. Others
// read and write meanwhile, and SQLite's log grows until it is done; writers of a store
// in memory wait.
//
// A value that is another valid one by now, such as a number of which a bit has
// flipped on the disk, is noticed only where there is a second copy of it: of the words
// of a text with Schema.FullText, of an indexed field, and of a vector in memory or in
// the snapshot of an index.
//
// Servers have tools of their own: Check returns [ErrUnsupported] there, and inside a
// transaction an error.
func (db *DB) Check(ctx context.Context) (CheckReport, error) {
	ctx, call, err := db.beginOutsideTx(ctx, OpCheck, "", "check outside")
	if err != nil {
		return CheckReport{}, err
	}
	defer call.leave()
	checked, err := db.engine.Check(ctx)
	if err = call.end(0, err); err != nil {
		return CheckReport{}, err
	}
	return checkReport(checked), nil
}

func checkReport(checked engine.Checked) CheckReport {
	report := CheckReport{Total: checked.Total}
	for _, c := range checked.Collections {
		report.Collections = append(report.Collections, CheckedCollection(c))
	}
	for _, p := range checked.Problems {
		report.Problems = append(report.Problems, CheckProblem(p))
	}
	return report
}

// Compact gives the room of deleted records back to the disk: it writes the whole store
// again without gaps, and empties SQLite's log. No answer changes, and no index
// is built again.
//
// Readers go on meanwhile. Whoever writes waits, in this process without limit and in
// another one for its [Config.LockTimeout], after which it gets a [LockedError]. The
// disk needs room for twice what the store takes afterwards. An interrupted Compact
// leaves the store as it was.
//
// The file shrinks when nobody reads the former state any more. Compact waits for that
// as long as for a lock; if readers take longer it returns a LockedError, and the
// room is given back later, by a Compact that is called again or when the store is
// closed.
//
// Servers do this by themselves: Compact returns [ErrUnsupported] there, [ErrReadOnly]
// in a store that is opened for reading, and inside a transaction an error.
func (db *DB) Compact(ctx context.Context) error {
	ctx, call, err := db.beginOutsideTx(ctx, OpCompact, "", "compact outside")
	if err != nil {
		return err
	}
	defer call.leave()
	return call.end(0, db.engine.Compact(ctx))
}

// Salvage brings what can be read of a damaged store over into a new one: all records that
// are whole, with their vectors, texts and fields. The report says how many of each
// collection are in the new store, and as problems what is lost, by collection and record:
// a record whose vector cannot be read, or a text or field that cannot. A damaged page
// costs what it holds; [DB.Check] names the same before. Indexes over vectors are not
// brought over: they appear by themselves again, or call [Collection.BuildIndex].
//
// The new file is not there before it is whole; Salvage returns [ErrExists] if it is there
// already. The damaged store is only read: open it with [Config].ReadOnly. One that cannot
// be opened at all cannot be salvaged.
//
// Servers have tools of their own: Salvage returns [ErrUnsupported] there, and inside a
// transaction an error.
func (db *DB) Salvage(ctx context.Context, to string) (CheckReport, error) {
	ctx, call, err := db.beginOutsideTx(ctx, OpSalvage, "", "salvage outside")
	if err != nil {
		return CheckReport{}, err
	}
	defer call.leave()
	if to == "" {
		return CheckReport{}, call.end(0, badValue("to", "the path of the new file", ""))
	}
	checked, err := db.engine.Salvage(ctx, to)
	if err = call.end(0, err); err != nil {
		return CheckReport{}, err
	}
	return checkReport(checked), nil
}

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

// Usage is how many bytes a collection takes.
type Usage struct {
	Memory int64       // of this process, that the system cannot take back
	Mapped int64       // mapped from a store's files: what is read of them is in memory, once for all processes, and the system takes it back
	Server int64       // of the disk of a server
	Parts  []UsagePart // what these are the sums of
}

// UsagePart is what one part of a collection takes.
type UsagePart struct {
	// Name is "vectors", "codes", "links" (of the index), "ids" or "fields" (the columns
	// of indexed fields) in the embedded engine; "table" or "indexes" on a server, those
	// of fields and words included.
	Name                   string
	In                     string // of which named vector it is, "" for the records' own
	Memory, Mapped, Server int64  // as in Usage
}

// Usage returns what the collection takes now, measured and not computed from its
// records. In the embedded engine that is about what its memory holds: texts and values
// that are not indexed stay in the file, and of a collection that was let go there is
// next to nothing. On PostgreSQL it is what the table and its indexes take there. It is
// not for IRIS, nor for a namespace, which has no part of its own.
func (c *Collection) Usage(ctx context.Context) (Usage, error) {
	c, ctx, call, err := c.begin(ctx, OpUsage)
	if err != nil {
		return Usage{}, err
	}
	defer call.leave()
	u, err := c.usage(ctx)
	return u, call.end(0, err)
}

func (c *Collection) usage(ctx context.Context) (u Usage, err error) {
	parts, err := c.engine.Usage(ctx)
	if err != nil {
		return Usage{}, err
	}
	for _, p := range parts {
		u.Memory += p.Memory
		u.Mapped += p.Mapped
		u.Server += p.Server
		u.Parts = append(u.Parts, UsagePart{Name: p.Name, Memory: p.Memory, Mapped: p.Mapped, Server: p.Server})
		if p.In > 0 {
			u.Parts[len(u.Parts)-1].In = c.schema.Vectors[p.In-1].Name
		}
	}
	return u, nil
}
