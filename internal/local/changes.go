package local

import (
	"context"
	"encoding/binary"
	"fmt"
	"slices"
)

// The table vecwire_changes says what each commit has changed, in the same
// transaction. From it other processes bring their memory up to date, and a
// collection that is loaded from a snapshot learns what came after it.
//
// Commits are numbered without a gap. Each has one line for every collection that it
// changed, with the rows; a line for no rows means all of them. A line for the
// collection registry says that the registry is to be read again.
const registryLine = 0

const createChanges = `CREATE TABLE vecwire_changes (
	seq        INTEGER NOT NULL, -- the commit
	collection INTEGER NOT NULL, -- its id, or 0 for the registry
	rows       BLOB NOT NULL,
	PRIMARY KEY (seq, collection)
) STRICT, WITHOUT ROWID`

const insertChange = "INSERT INTO vecwire_changes (seq, collection, rows) VALUES (?, ?, ?)"

// How many commits the table keeps for those who have not looked for so long. Some are
// removed when there are twice as many, or so many bytes. Who has fallen behind loads
// its collections again.
const (
	keptCommits  = 1024
	mostLogBytes = 8 << 20
)

// appendRows writes row numbers: the distance to each run of consecutive ones, and
// its length. It sorts them.
func appendRows(dst []byte, rows []int32) []byte {
	slices.Sort(rows)
	rows = slices.Compact(rows)
	end := int32(0) // of the last run
	for len(rows) > 0 {
		n := 1
		for n < len(rows) && rows[n] == rows[0]+int32(n) {
			n++
		}
		dst = binary.AppendUvarint(dst, uint64(rows[0]-end))
		dst = binary.AppendUvarint(dst, uint64(n))
		end = rows[n-1] + 1
		rows = rows[n:]
	}
	return dst
}

// parseRows reads what appendRows has written, after the rows in dst.
func parseRows(dst []int32, b []byte) ([]int32, error) {
	const most = 1<<31 - 1
	row := uint64(0)
	for len(b) > 0 {
		gap, size := binary.Uvarint(b)
		n, more := binary.Uvarint(b[max(size, 0):])
		if size <= 0 || more <= 0 || gap > most || n > most || row+gap+n > most {
			return nil, fmt.Errorf("%w: the rows of a change cannot be read", errDamaged)
		}
		b = b[size+more:]
		for row += gap; n > 0; n-- {
			dst = append(dst, int32(row))
			row++
		}
	}
	return dst, nil
}

// note writes down what the transaction has changed.
func (t *txn) note() error {
	if t.store.watch == nil {
		return nil
	}
	seq := t.store.seq.Load() + 1
	line := func(collection int64, rows []byte) error {
		t.seq = seq
		t.store.logBytes += len(rows) + 16
		return raw(t.conn, func(c *conn) error {
			_, err := c.run(insertChange, seq, collection, rows)
			return err
		})
	}
	for c, ch := range t.changes {
		rows := ch.numbers()
		if len(rows) == 0 {
			continue
		}
		if err := line(c.id, appendRows(nil, rows)); err != nil {
			return err
		}
	}
	for _, id := range t.moved {
		if err := line(id, []byte{}); err != nil {
			return err
		}
	}
	if t.registry {
		if err := line(registryLine, []byte{}); err != nil {
			return err
		}
	}
	return t.trim()
}

// trim removes commits that were seen by all who look from time to time, and that no
// snapshot needs.
func (t *txn) trim() error {
	s := t.store
	if t.seq-s.trimmed < 2*s.keep && s.logBytes < mostLogBytes {
		return nil
	}
	to := t.seq - s.keep
	if s.logBytes >= mostLogBytes {
		to = t.seq - s.keep/16
	}
	// A commit goes whole or not at all, so that who misses one sees it.
	_, err := t.tx.ExecContext(t.ctx, `DELETE FROM vecwire_changes WHERE seq > ?1 AND seq <= ?2 AND seq NOT IN (
		SELECT n.seq FROM vecwire_changes n JOIN vecwire_snapshots s ON s.collection = n.collection
		WHERE n.seq > ?1 AND n.seq <= ?2 AND n.seq > s.upto)`, s.trimmed, to)
	if err == nil {
		s.trimmed, s.logBytes = to, 0
	}
	return err
}

// trimSnapshot removes the commits that were kept for the former snapshot of a
// collection alone.
func (t *txn) trimSnapshot(collection, upto int64) error {
	_, err := t.tx.ExecContext(t.ctx, `DELETE FROM vecwire_changes WHERE seq <= min(?1, ?2) AND seq NOT IN (
		SELECT n.seq FROM vecwire_changes n JOIN vecwire_snapshots s ON s.collection = n.collection
		WHERE n.seq <= min(?1, ?2) AND n.seq > s.upto AND s.collection <> ?3)`, upto, t.store.trimmed, collection)
	return err
}

// followable reports whether the table says all that has changed in a collection after
// a commit.
func (t *txn) followable(collection, after int64) (bool, error) {
	var commits, moved int64
	err := t.tx.QueryRowContext(t.ctx, `SELECT count(DISTINCT seq), count(*) FILTER (WHERE collection = ?1 AND rows = x'')
		FROM vecwire_changes WHERE seq > ?2`, collection, after).Scan(&commits, &moved)
	return err == nil && moved == 0 && commits == t.store.seq.Load()-after, err
}

// changesOf returns the rows of a collection that changed after a commit.
func changesOf(ctx context.Context, q queryer, collection, after int64) (changed []int32, err error) {
	lines, err := q.QueryContext(ctx, "SELECT rows FROM vecwire_changes WHERE seq > ? AND collection = ?", after, collection)
	if err != nil {
		return nil, err
	}
	defer lines.Close()
	for lines.Next() {
		var b []byte
		if err := lines.Scan(&b); err != nil {
			return nil, err
		}
		if len(b) == 0 {
			return nil, fmt.Errorf("%w: all rows of a collection have moved after its snapshot", errDamaged)
		}
		if changed, err = parseRows(changed, b); err != nil {
			return nil, err
		}
	}
	slices.Sort(changed)
	return slices.Compact(changed), lines.Err()
}

// lastCommit returns the number of the last commit that changed something.
func lastCommit(ctx context.Context, q queryer) (seq int64, err error) {
	err = q.QueryRowContext(ctx, "SELECT max(seq) FROM vecwire_changes").Scan(&seq)
	return seq, err
}
