package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/embed"
	"github.com/vecwire/vecwire/filter"
)

const (
	collectionName = "go_docs"
	corpusVersion  = 4 // raised when Docs reads the same Go differently
)

// An Index keeps a collection in step with the documentation of a Go
// installation, in two passes: the first stores the texts, so that a search by
// words finds them, and the second their vectors. A record that waits for its
// vector has one of zeros, which the metric Dot puts last. Both passes can be
// interrupted; the next Open goes on.
//
// Beside the database it keeps a note of what was indexed, so that nothing is
// parsed again in vain.
type Index struct {
	DB       *vecwire.DB
	Embedder embed.Embedder
	Dir      string // where the note is
	Progress func(what string, done, total int)

	toolchain Toolchain
	col       *vecwire.Collection
	waiting   []vecwire.Record // for their vectors
}

// Changes says what Open did.
type Changes struct {
	Records int // in the collection
	Stored  int // new or changed ones among them
	Removed int
	Waiting int // those that have no vectors yet: call Fill
}

// note says what was indexed.
type note struct {
	Go      Toolchain
	Corpus  int
	Model   string
	Records int
}

func (x *Index) noteFile() string { return filepath.Join(x.Dir, "indexed.json") }

// Open returns the collection after bringing its texts up to date with t.
func (x *Index) Open(ctx context.Context, t Toolchain) (*vecwire.Collection, Changes, error) {
	x.toolchain, x.waiting = t, nil
	if err := x.open(ctx); err != nil {
		return nil, Changes{}, err
	}
	if n, ok, err := x.current(ctx); ok || err != nil {
		return x.col, Changes{Records: n}, err
	}
	docs, err := t.Docs(ctx, func(done, total int) { x.Progress("reading packages", done, total) })
	if err != nil {
		return nil, Changes{}, err
	}
	changes, err := x.update(ctx, docs)
	if err == nil && len(x.waiting) == 0 {
		err = x.write(changes.Records)
	}
	return x.col, changes, err
}

// open opens the collection, or makes it. One of another model is made again.
func (x *Index) open(ctx context.Context) error {
	schema := vecwire.Schema{
		Name:   collectionName,
		Dim:    x.Embedder.Dim(),
		Metric: vecwire.Dot,
		Model:  x.Embedder.Model(),
		Fields: []vecwire.Field{
			{Name: "package", Type: vecwire.String, Index: true},
			{Name: "kind", Type: vecwire.String},
			{Name: "symbol", Type: vecwire.String},
			{Name: "signature", Type: vecwire.String},
			{Name: "synopsis", Type: vecwire.String},
			{Name: "file", Type: vecwire.String},
			{Name: "line", Type: vecwire.Int},
			{Name: "uses", Type: vecwire.Int},
		},
	}
	if x.DB.Capabilities().FullText {
		schema.FullText = vecwire.English
	}
	old, err := x.DB.OpenCollection(ctx, collectionName)
	switch {
	case err == nil && sameFields(old.Schema().Fields, schema.Fields):
		if old.Schema().Model == schema.Model && old.Schema().FullText == schema.FullText {
			x.col = old
			return nil
		}
		err = x.DB.DropCollection(ctx, collectionName)
	case err == nil:
		err = fmt.Errorf("the database has a collection %s that this program did not make; give another with -db", collectionName)
	case errors.Is(err, vecwire.ErrNotFound):
		err = nil
	}
	if err == nil {
		x.col, err = x.DB.CreateCollection(ctx, schema)
	}
	return err
}

func sameFields(a, b []vecwire.Field) bool {
	return slices.EqualFunc(a, b, func(a, b vecwire.Field) bool { return a.Name == b.Name && a.Type == b.Type })
}

