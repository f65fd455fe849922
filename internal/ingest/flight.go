package ingest

import (
	"slices"
	"sync"
)

// flight keeps batches apart that hold the same ID, so that the later one is
// stored later.
type flight struct {
	mu   sync.Mutex
	ids  map[string]struct{} // of the batches under way
	left chan struct{}       // closed, and made again, when a batch has left, if another waits
}

// enter waits until no batch under way has one of the IDs.
func (f *flight) enter(ids []string) {
	for {
		f.mu.Lock()
		taken := slices.ContainsFunc(ids, func(id string) bool {
			_, ok := f.ids[id]
			return ok
		})
		if !taken {
			for _, id := range ids {
				f.ids[id] = struct{}{}
			}
			f.mu.Unlock()
			return
		}
		if f.left == nil {
			f.left = make(chan struct{})
		}
		left := f.left
		f.mu.Unlock()
		<-left
	}
}

func (f *flight) leave(ids []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, id := range ids {
		delete(f.ids, id)
	}
	if f.left != nil {
		close(f.left)
		f.left = nil
	}
}
