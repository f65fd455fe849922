package transform

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"

	"github.com/vecwire/vecwire/codec"
)

// maxHeader is the longest header that the safetensors format allows.
const maxHeader = 100_000_000

// weights is a file in the safetensors format: the length of a header in 8 bytes,
// little endian; the header, in JSON; then the tensors, row by row, at the offsets
// that the header says.
type weights struct {
	file    *os.File
	tensors map[string]tensor
	data    int64 // where the tensors begin
	size    int64 // of all of them, in bytes
}

type tensor struct {
	Type    string   `json:"dtype"`
	Shape   []int    `json:"shape"`
	Offsets [2]int64 `json:"data_offsets"`
}

// weightsFile is where a model has its weights.
const weightsFile = "model.safetensors"

// weights opens the file of the weights.
func (m *modelDir) weights() (_ *weights, err error) {
	f, err := os.Open(filepath.Join(m.path, weightsFile))
	if err != nil {
		return nil, remedied(err)
	}
	defer func() {
		if err != nil {
			err = m.in(weightsFile, err)
			f.Close()
		}
	}()
	size, err := io.Copy(m.sum, f)
	if err != nil {
		return nil, err
	}
	w := &weights{file: f}
	return w, w.header(size)
}

func (w *weights) header(size int64) error {
	var length [8]byte
	if _, err := w.file.ReadAt(length[:], 0); err != nil {
		return invalid("its size", "at least 8 bytes", fmt.Sprint(size))
	}
	n := binary.LittleEndian.Uint64(length[:])
	if n > maxHeader || int64(n) > size-8 {
		return invalid("the length of its header", fmt.Sprintf("at most %d", min(maxHeader, size-8)), fmt.Sprint(n))
	}
	header := make([]byte, n)
	if _, err := w.file.ReadAt(header, 8); err != nil {
		return err
	}
	var entries map[string]json.RawMessage
	if err := json.Unmarshal(header, &entries); err != nil {
		return fmt.Errorf("its header: %w", err)
	}
	delete(entries, "__metadata__")
	w.tensors = make(map[string]tensor, len(entries))
	for name, raw := range entries {
		var t tensor
		if err := json.Unmarshal(raw, &t); err != nil {
			return fmt.Errorf("its header: %s: %w", name, err)
		}
		w.tensors[name] = t
	}
	w.data, w.size = 8+int64(n), size-8-int64(n)
	return nil
}

// read returns a tensor of one or two dimensions in float32.
func (w *weights) read(name string, shape ...int) ([]float32, error) {
	t, found := w.tensors[name]
	if !found {
		return nil, invalid(name, fmt.Sprintf("a tensor of shape %v", shape), "missing")
	}
	if !slices.Equal(t.Shape, shape) {
		return nil, invalid(name, fmt.Sprintf("of shape %v, as config.json says", shape), fmt.Sprint(t.Shape))
	}
	width := map[string]int64{"F32": 4, "F16": 2, "BF16": 2}[t.Type]
	if width == 0 {
		return nil, invalid(name, "of the type F32, F16 or BF16", t.Type)
	}
	n := int64(1)
	for _, s := range shape { // at most two, of at most maxSize
		n *= int64(s)
	}
	if begin, end := t.Offsets[0], t.Offsets[1]; begin < 0 || begin > end || end > w.size || (end-begin)%width != 0 || (end-begin)/width != n {
		return nil, invalid(name, fmt.Sprintf("%d elements of %d bytes inside the file", n, width), fmt.Sprintf("bytes %d to %d of %d", begin, end, w.size))
	}
	raw := make([]byte, t.Offsets[1]-t.Offsets[0])
	if _, err := w.file.ReadAt(raw, w.data+t.Offsets[0]); err != nil {
		return nil, err
	}
	if t.Type == "F32" {
		return codec.ParseBlob[float32](nil, raw)
	}
	x := make([]float32, n)
	for i := range x {
		bits := binary.LittleEndian.Uint16(raw[2*i:])
		if t.Type == "F16" {
			x[i] = half(bits)
		} else {
			x[i] = math.Float32frombits(uint32(bits) << 16)
		}
	}
	return x, nil
}

// half returns an IEEE 754 binary16 number. Its exponent is moved to that of a
// float32 by a product, which makes subnormal numbers normal.
func half(bits uint16) float32 {
	x := math.Float32frombits(uint32(bits&0x7fff)<<13) * 0x1p112
	if bits&0x7c00 == 0x7c00 { // an infinity or NaN
		x = math.Float32frombits(0x7f800000 | uint32(bits&0x3ff)<<13)
	}
	return float32(math.Copysign(float64(x), float64(int16(bits))))
}
