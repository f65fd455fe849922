package transfer_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/transfer"
)

var foreign = vecwire.Schema{Name: "docs", Dim: 2, Fields: []vecwire.Field{
	{Name: "lang"}, {Name: "year", Type: vecwire.Int}, {Name: "tags", Type: vecwire.Strings}, {Name: "meta", Type: vecwire.JSON},
}}

func TestNamesRead(t *testing.T) {
	names := transfer.Names{ID: "doc_id", Vector: "embedding", Text: "title", Fields: map[string]string{"lang": "meta.lang", "year": "info.published.year"}}
	for line, want := range map[string]vecwire.Record{
		`{"doc_id":"a","embedding":[1,-2.5],"title":"t","tags":["x"]}`:                             {ID: "a", Vector: []float32{1, -2.5}, Text: "t", Fields: vecwire.Fields{"tags": []string{"x"}}},
		`{"doc_id":7,"title":-1.50,"embedding":"[1, 2]"}`:                                          {ID: "7", Text: "-1.50", Vector: []float32{1, 2}},
		`{"doc_id":"a","meta.lang":"go","info":{"published.year":1,"published":{"year":2009}}}`:    {ID: "a", Fields: vecwire.Fields{"lang": "go", "year": int64(2009)}},
		`{"doc_id":"a","fields":{"tags":["y"],"other":1},"id":"b","vector":[9],"text":"no"}`:       {ID: "a", Fields: vecwire.Fields{"tags": []string{"y"}}},
		`{"doc_id":"a","info":{"published":7},"embedding":null,"title":null,"tags":null,"x":null}`: {ID: "a"},
	} {
		got, errs := read(names.ReadJSONL(strings.NewReader(line), foreign))
		require.Empty(t, errs, line)
		require.Equal(t, []vecwire.Record{want}, got, line)
	}
	got, errs := read(names.ReadJSONL(strings.NewReader(`{"doc_id":"a","meta":{"lang":"go"}}`), foreign))
	require.Empty(t, errs)
	require.Equal(t, vecwire.Fields{"lang": "go", "meta": map[string]any{"lang": "go"}}, got[0].Fields, "one key may be read twice")

	got, errs = read(transfer.Names{}.ReadJSONL(strings.NewReader(`{"id":"1","text":"t","fields":{"lang":"go"},"year":7}`), foreign))
	require.Empty(t, errs)
	require.Equal(t, []vecwire.Record{{ID: "1", Text: "t", Fields: vecwire.Fields{"lang": "go", "year": int64(7)}}}, got, "our form is one of theirs")
}

func TestNamesRefuse(t *testing.T) {
	names := transfer.Names{ID: "doc_id", Vector: "embedding", Fields: map[string]string{"lang": "meta.lang"}}
	for line, want := range map[string]string{
		`{"id":"a"}`:                                                    "id is nothing, want a String that is not empty",
		`{"doc_id":true}`:                                               `key "doc_id": id is true, want String`,
		`{"doc_id":"a","doc_id":"b"}`:                                   "doc_id is there twice, want one value",
		`{"doc_id":"a","meta":{"lang":7}}`:                              `key "meta.lang": lang is 7, want String`,
		`{"doc_id":"a","meta.lang":"x","meta":{"lang":"x"}}`:            "meta.lang is there twice, want one value",
		`{"doc_id":"a","year":1,"fields":{"year":2}}`:                   "fields.year is there twice, want one value",
		`{"doc_id":"a","year":"1"}`:                                     `year is String "1", want Int`,
		`{"doc_id":"a","embedding":{}}`:                                 `key "embedding": vector is an object, want an array of numbers`,
		`{"doc_id":"a","embedding":"1,2"}`:                              `key "embedding": vector is "1,2", want an array of numbers`,
		`{"doc_id":"a","embedding":"[1,x]"}`:                            `key "embedding": vector: want a number at byte 3`,
		`{"doc_id":"a","text":["t"]}`:                                   "text is an array, want String",
		`{"doc_id":"a","tags":[1]}`:                                     "tags",
		`["a"]`:                                                         "not a JSON object, but an array",
		`{"doc_id":"a","meta":{"\ud800":1}}`:                            "meta is",
		`{"doc_id":"a","` + strings.Repeat("x", 100) + `":1,"year":{}}`: "year is an object, want Int",
	} {
		got, errs := read(names.ReadJSONL(strings.NewReader("\n"+line+"\n{\"doc_id\":\"next\"}"), foreign))
		require.Len(t, errs, 1, line)
		require.ErrorContains(t, errs[0], "record 0")
		require.ErrorContains(t, errs[0], "line 2: "+want, line)
		require.Len(t, got, 1)
	}
	for _, n := range []transfer.Names{{Fields: map[string]string{"none": "x"}}} {
		for range 2 {
			_, errs := read(n.ReadJSONL(strings.NewReader(`{"id":"a"}`), foreign))
			require.Len(t, errs, 1)
			require.EqualError(t, errs[0], `transfer: Names: schema of "docs": field "none" does not exist, and Names reads it of "x"`)
		}
	}
}

