package pdf

import "github.com/tetratelabs/wazero/experimental"

// maxMemory is what the reader may take, with the file in it.
const maxMemory = 256 << 20

// spare is memory that the next file is read in. It is reserved as a whole: growing by
// copies would take several times as much. What is not touched takes no room.
var spare = make(chan []byte, 1)

// memory is the reader's, which is refused more than it has.
type memory struct{ bytes []byte }

func newMemory() *memory {
	select {
	case bytes := <-spare:
		return &memory{bytes}
	default:
		return &memory{make([]byte, 0, maxMemory)}
	}
}

// allocator gives m to the first reader that asks.
func (m *memory) allocator() experimental.MemoryAllocator {
	given := false
	return experimental.MemoryAllocatorFunc(func(uint64, uint64) experimental.LinearMemory {
		if given {
			return newMemory()
		}
		given = true
		return m
	})
}

// Reallocate is of [experimental.LinearMemory].
func (m *memory) Reallocate(size uint64) []byte {
	if size > uint64(cap(m.bytes)) {
		return nil
	}
	m.bytes = m.bytes[:size]
	return m.bytes
}

// Free is of [experimental.LinearMemory]. It may be called while the reader still runs,
// which is to end; see [memory.release].
func (m *memory) Free() {}

// release keeps the memory for the next file. The reader must have ended.
func (m *memory) release() {
	clear(m.bytes)
	select {
	case spare <- m.bytes[:0]:
	default:
	}
}
