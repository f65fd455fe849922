package local

import (
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/vecwire/vecwire/internal/ann"
)

// pages is the store's file, mapped, so that vectors are read where SQLite keeps them, and
// no second copy takes memory or room on the disk.
//
// SQLite changes the file in checkpoints alone: what is committed goes to the log first. Before
// a checkpoint writes its first page, it says in the index of the log how far it will go
// (nBackfillAttempted), and when it is done, how far it is (nBackfill); when the log begins
// anew, both are 0 and its salts are others (https://www.sqlite.org/walformat.html, section
// 2.2). So the three tell one state of the file from all others, and whether somebody writes.
// What a checkpoint that was killed has written is the same that the next one writes: until
// that is done, the two differ.
type pages struct {
	watch *watch // nil if nothing changes the file
	file  int    // that is mapped, as SQLite has it open

	mu  sync.Mutex
	all [][]byte // mapped until the store is closed, since somebody may read them
	now atomic.Pointer[[]byte]
}

// Where the index of the log has what State reads, in 32-bit words.
const (
	saltWord      = 8
	backfillWord  = 24
	attemptedWord = 32
)

// state is [ann.Outside.State] of the file.
func (p *pages) state() (state ann.FileState, rests bool) {
	if p.watch == nil {
		return state, true
	}
	words := p.watch.words()
	if words == nil {
		return state, false
	}
	load := func(i int) uint64 { return uint64(atomic.LoadUint32(&words[i])) }
	done, attempted := load(backfillWord), load(attemptedWord)
	return ann.FileState{load(saltWord)<<32 | load(saltWord+1), done<<32 | attempted}, done == attempted
}

// bytes returns what the file holds.
func (p *pages) bytes() []byte {
	if b := p.now.Load(); b != nil {
		return *b
	}
	return nil
}

// mappable reports whether this processor reads vectors as they are in the file, where they
// begin at any byte.
func mappable() bool { return runtime.GOARCH == "amd64" || runtime.GOARCH == "arm64" }
