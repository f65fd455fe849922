package transfer

import (
	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/codec"
)

// longLists are the long lists of numbers in a line, which are its vectors in all
// likelihood. They are read while the line is checked, so that nothing looks at their
// bytes again.
type longLists struct {
	schema vecwire.Schema
	size   int // the line's capacity; that of a part of it says where the part begins
	all    []longList
}

type longList struct {
	at, end int
	numbers []float32
}

func (l *longLists) begin(line []byte) { l.size, l.all = cap(line), l.all[:0] }

// in returns what numbersIn says of what stands behind the bracket at b[i], and takes the
// list down if it is one of as many as a record has vectors.
func (l *longLists) in(b []byte, i int) int {
	if l == nil || l.schema.Element == vecwire.DOUBLE || len(l.all) > len(l.schema.Vectors) {
		return numbersIn(b[i+1:])
	}
	room := max(0, min(l.schema.Dim, 1<<16, (len(b)-i)/2))
	v, n, err := codec.ParseJSON(make([]float32, 0, room), b[i:])
	switch {
	case err != nil: // the line may be JSON all the same
		return numbersIn(b[i+1:])
	case n-2 >= longRun:
		l.all = append(l.all, longList{i, i + n, v})
	}
	return n - 2
}

// of returns the list that begins where value does, nil if there is none.
func (l *longLists) of(value []byte) *longList {
	for i := range l.all {
		if l.all[i].at == l.size-cap(value) {
			return &l.all[i]
		}
	}
	return nil
}

// length returns how many bytes the value at the beginning of a part of the line has.
func (l *longLists) length(b []byte) int {
	if l != nil && b[0] == '[' {
		if known := l.of(b); known != nil {
			return known.end - known.at
		}
	}
	return length(b)
}
