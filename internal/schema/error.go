package schema

import (
	"fmt"
	"strings"

	"github.com/vecwire/vecwire/codec"
)

// Error reports a schema that cannot be made, or a field that a schema does not have.
type Error struct {
	Collection string // the collection's name
	Field      string // "" if it is the schema itself
	Msg        string // what is wrong, and what was wanted
}

func (e *Error) Error() string {
	if e.Field == "" {
		return fmt.Sprintf("schema of %q: %s", e.Collection, e.Msg)
	}
	return fmt.Sprintf("schema of %q: field %q %s", e.Collection, e.Field, e.Msg)
}

// BadValue says that an option has a value that it cannot have.
func BadValue(field, want string, got any) error {
	return &codec.ValueError{Field: field, Pos: -1, Want: want, Got: fmt.Sprint(got)}
}

// Shorten cuts a name that is too long to be read in an error.
func Shorten(name string) string {
	const most = 64
	if len(name) <= most {
		return name
	}
	return strings.ToValidUTF8(name[:most], "") + "…"
}
