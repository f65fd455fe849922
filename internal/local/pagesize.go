package local

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"

	"github.com/vecwire/vecwire/internal/engine"
)

// How many vectors fit into a page decides what a store takes on the disk: of 384 dimensions
// two fit into a page of 4,096 bytes, which wastes a quarter of it, and five into one of 8,192.
// Of 1,024 dimensions one fits into 8,192 bytes, which wastes half, and with 4,096 they go on
// in pages of their own. Larger pages than these two make single commits slower, since
// SQLite logs whole pages.
const (
	usualPage = 4096 // SQLite's own
	largePage = 8192
)

// pageSizeFor returns the size of pages for a collection: the usual one, if the other does not
// save a twentieth.
func pageSizeFor(s engine.Schema) int {
	vector := s.Dim * s.Element.Size()
	if bytesEach(vector, largePage) < .95*bytesEach(vector, usualPage) {
		return largePage
	}
	return usualPage
}

// bytesEach returns what a vector of so many bytes takes in pages of a size.
func bytesEach(vector, page int) float64 {
	const (
		before = 6 // in its record
		about  = 8 // its cell: where that is, its length and row number
	)
	t := btree{size: page, usable: page}
	whole := before + vector
	local := t.inLeaf(whole)
	cell, more := local+about, 0
	if local < whole {
		cell += 4
		more = (whole - local + page - 5) / (page - 4)
	}
	return float64(page)/float64((page-8)/cell) + float64(more*page)
}

// setPageSize gives the file of a store that has no collection pages of another size. SQLite
// lets that be done only while nobody else has the file open, and undoes it if it is
// cut off: until it is done, there is a journal beside the file. With 0 that is all it does.
func setPageSize(ctx context.Context, path string, size int) error {
	db, err := sql.Open("sqlite", fileURI(path)+"?mode=rw&_pragma=busy_timeout(0)&_pragma=locking_mode(EXCLUSIVE)")
	if err != nil {
		return err
	}
	db.SetMaxOpenConns(1)
	err = func() error {
		var collections int
		if err := db.QueryRowContext(ctx, "SELECT count(*) FROM vecwire_collections").Scan(&collections); err != nil || collections > 0 || size == 0 {
			return err // what was cut off is undone by now
		}
		for _, statement := range []string{"PRAGMA journal_mode = DELETE", fmt.Sprintf("PRAGMA page_size = %d", size), "VACUUM", "PRAGMA journal_mode = WAL"} {
			if _, err := db.ExecContext(ctx, statement); err != nil {
				return err
			}
		}
		return nil
	}()
	return errors.Join(err, db.Close())
}

// hasJournal reports whether pages of the file are being given another size, or were when that
// was cut off.
func hasJournal(path string) bool {
	info, err := os.Stat(path + "-journal")
	return err == nil && info.Size() > 0
}
