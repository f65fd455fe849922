package codec

import (
	"bytes"
	"errors"
	"io"
	"iter"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/internal/testenv"
)

// collect returns clones of all rows, and the error that ended them.
func collect[T any](rows iter.Seq2[[]T, error]) (all [][]T, err error) {
	for row, err := range rows {
		if err != nil {
			return all, err
		}
		all = append(all, slices.Clone(row))
	}
	return all, nil
}

const (
	fvecs = "\x02\x00\x00\x00\x00\x00\x80\x3f\x00\x00\x20\xc0" + "\x02\x00\x00\x00\x00\x00\x00\x00\x00\x00\x80\xbf"
	bvecs = "\x03\x00\x00\x00\x00\x7f\xff" + "\x03\x00\x00\x00\x01\x02\x03"
	ivecs = "\x02\x00\x00\x00\x07\x00\x00\x00\xff\xff\xff\xff"
)

func TestReadVecs(t *testing.T) {
	for name, reader := range map[string]func(string) io.Reader{
		"whole":     func(s string) io.Reader { return strings.NewReader(s) },
		"by a byte": func(s string) io.Reader { return iotest.OneByteReader(strings.NewReader(s)) },
	} {
		t.Run(name, func(t *testing.T) {
			floats, err := collect(ReadFvecs(reader(fvecs)))
			require.NoError(t, err)
			require.Equal(t, [][]float32{{1, -2.5}, {0, -1}}, floats)
			floats, err = collect(ReadBvecs(reader(bvecs)))
			require.NoError(t, err)
			require.Equal(t, [][]float32{{0, 127, 255}, {1, 2, 3}}, floats)
			ints, err := collect(ReadIvecs(reader(ivecs)))
			require.NoError(t, err)
			require.Equal(t, [][]int32{{7, -1}}, ints)
			floats, err = collect(ReadFvecs(reader("")))
			require.NoError(t, err)
			require.Empty(t, floats)
		})
	}
}

func TestReadVecsReusesItsSlice(t *testing.T) {
	var first []float32
	for row, err := range ReadBvecs(strings.NewReader(bvecs)) {
		require.NoError(t, err)
		if first == nil {
			first = row
		}
		require.Same(t, &first[0], &row[0])
	}
}

func TestReadVecsGoesOn(t *testing.T) {
	rows := ReadBvecs(strings.NewReader(bvecs))
	for row := range rows {
		require.Equal(t, []float32{0, 127, 255}, row)
		break
	}
	rest, err := collect(rows)
	require.NoError(t, err)
	require.Equal(t, [][]float32{{1, 2, 3}}, rest)
}

func TestReadVecsRefuses(t *testing.T) {
	for in, want := range map[string]string{
		bvecs[:1]:                        "file ends inside the count of a row at byte 1",
		bvecs[:4]:                        "file ends inside a row at byte 4",
		bvecs[:13]:                       "file ends inside a row at byte 13",
		"\x00\x00\x00\x00":               "row says it has 0 elements, want 1 to 65536 at byte 0",
		"\xff\xff\xff\x7f":               "row says it has 2147483647 elements, want 1 to 65536 at byte 0",
		"\xff\xff\xff\xff":               "row says it has -1 elements, want 1 to 65536 at byte 0",
		bvecs[:7] + "\x02\x00\x00\x00ab": "row says it has 2 elements, the first has 3 at byte 7",
	} {
		rows := ReadBvecs(strings.NewReader(in))
		_, err := collect(rows)
		require.EqualError(t, err, want)
		require.ErrorAs(t, err, new(*SyntaxError))
		_, again := collect(rows)
		require.Equal(t, err, again, "an error is final")
	}
}

func TestReadVecsKeepsTheReadersError(t *testing.T) {
	broken := errors.New("disk on fire")
	rows, err := collect(ReadBvecs(io.MultiReader(strings.NewReader(bvecs[:9]), iotest.ErrReader(broken))))
	require.Len(t, rows, 1)
	require.ErrorIs(t, err, broken)
	require.EqualError(t, err, "read at byte 9: disk on fire")
}

func openReal(t *testing.T, name string) io.Reader {
	f, err := os.Open(testenv.Data(t, name))
	require.NoError(t, err)
	t.Cleanup(func() { _ = f.Close() })
	return f
}

func TestReadRealBvecs(t *testing.T) {
	var n int
	var sum float64
	for row, err := range ReadBvecs(openReal(t, "sift100k_base.bvecs")) {
		require.NoError(t, err)
		if err := Check(row, 128, L2); err != nil {
			t.Fatal(err)
		}
		for _, x := range row {
			sum += float64(x)
		}
		n++
	}
	require.Equal(t, 100_000, n)
	require.InDelta(t, 26, sum/float64(n*128), 10, "mean of a SIFT descriptor's element")
}

// TestReadRealIvecs checks the nearest row that the ground truth names against a scan.
func TestReadRealIvecs(t *testing.T) {
	truth, err := collect(ReadIvecs(openReal(t, "sift100k_groundtruth_l2.ivecs")))
	require.NoError(t, err)
	require.Len(t, truth, 1000)
	require.Len(t, truth[0], 100)
	queries, err := collect(ReadBvecs(openReal(t, "sift_query.bvecs")))
	require.NoError(t, err)
	require.Len(t, queries, 1000)

	var i int32
	var distances []float32
	for row, err := range ReadBvecs(openReal(t, "sift100k_base.bvecs")) {
		require.NoError(t, err)
		var d float32
		for j, x := range row {
			d += (x - queries[0][j]) * (x - queries[0][j])
		}
		distances = append(distances, d)
		i++
	}
	require.Equal(t, slices.Min(distances), distances[truth[0][0]])
}

func FuzzReadVecs(f *testing.F) {
	for _, s := range []string{"", fvecs, bvecs, ivecs, "\xff\xff\xff\x7f", "\x01\x00\x00"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		floats, err := collect(ReadFvecs(bytes.NewReader(b)))
		requireWhole(t, len(b), floats, 4, err)
		floats, err = collect(ReadBvecs(bytes.NewReader(b)))
		requireWhole(t, len(b), floats, 1, err)
		ints, err := collect(ReadIvecs(bytes.NewReader(b)))
		requireWhole(t, len(b), ints, 4, err)
	})
}

// requireWhole fails unless rows account for all of a file of n bytes, or err
// says which of its bytes is wrong.
func requireWhole[T any](t *testing.T, n int, rows [][]T, size int, err error) {
	t.Helper()
	bytes := 0
	for _, row := range rows {
		bytes += 4 + len(row)*size
	}
	if err == nil {
		require.Equal(t, n, bytes)
		return
	}
	var syntax *SyntaxError
	require.ErrorAs(t, err, &syntax)
	require.True(t, int64(bytes) <= syntax.Offset && syntax.Offset <= int64(n))
}
