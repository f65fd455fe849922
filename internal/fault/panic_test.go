package fault_test

import (
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/internal/fault"
)

func TestGuard(t *testing.T) {
	require.NoError(t, fault.Guard("the caller's function", func() error { return nil }))
	broken := errors.New("broken")
	require.Equal(t, broken, fault.Guard("the caller's function", func() error { return broken }))

	var empty []int
	for name, tt := range map[string]struct {
		f    func()
		want string
	}{
		"text":    {func() { panic("no") }, "no"},
		"error":   {func() { panic(io.ErrUnexpectedEOF) }, "unexpected EOF"},
		"runtime": {func() { empty[0]++ }, "runtime error: index out of range [0] with length 0"},
		"nil":     {func() { panic(nil) }, "panic called with nil argument"},
	} {
		t.Run(name, func(t *testing.T) {
			err := fault.Guard("the Embedder", func() error { tt.f(); return nil })
			var panicked *fault.PanicError
			require.ErrorAs(t, err, &panicked)
			require.Regexp(t, `^the Embedder panicked in .*/fault_test\.TestGuard\.func\S+ \(panic_test\.go:\d+\): `, err.Error())
			require.ErrorContains(t, err, tt.want)
			require.Contains(t, string(panicked.Stack), "TestGuard")
			require.NotContains(t, fmt.Sprintf("%v %s %q", err, err, err), "goroutine")
			require.Contains(t, fmt.Sprintf("%+v", err), "goroutine")
			require.Equal(t, name == "error", errors.Is(err, io.ErrUnexpectedEOF))
		})
	}
}
