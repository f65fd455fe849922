package transfer_test

import (
	"bytes"
	"fmt"
	"iter"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/transfer"
)

func rows[T codec.Float](rows ...[]T) iter.Seq2[[]T, error] {
	return func(yield func([]T, error) bool) {
		for _, row := range rows {
			if !yield(row, nil) {
				return
			}
		}
	}
}

func fvecs(t *testing.T, r ...[]float32) string {
	var out bytes.Buffer
	_, err := codec.WriteFvecs(&out, rows(r...))
	require.NoError(t, err)
	return out.String()
}

func npy[T codec.Float](t *testing.T, r ...[]T) string {
	var out bytes.Buffer
	_, err := codec.WriteNPY(&out, len(r), 2, rows(r...))
	require.NoError(t, err)
	return out.String()
}

// payload returns lines with the IDs 0, 1 and so on.
func payload(n int) string {
	var out strings.Builder
	for i := range n {
		fmt.Fprintf(&out, "{\"id\":\"%d\"}\n", i)
	}
	return out.String()
}

func TestReadVectors(t *testing.T) {
	float := vecwire.Schema{Name: "c", Dim: 2, Fields: allTypes}
	double := float
	double.Element = vecwire.DOUBLE
	r := [][]float32{{1, 2}, {3, 4}, {0.1, 6}}
	r64 := [][]float64{{1, 2}, {3, 4}, {0.1, 6}}
	in := func(read func(v, p string, s vecwire.Schema) iter.Seq2[vecwire.Record, error], v, p string, s vecwire.Schema) (out []vecwire.Record, errs []error) {
		seq := read(v, p, s)
		for range 3 { // in pieces, and beyond the end
			for r, err := range seq {
				if err != nil {
					errs = append(errs, err)
				} else {
					out = append(out, r)
				}
				if len(out)%2 == 1 {
					break
				}
			}
		}
		return out, errs
	}
	vecs := func(v, p string, s vecwire.Schema) iter.Seq2[vecwire.Record, error] {
		return transfer.ReadVecs(strings.NewReader(v), strings.NewReader(p), s)
	}
	array := func(v, p string, s vecwire.Schema) iter.Seq2[vecwire.Record, error] {
		return transfer.ReadNPY(strings.NewReader(v), strings.NewReader(p), s)
	}
	for _, tt := range []struct {
		name string
		got  func() ([]vecwire.Record, []error)
		want func(i int) vecwire.Record
	}{
		{"fvecs", func() ([]vecwire.Record, []error) { return in(vecs, fvecs(t, r...), payload(3), float) }, func(i int) vecwire.Record { return vecwire.Record{Vector: r[i]} }},
		{"fvecs for DOUBLE", func() ([]vecwire.Record, []error) { return in(vecs, fvecs(t, r...), payload(3), double) }, func(i int) vecwire.Record { return vecwire.Record{Vector: r[i]} }},
		{"f4", func() ([]vecwire.Record, []error) { return in(array, npy(t, r...), payload(3), float) }, func(i int) vecwire.Record { return vecwire.Record{Vector: r[i]} }},
		{"f8 for DOUBLE", func() ([]vecwire.Record, []error) { return in(array, npy(t, r64...), payload(3), double) }, func(i int) vecwire.Record { return vecwire.Record{Vector64: r64[i]} }},
		{"f4 for DOUBLE", func() ([]vecwire.Record, []error) { return in(array, npy(t, r...), payload(3), double) }, func(i int) vecwire.Record {
			return vecwire.Record{Vector64: []float64{float64(r[i][0]), float64(r[i][1])}}
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, errs := tt.got()
			require.Empty(t, errs)
			require.Len(t, got, 3)
			for i := range got {
				want := tt.want(i)
				want.ID = fmt.Sprint(i)
				require.Equal(t, want, got[i])
			}
		})
	}

	header := func(s vecwire.Schema) string {
		var out bytes.Buffer
		require.NoError(t, transfer.WriteSchema(&out, s))
		return out.String()
	}
	other := float
	other.Model = "m"
	mine := float
	mine.Model = "n"
	for _, tt := range []struct {
		name   string
		in     iter.Seq2[vecwire.Record, error]
		before int
		want   string
	}{
		{"fewer vectors", vecs(fvecs(t, r[:2]...), payload(3), float), 2, "transfer: the vectors end before row 2, which has a payload"},
		{"fewer lines", vecs(fvecs(t, r...), payload(2), float), 2, "transfer: the payload ends before row 2, which has a vector"},
		{"no lines", vecs(fvecs(t, r...), "", float), 0, "transfer: the payload ends before row 0, which has a vector"},
		{"no vectors", vecs("", payload(1), float), 0, "transfer: the vectors end before row 0, which has a payload"},
		{"half a vector", vecs(fvecs(t, r...)[:20], payload(3), float), 1, "transfer: vector of row 1: file ends inside a row at byte 20"},
		{"half of the last vector", vecs(fvecs(t, r...)[:35], payload(2), float), 2, "transfer: vector of row 2: file ends inside a row at byte 35"},
		{"other dimension", vecs(fvecs(t, []float32{1, 2, 3}), payload(1), float), 0, "transfer: vector of row 0: vector has 3 dimensions, want 2"},
		{"other model", vecs(fvecs(t, r...), header(other)+payload(3), mine), 0, `transfer: the schema in the file does not fit: embedding model mismatch: vectors of "m", and "c" is a collection of "n"`},
		{"fewer rows", array(npy(t, r[:2]...), payload(3), float), 2, "transfer: the vectors end before row 2, which has a payload"},
		{"more rows", array(npy(t, r...), payload(2), float), 2, "transfer: the payload ends before row 2, which has a vector"},
		{"bytes behind", array(npy(t, r[:2]...)+"x", payload(2), float), 2, "transfer: vector of row 2: bytes after the last row at byte 144"},
		{"f8 for FLOAT", array(npy(t, r64...), payload(3), float), 0, "transfer: vector of row 0: vector has DOUBLE elements, want FLOAT"},
		{"not an array", array("PK something", payload(3), float), 0, "transfer: vector of row 0: not an .npy file at byte 0"},
		{"other dimension of the array", array(npy(t, r...), payload(3), vecwire.Schema{Dim: 3}), 0, "transfer: vector of row 0: vector has 2 dimensions, want 3"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, errs := read(tt.in)
			require.Len(t, got, tt.before)
			require.Len(t, errs, 1)
			require.EqualError(t, errs[0], tt.want)
			got, errs = read(tt.in)
			require.Empty(t, got)
			require.Len(t, errs, 1)
			require.EqualError(t, errs[0], tt.want, "an error is final")
		})
	}
}

