package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"modernc.org/sqlite/vfs"

	"github.com/vecwire/vecwire/internal/engine"
)

// openFS opens for reading a store in a file system that the program brings, such as
// its own files. Nothing changes there, so there is no lock and nobody to follow. An
// index is linked in memory: its snapshot is a file of the system.
func openFS(ctx context.Context, opts Options) (*store, error) {
	fail := func(err error, remedy string) (*store, error) {
		return nil, &engine.ConnectError{Target: opts.Path, Err: explain(err), Remedy: remedy}
	}
	if !fs.ValidPath(opts.Path) {
		return fail(fs.ErrInvalid, "name the file as in fs.FS: without a slash at the beginning, and without ..")
	}
	if err := checkStored(opts.FS, opts.Path); err != nil {
		return fail(err, "put a store there that was closed by a program of this version")
	}
	name, files, err := vfs.New(opts.FS)
	if err != nil {
		return fail(err, "")
	}
	s := blankStore(opts)
	s.readOnly, s.files = true, files
	uri := fileURI(opts.Path)
	uri = "file:" + uri[len("file:/"):] + "?mode=ro&immutable=1&vfs=" + name
	if err := s.connect(ctx, uri); err != nil {
		return fail(errors.Join(err, files.Close()), "")
	}
	if err := s.prepareReading(ctx, true); err != nil {
		return fail(errors.Join(err, s.Close()), "")
	}
	return s, nil
}

// checkStored refuses what is no whole store of this format.
func checkStored(files fs.FS, name string) error {
	if log, err := fs.Stat(files, name+"-wal"); err == nil && log.Size() > 0 {
		return fmt.Errorf("there is a log beside it, %s-wal: what was committed last is not in the file", name)
	}
	if journal, err := fs.Stat(files, name+"-journal"); err == nil && journal.Size() > 0 {
		return fmt.Errorf("there is a journal beside it, %s-journal: a change of the file was cut off", name)
	}
	f, err := files.Open(name)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // it was only read
	info, err := f.Stat()
	if err != nil {
		return err
	}
	var b [headerSize]byte
	if n, err := io.ReadFull(f, b[:]); err != nil {
		return fmt.Errorf("the file is truncated: it has %d bytes", n)
	}
	header, size, err := parseHeader(b)
	switch {
	case err != nil:
		return err
	case info.Size() < size:
		return fmt.Errorf("the file is truncated: it has %d bytes of %d", info.Size(), size)
	case header.version != formatVersion:
		return fmt.Errorf("the store has format %d, and for reading alone this program takes format %d", header.version, formatVersion)
	}
	return nil
}
