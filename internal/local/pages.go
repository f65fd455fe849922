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

	torn atomic.Uint64 // how often the state was read while a log began anew

	mu  sync.Mutex
	all [][]byte // mapped until the store is closed, since somebody may read them
	now atomic.Pointer[[]byte]
}

// Where the index of the log has what State reads, in 32-bit words.
const (
	framesWord    = 4
	saltWord      = 8
	backfillWord  = 24
	attemptedWord = 32
)

// unsettled is in what state returns while a log begins anew; no log has so many frames.
const unsettled = 1 << 63

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
	salts := func() uint64 { return load(saltWord)<<32 | load(saltWord+1) }
	before := salts()
	done, attempted := load(backfillWord), load(attemptedWord)
	frames, log := load(framesWord), salts()
	// A log that begins anew has its salts before the counters are 0: what is read in between
	// is no state, and must not be taken for one of either log.
	if before != log || done > frames {
		return ann.FileState{log, unsettled | p.torn.Add(1)}, false
	}
	return ann.FileState{log, done<<32 | attempted}, done == attempted
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
