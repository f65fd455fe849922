package ann

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
)

// WriteFile is [Graph.WriteSnapshot] into a file, which replaces the one at path
// as a whole or not at all: it is written beside it, synced and renamed.
func (g *Graph[T]) WriteFile(path string, lock sync.Locker, stamp func() ([]byte, error)) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.tmp")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	w := bufio.NewWriterSize(f, 1<<20)
	err = g.WriteSnapshot(w, lock, stamp)
	err = errors.Join(err, w.Flush())
	if err == nil {
		err = f.Sync()
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// LoadFile is [Graph.Load] from a file, which may be removed afterwards. If there
// is none, the error wraps [os.ErrNotExist].
func (g *Graph[T]) LoadFile(path string) (stamp []byte, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	data, release, err := fileBytes(f, info.Size())
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	defer release()
	mark, err := g.Load(data, f)
	if err != nil {
		return nil, fmt.Errorf("load %s: %w", path, err)
	}
	return append([]byte{}, mark...), nil
}

// readFile returns what a file holds, in memory of the heap.
func readFile(f *os.File, size int64) ([]byte, func(), error) {
	data := make([]byte, size)
	_, err := io.ReadFull(f, data)
	return data, func() {}, err
}
