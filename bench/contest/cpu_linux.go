package contest

import (
	"os"
	"runtime"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Pin keeps the process on one CPU, and Go code on one thread at a time. It
// reports whether it could.
func Pin(cpu int) bool {
	runtime.GOMAXPROCS(1)
	var set unix.CPUSet
	set.Set(cpu)
	return each(&set)
}

// release undoes Pin, with Go code on the given number of threads.
func release(threads int) {
	runtime.GOMAXPROCS(threads)
	var set unix.CPUSet
	for cpu := range runtime.NumCPU() {
		set.Set(cpu)
	}
	each(&set)
}

// each sets the CPUs of every thread there is; those to come take after them.
func each(set *unix.CPUSet) bool {
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return false
	}
	ok := len(threads) > 0
	for _, t := range threads {
		id, err := strconv.Atoi(t.Name())
		ok = ok && err == nil && unix.SchedSetaffinity(id, set) == nil
	}
	return ok
}

// CPUTime returns how many nanoseconds the process has run, on all its threads.
func CPUTime() int64 {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &t); err != nil {
		return 0
	}
	return t.Nano()
}

// Resident returns how many bytes of memory the process holds, with what it has read of
// the files that it maps.
func Resident() int64 { return status("VmRSS") }

// Own returns how many bytes of memory the process holds that are of no file.
func Own() int64 { return status("RssAnon") }

// status returns a size that the system says of the process.
func status(name string) int64 {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	_, after, _ := strings.Cut(string(text), "\n"+name+":")
	if kib, err := strconv.ParseInt(strings.Fields(after + " 0")[0], 10, 64); err == nil {
		return kib << 10
	}
	return 0
}
