package ann

import (
	"fmt"
	"math/bits"
	"os"
	"slices"

	"github.com/vecwire/vecwire/codec"
)

// The links of groups are sections of a snapshot of their own. That of the groups has some
// words for each: its number, its key, where its walks begin, whether these find what they
// should, how many doors there are, and these.
const (
	groupWords     = 5
	mostGroupWords = 1 << 27
)

// Bits of a group's state.
const (
	groupUnfit     = 1 << iota // walks find too little
	groupUnchecked             // it is not known what they find

	groupEffort = 8 // from this bit on: the effort that they take, up to mostEffort
	mostEffort  = 64
)

// put makes the links of groups sections of a snapshot.
func (k *kin) put(all *[sections][]byte, now *codes) {
	var words []uint64
	for _, grp := range k.byNumber {
		if grp == nil {
			continue
		}
		state := uint64(0)
		if grp.unfit.Load() {
			state |= groupUnfit
		}
		if grp.exam.codes.Load() != now {
			state |= groupUnchecked
		}
		doors := slices.DeleteFunc(slices.Clone(grp.doors.all()), func(row int32) bool { return !grp.has(row) })
		words = append(words, uint64(grp.number), grp.key, uint64(grp.entry.Load()), state|uint64(grp.effort.Load())<<groupEffort, uint64(len(doors)))
		for _, row := range doors {
			words = append(words, uint64(row))
		}
	}
	all[groupSection] = bytesOf(words)
	all[kinOfSection] = bytesOf(k.of.all)
	all[kinFreshSection], all[kinStaleSection], all[kinKnownSection] = bytesOf(k.fresh.words), bytesOf(k.stale.words), bytesOf(k.known.words)
	all[kinBaseSection], all[kinUpperSection] = bytesOf(k.links.base.all), bytesOf(k.links.upper.all)
}

// numberedKin returns links of groups of so many rows, without room for them.
func numberedKin(m, rows int) *kin {
	k := newKin(kinM(m), 0)
	k.links.place = make([]int32, 0, rows/placeRows+1)
	k.links.number(rows)
	return k
}

// lengths says how long the sections must be.
func (k *kin) lengths(h *snapshotHeader, rows int, want *[sections]int) {
	words := 8 * ((rows + 63) / 64)
	want[groupSection] = 8 * int(min(h.Sections[groupSection].Length/8, mostGroupWords))
	want[kinOfSection] = 4 * rows
	want[kinFreshSection], want[kinStaleSection], want[kinKnownSection] = words, words, words
	want[kinBaseSection] = 4 * rows * k.links.m0
	want[kinUpperSection] = 4 * k.links.lists * k.links.m
}

// takeRegions maps what is large, and says where the others are to be copied.
func (k *kin) takeRegions(l *mapper, rows int, at *[sections]uint64, to *[sections][]byte) {
	k.fresh.grow(rows)
	k.stale.grow(rows)
	k.known.grow(rows)
	for _, s := range k.regions() {
		takeRegion(l, s.region, at[s.section], s.length, &to[s.section])
	}
	to[kinFreshSection], to[kinStaleSection], to[kinKnownSection] = bytesOf(k.fresh.words), bytesOf(k.stale.words), bytesOf(k.known.words)
}

// kinRegion is a region and the section that it is in a snapshot.
type kinRegion struct {
	region          *region[uint32]
	section, length int
}

func (k *kin) regions() [3]kinRegion {
	l := k.links
	return [...]kinRegion{{&k.of, kinOfSection, l.count}, {&l.base, kinBaseSection, l.count * l.m0}, {&l.upper, kinUpperSection, l.lists * l.m}}
}

// remap maps the regions from a snapshot that was just written.
func (k *kin) remap(f *os.File, h *snapshotHeader, at *[sections]uint64) {
	for _, s := range k.regions() {
		remapRegion(s.region, f, h, *at, s.section)
	}
}

