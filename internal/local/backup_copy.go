package local

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"io"
	"io/fs"
	"os"

	"github.com/vecwire/vecwire/internal/engine"
)

// copying is a backup under way. What it writes may be there already, from one that was
// interrupted: that is compared, and only what differs is written.
type copying struct {
	ctx      context.Context
	progress func(engine.Progress) // may be nil
	at       engine.Progress
	told     int64
	written  int64 // bytes that were not there yet
}

// tellEvery is after how many bytes somebody is told again.
const tellEvery = 4 << 20

// begin begins a phase of so many bytes.
func (j *copying) begin(phase string, total int64) {
	j.at, j.told = engine.Progress{Phase: phase, Total: total}, 0
	j.tell()
}

func (j *copying) tell() {
	if j.progress != nil {
		j.progress(j.at)
	}
}

// done counts what was copied, and tells of it now and then and at the end.
func (j *copying) done(n int) error {
	j.at.Done += int64(n)
	if j.at.Done-j.told >= tellEvery || j.at.Done == j.at.Total {
		j.told = j.at.Done
		j.tell()
		return j.ctx.Err()
	}
	return nil
}

// copyPages writes all pages of the database as they are at one moment.
func (s *store) copyPages(job *copying, to string) (err error) {
	pool := s.read.DB
	if s.held() { // the writer's connection: who has another waits for it
		pool = s.write
	}
	conn, err := pool.Conn(job.ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	var pages, size int64
	tx, err := conn.BeginTx(job.ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // it has only read
	// The count of pages is the first that is read: from here on it is one state.
	if err := tx.QueryRowContext(job.ctx, "SELECT page_count, page_size FROM pragma_page_count, pragma_page_size").Scan(&pages, &size); err != nil {
		return err
	}
	job.begin("pages", pages*size)
	dst, err := job.open(to)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, dst.file.Close()) }()
	rows, err := tx.QueryContext(job.ctx, "SELECT data FROM sqlite_dbpage ORDER BY pgno")
	if err != nil {
		return err
	}
	defer rows.Close()
	var page sql.RawBytes
	for rows.Next() {
		if err := rows.Scan(&page); err != nil {
			return err
		}
		if err := dst.put(page); err != nil {
			return err
		}
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return err
	}
	return dst.end()
}

// copyFile writes a copy of a file, or what a former copy lacks.
func (j *copying) copyFile(from, to string) (err error) {
	src, err := os.Open(from)
	if err != nil {
		return err
	}
	defer src.Close()
	dst, err := j.open(to)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, dst.file.Close()) }()
	buf := make([]byte, 256<<10)
	for {
		n, err := src.Read(buf)
		if n > 0 {
			if err := dst.put(buf[:n]); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return dst.end()
		}
		if err != nil {
			return err
		}
	}
}

// target is a file that is written from its beginning, and may have its bytes already.
type target struct {
	job  *copying
	file *os.File
	at   int64
	old  int64  // its size
	was  []byte // room for what is there
}

func (j *copying) open(path string) (*target, error) {
	if info, err := os.Lstat(path); err == nil && !info.Mode().IsRegular() {
		return nil, &fs.PathError{Op: "backup", Path: path, Err: errors.New("not a regular file")}
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o666) // less what the process masks
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &target{job: j, file: f, old: info.Size()}, nil
}

// put writes the next bytes, if they are not there.
func (t *target) put(b []byte) error {
	same := false
	if t.at+int64(len(b)) <= t.old {
		if cap(t.was) < len(b) {
			t.was = make([]byte, len(b))
		}
		was := t.was[:len(b)]
		if _, err := t.file.ReadAt(was, t.at); err != nil {
			return err
		}
		same = bytes.Equal(was, b)
	}
	if !same {
		if _, err := t.file.WriteAt(b, t.at); err != nil {
			return err
		}
		t.job.written += int64(len(b))
	}
	t.at += int64(len(b))
	return t.job.done(len(b))
}

// end ends the file where what was put ends: nothing of a former one stays behind it.
func (t *target) end() error {
	if t.at < t.old {
		return t.file.Truncate(t.at)
	}
	return nil
}
