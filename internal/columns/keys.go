package columns

import (
	"cmp"
	"errors"
	"sort"
	"strings"
)

// ErrTooLarge says that the different texts of a column are too many to be kept.
var ErrTooLarge = errors.New("the texts of a column take more than 256 MiB")

// mostText is how many bytes those may have: who gives an index to long texts is not to
// find them in memory.
const mostText = 256 << 20

// keys are the different values of a run in ascending order.
type keys[K cmp.Ordered] interface {
	len() int
	at(i int) K
	add(k K) error // which is greater than all before
	done()         // all that was added can be asked for
	bytes() int
}

// newKeys returns keys without any.
func newKeys[K cmp.Ordered]() keys[K] {
	if k, ok := any(&texts{}).(keys[K]); ok {
		return k
	}
	return &numbers[K]{}
}

type numbers[K cmp.Ordered] struct{ all []K }

func (n *numbers[K]) len() int   { return len(n.all) }
func (n *numbers[K]) at(i int) K { return n.all[i] }
func (n *numbers[K]) done()      {}
func (n *numbers[K]) bytes() int { return 8 * cap(n.all) }
func (n *numbers[K]) add(k K) error {
	n.all = append(n.all, k)
	return nil
}

// texts are one after the other, so that the garbage collector has nothing to look at.
type texts struct {
	building strings.Builder
	all      string
	ends     []uint32
}

func (t *texts) len() int   { return len(t.ends) }
func (t *texts) done()      { t.all = t.building.String() }
func (t *texts) bytes() int { return t.building.Cap() + 4*cap(t.ends) }
func (t *texts) at(i int) string {
	from := uint32(0)
	if i > 0 {
		from = t.ends[i-1]
	}
	return t.all[from:t.ends[i]]
}

func (t *texts) add(k string) error {
	if t.building.Len()+len(k) > mostText {
		return ErrTooLarge
	}
	t.building.WriteString(k)
	t.ends = append(t.ends, uint32(t.building.Len()))
	return nil
}

// lower returns the place of the first key that is not less than k.
func lower[K cmp.Ordered](all keys[K], k K) int {
	return sort.Search(all.len(), func(i int) bool { return all.at(i) >= k })
}

// upper returns the place of the first key that is greater than k.
func upper[K cmp.Ordered](all keys[K], k K) int {
	return sort.Search(all.len(), func(i int) bool { return all.at(i) > k })
}
