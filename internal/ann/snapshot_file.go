package ann

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"sync"
)

// WriteFile is [Graph.WriteSnapshot] into a file, which replaces the one at path
// as a whole or not at all: it is written beside it, synced and renamed. From then on
// the graph and its arena are as if they were loaded from it, so that their memory is
// given back as far as it is the file's, while nobody reads: WriteFile holds all, the
// owner's lock for writing, for a moment, and while it has lock.
func (g *Graph[T]) WriteFile(ctx context.Context, path string, lock, all sync.Locker, stamp func() ([]byte, error)) error {
	return g.arena.writeFile(ctx, path, g, lock, all, stamp)
}

// WriteFile is [Graph.WriteFile] without a graph.
func (a *Arena[T]) WriteFile(ctx context.Context, path string, lock, all sync.Locker, stamp func() ([]byte, error)) error {
	return a.writeFile(ctx, path, nil, lock, all, stamp)
}

func (a *Arena[T]) writeFile(ctx context.Context, path string, g *Graph[T], lock, all sync.Locker, stamp func() ([]byte, error)) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.tmp")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	w := bufio.NewWriterSize(&steadyWriter{ctx: ctx, f: f}, 1<<20)
	err = a.write(ctx, w, g, lock, stamp, func(h *snapshotHeader, l *located[T]) error {
		if err := errors.Join(w.Flush(), f.Sync()); err != nil {
			return err
		}
		all.Lock()
		defer all.Unlock()
		a.remap(f, h, l, g)
		return nil
	})
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// steadyWriter writes to a file until ctx ends. It waits for the disk every few
// megabytes, so that nobody has to wait for long at the end of ctx, nor others of the
// same disk.
type steadyWriter struct {
	ctx     context.Context
	f       *os.File
	written int // since the disk had all
}

const (
	writtenAtOnce = 4 << 20
	syncedAtOnce  = 32 << 20
)

// Write implements io.Writer.
func (w *steadyWriter) Write(p []byte) (n int, err error) {
	for n < len(p) {
		if err := w.ctx.Err(); err != nil {
			return n, err
		}
		m, err := w.f.Write(p[n:min(n+writtenAtOnce, len(p))])
		n, w.written = n+m, w.written+m
		if err == nil && w.written >= syncedAtOnce {
			w.written = 0
			err = w.f.Sync()
		}
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

// LoadFile is [Graph.Load] from a file, large parts of which stay there: they are
// mapped. The file may be removed afterwards, and must not change; see [Arena.Guard].
// If there is no file, the error wraps
// [os.ErrNotExist].
func (g *Graph[T]) LoadFile(path string) (stamp []byte, err error) { return g.arena.loadFile(g, path) }

// LoadFile is [Graph.LoadFile] of a snapshot without a graph.
func (a *Arena[T]) LoadFile(path string) (stamp []byte, err error) { return a.loadFile(nil, path) }

func (a *Arena[T]) loadFile(g *Graph[T], path string) (stamp []byte, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	data, rest, release, err := fileBytes(f, info.Size())
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	o := newOrigin(data, rest, release)
	a.origin = o
	err = a.Guard(func() (err error) {
		stamp, err = a.load(g, data, f)
		stamp = bytes.Clone(stamp)
		return err
	})
	if err != nil || o.header == nil { // nothing is mapped
		o.close()
		a.origin = nil
	}
	if err != nil {
		return nil, fmt.Errorf("load %s: %w", path, err)
	}
	if a.origin != nil {
		a.origin.rest()
	}
	return stamp, nil
}

// readFile returns what a file holds, in memory of the heap.
func readFile(f *os.File, size int64) (data []byte, rest, release func(), err error) {
	if size > math.MaxInt {
		return nil, nil, nil, fmt.Errorf("%w: its %d bytes are more than a process of this system can have", ErrSnapshot, size)
	}
	data = make([]byte, size)
	_, err = io.ReadFull(f, data)
	return data, func() {}, func() {}, err
}
