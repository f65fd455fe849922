package transfer

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
)

var csvSchema = vecwire.Schema{Name: "docs", Dim: 2, Fields: []vecwire.Field{
	{Name: "s"}, {Name: "i", Type: vecwire.Int}, {Name: "f", Type: vecwire.Float},
	{Name: "b", Type: vecwire.Bool}, {Name: "t", Type: vecwire.Time}, {Name: "y", Type: vecwire.Bytes},
	{Name: "ss", Type: vecwire.Strings}, {Name: "is", Type: vecwire.Ints}, {Name: "j", Type: vecwire.JSON},
}}

func readCSV(in string, o CSVOptions) (out []vecwire.Record, errs []error) {
	for r, err := range ReadCSV(iotest.HalfReader(strings.NewReader(in)), csvSchema, o) {
		if err != nil {
			errs = append(errs, err)
			continue
		}
		out = append(out, r)
	}
	return out, errs
}

func TestReadCSV(t *testing.T) {
	noon := time.Date(2024, 1, 15, 12, 0, 0, 0, time.UTC)
	for in, want := range map[string]vecwire.Record{
		"id\n1":                                    {ID: "1"},
		"\ufeffid,s\r\n1,x\r\n":                    {ID: "1", Fields: vecwire.Fields{"s": "x"}},
		"s,id\n,1\n":                               {ID: "1"},
		"s,id\n\"\",1\n":                           {ID: "1", Fields: vecwire.Fields{"s": ""}},
		"id,s\n1,\"a\"\"b,\r\nc\n\"\n":             {ID: "1", Fields: vecwire.Fields{"s": "a\"b,\r\nc\n"}},
		"id,vector,text\n1,\"[1,-2.5]\",t":         {ID: "1", Vector: []float32{1, -2.5}, Text: "t"},
		"id,i,f,b\n1,7.0,1e-7,True\n":              {ID: "1", Fields: vecwire.Fields{"i": int64(7), "f": 1e-7, "b": true}},
		"id,i,b\n1,-9223372036854775808,0\n":       {ID: "1", Fields: vecwire.Fields{"i": int64(-1 << 63), "b": false}},
		"id,t\n1,2024-01-15T13:00:00+01:00":        {ID: "1", Fields: vecwire.Fields{"t": noon}},
		"id,t\n1,2024-01-15 12:00:00":              {ID: "1", Fields: vecwire.Fields{"t": noon}},
		"id,t\n1,2024-01-15 14:00:00.000+02":       {ID: "1", Fields: vecwire.Fields{"t": noon}},
		"id,t\n1,2024-01-15":                       {ID: "1", Fields: vecwire.Fields{"t": noon.Add(-12 * time.Hour)}},
		"id,y,other\n1,AP8=,x":                     {ID: "1", Fields: vecwire.Fields{"y": []byte{0, 0xff}}},
		"id,ss,is\n1,\"[\"\"a\"\", \"\"\"\"]\",[]": {ID: "1", Fields: vecwire.Fields{"ss": []string{"a", ""}, "is": []int64{}}},
		"id,j\n1,\"{\"\"a\"\":[true]}\"":           {ID: "1", Fields: vecwire.Fields{"j": map[string]any{"a": []any{true}}}},
	} {
		got, errs := readCSV(in, CSVOptions{})
		require.Empty(t, errs, in)
		require.Equal(t, []vecwire.Record{want}, got, in)
	}
	got, errs := readCSV("doc;lang;lang2\n7;go;\"a;b\"\n", CSVOptions{Comma: ';', Names: Names{ID: "doc", Text: "lang", Fields: map[string]string{"s": "lang"}}})
	require.Empty(t, errs)
	require.Equal(t, []vecwire.Record{{ID: "7", Text: "go", Fields: vecwire.Fields{"s": "go"}}}, got, "one column may be read twice")

	extra := csvSchema
	extra.Extra = "j"
	for r, err := range ReadCSV(strings.NewReader("id,color,size\n1,red,\n"), extra, CSVOptions{}) {
		require.NoError(t, err)
		require.Equal(t, vecwire.Fields{"color": "red"}, r.Fields)
	}
	double := csvSchema
	double.Element = vecwire.DOUBLE
	for r, err := range ReadCSV(strings.NewReader("id,vector\n1,\"[0.1,2]\"\n"), double, CSVOptions{}) {
		require.NoError(t, err)
		require.Equal(t, []float64{0.1, 2}, r.Vector64)
	}
}

