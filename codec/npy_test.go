package codec

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"math"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"
)

// npy returns a file of the given version, header text and data.
func npy(version byte, header, data string) string {
	header += "\n"
	out := []byte("\x93NUMPY" + string(version) + "\x00")
	if version == 1 {
		out = binary.LittleEndian.AppendUint16(out, uint16(len(header)))
	} else {
		out = binary.LittleEndian.AppendUint32(out, uint32(len(header)))
	}
	return string(out) + header + data
}

func dict(typ, order, shape string) string {
	return "{'descr': '" + typ + "', 'fortran_order': " + order + ", 'shape': " + shape + ", }"
}

func TestReadNPY(t *testing.T) {
	f2 := "\x00\x3c\x00\xc0\x66\x2e\x00\x00"
	f4 := string(AppendBlob(nil, []float32{1, -2, 0.1, 0}))
	f8 := string(AppendBlob(nil, []float64{1, -2, 0.1, 0}))
	plain := [][]float64{{1, -2}, {0.1, 0}}
	tests := []struct {
		name string
		file string
		typ  string
		want [][]float64
	}{
		{"f4", npy(1, dict("<f4", "False", "(2, 2)"), f4), "<f4", [][]float64{{1, -2}, {float64(float32(0.1)), 0}}},
		{"f8", npy(1, dict("<f8", "False", "(2, 2)"), f8), "<f8", plain},
		{"f2", npy(1, dict("<f2", "False", "(2, 2)"), f2), "<f2", [][]float64{{1, -2}, {0.0999755859375, 0}}},
		{"u1", npy(1, dict("|u1", "False", "(2, 2)"), "\x00\x01\x80\xff"), "|u1", [][]float64{{0, 1}, {128, 255}}},
		{"version 2", npy(2, dict("<f8", "False", "(2, 2)"), f8), "<f8", plain},
		{"version 3", npy(3, dict("<f8", "False", "(2, 2)"), f8), "<f8", plain},
		{"other spacing, quotes and order", npy(1, `{"shape":(2,2,),"descr":"<f8" , "fortran_order":False}       `, f8), "<f8", plain},
		{"big-endian f4", npy(1, dict(">f4", "False", "(1, 2)"), "\x3f\x80\x00\x00\xc0\x00\x00\x00"), ">f4", [][]float64{{1, -2}}},
		{"big-endian f2", npy(1, dict(">f2", "False", "(1, 2)"), "\x3c\x00\xc0\x00"), ">f2", [][]float64{{1, -2}}},
		{"big-endian f8", npy(1, dict(">f8", "False", "(1, 2)"), "\x3f\xf0\x00\x00\x00\x00\x00\x00\xc0\x00\x00\x00\x00\x00\x00\x00"), ">f8", [][]float64{{1, -2}}},
		{"i1", npy(1, dict("|i1", "False", "(2, 2)"), "\x00\x7f\x80\xff"), "|i1", [][]float64{{0, 127}, {-128, -1}}},
		{"i1 with an order", npy(1, dict("<i1", "False", "(1, 2)"), "\x80\xff"), "<i1", [][]float64{{-128, -1}}},
		{"i2", npy(1, dict("<i2", "False", "(1, 2)"), "\x00\x80\xfe\xff"), "<i2", [][]float64{{-32768, -2}}},
		{"u2", npy(1, dict("<u2", "False", "(1, 2)"), "\x00\x80\xfe\xff"), "<u2", [][]float64{{32768, 65534}}},
		{"i4", npy(1, dict("<i4", "False", "(1, 2)"), "\xff\xff\xff\xff\x00\x00\x00\x80"), "<i4", [][]float64{{-1, math.MinInt32}}},
		{"big-endian i4", npy(1, dict(">i4", "False", "(1, 2)"), "\xff\xff\xff\xfe\x01\x00\x00\x00"), ">i4", [][]float64{{-2, 1 << 24}}},
		{"u4", npy(1, dict("<u4", "False", "(1, 1)"), "\x00\x00\x00\x80"), "<u4", [][]float64{{1 << 31}}},
		{"i8", npy(1, dict("<i8", "False", "(2, 1)"), "\xfe\xff\xff\xff\xff\xff\xff\xff\x00\x00\x00\x00\x00\x00\x00\x80"), "<i8", [][]float64{{-2}, {math.MinInt64}}},
		{"u8", npy(1, dict("<u8", "False", "(1, 1)"), "\x00\x00\x00\x00\x00\x00\x00\x80"), "<u8", [][]float64{{1 << 63}}},
		{"Fortran order", npy(1, dict("<f8", "True", "(2, 2)"), f8), "<f8", [][]float64{{1, 0.1}, {-2, 0}}},
		{"Fortran order, narrow", npy(1, dict("|u1", "True", "(3, 2)"), "\x01\x02\x03\x04\x05\x06"), "|u1", [][]float64{{1, 4}, {2, 5}, {3, 6}}},
		{"Fortran order, big-endian", npy(1, dict(">i2", "True", "(1, 2)"), "\x00\x01\xff\xfe"), ">i2", [][]float64{{1, -2}}},
		{"Fortran order, no rows", npy(1, dict("<f8", "True", "(0, 2)"), ""), "<f8", nil},
		{"no rows", npy(1, dict("<f8", "False", "(0, 2)"), ""), "<f8", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			n, err := ReadNPY(iotest.OneByteReader(strings.NewReader(tt.file)))
			require.NoError(t, err)
			dim := 2
			if len(tt.want) > 0 {
				dim = len(tt.want[0])
			}
			require.Equal(t, []any{len(tt.want), dim, tt.typ}, []any{n.Rows, n.Dim, n.Type})
			rows, err := collect(n.Float64s())
			require.NoError(t, err)
			require.Equal(t, tt.want, rows)

			n, err = ReadNPY(strings.NewReader(tt.file))
			require.NoError(t, err)
			floats, err := collect(n.Float32s())
			require.NoError(t, err)
			for i, row := range floats {
				require.Equal(t, singles(tt.want[i]), row)
			}
		})
	}
}

