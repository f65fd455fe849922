package fault

import (
	"fmt"
	"io"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
)

// PanicError is a panic in a caller's code that ran in a goroutine of this module,
// where it would have ended the process. Its text has the place of the panic; the
// format %+v adds the stack.
type PanicError struct {
	Of    string // whose code it was, such as "the Embedder"
	Value any    // what was given to panic
	Place string // the function that panicked, with its file and line
	Stack []byte // the goroutine's stack at the panic, as runtime/debug prints it
}

func (e *PanicError) Error() string {
	return fmt.Sprintf("%s panicked in %s: %v", e.Of, e.Place, e.Value)
}

// Unwrap returns the value of the panic if that is an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// Format implements [fmt.Formatter].
func (e *PanicError) Format(s fmt.State, verb rune) {
	if verb == 'q' {
		_, _ = fmt.Fprintf(s, "%q", e.Error())
		return
	}
	_, _ = io.WriteString(s, e.Error())
	if s.Flag('+') {
		_, _ = fmt.Fprintf(s, "\n\n%s", e.Stack)
	}
}

// Guard calls f and turns a panic into a [*PanicError]. The name of says whose code f
// runs. Each goroutine of this module that runs a caller's code does so within a
// Guard; in the caller's own goroutine a panic is the caller's to see.
//
// A call of runtime.Goexit in f ends the goroutine, and Guard does not return.
func Guard(of string, f func() error) (err error) {
	defer func() {
		if value := recover(); value != nil {
			err = &PanicError{Of: of, Value: value, Place: place(), Stack: debug.Stack()}
		}
	}()
	return f()
}

// place returns the innermost function that is not the runtime's of a deferred call
// of a function that panicked.
func place() string {
	callers := make([]uintptr, 64)
	frames := runtime.CallersFrames(callers[:runtime.Callers(3, callers)]) // without Callers, place and the deferred function
	for {
		frame, more := frames.Next()
		if !strings.HasPrefix(frame.Function, "runtime.") {
			return fmt.Sprintf("%s (%s:%d)", frame.Function, filepath.Base(frame.File), frame.Line)
		}
		if !more {
			return "an unknown function"
		}
	}
}
