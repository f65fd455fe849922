package vecwire

import (
	"context"

	"github.com/vecwire/vecwire/internal/engine"
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
