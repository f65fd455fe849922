package transfer_test

import (
	"bufio"
	"bytes"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/transfer"
)

func TestSchema(t *testing.T) {
	for name, s := range schemas() {
		t.Run(name, func(t *testing.T) {
			var file bytes.Buffer
			require.NoError(t, transfer.WriteSchema(&file, s))
			require.Equal(t, 1, strings.Count(file.String(), "\n"))
			file.WriteString("{\"id\":\"1\"}\n")
			r := bufio.NewReader(iotest.OneByteReader(&file))
			got, err := transfer.ReadSchema(r)
			require.NoError(t, err)
			require.Equal(t, s, got)
			require.Equal(t, s, create(t, got).Schema(), "a collection can be made of it")
			rest, err := io.ReadAll(r)
			require.NoError(t, err)
			require.Equal(t, "{\"id\":\"1\"}\n", string(rest), "nothing more is read")
		})
	}
}

// A file may begin as some editors begin files, and mean the same.
func TestReadSchemaAfterAByteOrderMark(t *testing.T) {
	var file bytes.Buffer
	file.WriteString("\ufeff")
	s := schemas()["FLOAT"]
	require.NoError(t, transfer.WriteSchema(&file, s))
	file.WriteString("{\"id\":\"1\"}\n")
	r := bufio.NewReader(&file)
	got, err := transfer.ReadSchema(r)
	require.NoError(t, err)
	require.Equal(t, s, got)
	rest, err := io.ReadAll(r)
	require.NoError(t, err)
	require.Equal(t, "{\"id\":\"1\"}\n", string(rest), "nothing more is read")

	r = bufio.NewReader(strings.NewReader("\ufeff{\"id\":\"1\"}\n"))
	_, err = transfer.ReadSchema(r)
	require.ErrorIs(t, err, transfer.ErrNoSchema)
	rest, err = io.ReadAll(r)
	require.NoError(t, err)
	require.Equal(t, "\ufeff{\"id\":\"1\"}\n", string(rest), "nothing is read")
}

func TestReadSchemaRefuses(t *testing.T) {
	const entry = `{"vecwire":1,"schema":{"name":"c","dim":2,"element":"FLOAT","metric":"cosine"`
	for in, want := range map[string]string{
		"":                    "transfer: the file does not begin with a schema",
		`{"id":"1"}`:          "transfer: the file does not begin with a schema",
		`{"vecwire"`:          "transfer: the file does not begin with a schema",
		`{"vecwire":`:         "transfer: read schema: not a JSON object: unexpected end of JSON input",
		`{"vecwire":2,"x":1}`: "transfer: read schema: it has version 2, want 1",
		`{"vecwire":"1"}`:     "transfer: read schema: json: cannot unmarshal string into Go struct field .vecwire of type int",
		entry + `},"x":1}`:    `transfer: read schema: json: unknown field "x"`,
		entry + `,"dims":3}}`: `transfer: read schema: json: unknown field "dims"`,
		`{"vecwire":1}`:       `transfer: read schema: schema of "": has the unknown element ""`,
		strings.Replace(entry, "FLOAT", "float", 1) + `}}`:       `transfer: read schema: schema of "c": has the unknown element "float"`,
		strings.Replace(entry, "cosine", "hamming", 1) + `}}`:    `transfer: read schema: schema of "c": has the unknown metric "hamming"`,
		entry + `,"index":"maybe"}}`:                             `transfer: read schema: schema of "c": has the unknown index "maybe"`,
		entry + `,"fields":[{"name":"x","type":"Blob"}]}}`:       `transfer: read schema: schema of "c": field "x" has the unknown type "Blob"`,
		`{"vecwire":1,"x":"` + strings.Repeat("x", 2<<20) + `"}`: "transfer: read schema: line is too long: it has 2097172 bytes, want at most 1048576",
	} {
		_, err := transfer.ReadSchema(bufio.NewReader(strings.NewReader(in)))
		require.EqualError(t, err, want)
	}
	r := bufio.NewReader(strings.NewReader("{\"id\":\"1\"}\n"))
	_, err := transfer.ReadSchema(r)
	require.ErrorIs(t, err, transfer.ErrNoSchema)
	rest, err := io.ReadAll(r)
	require.NoError(t, err)
	require.Equal(t, "{\"id\":\"1\"}\n", string(rest), "nothing is read")
}

// TestSchemaIndex keeps whether an index appears by itself.
func TestSchemaIndex(t *testing.T) {
	for _, index := range []vecwire.Indexing{vecwire.AutoIndex, vecwire.NoIndex} {
		var line bytes.Buffer
		require.NoError(t, transfer.WriteSchema(&line, vecwire.Schema{Name: "c", Dim: 2, Index: index}))
		require.Equal(t, index != vecwire.AutoIndex, strings.Contains(line.String(), `"index":"none"`))
		s, err := transfer.ReadSchema(bufio.NewReader(&line))
		require.NoError(t, err)
		require.Equal(t, index, s.Index)
	}
}