func TestNPYFloat32sOfLargeFloat64(t *testing.T) {
	n, err := ReadNPY(strings.NewReader(npy(1, dict("<f8", "False", "(1, 1)"), string(AppendBlob(nil, []float64{1e300})))))
	require.NoError(t, err)
	for row, err := range n.Float32s() {
		require.NoError(t, err)
		require.True(t, math.IsInf(float64(row[0]), 1))
		require.ErrorAs(t, Check(row, 1, L2), new(*ValueError))
	}
}

// An integer is given exactly or not at all.
func TestNPYRefusesToRoundIntegers(t *testing.T) {
	for _, tt := range []struct {
		typ, data, got string
		doubles        bool
	}{
		{"<i4", "\x01\x00\x00\x01", "16777217", false},
		{">u4", "\xff\xff\xff\xff", "4294967295", false},
		{"<i8", "\xff\xff\xff\xff\xff\xff\xff\x7f", "9223372036854775807", true},
		{"<i8", "\x01\x00\x00\x00\x00\x00\x20\x00", "9007199254740993", true},
		{"<u8", "\xff\xff\xff\xff\xff\xff\xff\xff", "18446744073709551615", true},
	} {
		n, err := ReadNPY(strings.NewReader(npy(1, dict(tt.typ, "False", "(1, 1)"), tt.data)))
		require.NoError(t, err)
		if tt.doubles {
			_, err = collect(n.Float64s())
		} else {
			_, err = collect(n.Float32s())
		}
		var e *ValueError
		require.ErrorAs(t, err, &e, tt.got)
		require.Equal(t, tt.got, e.Got)
		require.Equal(t, 0, e.Pos)
	}
}

