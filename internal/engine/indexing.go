package engine

import "fmt"

// Indexing says whether an index is built that nobody asked for.
type Indexing uint8

// The ways to have an index.
const (
	AutoIndex Indexing = iota // when the collection has grown so far that it pays
	NoIndex                   // by BuildIndex alone
)

// String returns "auto" or "none".
func (i Indexing) String() string {
	switch i {
	case AutoIndex:
		return "auto"
	case NoIndex:
		return "none"
	}
	return fmt.Sprintf("Indexing(%d)", uint8(i))
}
