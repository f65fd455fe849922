package codec

import (
	"bytes"
	"encoding/binary"
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
		{"no rows", npy(1, dict("<f8", "False", "(0, 2)"), ""), "<f8", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			n, err := ReadNPY(iotest.OneByteReader(strings.NewReader(tt.file)))
			require.NoError(t, err)
			require.Equal(t, []any{len(tt.want), 2, tt.typ}, []any{n.Rows, n.Dim, n.Type})
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
		npy(1, dict(">f4", "False", "(1, 2)"), ""):                    "want elements of type <f4, <f8, <f2 or |u1 at byte 20",
		npy(1, dict("<i8", "False", "(1, 2)"), ""):                    "want elements of type <f4, <f8, <f2 or |u1 at byte 20",
		npy(1, "{'descr': [('a', '<f4')]}", ""):                       "want elements of type <f4, <f8, <f2 or |u1 at byte 20",
		npy(1, dict("<f4", "True", "(1, 2)"), ""):                     "want an array in C order, fortran_order False at byte 44",
		npy(1, dict("<f4", "False", "(2,)"), ""):                      "want an array of two dimensions at byte 60",
		npy(1, dict("<f4", "False", "()"), ""):                        "want an array of two dimensions at byte 60",
		npy(1, dict("<f4", "False", "(1, 2, 3)"), ""):                 "want an array of two dimensions at byte 60",
		npy(1, dict("<f4", "False", "(-1, 2)"), ""):                   "want an array of two dimensions at byte 60",
		npy(1, dict("<f4", "False", "(99999999999999999999, 2)"), ""): "want an array of two dimensions at byte 60",
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
		require.ErrorAs(t, err, &syntax)
		require.True(t, 0 <= syntax.Offset && syntax.Offset <= int64(len(b)))
	})
}
