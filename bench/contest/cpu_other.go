//go:build !linux

package contest

import "runtime"

func pin(int) bool {
	runtime.GOMAXPROCS(1)
	return false
}

func release(threads int) { runtime.GOMAXPROCS(threads) }

func cpuTime() int64 { return 0 }

func resident() int64 { return 0 }
