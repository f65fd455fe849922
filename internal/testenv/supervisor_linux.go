package testenv

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// quitWithParent makes the kernel send cmd the signal when its parent dies.
func quitWithParent(cmd *exec.Cmd, quit syscall.Signal) { cmd.SysProcAttr.Pdeathsig = quit }

// adoptOrphans makes this process the parent of every descendant whose own
// parent dies, so that none escapes endDescendants.
func adoptOrphans() { _ = unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) }

// endDescendants waits until every descendant of this process is gone, and kills
// those that take too long. PostgreSQL's backends end themselves when their
// postmaster is killed, but not at once.
func endDescendants(int) {
	kill := time.Now().Add(graceTimeout)
	for {
		pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil)
		switch {
		case err == syscall.EINTR, pid > 0:
			continue
		case err != nil:
			return
		}
		if time.Now().After(kill) {
			for _, child := range children() {
				_ = syscall.Kill(child, syscall.SIGKILL)
			}
		}
		time.Sleep(2 * time.Millisecond)
	}
}

// children returns the process ids of the children of this process.
func children() []int {
	var pids []int
	tasks, _ := os.ReadDir("/proc/self/task")
	for _, task := range tasks {
		b, _ := os.ReadFile(fmt.Sprintf("/proc/self/task/%s/children", task.Name()))
		for _, field := range strings.Fields(string(b)) {
			if pid, err := strconv.Atoi(field); err == nil {
				pids = append(pids, pid)
			}
		}
	}
	return pids
}
