package vecwire

import (
	"context"

	"github.com/vecwire/vecwire/internal/engine"
)

// IndexOptions says how [Collection.BuildIndex] builds. The zero value is a good
// index for most collections.
type IndexOptions struct {
	// M is how many links a node of the graph has. More find more and cost more
	// memory. Defaults to 16.
	M int
	// EfConstruction is how many candidates are looked at for each new node, at
	// least 2*M. More find more and build slower. Defaults to 64, or 2*M if that
	// is more.
	EfConstruction int
	// MemoryBytes is how much memory building may take on the server. An index
	// that does not fit is built several times slower, and the log says so; its
	// size is about 1.2 * Dim * 4 bytes and 8 * M a record. Defaults to the
	// server's maintenance_work_mem, which is often only 64 MiB.
	MemoryBytes int64
	// Workers is how many processes help to build. Defaults to the server's
	// max_parallel_maintenance_workers.
	Workers int
	// Progress is told how far the building is, from time to time and by one
	// goroutine.
	Progress func(IndexProgress)
}

// IndexProgress says how far the building of an index is.
type IndexProgress struct {
	Phase       string // what is being done, in the engine's words
	Done, Total int64  // in units that the phase knows; Total is 0 where it is unknown
}

// IndexInfo describes a vector index.
type IndexInfo struct {
	Name           string
	Kind           string // "hnsw" or "ivfflat"
	M              int    // see IndexOptions; 0 for other kinds
	EfConstruction int    // see IndexOptions; 0 for other kinds
	Bytes          int64  // on the disk
	Half           bool   // over copies of the vectors in half precision
	Valid          bool   // false while it is built, and if building was interrupted
}

// BuildIndex builds an approximate index (HNSW) over the collection's vectors,
// which searches then use. It is best built after the records are loaded: with
// an index each write is 50 to 100 times slower. Meanwhile the collection can be
// read and written.
//
// An index with the same settings that is there already is left as it is; one
// with others is replaced; one that an interrupted call left is built anew.
// If ctx ends, nothing stays behind.
//
// Vectors of more than 2,000 dimensions are indexed as copies in half precision,
// and DOUBLE vectors as FLOAT copies; searches compare four times as many
// candidates by the vectors themselves. Above 4,000 dimensions BuildIndex
// returns [ErrUnsupported], as it does for an engine that has no such index.
func (c *Collection) BuildIndex(ctx context.Context, o IndexOptions) error {
	const verb = "build index of"
	return c.withIndexer(verb, func(x engine.Indexer) error {
		p := engine.IndexPlan{M: o.M, EfConstruction: o.EfConstruction, MemoryBytes: o.MemoryBytes, Workers: o.Workers}
		if o.Progress != nil {
			p.Progress = func(at engine.IndexProgress) { o.Progress(IndexProgress(at)) }
		}
		return x.BuildIndex(ctx, p)
	})
}

// Indexes returns the indexes over the collection's vectors, by name.
func (c *Collection) Indexes(ctx context.Context) ([]IndexInfo, error) {
	var out []IndexInfo
	err := c.withIndexer("list indexes of", func(x engine.Indexer) error {
		found, err := x.Indexes(ctx)
		for _, f := range found {
			out = append(out, IndexInfo(f))
		}
		return err
	})
	return out, err
}

// DropIndex removes an index over the collection's vectors. It returns
// [ErrNotFound] if there is none of that name.
func (c *Collection) DropIndex(ctx context.Context, name string) error {
	return c.withIndexer("drop index of", func(x engine.Indexer) error { return x.DropIndex(ctx, name) })
}

func (c *Collection) withIndexer(verb string, run func(engine.Indexer) error) error {
	if err := c.db.enter(); err != nil {
		return c.wrap(verb, err)
	}
	defer c.db.leave()
	x, ok := c.engine.(engine.Indexer)
	if !ok {
		return c.wrap(verb, unsupported("an approximate index", c.db.engine.Capabilities().Engine))
	}
	return c.wrap(verb, run(x))
}
