package lexical

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

var (
	// ErrDamaged is returned by [Load] for a file that is not a whole model.
	ErrDamaged = errors.New("not an intact lexical model")
	// ErrNewer is returned by [Load] for a model that a newer version of this
	// package wrote.
	ErrNewer = errors.New("lexical model of a newer version")
)

// A model file is, in little-endian order, a header, the document frequencies
// that are not zero, each as two uvarints (the distance from the place before,
// the frequency), and the SHA-256 of all that.
const (
	magic      = "VWLX"
	version    = 1 // also of the way that texts are split and folded
	headerSize = len(magic) + 4 + 4 + 4 + 8 + 8 + 4
	maxFile    = headerSize + (1<<tableBits)*(3+5) + sha256.Size
)

// Save writes the model to a file, which is at most two megabytes and for most
// corpora below a tenth of that. The file is whole or, after an error, as it was
// before.
func (e *Embedder) Save(path string) error {
	if err := writeFile(path, e.encode()); err != nil {
		return fmt.Errorf("lexical: save model: %w", err)
	}
	return nil
}

// writeFile replaces a file in one step.
func writeFile(path string, data []byte) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// Load reads a model that Save wrote. Its error is [ErrDamaged] if the file is
// not such a model or not whole, [ErrNewer] if this version cannot read it, and
// the file system's otherwise.
func Load(path string) (*Embedder, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("lexical: load model: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, int64(maxFile)+1))
	if err != nil {
		return nil, fmt.Errorf("lexical: load model: %w", err)
	}
	e, err := decode(data)
	if err != nil {
		return nil, fmt.Errorf("lexical: load model %s: %w", path, err)
	}
	return e, nil
}

func (e *Embedder) encode() []byte {
	used := 0
	for _, df := range e.stats.table {
		if df > 0 {
			used++
		}
	}
	le := binary.LittleEndian
	data := []byte(magic)
	data = le.AppendUint32(data, version)
	data = le.AppendUint32(data, uint32(e.options.Dim))
	data = le.AppendUint32(data, uint32(e.options.Positions))
	data = le.AppendUint64(data, e.stats.texts)
	data = le.AppendUint64(data, e.stats.length)
	data = le.AppendUint32(data, uint32(used))
	last := -1
	for p, df := range e.stats.table {
		if df > 0 {
			data = binary.AppendUvarint(data, uint64(p-last))
			data = binary.AppendUvarint(data, uint64(df))
			last = p
		}
	}
	sum := sha256.Sum256(data)
	return append(data, sum[:]...)
}

// name returns what Model returns.
func (e *Embedder) name() string {
	data := e.encode()
	return fmt.Sprintf("lexical-%d/%d/%x", version, e.options.Dim, data[len(data)-sha256.Size:][:6])
}

func decode(data []byte) (*Embedder, error) {
	le := binary.LittleEndian
	switch {
	case !bytes.HasPrefix(data, []byte(magic)) || len(data) < len(magic)+4:
		return nil, fmt.Errorf("%w: it begins as another kind of file", ErrDamaged)
	case le.Uint32(data[4:]) > version:
		return nil, fmt.Errorf("%w: it has version %d, this program reads %d", ErrNewer, le.Uint32(data[4:]), version)
	case len(data) < headerSize+sha256.Size, len(data) > maxFile:
		return nil, fmt.Errorf("%w: it has %d bytes", ErrDamaged, len(data))
	}
	body, sum := data[:len(data)-sha256.Size], data[len(data)-sha256.Size:]
	if want := sha256.Sum256(body); !bytes.Equal(want[:], sum) {
		return nil, fmt.Errorf("%w: its checksum does not match", ErrDamaged)
	}
	o := Options{Dim: int(le.Uint32(body[8:])), Positions: int(le.Uint32(body[12:]))}
	s := stats{texts: le.Uint64(body[16:]), length: le.Uint64(body[24:]), table: make([]uint32, 1<<tableBits)}
	checked, err := o.withDefaults()
	if err != nil || checked != o || le.Uint32(body[4:]) != version || s.length == 0 {
		return nil, fmt.Errorf("%w: its header makes no sense", ErrDamaged)
	}
	if err := s.decodeTable(body[headerSize:], le.Uint32(body[32:])); err != nil {
		return nil, err
	}
	return newEmbedder(o, s), nil
}

func (s *stats) decodeTable(data []byte, used uint32) error {
	at := uint64(0) // the place after the last one
	for range used {
		gap, n := binary.Uvarint(data)
		df, m := binary.Uvarint(data[max(n, 0):])
		if n <= 0 || m <= 0 || gap == 0 || gap > uint64(len(s.table))-at || df == 0 || df > s.texts || uint64(uint32(df)) != df {
			return fmt.Errorf("%w: its table of terms makes no sense", ErrDamaged)
		}
		at += gap
		s.table[at-1] = uint32(df)
		data = data[n+m:]
	}
	if len(data) > 0 {
		return fmt.Errorf("%w: it is longer than its table of terms", ErrDamaged)
	}
	return nil
}
