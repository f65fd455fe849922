// Package fault says whose fault it is that a call of a model failed. Embedders and
// rerankers are both given texts, and report a text that is at fault alike.
//
// It must not know what is made of a text, nor how a model is reached.
package fault

import (
	"errors"
	"fmt"
)

// TextError reports the text of a call that is at fault.
type TextError struct {
	Index int // its place among the texts of the call, from 0
	Err   error
}

func (e *TextError) Error() string { return fmt.Sprintf("text %d: %v", e.Index, e.Err) }

// Unwrap returns Err.
func (e *TextError) Unwrap() error { return e.Err }

// Moved returns err with the place of its text as an outer caller counts. Errors
// that are wrapped around an [*TextError] are dropped, because they name the old place.
func Moved(err error, place func(int) int) error {
	if text, ok := errors.AsType[*TextError](err); ok {
		return &TextError{Index: place(text.Index), Err: text.Err}
	}
	return err
}
