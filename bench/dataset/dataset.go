// Package dataset prepares the vectors that the benchmark asks about, and says
// how good an answer is. Every set is a file of bytes, the form of a SIFT
// descriptor: whole numbers up to 255 have dot products below 2^24 in 128
// dimensions, which float32 holds exactly in any order of operations. So truth
// and recall have no rounding in them, whoever computes them.
package dataset

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"

	"github.com/vecwire/vecwire/codec"
)

// Dim is the number of dimensions of every set.
const Dim = 128

// A Set is a file of vectors to search in and one of queries.
type Set struct {
	Name    string // short, for titles
	About   string // a sentence that says where the vectors come from
	Base    string // path of a .bvecs file with Rows vectors at least
	Queries string // path of a .bvecs file
	Rows    int    // how many vectors of Base count
}

// The names of the files with real descriptors.
const (
	siftBase    = "sift100k_base.bvecs"
	siftQueries = "sift_query.bvecs"
	siftRows    = 100_000
)

// HasSIFT reports whether dir holds the real descriptors.
func HasSIFT(dir string) bool {
	for _, name := range []string{siftBase, siftQueries} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || !info.Mode().IsRegular() {
			return false
		}
	}
	return true
}

// SIFT returns a set of real descriptors from dir. More rows than there are
// become a file in cache, resampled from those there are.
func SIFT(dir, cache string, rows int) (Set, error) {
	s := Set{
		Name:    "SIFT",
		About:   fmt.Sprintf("the first %d of 100,000 real SIFT descriptors; the queries come from other images", rows),
		Base:    filepath.Join(dir, siftBase),
		Queries: filepath.Join(dir, siftQueries),
		Rows:    rows,
	}
	if rows <= siftRows {
		return s, nil
	}
	s.Name = "SIFT, resampled"
	s.About = fmt.Sprintf("the 100,000 real SIFT descriptors and %d made from them: each lies at a random place between a descriptor and a near one, "+
		"with noise added and rounded to bytes; the queries are the real ones", rows-siftRows)
	real := s.Base
	s.Base = filepath.Join(cache, fmt.Sprintf("sift-resampled-%d.bvecs", rows))
	return s, once(s.Base, func(w *bufio.Writer) error {
		m, err := Load(real, siftRows)
		if err != nil {
			return err
		}
		return resample(w, m, rows)
	})
}

// Generated returns a set of made-up vectors in clusters, kept as files in cache.
func Generated(cache string, rows int) (Set, error) {
	s := Set{
		Name:    "generated",
		About:   "vectors made up around 200 centres, with 16 directions each to vary in and a little noise, rounded to bytes; the queries are made the same way",
		Base:    filepath.Join(cache, fmt.Sprintf("clusters-%d.bvecs", rows)),
		Queries: filepath.Join(cache, "clusters-queries.bvecs"),
		Rows:    rows,
	}
	if err := once(s.Base, func(w *bufio.Writer) error { return clusters(w, rows, 1) }); err != nil {
		return Set{}, err
	}
	return s, once(s.Queries, func(w *bufio.Writer) error { return clusters(w, 1000, 2) })
}

// once makes the file at path unless it is there. It is complete or absent,
// however the process ends.
func once(path string, write func(w *bufio.Writer) error) error {
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(f.Name()) }() // fails once it is renamed
	defer f.Close()
	w := bufio.NewWriterSize(f, 1<<20)
	if err := write(w); err != nil {
		return fmt.Errorf("make %s: %w", path, err)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// Matrix holds vectors of Dim elements, one row after another.
type Matrix []float32

// Rows returns the number of rows.
func (m Matrix) Rows() int { return len(m) / Dim }

// Row returns row i.
func (m Matrix) Row(i int) []float32 { return m[i*Dim : (i+1)*Dim : (i+1)*Dim] }

// Load reads the first rows of a .bvecs file of vectors with Dim elements. It is
// an error if there are fewer.
func Load(path string, rows int) (Matrix, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	m := make(Matrix, 0, rows*Dim)
	for v, err := range codec.ReadBvecs(bufio.NewReaderSize(f, 1<<20)) {
		if m.Rows() == rows {
			break
		}
		switch {
		case err != nil:
			return nil, fmt.Errorf("%s: %w", path, err)
		case len(v) != Dim:
			return nil, fmt.Errorf("%s: row %d has %d dimensions, want %d", path, m.Rows(), len(v), Dim)
		}
		m = append(m, v...)
	}
	if m.Rows() < rows {
		return nil, fmt.Errorf("%s: %d rows, want %d", path, m.Rows(), rows)
	}
	return m, nil
}

// writeRow writes a row of a .bvecs file, its elements rounded and cut to a byte.
func writeRow(w *bufio.Writer, v []float32) error {
	var row [4 + Dim]byte
	binary.LittleEndian.PutUint32(row[:4], Dim)
	for i, x := range v {
		row[4+i] = byte(min(max(x+0.5, 0), 255))
	}
	_, err := w.Write(row[:])
	return err
}

// Count returns the number of vectors in a .bvecs file of vectors with Dim elements.
func Count(path string) (int, error) {
	info, err := os.Stat(path)
	if err != nil {
		return 0, err
	}
	return int(info.Size() / (4 + Dim)), nil
}
