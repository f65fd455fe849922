package local

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"
)

// A store notes in its file which file that is. A copy that was made by other means
// than Backup says that it is another one. If it was made while a program had the store
// open, it lacks what was in the log alone, or has some pages of before and others of
// after: SQLite looks whether the pages fit together, once.
//
// What Backup makes has the table and no line in it. A log beside such a file is not its
// own: to write there is a line before there is a log.
const createPlace = `CREATE TABLE IF NOT EXISTS vecwire_place (
	id     INTEGER PRIMARY KEY CHECK (id = 1),
	device INTEGER NOT NULL,
	inode  INTEGER NOT NULL,
	path   TEXT NOT NULL
) STRICT`

// filePlace is which file one is. What a device is called may change when the system is
// started again, and a path differs in a container.
type filePlace struct {
	device, inode int64
	path          string
}

// isCopyOf reports whether a file at p is another one than that at was.
func (p filePlace) isCopyOf(was filePlace) bool {
	return p.inode != was.inode || p.device != was.device && p.path != was.path
}

// placeOf returns which file is at a path; false where the system does not say.
func placeOf(path string) (p filePlace, known bool, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return p, false, err
	}
	p.device, p.inode, known = fileNumbers(path, info)
	p.path = path
	return p, known, nil
}

// notedPlace returns what the file says, and whether it has the table at all.
func notedPlace(ctx context.Context, q queryer) (p filePlace, noted, table bool, err error) {
	err = q.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_schema WHERE name = 'vecwire_place'").Scan(&table)
	if err != nil || !table {
		return p, false, table, err
	}
	err = q.QueryRowContext(ctx, "SELECT device, inode, path FROM vecwire_place").Scan(&p.device, &p.inode, &p.path)
	if errors.Is(err, sql.ErrNoRows) {
		return p, false, true, nil
	}
	return p, err == nil, true, err
}

var (
	errOtherLog = errors.New("the log beside the file, -wal, belongs to another file that was there before")
	errTorn     = errors.New("it was copied while a program had it open")
)

const (
	otherLogRemedy = "if the file was put there from a backup, remove the log and open it again; nothing was changed"
	tornRemedy     = "make copies by DB.Backup; Config.ReadOnly opens this one all the same, and DB.Salvage brings over what is whole"
)

// lookTime is how long a copy is looked at when it is opened for the first time. A larger
// one is opened without that, and the log says so.
const lookTime = 150 * time.Millisecond

// checkCopied looks whether a file is a copy, before anything can be written to it. It
// returns an error if that cannot be used.
func (o Options) checkCopied(ctx context.Context, path string) error {
	here, known, err := placeOf(path)
	if err != nil || !known {
		return err
	}
	hadLog := hasLog(path)
	db, err := openPool(fileURI(path) + "?mode=ro&_pragma=busy_timeout(10000)") // its end writes nothing
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }() // it was only read
	db.SetMaxOpenConns(1)
	was, noted, table, err := notedPlace(ctx, db)
	switch {
	case err != nil:
		return err
	case !noted && table && hadLog && !notedWithoutLog(ctx, path):
		return errOtherLog
	case !noted || !here.isCopyOf(was):
		return nil
	}
	whole, err := o.looksWhole(ctx, db)
	if err != nil {
		return err
	}
	sayCopied(ctx, o.Logger, path, was.path, whole)
	return nil
}

// notedWithoutLog reports whether the file itself notes a place, or cannot be read
// without its log.
func notedWithoutLog(ctx context.Context, path string) bool {
	db, err := openPool(fileURI(path) + "?immutable=1")
	if err != nil {
		return true
	}
	defer func() { _ = db.Close() }() // it was only read
	_, noted, table, err := notedPlace(ctx, db)
	return noted || !table || err != nil
}

// looksWhole reports whether SQLite has found the pages to fit together, as far as there
// was time, or returns an error.
func (o Options) looksWhole(ctx context.Context, db *sql.DB) (whole bool, err error) {
	limit := o.look
	if limit == 0 {
		limit = lookTime
	}
	short, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	var found string
	err = db.QueryRowContext(short, "PRAGMA quick_check(1)").Scan(&found)
	switch {
	case ctx.Err() != nil:
		return false, ctx.Err()
	case short.Err() != nil:
		return false, nil
	case err == nil && found != "ok":
		err = errors.New(found)
	}
	if err != nil {
		err = fmt.Errorf("%w: %w: %w", errDamaged, errTorn, err)
	}
	return err == nil, err
}

func sayCopied(ctx context.Context, log *slog.Logger, path, from string, whole bool) {
	log.WarnContext(ctx, "the store is a copy: if a program had it open when it was copied, it may lack the last commits, or be damaged",
		"path", path, "copied_from", from, "pages_fit", whole, "remedy", "make copies by DB.Backup; DB.Check looks at this one")
}

// notePlace notes which file the store is, in the file itself and not in its log alone.
func (s *store) notePlace(ctx context.Context) error {
	here, known, err := placeOf(s.path)
	if err != nil || !known {
		return err
	}
	was, noted, _, err := notedPlace(ctx, s.write)
	if err != nil || noted && was == here {
		return err
	}
	tx, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if _, err := tx.ExecContext(ctx, createPlace); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, "INSERT OR REPLACE INTO vecwire_place VALUES (1, ?, ?, ?)", here.device, here.inode, here.path); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	_, err = s.write.ExecContext(ctx, "PRAGMA wal_checkpoint(PASSIVE)")
	return err
}
