package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/embed/lexical"
	"github.com/vecwire/vecwire/filter"
)

const (
	collectionName = "go_docs"
	corpusVersion  = 2 // raised when Docs reads the same Go differently
)

// An Index keeps a collection in step with the documentation of a Go
// installation. Beside the database it needs two files: the fitted embedder, and
// a note of what was indexed, so that nothing is parsed again in vain.
type Index struct {
	DB       *vecwire.DB
	Dir      string // where the two files are
	Progress func(what string, done, total int)
}

// Changes says what an update did.
type Changes struct {
	Records int // in the collection
	Stored  int // new or changed ones among them
	Removed int
}

// note says what was indexed.
type note struct {
	Go      Toolchain
	Corpus  int
	Model   string
	Records int
}

func (x *Index) modelFile() string { return filepath.Join(x.Dir, "words.model") }
func (x *Index) noteFile() string  { return filepath.Join(x.Dir, "indexed.json") }

// Open returns the collection, ready for queries by text, after bringing it up to
// date with t.
func (x *Index) Open(ctx context.Context, t Toolchain) (*vecwire.Collection, Changes, error) {
	col, err := x.existing(ctx)
	if err != nil {
		return nil, Changes{}, err
	}
	if col != nil {
		if n, ok, err := x.current(ctx, col, t); ok || err != nil {
			return col, Changes{Records: n}, err
		}
	}
	docs, err := t.Docs(ctx, func(done, total int) { x.Progress("reading packages", done, total) })
	if err != nil {
		return nil, Changes{}, err
	}
	if col == nil {
		if col, err = x.create(ctx, docs); err != nil {
			return nil, Changes{}, err
		}
	}
	changes, err := x.update(ctx, col, docs)
	if err != nil {
		return nil, changes, err
	}
	return col, changes, x.write(note{Go: t, Corpus: corpusVersion, Model: col.Schema().Model, Records: changes.Records})
}

// existing opens the collection with the embedder that filled it. It returns nil
// if there is no such pair, so that both must be made.
func (x *Index) existing(ctx context.Context) (*vecwire.Collection, error) {
	embedder, err := lexical.Load(x.modelFile())
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, lexical.ErrDamaged), errors.Is(err, lexical.ErrNewer):
		return nil, nil
	case err != nil:
		return nil, err
	}
	col, err := x.DB.OpenCollection(ctx, collectionName)
	if errors.Is(err, vecwire.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	col, err = col.WithEmbedder(embedder)
	if errors.Is(err, vecwire.ErrModelMismatch) {
		return nil, nil
	}
	return col, err
}

// current reports whether the collection holds what t documents.
func (x *Index) current(ctx context.Context, col *vecwire.Collection, t Toolchain) (records int, ok bool, err error) {
	var n note
	data, err := os.ReadFile(x.noteFile())
	if err != nil || json.Unmarshal(data, &n) != nil {
		return 0, false, nil // indexing again is the remedy
	}
	if n.Go != t || n.Corpus != corpusVersion || n.Model != col.Schema().Model {
		return 0, false, nil
	}
	count, err := col.Count(ctx, filter.Filter{})
	return count, count == n.Records, err
}

// create makes an empty collection and an embedder fitted to docs, in place of
// what is there.
func (x *Index) create(ctx context.Context, docs []Doc) (*vecwire.Collection, error) {
	var fitter lexical.Fitter
	for _, d := range docs {
		fitter.Add(d.Text)
	}
	embedder, err := fitter.Fit(lexical.Options{})
	if err != nil {
		return nil, err
	}
	old, err := x.DB.OpenCollection(ctx, collectionName)
	switch {
	case errors.Is(err, vecwire.ErrNotFound):
	case err != nil:
		return nil, err
	case !strings.HasPrefix(old.Schema().Model, "lexical-"):
		return nil, fmt.Errorf("the database has a collection %s that this program did not make; give another with -db", collectionName)
	default:
		if err := x.DB.DropCollection(ctx, collectionName); err != nil {
			return nil, err
		}
	}
	// The embedder is saved first: a collection without it is of no use.
	if err := os.MkdirAll(x.Dir, 0o755); err != nil {
		return nil, err
	}
	if err := embedder.Save(x.modelFile()); err != nil {
		return nil, err
	}
	col, err := x.DB.CreateCollection(ctx, vecwire.Schema{
		Name:   collectionName,
		Dim:    embedder.Dim(),
		Metric: vecwire.Dot,
		Model:  embedder.Model(),
		Fields: []vecwire.Field{
			{Name: "package", Type: vecwire.String, Index: true},
			{Name: "kind", Type: vecwire.String},
			{Name: "symbol", Type: vecwire.String},
			{Name: "signature", Type: vecwire.String},
			{Name: "synopsis", Type: vecwire.String},
			{Name: "file", Type: vecwire.String},
			{Name: "line", Type: vecwire.Int},
		},
	})
	if err != nil {
		return nil, err
	}
	return col.WithEmbedder(embedder)
}

// update stores what is new or changed and removes what is gone.
func (x *Index) update(ctx context.Context, col *vecwire.Collection, docs []Doc) (Changes, error) {
	changes := Changes{Records: len(docs)}
	here := make(map[string]bool, len(docs))
	for _, d := range docs {
		here[d.ID] = true
	}
	report, err := col.Ingest(ctx, func(yield func(vecwire.Record, error) bool) {
		for _, d := range docs {
			if !yield(record(d), nil) {
				return
			}
		}
	}, vecwire.IngestOptions{
		Total:     int64(len(docs)),
		MaxErrors: -1,
		Progress:  func(p vecwire.IngestProgress) { x.Progress("indexing", int(p.Done), len(docs)) },
	})
	changes.Stored = int(report.Inserted + report.Updated)
	if err != nil {
		return changes, err
	}
	var gone []string
	for rec, err := range col.All(ctx, vecwire.Scan{}) {
		if err != nil {
			return changes, err
		}
		if !here[rec.ID] {
			gone = append(gone, rec.ID)
		}
	}
	changes.Removed, err = col.Delete(ctx, gone...)
	return changes, err
}

func record(d Doc) vecwire.Record {
	return vecwire.Record{ID: d.ID, Text: d.Text, Fields: vecwire.Fields{
		"package": d.Package, "kind": d.Kind, "symbol": d.Symbol, "signature": d.Signature,
		"synopsis": d.Synopsis, "file": d.File, "line": d.Line,
	}}
}

func (x *Index) write(n note) error {
	data, err := json.MarshalIndent(n, "", "\t")
	if err != nil {
		return err
	}
	return os.WriteFile(x.noteFile(), data, 0o644)
}
