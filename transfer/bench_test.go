package transfer

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/internal/pair"
)

// typical is a record of 128 dimensions with a text and two fields.
func typical() (vecwire.Schema, vecwire.Record) {
	s := vecwire.Schema{Name: "docs", Dim: 128, Fields: []vecwire.Field{{Name: "lang"}, {Name: "year", Type: vecwire.Int}}}
	r := vecwire.Record{ID: "doc-000123", Text: strings.Repeat("gophers dig. ", 20), Fields: vecwire.Fields{"lang": "go", "year": int64(2009)}}
	for range s.Dim {
		r.Vector = append(r.Vector, float32(rand.NormFloat64()))
	}
	return s, r
}

// plain is what one would write without this package.
type plain struct {
	ID     string         `json:"id"`
	Vector []float32      `json:"vector"`
	Text   string         `json:"text,omitempty"`
	Fields map[string]any `json:"fields,omitempty"`
}

func BenchmarkEncodeVersusMarshal(b *testing.B) {
	s, r := typical()
	e := newLineEncoder(s)
	pair.Run(b, func() {
		if _, err := e.encode(r); err != nil {
			b.Fatal(err)
		}
	}, func() {
		if _, err := json.Marshal(plain{r.ID, r.Vector, r.Text, r.Fields}); err != nil {
			b.Fatal(err)
		}
	})
}

func BenchmarkDecodeVersusUnmarshal(b *testing.B) {
	s, r := typical()
	line, err := newLineEncoder(s).encode(r)
	if err != nil {
		b.Fatal(err)
	}
	d := newDecoder(strings.NewReader(""), s)
	pair.Run(b, func() {
		if _, err := d.record(line); err != nil {
			b.Fatal(err)
		}
	}, func() {
		var p plain
		if err := json.Unmarshal(line, &p); err != nil {
			b.Fatal(err)
		}
	})
}

// collection makes a collection of n typical records in memory.
func collection(b *testing.B, n int) *vecwire.Collection {
	s, r := typical()
	db, err := vecwire.Open(b.Context(), "mem:")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = db.Close() })
	c, err := db.CreateCollection(b.Context(), s)
	if err != nil {
		b.Fatal(err)
	}
	for i := range n {
		r.ID = fmt.Sprintf("doc-%06d", i)
		if err := c.Upsert(b.Context(), r); err != nil {
			b.Fatal(err)
		}
	}
	return c
}

// BenchmarkWriteVersusScan pairs an export with the bare scan that it needs.
func BenchmarkWriteVersusScan(b *testing.B) {
	c := collection(b, 1000)
	for name, write := range map[string]func() (int, error){
		"jsonl": func() (int, error) { return WriteJSONL(b.Context(), io.Discard, c, Options{}) },
		"fvecs": func() (int, error) { return WriteVecs(b.Context(), io.Discard, io.Discard, c, Options{}) },
		"npy":   func() (int, error) { return WriteNPY(b.Context(), io.Discard, io.Discard, c, Options{}) },
	} {
		b.Run(name, func(b *testing.B) {
			pair.Run(b, func() {
				if _, err := write(); err != nil {
					b.Fatal(err)
				}
			}, func() {
				for _, err := range c.All(b.Context(), vecwire.Scan{Vectors: true}) {
					if err != nil {
						b.Fatal(err)
					}
				}
			})
		})
	}
}

// BenchmarkReadVersusUpsert pairs reading a file with storing what it holds.
func BenchmarkReadVersusUpsert(b *testing.B) {
	c := collection(b, 1000)
	var file bytes.Buffer
	if _, err := WriteJSONL(b.Context(), &file, c, Options{}); err != nil {
		b.Fatal(err)
	}
	var records []vecwire.Record
	read := func() {
		records = records[:0]
		for r, err := range ReadJSONL(bytes.NewReader(file.Bytes()), c.Schema()) {
			if err != nil {
				b.Fatal(err)
			}
			records = append(records, r)
		}
	}
	pair.Run(b, read, func() {
		if err := c.Upsert(b.Context(), records...); err != nil {
			b.Fatal(err)
		}
	})
}
