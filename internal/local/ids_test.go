package local

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// A table of IDs is what two maps would be, whenever and however often it is packed,
// also when it was changed since.
func TestIDs(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	table, ids, rows := newIDs(), map[int32]string{}, map[string]int32{}
	end := int32(0)
	check := func() {
		t.Helper()
		require.Equal(t, len(rows), table.len())
		for row := range end + 3 {
			require.Equal(t, ids[row], table.id(row))
			require.Equal(t, ids[row] != "", table.used(row))
		}
		for n := range 400 {
			id := fmt.Sprint("id ", n)
			want, there := rows[id]
			got, ok := table.row(id)
			require.Equal(t, there, ok, id)
			if there {
				require.Equal(t, want, got)
			}
		}
	}
	change := func() {
		row := rng.Int32N(300)
		end = max(end, row+1)
		if rng.IntN(3) == 0 {
			table.free(row)
			delete(rows, ids[row])
			delete(ids, row)
			return
		}
		id := fmt.Sprint("id ", rng.IntN(400))
		if old, ok := rows[id]; ok { // it moves from one row to another, in either order
			if rng.IntN(2) == 0 {
				table.free(old)
				table.put(row, id)
			} else {
				table.put(row, id)
				if old != row {
					table.free(old)
				}
			}
			delete(ids, old)
		} else {
			table.put(row, id)
		}
		if old := ids[row]; old != id {
			delete(rows, old)
		}
		ids[row], rows[id] = id, row
	}
	for range 200 {
		for range rng.IntN(40) {
			change()
		}
		check()
		b, err := table.pack([]byte("tag"), end)
		require.NoError(t, err)
		for range rng.IntN(3) {
			change()
		}
		has := func(row int32) bool { return ids[row] != "" }
		if end := end; table.bytes() > 0 {
			packed, _, err := parseIDs(b, []byte("tag"), nil)
			require.NoError(t, err)
			require.LessOrEqual(t, packed.count, int(end))
			table.repack(packed)
		}
		check()
		b, err = table.pack(nil, end)
		require.NoError(t, err)
		_, live, err := parseIDs(b, nil, has)
		require.NoError(t, err)
		require.Equal(t, len(rows), live)
	}
	b, err := table.pack([]byte("tag"), end)
	require.NoError(t, err)
	for n := range len(b) { // whatever is cut off, or changed, is refused or harmless
		_, _, _ = parseIDs(b[:n], []byte("tag"), nil)
		b[n] ^= 0x55
		if p, _, err := parseIDs(b, []byte("tag"), nil); err == nil {
			p.row("id 7")
		}
		b[n] ^= 0x55
	}
}
