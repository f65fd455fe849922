package contest

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"
)

// A SkipError says why an engine cannot take part.
type SkipError struct{ Reason string }

func (e *SkipError) Error() string { return e.Reason }

// A Process is a started engine.
type Process struct {
	cmd    *exec.Cmd
	in     io.WriteCloser
	out    *bufio.Reader
	stderr *tail
}

// Start starts an engine's process. It ends with ctx.
func Start(ctx context.Context, env []string, command string, args ...string) (*Process, error) {
	p := &Process{cmd: exec.CommandContext(ctx, command, args...), stderr: new(tail)}
	p.cmd.Env = append(os.Environ(), env...)
	p.cmd.Stderr = p.stderr
	p.cmd.WaitDelay = 5 * time.Second
	in, err := p.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.in, p.out = in, bufio.NewReader(out)
	return p, p.cmd.Start()
}

// Close ends the process.
func (p *Process) Close() error {
	return errors.Join(p.in.Close(), p.cmd.Wait())
}

// Build builds the engine's index.
func (p *Process) Build(b Build) (Built, error) {
	r, err := p.call(Request{Build: &b})
	return r.Built, err
}

// Search asks queries.
func (p *Process) Search(s Search) (Searched, error) {
	r, err := p.call(Request{Search: &s})
	return r.Searched, err
}

func (p *Process) call(req Request) (Response, error) {
	line, err := json.Marshal(req)
	if err != nil {
		return Response{}, err
	}
	if _, err := p.in.Write(append(line, '\n')); err != nil {
		return Response{}, p.died(err)
	}
	line, err = p.out.ReadBytes('\n')
	if err != nil {
		return Response{}, p.died(err)
	}
	var resp Response
	if err := json.Unmarshal(line, &resp); err != nil {
		return Response{}, fmt.Errorf("%w in %.200q", err, line)
	}
	if resp.Skip != "" {
		return Response{}, &SkipError{resp.Skip}
	}
	if resp.Error != "" {
		return Response{}, errors.New(resp.Error)
	}
	return resp, nil
}

func (p *Process) died(err error) error {
	_ = p.in.Close()
	_ = p.cmd.Wait() // only after this is all of stderr there
	return fmt.Errorf("the process ended: %w, %s: %s", err, p.cmd.ProcessState, p.stderr)
}

// tail keeps the end of what is written to it.
type tail struct {
	mu    sync.Mutex
	bytes []byte
}

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.bytes = append(t.bytes, b...)
	t.bytes = t.bytes[max(0, len(t.bytes)-2000):]
	return len(b), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.ReplaceAll(string(bytes.TrimSpace(t.bytes)), "\n", " | ")
}
