package codec

import "fmt"

// DimensionError reports a vector of the wrong length.
type DimensionError struct {
	Want, Got int // numbers of elements
}

func (e *DimensionError) Error() string {
	return fmt.Sprintf("vector has %d dimensions, want %d", e.Got, e.Want)
}

// ElementError reports a vector of one element type where the other is needed.
type ElementError struct {
	Want, Got Element
}

func (e *ElementError) Error() string {
	return fmt.Sprintf("vector has %s elements, want %s", e.Got, e.Want)
}

// ValueError reports a value that its field cannot hold.
type ValueError struct {
	Field string // the field's name; "vector" for the vector, "id" for the ID
	Pos   int    // which element of a vector, from 0; -1 where the whole value is meant
	Want  string // what the field holds
	Got   string // what was given
}

func (e *ValueError) Error() string {
	if e.Pos >= 0 {
		return fmt.Sprintf("%s[%d] is %s, want %s", e.Field, e.Pos, e.Got, e.Want)
	}
	return fmt.Sprintf("%s is %s, want %s", e.Field, e.Got, e.Want)
}

// SyntaxError reports text or bytes that are not a vector.
type SyntaxError struct {
	Offset int64  // where, in bytes from the beginning
	Msg    string // what is wrong there
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("%s at byte %d", e.Msg, e.Offset)
}
