package embed

import (
	"container/list"
	"context"
	"slices"
	"sync"
)

// DefaultLRU is the number of vectors that an LRU keeps by default: 100 MB of
// vectors of 1536 elements.
const DefaultLRU = 1 << 14

// LRU is a [CacheStore] in memory that drops the vector that was least recently used.
// It is safe for concurrent use.
type LRU struct {
	most    int
	mu      sync.Mutex
	order   *list.List // of *entry, the most recently used first
	entries map[CacheKey]*list.Element
}

type entry struct {
	key    CacheKey
	vector []float32
}

// NewLRU returns an empty store for at most so many vectors; 0 or less means
// DefaultLRU.
func NewLRU(vectors int) *LRU {
	if vectors <= 0 {
		vectors = DefaultLRU
	}
	return &LRU{most: vectors, order: list.New(), entries: map[CacheKey]*list.Element{}}
}

// Len returns the number of vectors in the store.
func (l *LRU) Len() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.order.Len()
}

// Get returns copies of the vectors. It returns no error.
func (l *LRU) Get(_ context.Context, keys []CacheKey) ([][]float32, error) {
	vectors := make([][]float32, len(keys))
	l.mu.Lock()
	defer l.mu.Unlock()
	for i, key := range keys {
		if at, ok := l.entries[key]; ok {
			l.order.MoveToFront(at)
			vectors[i] = slices.Clone(at.Value.(*entry).vector)
		}
	}
	return vectors, nil
}

// Put keeps copies of the vectors. It returns no error.
func (l *LRU) Put(_ context.Context, keys []CacheKey, vectors [][]float32) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i, key := range keys[:min(len(keys), len(vectors))] {
		vector := slices.Clone(vectors[i])
		if at, ok := l.entries[key]; ok {
			at.Value.(*entry).vector = vector
			l.order.MoveToFront(at)
			continue
		}
		l.entries[key] = l.order.PushFront(&entry{key, vector})
		if l.order.Len() > l.most {
			oldest := l.order.Back()
			delete(l.entries, l.order.Remove(oldest).(*entry).key)
		}
	}
	return nil
}
