package peer

import (
	"context"

	"github.com/viterin/vek/vek32"

	"github.com/vecwire/vecwire/bench/contest"
)

// memory reads all vectors and does next to nothing with them: no search that
// reads every float32 can be faster.
type memory struct{ loaded }

func (*memory) Version() string { return "" }

func (*memory) Build(context.Context) error { return nil }

func (e *memory) Searcher(string) (contest.Searcher, error) {
	return &memoryReader{vectors: e.base}, nil
}

type memoryReader struct {
	vectors []float32
	sum     float32
}

func (r *memoryReader) Search(context.Context, []float32, int, int) error {
	r.sum = vek32.Sum(r.vectors)
	return nil
}

func (r *memoryReader) Answer(dst []int32) ([]int32, error) { return dst, nil }
