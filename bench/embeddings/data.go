package main

import (
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"

	"github.com/vecwire/vecwire/bench/dataset"
	"github.com/vecwire/vecwire/codec"
)

// set is what is searched, in memory and in files.
type set struct {
	about                 string
	base, queries         [][]float32
	basePath, queriesPath string
}

// madeQueries is how many queries made-up embeddings have, as many as MiniLM's.
const madeQueries = 500

// load returns the embeddings that the flags name. Files that it makes are in dir.
func (o *options) load(dir string) (*set, error) {
	if o.dim == 0 {
		data, err := filepath.Abs(o.data)
		if err != nil {
			return nil, err
		}
		base, queries, err := dataset.MiniLM(data)
		return &set{
			about: fmt.Sprintf("%d embeddings of MiniLM, 384 dimensions", len(base)), base: base, queries: queries,
			basePath: filepath.Join(data, "minilm60k_base.npy"), queriesPath: filepath.Join(data, "minilm_query.npy"),
		}, err
	}
	s := &set{
		about:    fmt.Sprintf("%d made-up embeddings, modelled on MiniLM's, %d dimensions", o.rows, o.dim),
		basePath: filepath.Join(dir, "base.npy"), queriesPath: filepath.Join(dir, "queries.npy"),
	}
	s.base, s.queries = dataset.Modelled(o.dim, o.rows, madeQueries)
	return s, errors.Join(write(s.basePath, s.base), write(s.queriesPath, s.queries))
}

// write makes a file of vectors, for the engines of package pypeers.
func write(path string, vectors [][]float32) (err error) {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	var all iter.Seq2[[]float32, error] = func(yield func([]float32, error) bool) {
		for _, v := range vectors {
			if !yield(v, nil) {
				return
			}
		}
	}
	_, err = codec.WriteNPY(f, len(vectors), len(vectors[0]), all)
	return err
}
