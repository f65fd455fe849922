//go:build !linux

package contest

import "runtime"

// Pin keeps Go code on one thread at a time; it cannot keep it on one CPU here.
func Pin(int) bool {
	runtime.GOMAXPROCS(1)
	return false
}

func release(threads int) { runtime.GOMAXPROCS(threads) }

// CPUTime returns 0: it is not known here.
func CPUTime() int64 { return 0 }

// Resident returns 0: it is not known here.
func Resident() int64 { return 0 }

// Own returns 0: it is not known here.
func Own() int64 { return 0 }