// current reports whether the collection holds what the toolchain documents.
func (x *Index) current(ctx context.Context) (records int, ok bool, err error) {
	var n note
	data, err := os.ReadFile(x.noteFile())
	if err != nil || json.Unmarshal(data, &n) != nil {
		return 0, false, nil // indexing again is the remedy
	}
	if n.Go != x.toolchain || n.Corpus != corpusVersion || n.Model != x.Embedder.Model() {
		return 0, false, nil
	}
	count, err := x.col.Count(ctx, filter.Filter{})
	return count, count == n.Records, err
}

// update stores the texts that are new or changed, removes those that are gone, and
// finds out which records wait for their vectors.
func (x *Index) update(ctx context.Context, docs []Doc) (Changes, error) {
	changes := Changes{Records: len(docs)}
	old := make(map[string]vecwire.Record, len(docs))
	for r, err := range x.col.All(ctx, vecwire.Scan{Vectors: true}) {
		if err != nil {
			return changes, err
		}
		old[r.ID] = r
	}
	var fresh []vecwire.Record
	for _, d := range docs {
		r, was := record(d), old[d.ID]
		delete(old, d.ID)
		same := was.Text == r.Text
		if r.Vector = was.Vector; !same || isZero(was.Vector) {
			r.Vector = make([]float32, x.Embedder.Dim())
			x.waiting = append(x.waiting, r)
		}
		if !same || !maps.Equal(was.Fields, r.Fields) {
			fresh = append(fresh, r)
		}
	}
	changes.Waiting = len(x.waiting)
	gone := slices.Collect(maps.Keys(old))
	removed, err := x.col.Delete(ctx, gone...)
	changes.Removed = removed
	if err != nil {
		return changes, err
	}
	changes.Stored, err = x.ingest(ctx, "storing texts", fresh, func([]vecwire.Record) error { return nil })
	return changes, err
}

// Fill gives the records that wait for them their vectors.
func (x *Index) Fill(ctx context.Context) error {
	waiting, err := x.ingest(ctx, "finding meanings", x.waiting, func(records []vecwire.Record) error {
		texts := make([]string, len(records))
		for i, r := range records {
			texts[i] = r.Text
		}
		vectors, err := x.Embedder.Embed(ctx, texts, embed.Document)
		for i, v := range vectors {
			records[i].Vector = v
		}
		return err
	})
	if err != nil {
		return err
	}
	x.waiting = x.waiting[waiting:]
	n, err := x.col.Count(ctx, filter.Filter{})
	if err != nil {
		return err
	}
	return x.write(n)
}

// ingest stores records, after a part of them at a time was prepared. It returns
// how many it stored.
func (x *Index) ingest(ctx context.Context, what string, records []vecwire.Record, prepare func([]vecwire.Record) error) (int, error) {
	report, err := x.col.Ingest(ctx, func(yield func(vecwire.Record, error) bool) {
		for part := range slices.Chunk(records, 256) {
			if err := prepare(part); err != nil {
				yield(vecwire.Record{}, err)
				return
			}
			for _, r := range part {
				if !yield(r, nil) {
					return
				}
			}
		}
	}, vecwire.IngestOptions{
		Total:     int64(len(records)),
		MaxErrors: -1,
		Progress:  func(p vecwire.Progress) { x.Progress(what, int(p.Done), len(records)) },
	})
	return int(report.Inserted + report.Updated + report.Unchanged), err
}

func record(d Doc) vecwire.Record {
	return vecwire.Record{ID: d.ID, Text: d.Text, Fields: vecwire.Fields{
		"package": d.Package, "kind": d.Kind, "symbol": d.Symbol, "signature": d.Signature,
		"synopsis": d.Synopsis, "file": d.File, "line": int64(d.Line), "uses": int64(d.Uses),
	}}
}

func isZero(v []float32) bool {
	return !slices.ContainsFunc(v, func(x float32) bool { return x != 0 })
}

func (x *Index) write(records int) error {
	data, err := json.MarshalIndent(note{x.toolchain, corpusVersion, x.Embedder.Model(), records}, "", "\t")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(x.Dir, 0o755); err != nil {
		return err
	}
	return os.WriteFile(x.noteFile(), data, 0o644)
}
