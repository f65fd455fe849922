package embed

import (
	"errors"
	"fmt"
	"time"

	"github.com/vecwire/vecwire/codec"
)

// TextError reports a text that was not embedded, or not as it should be.
type TextError struct {
	Index int   // its place among the texts of the call, from 0
	Err   error // why: a *CountError, *TooLongError, *codec.DimensionError, *codec.ValueError or another
}

func (e *TextError) Error() string { return fmt.Sprintf("text %d: %v", e.Index, e.Err) }

// Unwrap returns Err.
func (e *TextError) Unwrap() error { return e.Err }

// CountError reports an answer with fewer vectors than texts, or more. If there
// are fewer, it is in a [*TextError] that names the first text without one.
type CountError struct {
	Texts, Vectors int // how many there were
}

func (e *CountError) Error() string {
	return fmt.Sprintf("%d vectors for %d texts", e.Vectors, e.Texts)
}

// TooLongError reports a text that alone exceeds what a call may hold.
type TooLongError struct {
	Tokens, Most int
}

func (e *TooLongError) Error() string {
	return fmt.Sprintf("it has %d tokens, a call holds at most %d", e.Tokens, e.Most)
}

// Temporary is an error of an [Embedder] that may be safe to retry.
type Temporary interface {
	error
	// Retryable says whether the same call may succeed later, and how long the
	// service asks to wait before that: 0 if it does not say.
	Retryable() (after time.Duration, ok bool)
}

// Retryable says whether an error is or wraps a [Temporary] that may be retried,
// and after how long.
func Retryable(err error) (after time.Duration, ok bool) {
	if t, is := errors.AsType[Temporary](err); is {
		return t.Retryable()
	}
	return 0, false
}

// Verify checks what an embedder answered: as many vectors as texts, each of dim
// finite elements. The error is a [*TextError] that names the first text with no
// vector or a bad one, or a [*CountError] if there are more vectors than texts. A
// vector may be zero.
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

// moved returns err with its text's place as the caller's caller counts. The
// errors that are wrapped around a TextError go, because they name the old place.
func moved(err error, place func(int) int) error {
	if text, ok := errors.AsType[*TextError](err); ok {
		return &TextError{Index: place(text.Index), Err: text.Err}
	}
	return err
}
