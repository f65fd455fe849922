// Package prelude declares what the Go code in the documents takes as given. Code
// that needs more declares it itself, or a name is added here.
package prelude

import (
	"context"
	"io"
	"os"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/chunk"
	"github.com/vecwire/vecwire/embed"
)

var (
	ctx  context.Context
	err  error
	url  string
	pool *pgxpool.Pool

	db, server *vecwire.DB
	docs, src  *vecwire.Collection

	e, model, newModel embed.Embedder

	client interface {
		embed.Embedder
		Vectors(ctx context.Context, texts []string) ([][]float32, error)
	}

	q, v    []float32
	n       int64
	record  vecwire.Record
	records func(yield func(vecwire.Record, error) bool)
	chunks  []vecwire.Record

	text  string
	texts []string

	tokensOfText, tokensOfQuestion [][]float32
	packed                         []byte
	ids                            []string
	c                              chunk.Chunk

	f, w *os.File
	in   io.Reader

	bar      func(vecwire.Progress)
	show     func(vecwire.Progress)
	readFrom func(done int64) func(yield func(vecwire.Record, error) bool)
)
