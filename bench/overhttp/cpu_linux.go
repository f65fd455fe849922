package main

import (
	"time"

	"golang.org/x/sys/unix"
)

// cpu returns how long the process has run, to the nanosecond: the ticks in /proc/PID/stat
// are 10 ms.
func (p *process) cpu() time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(^int32(p.cmd.Process.Pid)<<3|2, &t); err != nil { // CPUCLOCK_SCHED of the process
		return 0
	}
	return time.Duration(t.Nano())
}
