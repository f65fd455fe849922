package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// process is a server's process, on core 0.
type process struct {
	cmd  *exec.Cmd
	addr string
}

// freeAddr returns an address on loopback at which nothing listens.
func freeAddr() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String(), nil
}

// startProcess starts a server, and returns when it listens. What it prints goes to a
// file in its folder.
func startProcess(ctx context.Context, dir, addr, program string, args ...string) (*process, error) {
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	p := &process{cmd: exec.CommandContext(ctx, "taskset", append([]string{"-c", "0", program}, args...)...), addr: addr}
	p.cmd.Stdout, p.cmd.Stderr, p.cmd.Dir = log, log, dir
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	for range 1200 { // two minutes
		c, err := net.Dial("tcp", addr)
		if err == nil {
			_ = c.Close()
			return p, nil
		}
		time.Sleep(100 * time.Millisecond)
	}
	p.stop()
	said, err := os.ReadFile(log.Name())
	return nil, errors.Join(fmt.Errorf("does not listen: %s", said), err)
}

func (p *process) stop() {
	_ = p.cmd.Process.Signal(syscall.SIGINT)
	_ = p.cmd.Wait()
}

// resident returns how many bytes of memory the process holds.
func (p *process) resident() int64 {
	status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	_, after, _ := strings.Cut(string(status), "\nVmRSS:")
	kib, _ := strconv.ParseInt(strings.Fields(after + " 0")[0], 10, 64)
	return kib << 10
}
