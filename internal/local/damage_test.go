package local

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
)

// damagesFlag is how many damages TestDamages does instead of some.
const damagesFlag = "VECWIRE_TEST_DAMAGES"

// damageable is the collections of a store that is to be damaged: vectors many to a page, two
// to a page, and in pages of their own.
var damageable = []engine.Schema{
	{Name: "docs", Dim: 8, Metric: codec.Cosine, FullText: engine.English, Fields: checkedSchema.Fields},
	{Name: "pairs", Dim: 384, Metric: codec.L2, Index: engine.NoIndex, Fields: []engine.Field{{Name: "n", Type: filter.Int, Index: true}}},
	{Name: "doubles", Element: codec.DOUBLE, Dim: 16, Metric: codec.L2, Index: engine.NoIndex, Fields: []engine.Field{{Name: "n", Type: filter.Int, Index: true}}},
	{Name: "longdoubles", Element: codec.DOUBLE, Dim: 600, Metric: codec.Cosine, Fields: []engine.Field{{Name: "n", Type: filter.Int, Index: true}}},
	{Name: "long", Dim: 1100, Metric: codec.Dot, FullText: engine.Words, Fields: []engine.Field{{Name: "n", Type: filter.Int, Index: true}}},
}

func damageableRecord(schema engine.Schema, i, version int) engine.Record {
	rng := rand.New(rand.NewPCG(uint64(i), uint64(version)))
	r := engine.Record{ID: fmt.Sprint("r", i), Vector: vectorOf(schema, rng.NormFloat64), Fields: make([]any, len(schema.Fields))}
	r.Fields[0] = int64(i % 9)
	if len(schema.Fields) > 2 {
		r.Fields[1], r.Fields[2] = []string{"go", fmt.Sprint("t", i%5)}, []float64{0.5, float64(i)}
	}
	if schema.FullText != engine.NoFullText {
		r.Text = fmt.Sprintf("version %d of the record %d", version, i)
	}
	return r
}

// damage returns what a file of the store is after it was damaged.
func (d *damaged) damage(rng *rand.Rand) (what, name string, b []byte) {
	kinds := slices.Sorted(maps.Keys(d.pages))
	names := slices.DeleteFunc(slices.Sorted(maps.Keys(d.files)), func(name string) bool { return len(d.files[name]) == 0 })
	name = names[rng.IntN(len(names))]
	if rng.IntN(2) == 0 {
		name = d.path
	}
	b = slices.Clone(d.files[name])
	from, to := 0, len(b)
	if name == d.path && rng.IntN(4) > 0 { // a page of one kind, however few there are
		kind := kinds[rng.IntN(len(kinds))]
		page := d.pages[kind][rng.IntN(len(d.pages[kind]))]
		from, to = (page-1)*4096, page*4096
		what = kind + " "
	}
	at := from + rng.IntN(to-from)
	switch rng.IntN(7) {
	case 0, 1:
		b[at] ^= 1 << rng.IntN(8)
		what += fmt.Sprintf("a bit of byte %d", at)
	case 2:
		for range 20 {
			b[from+rng.IntN(to-from)] ^= 1 << rng.IntN(8)
		}
		what += fmt.Sprintf("20 bits of bytes %d to %d", from, to)
	case 3:
		b = b[:at]
		what += fmt.Sprintf("cut to %d of %d bytes", at, len(d.files[name]))
	case 4:
		page := b[at/4096*4096 : min(at/4096*4096+4096, len(b))]
		clear(page)
		what += fmt.Sprintf("page %d is zero", at/4096+1)
	case 5:
		for page := b[at/4096*4096 : min(at/4096*4096+4096, len(b))]; len(page) > 0; page = page[1:] {
			page[0] = byte(rng.Uint32())
		}
		what += fmt.Sprintf("page %d is noise", at/4096+1)
	default:
		other := rng.IntN(len(b))
		copy(b[at/4096*4096:], d.files[name][other/4096*4096:min(other/4096*4096+4096, len(b))])
		what += fmt.Sprintf("page %d is page %d", at/4096+1, other/4096+1)
	}
	return filepath.Base(name) + ": " + what, name, b
}

