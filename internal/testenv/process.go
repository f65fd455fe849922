package testenv

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// runDir is a directory for what one server writes: its data, its settings, its
// log. A lock says that it is in use; it is held by the test process and by the
// supervisor of the server, so it ends when both are gone.
type runDir struct {
	Path string
	lock *os.File
}

// sweepOnce removes what killed processes left, once in this process.
var sweepOnce sync.Once

// newRunDir creates a run directory, owned by the user that servers run as.
func newRunDir(ctx context.Context, server string, as *identity) (*runDir, error) {
	cache, err := cacheDir()
	if err != nil {
		return nil, err
	}
	base := filepath.Join(cache, "run")
	if err := os.MkdirAll(base, 0o755); err != nil {
		return nil, err
	}
	// Between its creation and its lock a directory would look abandoned.
	unlock, err := lockPath(ctx, base+".lock")
	if err != nil {
		return nil, err
	}
	defer unlock()
	sweepOnce.Do(func() { sweepRunDirs(base) })

	path := filepath.Join(base, server+"-"+randomHex(6))
	lock, err := holdLock(path + ".lock")
	if err != nil {
		return nil, err
	}
	d := &runDir{Path: path, lock: lock}
	if err := errors.Join(os.Mkdir(path, 0o700), as.give(path)); err != nil {
		return nil, errors.Join(err, d.remove())
	}
	return d, nil
}

// sweepRunDirs removes the run directories in base that nobody holds the lock
// of. What cannot be removed is left to the next sweep.
func sweepRunDirs(base string) {
	locks, _ := filepath.Glob(filepath.Join(base, "*.lock"))
	for _, path := range locks {
		lock, err := holdLock(path)
		if err != nil {
			continue
		}
		_ = (&runDir{Path: path[:len(path)-len(".lock")], lock: lock}).remove()
	}
}

// remove deletes the directory and gives up its lock.
func (d *runDir) remove() error {
	return errors.Join(removeRunDir(d.Path), d.lock.Close())
}

// removeRunDir deletes a run directory that the caller holds the lock of. The
// lock's file goes last, because a sweep finds the directory by it.
func removeRunDir(path string) error {
	if err := os.RemoveAll(path); err != nil {
		return err
	}
	if err := os.Remove(path + ".lock"); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil // the supervisor was here first
}

// supervision says what a supervisor runs and how it ends it.
type supervision struct {
	Path string
	Args []string // without the name of the program
	Env  []string
	Dir  string // the server's working directory
	Log  string // the file that its output is appended to
	As   *identity
	// Quit is the signal that makes the server end itself and its children at
	// once. It is sent when the test process or the supervisor has died.
	Quit syscall.Signal
	// RunDir is removed after the server when the test process is gone.
	RunDir string
}

// process is a running server under its supervisor.
type process struct {
	spec       supervision
	supervisor int      // its process id
	control    *os.File // the supervisor ends the server when this is closed
	closed     sync.Once
	done       chan struct{}
}

// supervisorName is how the test binary knows that it was started to supervise.
const supervisorName = "vecwire-testenv-supervisor"

// startProcess starts a server under a supervisor of its own. It does not wait
// until the server answers: see waitReady.
func startProcess(spec supervision, dir *runDir) (*process, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, err
	}
	spec.RunDir = dir.Path
	order, err := json.Marshal(spec)
	if err != nil {
		return nil, err
	}
	theirs, ours, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer theirs.Close()
	cmd := exec.Command(exe)
	cmd.Args = []string{supervisorName}
	cmd.Env = append(os.Environ(), "GORACE=atexit_sleep_ms=0") // else it takes a second to exit
	cmd.Stdin = theirs
	cmd.ExtraFiles = []*os.File{dir.lock}
	if err := ownGroup(cmd, nil); err != nil {
		return nil, errors.Join(err, ours.Close())
	}
	if err := cmd.Start(); err != nil {
		return nil, errors.Join(err, ours.Close())
	}
	p := &process{spec: spec, supervisor: cmd.Process.Pid, control: ours, done: make(chan struct{})}
	go func() {
		defer close(p.done)
		_ = cmd.Wait() // the log tells more than the status
	}()
	if _, err := ours.Write(append(order, '\n')); err != nil {
		return nil, errors.Join(err, p.close())
	}
	return p, nil
}

// signal has the supervisor send sig to the server.
func (p *process) signal(sig syscall.Signal) error {
	_, err := p.control.Write([]byte{byte(sig)})
	return err
}

// wait waits until the server and its supervisor are gone.
func (p *process) wait(ctx context.Context) error {
	select {
	case <-p.done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("%s does not end: %w: %s", filepath.Base(p.spec.Path), ctx.Err(), p.log(5))
	}
}

// stop sends sig to the server and waits until it is gone. Its run directory
// stays.
func (p *process) stop(sig syscall.Signal) error {
	ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	if err := p.signal(sig); err != nil && !errors.Is(err, syscall.EPIPE) {
		return err
	}
	if err := p.wait(ctx); err != nil {
		return err
	}
	return p.close()
}

// close ends the server at once, removes its run directory if it was still
// running, and waits until that is done.
func (p *process) close() error {
	p.closed.Do(func() { _ = p.control.Close() })
	ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	return p.wait(ctx)
}

// log returns the last n lines that the server wrote.
func (p *process) log(n int) string {
	b, err := os.ReadFile(p.spec.Log)
	if err != nil {
		return err.Error()
	}
	return lastLines(string(b), n)
}

// portTaken says whether a server could not start because another one has its
// port.
func portTaken(err error) bool {
	return errors.Is(err, errOtherServer) || strings.Contains(err.Error(), "Address already in use")
}

var errOtherServer = errors.New("another server answers on its port")

// waitReady calls probe until it succeeds. It gives up when the process is gone
// and when ctx ends, and then says why and what the server wrote last.
func (p *process) waitReady(ctx context.Context, probe func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	go func() { // a probe that hangs is of no use once the process is gone
		select {
		case <-p.done:
			cancel()
		case <-ctx.Done():
		}
	}()
	name := filepath.Base(p.spec.Path)
	for delay := 5 * time.Millisecond; ; delay = min(2*delay, 100*time.Millisecond) {
		err := probe(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			select {
			case <-p.done:
				return fmt.Errorf("%s ended while starting: %s", name, p.log(8))
			default:
				return fmt.Errorf("%s does not answer: %w: %s", name, err, p.log(8))
			}
		case <-time.After(delay):
		}
	}
}
