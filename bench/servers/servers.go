// Package servers lends the benchmark the private servers of the tests. They end
// with the process.
package servers

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"testing"

	"github.com/vecwire/vecwire/bench/contest"
	"github.com/vecwire/vecwire/internal/testenv"
)

// Postgres starts PostgreSQL with pgvector and returns the URL of an empty database.
func Postgres(ctx context.Context) (url string, stop func(), err error) {
	return start(ctx, func(t testing.TB) string {
		settings := testenv.Settings{"shared_buffers": "512MB", "max_wal_size": "4GB"}
		return testenv.StartPostgres(t, settings).CreateDatabase(t)
	})
}

// IRIS starts iris-pgwire over the tests' stand-in for IRIS and returns its URL.
func IRIS(ctx context.Context) (url string, stop func(), err error) {
	return start(ctx, func(t testing.TB) string {
		return testenv.IRIS(t, testenv.IRISOptions{Mode: testenv.IRISDBAPI}).URL()
	})
}

// start runs f as a test would be run. A server that cannot be had is a
// *contest.SkipError. stop ends the server.
func start(ctx context.Context, f func(t testing.TB) string) (url string, stop func(), err error) {
	t := &host{ctx: ctx}
	done := make(chan struct{})
	go func() { // in a goroutine of its own, because Fatal ends it
		defer close(done)
		url = f(t)
	}()
	<-done
	if t.err != nil {
		t.cleanup()
		return "", nil, t.err
	}
	return url, t.cleanup, nil
}

// host is a testing.TB outside a test, with what package testenv uses of one.
type host struct {
	testing.TB // nil: it makes host one, and any method that is not below panics
	ctx        context.Context
	cleanups   []func()
	err        error
}

func (h *host) Helper()                           {}
func (h *host) Name() string                      { return "bench" }
func (h *host) Context() context.Context          { return h.ctx }
func (h *host) Cleanup(f func())                  { h.cleanups = append(h.cleanups, f) }
func (h *host) Error(args ...any)                 { h.err = errors.New(fmt.Sprint(args...)) }
func (h *host) Errorf(format string, args ...any) { h.err = fmt.Errorf(format, args...) }

func (h *host) Fatal(args ...any) {
	h.Error(args...)
	runtime.Goexit()
}

func (h *host) Fatalf(format string, args ...any) {
	h.Errorf(format, args...)
	runtime.Goexit()
}

func (h *host) Skip(args ...any) {
	h.err = &contest.SkipError{Reason: fmt.Sprint(args...)}
	runtime.Goexit()
}

func (h *host) cleanup() {
	for i := len(h.cleanups) - 1; i >= 0; i-- {
		h.cleanups[i]()
	}
	h.cleanups = nil
}