// Each step overwrites what the one before yielded: the documentation says so,
// and whoever keeps vectors relies on it being so for all readers or for none.
func TestReadersYieldOneSlice(t *testing.T) {
	array, err := ReadNPY(strings.NewReader(npy(1, dict("|u1", "True", "(2, 1)"), "\x01\x02")))
	require.NoError(t, err)
	for name, rows := range map[string]iter.Seq2[[]float32, error]{
		"fvecs": ReadFvecs(strings.NewReader("\x01\x00\x00\x00\x00\x00\x80\x3f" + "\x01\x00\x00\x00\x00\x00\x00\x40")),
		"bvecs": ReadBvecs(strings.NewReader("\x01\x00\x00\x00\x01" + "\x01\x00\x00\x00\x02")),
		"npy":   array.Float32s(),
	} {
		var kept [][]float32
		for row, err := range rows {
			require.NoError(t, err, name)
			kept = append(kept, row)
		}
		require.Equal(t, [][]float32{{2}, {2}}, kept, name)
	}
}

func TestNPYGoesOn(t *testing.T) {
	n, err := ReadNPY(strings.NewReader(npy(1, dict("|u1", "False", "(3, 1)"), "\x01\x02\x03")))
	require.NoError(t, err)
	for range n.Float32s() {
		break
	}
	rest, err := collect(n.Float64s())
	require.NoError(t, err)
	require.Equal(t, [][]float64{{2}, {3}}, rest)
}

func TestReadNPYRefuses(t *testing.T) {
	tooLarge := fmt.Sprintf("array of %d rows of 2 elements is too large at byte 87", math.MaxInt)
	good := dict("|u1", "False", "(1, 2)")
	for file, want := range map[string]string{
		"":                                  "file ends inside the header at byte 0",
		"\x93NUM":                           "file ends inside the header at byte 4",
		"PK\x03\x04 a zip file":             "not an .npy file at byte 0",
		"\x93NUMPY\x04\x00\x00\x00":         "format version 4, want 1 to 3 at byte 6",
		"\x93NUMPY\x01\x00\x10":             "file ends inside the header at byte 9",
		"\x93NUMPY\x01\x00\x10\x00{":        "file ends inside the header at byte 11",
		"\x93NUMPY\x02\x00\xff\xff\xff\xff": "header of 4294967295 bytes, want at most 65535 at byte 8",
		npy(1, "", ""):                      "want a dict at byte 11",
		npy(1, "{", ""):                     "want a key and a colon at byte 12",
		npy(1, "{descr: 1}", ""):            "want a key and a colon at byte 11",
		npy(1, "{'descr", ""):               "want a key and a colon at byte 11",
		npy(1, "{}", ""):                    "want each of the keys descr, fortran_order and shape once at byte 12",
		npy(1, "{'a': 1}", ""):              "want each of the keys descr, fortran_order and shape once at byte 11",
		npy(1, "{'descr': '<f4', 'descr': '<f4'}", ""):                "want each of the keys descr, fortran_order and shape once at byte 27",
		npy(1, "{'descr': '<f4' 'shape': (1, 1)}", ""):                "want a comma or the end of the dict at byte 26",
		npy(1, good+" x", ""):                                         "want the end of the header at byte 70",
		npy(1, dict("<c8", "False", "(1, 2)"), ""):                    "want elements that are floats of 2, 4 or 8 bytes or integers, as NumPy's astype('<f4') makes them at byte 20",
		npy(1, dict("|O", "False", "(1, 2)"), ""):                     "want elements that are floats of 2, 4 or 8 bytes or integers, as NumPy's astype('<f4') makes them at byte 20",
		npy(1, dict("<U4", "False", "(1, 2)"), ""):                    "want elements that are floats of 2, 4 or 8 bytes or integers, as NumPy's astype('<f4') makes them at byte 20",
		npy(1, dict("|f4", "False", "(1, 2)"), ""):                    "want elements that are floats of 2, 4 or 8 bytes or integers, as NumPy's astype('<f4') makes them at byte 20",
		npy(1, dict("<f1", "False", "(1, 2)"), ""):                    "want elements that are floats of 2, 4 or 8 bytes or integers, as NumPy's astype('<f4') makes them at byte 20",
		npy(1, "{'descr': [('a', '<f4')]}", ""):                       "want elements that are floats of 2, 4 or 8 bytes or integers, as NumPy's astype('<f4') makes them at byte 20",
		npy(1, dict("<f4", "Yes", "(1, 2)"), ""):                      "want fortran_order True or False at byte 44",
		npy(1, dict("|u1", "True", "(2, 2)"), "abc"):                  "file ends inside column 1 of 2 at byte 72",
		npy(1, dict("|u1", "True", "(2, 2)"), "abcde"):                "bytes after the last row at byte 73",
		npy(1, dict("<f8", "True", "(9223372036854775807, 2)"), "ab"): tooLarge,
		npy(1, dict("<f4", "False", "(2,)"), ""):                      "want an array of two dimensions, as NumPy's reshape(len(a), -1) makes it at byte 60",
		npy(1, dict("<f4", "False", "()"), ""):                        "want an array of two dimensions, as NumPy's reshape(len(a), -1) makes it at byte 60",
		npy(1, dict("<f4", "False", "(1, 2, 3)"), ""):                 "want an array of two dimensions, as NumPy's reshape(len(a), -1) makes it at byte 60",
		npy(1, dict("<f4", "False", "(-1, 2)"), ""):                   "want an array of two dimensions, as NumPy's reshape(len(a), -1) makes it at byte 60",
		npy(1, dict("<f4", "False", "(99999999999999999999, 2)"), ""): "want an array of two dimensions, as NumPy's reshape(len(a), -1) makes it at byte 60",
		npy(1, dict("<f4", "False", "(1, 2147483648)"), ""):           "want rows of 1 to 65536 elements at byte 60",
		npy(1, dict("<f4", "False", "(1, 0)"), ""):                    "want rows of 1 to 65536 elements at byte 60",
		npy(1, good, ""):    "file ends after row 0 of 1 at byte 70",
		npy(1, good, "a"):   "file ends inside a row at byte 71",
		npy(1, good, "abc"): "bytes after the last row at byte 72",
	} {
		n, err := ReadNPY(strings.NewReader(file))
		if err == nil {
			_, err = collect(n.Float32s())
			_, again := collect(n.Float32s())
			require.Equal(t, err, again, "an error is final")
		}
		require.EqualError(t, err, want)
		require.ErrorAs(t, err, new(*SyntaxError))
	}
}