func TestReadCSVRefuses(t *testing.T) {
	const head = "id,vector,text,s,i,f,b,t,y,ss,is,j"
	for row, want := range map[string]string{
		"1,,,,,,,,,,":                       "line 3: the row has 11 cells, want 12, as many as there are columns",
		"1,,,,,,,,,,,,":                     "line 3: the row has 13 cells, want 12",
		",,,,,,,,,,,":                       "line 3: id is nothing, want a String that is not empty",
		`1,"[1,x]",,,,,,,,,,`:               "line 3: vector: want a number at byte 3",
		`1,"[1,1e39]",,,,,,,,,,`:            "line 3: vector: number is out of the range of FLOAT at byte 3",
		"1,,,,1.5,,,,,,,":                   `line 3: i is "1.5", want Int`,
		"1,,,,9223372036854775808,,,,,,,":   `line 3: i is "9223372036854775808", want Int`,
		"1,,,,,inf,,,,,,":                   `line 3: f is "inf", want Float`,
		"1,,,,,,yes,,,,,":                   `line 3: b is "yes", want Bool`,
		"1,,,,,,,yesterday,,,,":             `line 3: t is String "yesterday", want Time`,
		"1,,,,,,,,%%%,,,":                   `line 3: y is "%%%", want Bytes in base64`,
		"1,,,,,,,,,a b,,":                   `line 3: ss is "a b", want Strings as a JSON array`,
		`1,,,,,,,,,,[1.5],`:                 "line 3: is",
		"1,,,,,,,,,,,7":                     "line 3: j",
		"1,,,\xff,,,,,,,,":                  "line 3: s is String",
		"\xff,,,,,,,,,,,":                   "line 3: id is String",
		"1,,\x00,,,,,,,,,":                  `line 3: text is String "\x00", want String without NUL`,
		`1,,,a"b,,,,,,,,`:                   "line 3: cell 4 has a quote and does not begin with one",
		`1,,,"a"b,,,,,,,,`:                  "line 3: cell 4 goes on after its closing quote",
		"1,,,\"a\nb\"c,,,,,,,,":             "line 3: cell 4 goes on after its closing quote",
		strings.Repeat("x", 2000) + ",,,,,": "line 3: the row has 6 cells",
	} {
		got, errs := readCSV(head+"\n0,,,,,,,,,,,\n"+row+"\n2,,,,,,,,,,,", CSVOptions{})
		require.Len(t, errs, 1, row)
		require.ErrorContains(t, errs[0], want, row)
		refused, ok := errors.AsType[*vecwire.RecordError](errs[0])
		require.True(t, ok)
		require.Equal(t, 1, refused.Index)
		require.Len(t, got, 2, "the rows around are read")
	}
	got, errs := readCSV("id,s\n1,a\n2,\"b\n3,c\n", CSVOptions{})
	require.Len(t, got, 1)
	require.Len(t, errs, 1)
	require.EqualError(t, errs[0], `record 1 (id ""): line 3: cell 2 begins with a quote that is never closed: what is behind it, to line 4, is not read`)

	_, errs = readCSV("key,n\n1,x\n", CSVOptions{Names: Names{ID: "key", Fields: map[string]string{"i": "n"}}})
	require.EqualError(t, errs[0], `record 0 (id "1"): line 2: column "n": i is "x", want Int`)

	for _, tt := range []struct {
		in   string
		o    CSVOptions
		want string
	}{
		{"", CSVOptions{}, "transfer: the file is empty, want a row with the names of the columns"},
		{"doc,s\n1,x", CSVOptions{}, `transfer: there is no column "id" for id: name one of doc, s`},
		{"id,s\n1,x", CSVOptions{Names: Names{Vector: "embedding"}}, `transfer: there is no column "embedding" for vector: name one of id, s`},
		{"id,s\n1,x", CSVOptions{Names: Names{Fields: map[string]string{"i": "n"}}}, `transfer: there is no column "n" for i: name one of id, s`},
		{"id,s\n1,x", CSVOptions{Names: Names{Fields: map[string]string{"none": "n"}}}, `transfer: Names: schema of "docs": field "none" does not exist, and Names reads it of "n"`},
		{"\n\nid,id\n1,x", CSVOptions{}, `transfer: line 3: column "id" is there twice, want one`},
		{"id,\xff\n1,x", CSVOptions{}, `transfer: line 1: a column's name is String`},
		{"id,\"x\n1,x", CSVOptions{}, `transfer: line 1: the names of the columns: cell 2 begins with a quote that is never closed`},
		{"id", CSVOptions{Comma: '"'}, `transfer: Comma is '"', want an ASCII character that is neither a quote nor the end of a line`},
		{"id", CSVOptions{Comma: '·'}, `transfer: Comma is '·', want an ASCII character`},
	} {
		in := ReadCSV(strings.NewReader(tt.in), csvSchema, tt.o)
		for range 2 {
			n := 0
			for _, err := range in {
				require.ErrorContains(t, err, tt.want, tt.in)
				n++
			}
			require.Equal(t, 1, n, "an error is final")
		}
	}
	burning := errors.New("disk on fire")
	n := 0
	for _, err := range ReadCSV(io.MultiReader(strings.NewReader("id,s\n1,\"x"), iotest.ErrReader(burning)), csvSchema, CSVOptions{}) {
		require.ErrorIs(t, err, burning)
		require.ErrorContains(t, err, "line 2")
		n++
	}
	require.Equal(t, 1, n)
}

