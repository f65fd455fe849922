package dataset

import (
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
)

// minilmDim is the number of dimensions of all-MiniLM-L6-v2.
const minilmDim = 384

// MiniLM reads real embeddings from dir: vectors of all-MiniLM-L6-v2 of 60,000
// passages of programming documentation, and 500 of other passages to ask for. The
// error wraps io/fs.ErrNotExist if they are not there.
func MiniLM(dir string) (base, queries [][]float32, err error) {
	if base, err = readHalves(filepath.Join(dir, "minilm60k_base.npy")); err != nil {
		return nil, nil, err
	}
	queries, err = readHalves(filepath.Join(dir, "minilm_query.npy"))
	return base, queries, err
}

// readHalves reads a file in numpy's format, version 1, of float16.
func readHalves(path string) ([][]float32, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	header := 10
	if len(raw) >= header {
		header += int(binary.LittleEndian.Uint16(raw[8:]))
	}
	if len(raw) < header || (len(raw)-header)%(2*minilmDim) != 0 {
		return nil, fmt.Errorf("%s: %d bytes are not rows of %d halves behind a header", path, len(raw), minilmDim)
	}
	raw = raw[header:]
	vectors := make([][]float32, len(raw)/2/minilmDim)
	for i := range vectors {
		vectors[i] = make([]float32, minilmDim)
		for j := range vectors[i] {
			vectors[i][j] = half(binary.LittleEndian.Uint16(raw[2*(i*minilmDim+j):]))
		}
	}
	return vectors, nil
}

// half widens an IEEE half; the product makes subnormal numbers normal.
func half(bits uint16) float32 {
	x := math.Float32frombits(uint32(bits&0x7fff)<<13) * 0x1p112
	return float32(math.Copysign(float64(x), float64(int16(bits))))
}
