//go:build unix

package testenv

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"syscall"
	"time"
)

// A supervisor is the test binary itself, started again under another name. It
// starts one server and waits for one of three things: the server ends; a byte
// comes through the pipe, which is a signal for the server; or the pipe closes,
// because the test process has closed it or has died, in whatever way. Then the
// supervisor ends the server and removes its files.
//
// If the supervisor itself is killed, Linux sends the server its quit signal
// (PR_SET_PDEATHSIG); its files stay until the next test process sweeps them.

// graceTimeout is how long a server may take to end itself before it is killed.
const graceTimeout = 5 * time.Second

func init() {
	if len(os.Args) == 1 && os.Args[0] == supervisorName {
		// Linux sends the parent-death signal when the parent's thread ends: this is
		// the main thread, which ends with the process.
		runtime.LockOSThread()
		os.Exit(supervise(os.Stdin))
	}
}

// supervise runs the server that the first line of control describes and
// returns the status to exit with.
func supervise(control io.Reader) int {
	const lockFD = 3
	syscall.CloseOnExec(lockFD) // the lock is the supervisor's, not the server's
	interrupts := make(chan os.Signal, 1)
	signal.Notify(interrupts, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)

	in := bufio.NewReader(control)
	order, err := in.ReadBytes('\n')
	if err != nil {
		return 1
	}
	var spec supervision
	if err := json.Unmarshal(order, &spec); err != nil {
		return 1
	}
	log, err := os.OpenFile(spec.Log, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return 1
	}
	adoptOrphans()
	cmd := exec.Command(spec.Path, spec.Args...)
	cmd.Env, cmd.Dir, cmd.Stdout, cmd.Stderr = spec.Env, spec.Dir, log, log
	_ = ownGroup(cmd, spec.As)
	quitWithParent(cmd, spec.Quit)
	if err := cmd.Start(); err != nil {
		fmt.Fprintln(log, err)
		return 1
	}

	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = cmd.Wait()
	}()
	signals := make(chan syscall.Signal)
	go func() {
		defer close(signals)
		for {
			b, err := in.ReadByte()
			if err != nil {
				return
			}
			signals <- syscall.Signal(b)
		}
	}()
	for {
		select {
		case <-ended:
			endDescendants(cmd.Process.Pid)
			return 0
		case sig, open := <-signals:
			if open {
				_ = cmd.Process.Signal(sig)
				continue
			}
		case <-interrupts:
		}
		end(cmd, spec.Quit, ended)
		endDescendants(cmd.Process.Pid)
		_ = removeRunDir(spec.RunDir)
		return 0
	}
}

// end ends the server with the signal quit, or kills it when that takes too long.
func end(cmd *exec.Cmd, quit syscall.Signal, ended <-chan struct{}) {
	_ = cmd.Process.Signal(quit)
	select {
	case <-ended:
	case <-time.After(graceTimeout):
		_ = cmd.Process.Kill()
		<-ended
	}
}

// ownGroup makes cmd run in a process group of its own, as the given user. When
// the context of cmd ends, the whole group is killed.
func ownGroup(cmd *exec.Cmd, as *identity) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if as != nil {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: as.UID, Gid: as.GID}
	}
	if cmd.Cancel != nil {
		cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	}
	return nil
}

// holdLock opens the file and locks it until the file and every copy of it, in
// this and other processes, are closed. It does not wait.
func holdLock(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}
