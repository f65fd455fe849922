package transfer_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/transfer"
)

// TestGatherNameOfField reads files in which one name is for a field of another name,
// and the field's own name is there, too: it is gathered, and never the field's value.
func TestGatherNameOfField(t *testing.T) {
	db, err := vecwire.Open(t.Context(), "mem:")
	require.NoError(t, err)
	defer db.Close()
	s := vecwire.Schema{Name: "docs", Dim: 2, Extra: "more", Fields: []vecwire.Field{{Name: "lang"}, {Name: "year", Type: vecwire.Int}, {Name: "more", Type: vecwire.JSON}}}
	c, err := db.CreateCollection(t.Context(), s)
	require.NoError(t, err)
	names := transfer.Names{Fields: map[string]string{"lang": "language", "year": "date.year"}}
	table := transfer.Names{Fields: map[string]string{"lang": "language", "year": "published"}}

	for file, records := range map[string]func(func(vecwire.Record, error) bool){
		"JSONL": names.ReadJSONL(strings.NewReader(`{"id":"1","vector":[1,2],"language":"go","lang":"other","date":{"year":2026},"year":"MMXXVI","more":{"x":"y"}}
{"id":"2","vector":[1,2],"lang":"other","language":"go","year":"MMXXVI","date":{"year":2026},"x":"y"}
`), s),
		"CSV":           transfer.ReadCSV(strings.NewReader("id,vector,language,lang,published,year,more\n1,\"[1,2]\",go,other,2026,MMXXVI,\"{\"\"x\"\":\"\"y\"\"}\"\n"), s, transfer.CSVOptions{Names: table}),
		"CSV, reversed": transfer.ReadCSV(strings.NewReader("id,vector,lang,language,year,published,x\n1,\"[1,2]\",other,go,MMXXVI,2026,y\n"), s, transfer.CSVOptions{Names: table}),
	} {
		t.Run(file, func(t *testing.T) {
			report, err := c.Ingest(t.Context(), records, vecwire.IngestOptions{})
			require.NoError(t, err)
			require.NoError(t, report.Err())
			for r, err := range c.All(t.Context(), vecwire.Scan{}) {
				require.NoError(t, err)
				require.Equal(t, vecwire.Fields{"lang": "go", "year": int64(2026), "more": map[string]any{"lang": "other", "year": "MMXXVI", "x": "y"}}, r.Fields, r.ID)
			}
		})
	}

	for r, err := range names.ReadJSONL(strings.NewReader(`{"id":"1","lang":"a","more":{"lang":"b"}}`), s) {
		require.ErrorContains(t, err, "more.lang is there twice, want one value", r.ID)
	}
	for r, err := range names.ReadJSONL(strings.NewReader(`{"id":"1","lang":"a","lang":"b"}`), s) {
		require.ErrorContains(t, err, "lang is there twice, want one value", r.ID)
	}
}

// TestCarriageReturns: in a table whose lines end in carriage returns alone all of it
// is its first line, which would be a table without records.
func TestCarriageReturns(t *testing.T) {
	s := vecwire.Schema{Name: "docs", Dim: 2, Fields: []vecwire.Field{{Name: "lang"}}}
	for r, err := range transfer.ReadCSV(strings.NewReader("id,lang\r1,go\r"), s, transfer.CSVOptions{}) {
		require.EqualError(t, err, "transfer: line 1: the names of the columns have a carriage return among them, want lines that end in LF or CRLF", r.ID)
		return
	}
	t.Fatal("there is no error")
}