// TestSchemaCodes keeps what codes are like.
func TestSchemaCodes(t *testing.T) {
	for _, codes := range []vecwire.Codes{vecwire.SevenBits, vecwire.FourBits} {
		var line bytes.Buffer
		require.NoError(t, transfer.WriteSchema(&line, vecwire.Schema{Name: "c", Dim: 2, Codes: codes}))
		require.Equal(t, codes != vecwire.SevenBits, strings.Contains(line.String(), `"codes":"4-bit"`))
		s, err := transfer.ReadSchema(bufio.NewReader(&line))
		require.NoError(t, err)
		require.Equal(t, codes, s.Codes)
	}
	_, err := transfer.ParseSchemaJSON([]byte(`{"name":"c","dim":2,"element":"FLOAT","metric":"cosine","codes":"3-bit"}`))
	require.ErrorContains(t, err, `has the unknown codes "3-bit"`)
}

// TestSchemaMustFit reads files whose schema is not the one that is wanted.
func TestSchemaMustFit(t *testing.T) {
	base := vecwire.Schema{Name: "file", Dim: 2, Model: "a", Fields: []vecwire.Field{{Name: "s"}, {Name: "n", Type: vecwire.Int}}}
	with := func(f func(*vecwire.Schema)) vecwire.Schema {
		s := base
		s.Name = "wanted"
		f(&s)
		return s
	}
	for name, tt := range map[string]struct {
		want    vecwire.Schema
		payload string // what is said of any file, "" for nothing
		vectors string // what is said of a file with vectors
	}{
		"the same": {with(func(*vecwire.Schema) {}), "", ""},
		"other metric, index": {with(func(s *vecwire.Schema) {
			s.Metric, s.Fields = vecwire.L2, []vecwire.Field{{Name: "n", Type: vecwire.Int, Index: true}, {Name: "s"}, {Name: "more"}}
		}), "", ""},
		"no model":        {with(func(s *vecwire.Schema) { s.Model = "" }), "", ""},
		"wider":           {with(func(s *vecwire.Schema) { s.Element = vecwire.DOUBLE }), "", ""},
		"other model":     {with(func(s *vecwire.Schema) { s.Model = "b" }), "", `embedding model mismatch: vectors of "a", and "wanted" is a collection of "b"`},
		"other dimension": {with(func(s *vecwire.Schema) { s.Dim = 3 }), "", "vector has 2 dimensions, want 3"},
		"no fields": {with(func(s *vecwire.Schema) { s.Fields = nil }),
			`schema of "wanted": field "s" does not exist, and "file" has it; schema of "wanted": field "n" does not exist, and "file" has it`, ""},
		"other type": {with(func(s *vecwire.Schema) { s.Fields = []vecwire.Field{{Name: "s"}, {Name: "n", Type: vecwire.Float}} }),
			`schema of "wanted": field "n" is Float, and that of "file" is Int`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			for line, want := range map[string]string{`{"id":"1"}`: tt.payload, `{"id":"1","vector":[1,2]}`: tt.payload + tt.vectors} {
				var file bytes.Buffer
				require.NoError(t, transfer.WriteSchema(&file, base))
				file.WriteString(line)
				in := transfer.ReadJSONL(&file, tt.want)
				for range 2 {
					got, errs := read(in)
					if want == "" {
						require.Empty(t, errs)
						require.Len(t, got, 1)
						break
					}
					require.Empty(t, got)
					require.Len(t, errs, 1)
					require.EqualError(t, errs[0], "transfer: the schema in the file does not fit: "+want, "an error is final")
				}
			}
		})
	}
}

func TestSchemaKeepsFullText(t *testing.T) {
	for _, text := range []vecwire.FullText{vecwire.NoFullText, vecwire.Words, vecwire.English, vecwire.Stem("de"), vecwire.Stem("tr")} {
		want := vecwire.Schema{Name: "docs", Dim: 2, FullText: text}
		var b bytes.Buffer
		require.NoError(t, transfer.WriteSchema(&b, want))
		got, err := transfer.ReadSchema(bufio.NewReader(&b))
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	_, err := transfer.ReadSchema(bufio.NewReader(strings.NewReader(`{"vecwire":1,"schema":{"name":"docs","dim":2,"element":"FLOAT","metric":"cosine","full_text":"klingon"}}` + "\n")))
	require.ErrorContains(t, err, "klingon")
}

// TestSchemaKeysTwice: encoding/json would take the last of two, also of keys that differ
// in case.
func TestSchemaKeysTwice(t *testing.T) {
	for _, text := range []string{
		`{"vecwire":1,"schema":{"name":"docs","dim":2,"dim":3}}`,
		`{"vecwire":1,"schema":{"name":"docs","dim":2,"Dim":3}}`,
		`{"vecwire":1,"vecwire":1,"schema":{"name":"docs","dim":2}}`,
		`{"vecwire":1,"schema":{"name":"docs","dim":2,"fields":[{"name":"a","name":"b"}]}}`,
	} {
		_, err := transfer.ReadSchema(bufio.NewReader(strings.NewReader(text)))
		require.ErrorContains(t, err, "is there twice, want one value", text)
	}
}