func TestReadCSVGoesOn(t *testing.T) {
	in := ReadCSV(strings.NewReader("id\n0\n1\n2,"), csvSchema, CSVOptions{})
	for _, want := range []string{"0", "1"} {
		for r, err := range in {
			require.NoError(t, err)
			require.Equal(t, want, r.ID)
			break
		}
	}
	for _, err := range in {
		require.ErrorContains(t, err, "record 2")
	}
	for range in {
		t.Fatal("nothing is left")
	}
}

// TestLongRows passes over a row that is too long, without holding it.
func TestLongRows(t *testing.T) {
	for _, long := range []string{
		strings.Repeat("x", 300), `"` + strings.Repeat("x\n", 150) + `"`, `"` + strings.Repeat("\"\"", 150) + `"`, "\"a\n" + strings.Repeat("y", 300) + "\n\"",
	} {
		d := &csvDecoder{schema: csvSchema, rows: newCSVReader(strings.NewReader("id,s\n0,a\n1,"+long+"\n2,b\n"), ',')}
		d.rows.lines.max = 100
		r, err := d.next()
		require.NoError(t, err)
		require.Equal(t, "0", r.ID)
		_, err = d.next()
		require.ErrorIs(t, err, errLongLine)
		require.ErrorContains(t, err, "record 1 (id \"\"): line 3: line is too long")
		require.LessOrEqual(t, cap(d.rows.text), 256)
		r, err = d.next()
		require.NoError(t, err)
		require.Equal(t, "2", r.ID)
		_, err = d.next()
		require.Equal(t, io.EOF, err)
	}
}

// FuzzReadCSV reads anything: what is read can be written and read again, and a table
// that encoding/csv reads has the same cells, but for the ends of lines within quotes.
func FuzzReadCSV(f *testing.F) {
	for _, s := range []string{
		"id,vector,text,s,i,f,b,t,y,ss,is,j\n1,\"[1,2]\",t,x,7,0.5,true,2024-01-15,AA==,\"[\"\"a\"\"]\",[1],{}\n", "id\r\n\"1\"\r\n", "\ufeffid,s\n1,\"a\"\"b\nc\"",
		"id,s\n1,\"", "id,s\n1,a\"b\n", "id,s\n1,\"a\"b\n2,c", "id,id\n", "", "\n\n,\n", "id,s\n1\n", "s\tid\n", "\ufeff\"id\"\n1\n", "\u2003\n\"a\"",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		rows := newCSVReader(bytes.NewReader(b), ',')
		var got [][]string
		bad := false
		for {
			err := rows.next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				require.True(t, passedOver(err))
				bad = true
				continue
			}
			var row []string
			for i := range rows.cells {
				cell, _ := rows.cell(i)
				row = append(row, strings.ReplaceAll(string(cell), "\r\n", "\n"))
			}
			got = append(got, row)
		}
		// Where they differ on purpose: a byte order mark, a lone \r, lines of spaces alone.
		theirs := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(b, []byte(bom))))
		theirs.FieldsPerRecord = -1
		spaces := func(line []byte) bool { return len(line) > 0 && len(bytes.TrimSpace(line)) == 0 }
		differ := bytes.ContainsRune(b, '\r') || slices.ContainsFunc(bytes.Split(b, []byte("\n")), spaces)
		if want, err := theirs.ReadAll(); err == nil && !bad && !differ {
			require.Equal(t, len(want), len(got))
			for i := range want {
				require.Equal(t, want[i], got[i])
			}
		} else if err != nil && !bytes.ContainsAny(b, "\r") {
			require.True(t, bad)
		}

		e := &csvEncoder{schema: csvSchema, comma: ',', places: []int{placeID, placeVector, placeText, 0, 1, 2, 3, 4, 5, 6, 7, 8}}
		e.init()
		for r, err := range ReadCSV(bytes.NewReader(b), csvSchema, CSVOptions{}) {
			if err != nil {
				continue
			}
			line, err := e.encode(r)
			require.NoError(t, err)
			again, errs := readCSV("id,vector,text,s,i,f,b,t,y,ss,is,j\n"+string(line), CSVOptions{})
			require.Empty(t, errs)
			require.Equal(t, []vecwire.Record{r}, again)
		}
	})
}