// TestNamesExtra gathers what no name is for, if there is a field for that.
func TestNamesExtra(t *testing.T) {
	s := foreign
	s.Extra = "meta"
	c := create(t, s)
	names := transfer.Names{ID: "_id", Vector: "v"}
	report := ingest(t, c, names.ReadJSONL(strings.NewReader(`{"_id":1,"v":[1,2],"id":"inner","lang":"go","color":{"r":1.0}}`+"\n"+`{"_id":2,"v":[1,2],"color":1,"color":2}`), s))
	require.EqualValues(t, 1, report.Inserted)
	require.EqualValues(t, 1, report.Failed)
	got := all(t, c)
	require.Equal(t, "go", got[0].Fields["lang"])
	require.Len(t, got[0].Fields["meta"], 2)
}

func TestNamesWrite(t *testing.T) {
	c := create(t, foreign, vecwire.Record{ID: "1", Vector: []float32{1, 2}, Text: "t", Fields: vecwire.Fields{"lang": "go", "year": 7}}, vecwire.Record{ID: "2", Vector: []float32{3, 4}})
	for _, tt := range []struct {
		names transfer.Names
		want  string
		err   string
	}{
		{transfer.Names{}, `{"id":"1","vector":[1,2],"text":"t","lang":"go","year":7}` + "\n" + `{"id":"2","vector":[3,4]}` + "\n", ""},
		{
			transfer.Names{ID: "a.id", Vector: "b", Text: "a.text", Fields: map[string]string{"lang": "x.y.lang", "year": "x.year"}},
			`{"a":{"id":"1","text":"t"},"b":[1,2],"x":{"y":{"lang":"go"},"year":7}}` + "\n" + `{"a":{"id":"2"},"b":[3,4]}` + "\n", "",
		},
		{transfer.Names{Text: "lang"}, "", `transfer: Names: lang is "lang", which text has, want a name of its own in the file`},
		{transfer.Names{Fields: map[string]string{"lang": "meta.lang"}}, "", `transfer: Names: meta is "meta" beside "meta.lang", want a path that is not within another part`},
		{transfer.Names{Fields: map[string]string{"none": "x"}}, "", `transfer: Names: schema of "docs": field "none" does not exist, and Names reads it of "x"`},
	} {
		var out bytes.Buffer
		_, err := transfer.WriteJSONL(t.Context(), &out, c, transfer.Options{Names: &tt.names})
		if tt.err != "" {
			require.EqualError(t, err, tt.err)
			continue
		}
		require.NoError(t, err)
		require.Equal(t, tt.want, out.String())
	}
	// The payload of a file of vectors has names, too.
	names := transfer.Names{ID: "doc_id"}
	var vectors, payload bytes.Buffer
	_, err := transfer.WriteNPY(t.Context(), &vectors, &payload, c, transfer.Options{Names: &names})
	require.NoError(t, err)
	require.Contains(t, payload.String(), `{"doc_id":"1","text":"t","lang":"go","year":7}`)
	got, errs := read(names.ReadNPY(&vectors, &payload, foreign))
	require.Empty(t, errs)
	requireSame(t, all(t, c), got)
	vectors.Reset()
	payload.Reset()
	_, err = transfer.WriteVecs(t.Context(), &vectors, &payload, c, transfer.Options{Names: &names})
	require.NoError(t, err)
	got, errs = read(names.ReadVecs(&vectors, &payload, foreign))
	require.Empty(t, errs)
	requireSame(t, all(t, c), got)
}

