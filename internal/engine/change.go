package engine

import (
	"cmp"
	"errors"
	"slices"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/filter"
)

// The errors about one record of an Update.
var (
	// ErrConflict says that a record does not pass the condition of its change. The
	// root re-exports it.
	ErrConflict = errors.New("the record does not pass the condition")
	// ErrOtherText says that a record does not have the text that Change.Was names.
	ErrOtherText = errors.New("another writer has changed the text meanwhile")
)

// Change says what of one record is to be other than it is.
type Change struct {
	ID     string
	Fields []FieldValue  // each place at most once, in ascending order
	Text   *string       // nil leaves the text, "" removes it
	Vector Vector        // the zero Vector leaves it
	Named  []NamedValue  // each place at most once
	If     filter.Filter // the record must pass it; the zero filter lets every record pass
	Was    *string       // the text that the record must have, nil for any; never with Text
}

// FieldValue is a value for a field.
type FieldValue struct {
	Place int // in Schema.Fields
	Value any // nil for none
}

// HasVector reports whether the change replaces the vector.
func (c *Change) HasVector() bool { return c.Vector.F32 != nil || c.Vector.F64 != nil }

// ChangedIDs returns the IDs of changes.
func ChangedIDs(changes []Change) []string {
	ids := make([]string, len(changes))
	for i := range changes {
		ids[i] = changes[i].ID
	}
	return ids
}

// Unmet collects the records of an Update that cannot be changed. The zero value
// is ready for use.
type Unmet struct{ refused []Refusal }

// Add notes why the change at a place is refused. Places come in any order, once each.
func (u *Unmet) Add(place int, err error) {
	u.refused = append(u.refused, Refusal{Index: place, Err: err})
}

// Err returns a *RefusedError that names the records in the order of the call, nil
// if there are none.
func (u *Unmet) Err() error {
	if u.refused == nil {
		return nil
	}
	slices.SortFunc(u.refused, func(a, b Refusal) int { return cmp.Compare(a.Index, b.Index) })
	return &RefusedError{Records: u.refused}
}

// CanHold refuses the text of a change where records have none.
func (c *Change) CanHold(hasText bool) error {
	if c.Text != nil && *c.Text != "" && !hasText {
		return &codec.ValueError{Field: "text", Pos: -1, Want: "none: the table was attached without a TextColumn", Got: filter.Describe(*c.Text)}
	}
	return nil
}

// Whole is what a verb returns that changes all of so many records or none.
func Whole(n int, err error) (int, error) {
	if err != nil {
		return 0, err
	}
	return n, nil
}