// TestReadVectorsPassesOver leaves out a row whose payload cannot be read.
func TestReadVectorsPassesOver(t *testing.T) {
	s := vecwire.Schema{Name: "c", Dim: 1}
	lines := "{\"id\":\"0\"}\n{\"id\":1}\n\n{\"id\":\"2\",\"vector\":[1]}\n{\"id\":\"3\"}\n"
	got, errs := read(transfer.ReadVecs(strings.NewReader(fvecs(t, []float32{0}, []float32{1}, []float32{2}, []float32{3})), strings.NewReader(lines), s))
	require.Equal(t, []vecwire.Record{{ID: "0", Vector: []float32{0}}, {ID: "3", Vector: []float32{3}}}, got)
	require.Len(t, errs, 2)
	require.EqualError(t, errs[0], `record 1 (id ""): line 2: id is 1, want String`)
	require.EqualError(t, errs[1], `record 2 (id "2"): line 4: vector is an array, want none beside a file of vectors`)
}

// TestReadersOwnTheirVectors keeps every record while the next are read: the
// readers of package codec yield one slice over and over, and a record has its own.
func TestReadersOwnTheirVectors(t *testing.T) {
	s := vecwire.Schema{Name: "c", Dim: 2}
	header := "{'descr': '|i1', 'fortran_order': True, 'shape': (3, 2), }\n"
	columns := "\x93NUMPY\x01\x00" + string([]byte{byte(len(header)), 0}) + header + "\x01\x02\x03\xff\xfe\xfd"
	for name, records := range map[string]iter.Seq2[vecwire.Record, error]{
		"fvecs":                 transfer.ReadVecs(strings.NewReader(fvecs(t, []float32{1, -1}, []float32{2, -2}, []float32{3, -3})), strings.NewReader(payload(3)), s),
		"npy":                   transfer.ReadNPY(strings.NewReader(npy(t, []float32{1, -1}, []float32{2, -2}, []float32{3, -3})), strings.NewReader(payload(3)), s),
		"int8 in Fortran order": transfer.ReadNPY(strings.NewReader(columns), strings.NewReader(payload(3)), s),
	} {
		got, errs := read(records)
		require.Empty(t, errs, name)
		require.Len(t, got, 3, name)
		for i, r := range got {
			require.Equal(t, []float32{float32(i + 1), float32(-i - 1)}, r.Vector, name)
		}
	}
}
