package embed

import (
	"fmt"
	"time"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/internal/backoff"
	"github.com/vecwire/vecwire/internal/fault"
)

// TextError reports a text that was not embedded, or not as it should be. It has
// the fields
//
//	Index int   // the text's place among the texts of the call, from 0
//	Err   error // why: a *CountError, *TooLongError, *codec.DimensionError, *codec.ValueError or another
type TextError = fault.TextError

// CountError reports an answer with fewer or more vectors than texts. If there are
// fewer, a [*TextError] wraps it and names the first text without one.
type CountError struct {
	Texts, Vectors int // the numbers of them
}

func (e *CountError) Error() string {
	return fmt.Sprintf("%d vectors for %d texts", e.Vectors, e.Texts)
}

// TooLongError reports a text that alone exceeds what a call may hold.
type TooLongError struct {
	Tokens int // of the text
	Most   int // of a call
}

func (e *TooLongError) Error() string {
	return fmt.Sprintf("it has %d tokens, a call holds at most %d", e.Tokens, e.Most)
}

// Temporary is an error of an [Embedder] that may be gone when the same call is
// made again, as [Retry] does. It has the method
//
//	// Retryable reports whether the same call may succeed later, and how long the
//	// service asks the caller to wait first: 0 if it does not say.
//	Retryable() (after time.Duration, ok bool)
type Temporary = backoff.Temporary

// Retryable reports whether err is or wraps a [Temporary] that may be retried, and
// how long the service asks the caller to wait first.
func Retryable(err error) (after time.Duration, ok bool) { return backoff.Retryable(err) }

// PanicError is a panic in an [Embedder] that ran in a goroutine of this module, where
// it would have ended the process. Its text has the place of the panic; the format
// %+v adds the stack. It has the fields
//
//	Of    string // whose code it was
//	Value any    // what was given to panic; Unwrap returns it if it is an error
//	Place string // the function that panicked, with its file and line
//	Stack []byte // the goroutine's stack at the panic
type PanicError = fault.PanicError

// Verify checks the answer of an embedder: as many vectors as texts, each of dim
// finite elements. The error is a [*TextError] that names the first text with no
// vector or a bad one, or a [*CountError] if there are more vectors than texts. A
// vector may be all zeros.
func Verify(vectors [][]float32, texts, dim int) error {
	for i, v := range vectors[:min(texts, len(vectors))] {
		if err := codec.Check(v, dim, codec.Dot); err != nil {
			return &TextError{Index: i, Err: err}
		}
	}
	switch count := (&CountError{Texts: texts, Vectors: len(vectors)}); {
	case len(vectors) < texts:
		return &TextError{Index: len(vectors), Err: count}
	case len(vectors) > texts:
		return count
	}
	return nil
}