// FuzzNamesRead reads anything with the names of another program: what is read can be
// written with them and read again.
func FuzzNamesRead(f *testing.F) {
	for _, s := range []string{
		`{"doc_id":1,"embedding":"[1,2]","body":-1.5,"meta":{"lang":"go","a":[]},"year":7}`, `{"doc_id":"a","meta.lang":"x","meta":{"lang":"y"}}`,
		`{"doc_id":"a","fields":{"tags":["\ud83d\ude00"],"x":{}}}`, `{"doc_id":"a","meta":7}`, `{"doc_id":{}}`, `[[[[`, "",
	} {
		f.Add([]byte(s))
	}
	names := transfer.Names{ID: "doc_id", Vector: "embedding", Text: "body", Fields: map[string]string{"lang": "meta.lang", "year": "meta.year"}}
	s := foreign
	s.Fields = s.Fields[:3]
	f.Fuzz(func(t *testing.T, b []byte) {
		got, _ := read(names.ReadJSONL(bytes.NewReader(b), s))
		for _, r := range got {
			line, err := transfer.NewNamedEncoder(s, names)
			require.NoError(t, err)
			text, err := line.Append(nil, r)
			if err != nil { // the collection refuses it too
				require.Contains(t, r.ID+r.Text, "\x00")
				continue
			}
			again, errs := read(names.ReadJSONL(bytes.NewReader(text), s))
			require.Empty(t, errs)
			require.Equal(t, []vecwire.Record{r}, again)
		}
	})
}

// TestNamedVectors has the vectors of a schema in each form, and what is refused.
func TestNamedVectors(t *testing.T) {
	s := vecwire.Schema{Name: "docs", Dim: 1, Vectors: []vecwire.VectorField{{Name: "title", Dim: 2, Model: "m"}, {Name: "image", Dim: 1}}}
	got, errs := read(transfer.ReadJSONL(strings.NewReader(`{"id":"1","vector":[1],"vectors":{"title":[1,2],"image":null}}`), s))
	require.Empty(t, errs)
	require.Equal(t, map[string][]float32{"title": {1, 2}}, got[0].Vectors)
	for _, line := range []string{`{"id":"1","t":"[1,2]","image":[3]}`, `{"id":"1","t":[1,2],"vectors":{"image":[3]}}`} {
		got, errs = read(transfer.Names{Fields: map[string]string{"title": "t"}}.ReadJSONL(strings.NewReader(line), s))
		require.Empty(t, errs)
		require.Equal(t, map[string][]float32{"title": {1, 2}, "image": {3}}, got[0].Vectors)
	}
	for line, want := range map[string]string{
		`{"id":"1","vectors":[]}`:                         "vectors is an array, want an object",
		`{"id":"1","vectors":{"none":[1]}}`:               `schema of "docs": field "vectors.none" does not exist among Vectors`,
		`{"id":"1","vectors":{"title":7}}`:                "title is 7, want an array of numbers, or base64 of 4 bytes for each",
		`{"id":"1","vectors":{"title":[1,"2"]}}`:          "vectors.title is a list that is broken at byte 3 (want a number)",
		`{"id":"1","vectors":{"title":[],"title":null}}`:  "vectors.title is a list that is broken at byte 1 (want a number)",
		`{"id":"1","vectors":{"image":null,"image":[1]}}`: "vectors.image is there twice, want one value",
	} {
		_, errs := read(transfer.ReadJSONL(strings.NewReader(line), s))
		require.Len(t, errs, 1, line)
		require.ErrorContains(t, errs[0], want)
	}
	other := vecwire.Schema{Name: "other", Dim: 1, Vectors: []vecwire.VectorField{{Name: "title", Dim: 3, Model: "n"}}}
	src, dst := create(t, s), create(t, other)
	_, err := transfer.Copy(t.Context(), dst, src, transfer.CopyOptions{})
	require.ErrorContains(t, err, `the vector "title": vector has 2 dimensions, want 3`)
	require.ErrorContains(t, err, `field "image" does not exist among Vectors, and "docs" has it`)
	_, err = transfer.Copy(t.Context(), dst, src, transfer.CopyOptions{NoVectors: true})
	require.NoError(t, err)
}