// A damaged store, or one that is damaged while it is open and its vectors are mapped, says so
// or is what it was: by an error, a warning in the log, or DB.Check. It never ends the process.
func TestDamages(t *testing.T) {
	times := 60
	if testing.Short() {
		times = 30
	}
	if n, err := strconv.Atoi(os.Getenv(damagesFlag)); err == nil {
		times = n
	}
	stores := []*damaged{newDamaged(t, false), newDamaged(t, true)}
	count := map[string]int{}
	for i := range times {
		rng := rand.New(rand.NewPCG(1, uint64(i)))
		d := stores[rng.IntN(2)]
		what, name, b := d.damage(rng)
		live := rng.IntN(3) == 0
		what = fmt.Sprintf("damage %d, live %t, of %s", i, live, what)
		count[d.try(t, what, name, b, live, rng)]++
	}
	t.Logf("%d damages: %v", times, count)
}

// try damages the store, and returns who noticed.
func (d *damaged) try(t *testing.T, what, name string, b []byte, live bool, rng *rand.Rand) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	opts := Options{ReadOnly: rng.IntN(3) == 0}
	d.restore(t, nil)
	if !live {
		d.restore(t, map[string][]byte{name: b})
	}
	s, warned, err := d.open(t, d.path, opts)
	if err != nil {
		require.False(t, live, "%s: %v", what, err)
		return "refused"
	}
	defer s.Close()
	if live {
		_, failed := d.look(ctx, s)
		require.Empty(t, failed)
		overwrite(t, name, b)
	}
	seen, failed := d.look(ctx, s)
	require.NoError(t, ctx.Err(), what)
	difference := d.different(seen)
	noticed := ""
	switch {
	case len(failed) > 0:
		noticed = "by an error"
	case warned() != "":
		noticed = "by a warning"
	}
	report, err := s.Check(ctx)
	switch {
	case err != nil:
		require.NoError(t, ctx.Err(), what)
		noticed += " and Check fails"
	case report.Total > 0:
		noticed += " and by Check"
	}
	if difference != "" && noticed == "" && live && strings.Contains(difference, " exact: ") {
		// It was compared before, and nobody but SQLite should write to the file. After Check it
		// is compared again.
		seen, failed := d.look(ctx, s)
		if difference = d.different(seen); len(failed) > 0 || warned() != "" || difference == "" {
			return "only after Check"
		}
	}
	if difference != "" && noticed == "" && !live && strings.HasSuffix(name, "-wal") {
		return "an earlier commit" // SQLite takes what is damaged for the end of a log
	}
	if difference != "" {
		require.NotEmpty(t, noticed, "%s: %s", what, difference)
	}
	if noticed == "" {
		return "harmless"
	}
	if difference != "" {
		noticed += ", with wrong answers"
	}
	return noticed
}

// overwrite damages a file that is open.
func overwrite(t *testing.T, name string, b []byte) {
	t.Helper()
	f, err := os.OpenFile(name, os.O_RDWR, 0)
	if os.IsNotExist(err) {
		return
	}
	require.NoError(t, err)
	defer f.Close()
	_, err = f.WriteAt(b, 0)
	require.NoError(t, err)
	require.NoError(t, f.Truncate(int64(len(b))))
}

// A vector that something else overwrites in the file, after it was compared, is compared again
// after Check.
func TestCheckDoubtsVectors(t *testing.T) {
	d := newDamaged(t, false)
	d.restore(t, nil)
	s, _, err := d.open(t, d.path, Options{})
	require.NoError(t, err)
	defer s.Close()
	d.look(t.Context(), s)
	b := slices.Clone(d.files[d.path])
	for _, in := range []string{"pairs", "doubles"} {
		for _, page := range d.pages[in+".data leaf"] {
			clear(b[(page-1)*4096 : page*4096])
		}
	}
	overwrite(t, d.path, b)
	seen, _ := d.look(t.Context(), s)
	for _, in := range []string{"pairs", "doubles"} {
		way := in + " exact"
		require.NotEmpty(t, d.different(map[string][]string{way: seen[way]}), "this test shows nothing of %s", in)
	}
	_, err = s.Check(t.Context())
	require.NoError(t, err)
	seen, failed := d.look(t.Context(), s)
	require.True(t, d.different(seen) == "" || len(failed) > 0)
}
