package fault

// A Judge is an error of a call that knows whether the texts of the call may be at
// fault, so that the same call with other texts may succeed.
type Judge interface {
	error
	// TextsAtFault reports false if no text is: the server does not know the caller,
	// was not reached, or has too much to do.
	TextsAtFault() bool
}