func FuzzReadNPY(f *testing.F) {
	for _, s := range []string{
		"", "\x93NUMPY\x02\x00\xff\xff\xff\xff",
		npy(1, dict("<f4", "False", "(1, 2)"), "abcdefgh"),
		npy(2, dict("<f2", "False", "(99999999999, 1)"), "ab"),
		npy(3, dict("|u1", "True", "(1, 2147483648)"), "ab"),
		npy(1, dict(">i8", "True", "(2, 2)"), "abcdefghabcdefghabcdefghabcdefgh"),
		npy(1, dict("<f8", "True", "(9223372036854775807, 65536)"), "ab"),
		npy(1, `{"shape":(2,2,),"descr":"<f8","fortran_order":False}`, "ab"),
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		n, err := ReadNPY(bytes.NewReader(b))
		rows := 0
		if err == nil {
			for row, e := range n.Float64s() {
				if err = e; err == nil {
					require.Len(t, row, n.Dim)
					rows++
				}
			}
			if err == nil {
				require.Equal(t, n.Rows, rows)
				return
			}
		}
		var syntax *SyntaxError
		if errors.As(err, new(*ValueError)) {
			return // an integer that no float64 holds
		}
		require.ErrorAs(t, err, &syntax)
		require.True(t, 0 <= syntax.Offset && syntax.Offset <= int64(len(b)))
	})
}