// take makes the groups those of a section, when all others were copied or mapped, and
// reports what is wrong with all of these, as far as it could do harm.
func (k *kin) take(section []byte, live *Bitmap, rows int, now *codes) error {
	words := make([]uint64, len(section)/8)
	copy(bytesOf(words), section)
	for len(words) > 0 {
		if len(words) < groupWords || words[4] > maxDoors || len(words) < groupWords+int(words[4]) {
			return fmt.Errorf("%w: its last group has %d words", ErrSnapshot, len(words))
		}
		number, doors := words[0], words[groupWords:groupWords+int(words[4])]
		if number == 0 || number > uint64(rows) || number < uint64(len(k.byNumber)) {
			return fmt.Errorf("%w: it has a group %d of %d rows, after %d", ErrSnapshot, number, rows, len(k.byNumber)-1)
		}
		k.byNumber = append(k.byNumber, make([]*kinGroup, int(number)-len(k.byNumber))...)
		grp := &kinGroup{of: k, number: uint32(number), key: words[1]}
		grp.init(k.links, &k.fresh, &k.stale)
		grp.group = grp
		k.byNumber = append(k.byNumber, grp)
		grp.entry.Store(int64(words[2]))
		grp.effort.Store(int64(words[3] >> groupEffort))
		if grp.effort.Load() < 0 || grp.effort.Load() > mostEffort {
			return fmt.Errorf("%w: group %d has the state %#x", ErrSnapshot, number, words[3])
		}
		grp.unfit.Store(words[3]&groupUnfit != 0)
		if words[3]&groupUnchecked == 0 {
			grp.exam.codes.Store(now)
		}
		opened := make([]int32, len(doors))
		for i, row := range doors {
			if row >= uint64(rows) || k.of.all[row] != grp.number {
				return fmt.Errorf("%w: searches in group %d begin at row %d of %d", ErrSnapshot, number, row, rows)
			}
			opened[i] = int32(row)
		}
		grp.doors.set(opened)
		words = words[groupWords+len(doors):]
	}
	k.publish()
	return k.count(live, rows)
}

// count is the part of take about rows.
func (k *kin) count(live *Bitmap, rows int) error {
	for row, number := range k.of.all {
		if int(number) >= len(k.byNumber) || number != 0 && k.byNumber[number] == nil {
			return fmt.Errorf("%w: row %d is of group %d", ErrSnapshot, row, number)
		}
	}
	for i := range k.fresh.words {
		fresh, stale, known := k.fresh.words[i], k.stale.words[i], k.known.words[i]
		if past := 64*i + 64 - rows; past > 0 && (fresh|stale|known)>>(64-past) != 0 || (fresh|known)&^live.word(i) != 0 || fresh&stale != 0 {
			return fmt.Errorf("%w: of the rows from %d on are live %#x, fresh in groups %#x, stale %#x, known %#x", ErrSnapshot, 64*i, live.word(i), fresh, stale, known)
		}
		for w := fresh | stale | known; w != 0; w &= w - 1 {
			row := 64*i + bits.TrailingZeros64(w)
			bit := w & -w
			switch grp := k.byNumber[k.of.all[row]]; {
			case grp == nil && (fresh|stale)&bit != 0:
				return fmt.Errorf("%w: row %d is linked in no group", ErrSnapshot, row)
			case grp == nil:
			default:
				grp.add(fresh&bit != 0, stale&bit != 0, known&bit != 0)
			}
		}
	}
	k.fresh.recount()
	k.stale.recount()
	k.known.recount()
	for _, grp := range k.byNumber {
		if grp == nil {
			continue
		}
		row, level, ok := grp.entry.top()
		if !ok && grp.fit.Load() > 0 || ok && (row < 0 || int(row) >= rows || level != k.links.level(row) || k.of.all[row] != grp.number) {
			return fmt.Errorf("%w: walks in group %d begin at %#x", ErrSnapshot, grp.number, grp.entry.Load())
		}
		grp.due = grp.fit.Load() < grp.size.Load()
	}
	return k.links.verify()
}

// add counts a row of the group.
func (grp *kinGroup) add(fresh, stale, known bool) {
	if fresh {
		grp.fit.Add(1)
	}
	if stale {
		grp.gone.Add(1)
	}
	if known {
		grp.size.Add(1)
	}
}

// openLongestKin makes doors of the longest rows of each group, for Dot.
func (g *core) openLongestKin() {
	k := g.kin.Load()
	if k == nil || g.metric != codec.Dot {
		return
	}
	for _, grp := range *k.byKey.Load() {
		grp.set = new(Bitmap)
	}
	k.gather()
	for _, grp := range *k.byKey.Load() {
		g.openLongest(&grp.web)
		grp.rows, grp.set = nil, nil
	}
}
