package vecwire

import (
	"context"
	"errors"
	"fmt"

	"github.com/vecwire/vecwire/internal/engine"
)

// Compress says what an index holds in place of the vectors. A smaller index
// stays in the server's memory and is built faster, and leads to the right records
// less surely: searches fetch more candidates than K through it, and compare those
// by the vectors themselves. The records keep their vectors as they are.
type Compress uint8

// The ways to compress.
const (
	// NoCompression, the default, indexes the vectors as they are, as far as the
	// engine can; see [Collection.BuildIndex].
	NoCompression = Compress(engine.NoCompression)
	// HalfPrecision indexes copies of 16 bits an element, at about the same
	// recall. No element may be beyond ±65,504: with the index, the database
	// refuses records that have such.
	HalfPrecision = Compress(engine.HalfPrecision)
	// Bits indexes a bit an element: whether it is positive. It suits vectors of
	// several hundred dimensions whose elements are as often negative as positive,
	// as those of most models are; of others it finds little. Lengths are lost, so
	// the metric is Cosine, or Dot over vectors of about the same length. Measure
	// with [Collection.Recall].
	Bits = Compress(engine.Bits)
)

// String returns "none", "half" or "bits".
func (c Compress) String() string { return engine.Compress(c).String() }

// IndexOptions says how [Collection.BuildIndex] builds. The zero value is a good
// index for most collections.
type IndexOptions struct {
	// M is how many links a node of the graph has. More find more and cost more
	// memory. Defaults to 16.
	M int
	// EfConstruction is how many candidates are looked at for each new node, at
	// least 2*M. More find more and build slower. Defaults to 64, or 2*M if that
	// is more; on the embedded engine to 200.
	EfConstruction int
	// MemoryBytes is how much memory building may take on PostgreSQL. An index
	// that does not fit is built several times slower, and the log says so; its
	// size is about 1.2 * Dim * 4 bytes, less if compressed, and 8 * M a record. Defaults to the
	// server's maintenance_work_mem, which is often only 64 MiB.
	MemoryBytes int64
	// Workers is how many processes help to build on PostgreSQL, and how many
	// goroutines build on the embedded engine. Defaults to the server's
	// max_parallel_maintenance_workers, and to GOMAXPROCS.
	Workers int
	// Progress is told how far the building is, from time to time and by one
	// goroutine.
	Progress func(IndexProgress)
	// Compress makes the index smaller. [ErrUnsupported] says that the engine, or
	// the collection's metric, has no such index; the embedded engine compresses
	// by itself. Defaults to NoCompression.
	Compress Compress
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
	Compress       Compress
	Valid          bool // false while it is built, and if building was interrupted
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
// candidates by the vectors themselves. Above 4,000 dimensions only [Bits] are
// indexed, and without them BuildIndex returns [ErrUnsupported], as it does for
// an engine that has no such index.
func (c *Collection) BuildIndex(ctx context.Context, o IndexOptions) error {
	const verb = "build index of"
	return c.withIndexer(ctx, verb, func(ctx context.Context, x engine.Indexer) error {
		caps := c.db.engine.Capabilities()
		switch {
		case o.Compress > Bits:
			return &ValueError{Field: "Compress", Pos: -1, Want: "NoCompression, HalfPrecision or Bits", Got: fmt.Sprint(uint8(o.Compress))}
		case o.Compress != NoCompression && !caps.CompressedIndexes:
			return unsupported("an index that is compressed", caps.Engine)
		}
		p := engine.IndexPlan{
			M: o.M, EfConstruction: o.EfConstruction, MemoryBytes: o.MemoryBytes, Workers: o.Workers,
			Compress: engine.Compress(o.Compress),
		}
		if o.Progress != nil {
			p.Progress = func(at engine.IndexProgress) { o.Progress(IndexProgress(at)) }
		}
		return x.BuildIndex(ctx, p)
	})
}

// Indexes returns the indexes over the collection's vectors, by name.
func (c *Collection) Indexes(ctx context.Context) ([]IndexInfo, error) {
	var out []IndexInfo
	err := c.withIndexer(ctx, "list indexes of", func(ctx context.Context, x engine.Indexer) error {
		found, err := x.Indexes(ctx)
		for _, f := range found {
			out = append(out, IndexInfo{
				Name: f.Name, Kind: f.Kind, M: f.M, EfConstruction: f.EfConstruction, Bytes: f.Bytes,
				Compress: Compress(f.Compress), Valid: f.Valid,
			})
		}
		return err
	})
	return out, err
}

// DropIndex removes an index over the collection's vectors. It returns
// [ErrNotFound] if there is none of that name.
func (c *Collection) DropIndex(ctx context.Context, name string) error {
	return c.withIndexer(ctx, "drop index of", func(ctx context.Context, x engine.Indexer) error { return x.DropIndex(ctx, name) })
}

func (c *Collection) withIndexer(ctx context.Context, verb string, run func(context.Context, engine.Indexer) error) error {
	ctx, call, err := c.begin(ctx, verb)
	if err != nil {
		return err
	}
	defer call.leave()
	if _, is := c.engine.(*namespace); is {
		return call.end(0, errors.New("indexes belong to the collection itself, not to a namespace of it"))
	}
	x, ok := c.engine.(engine.Indexer)
	if !ok {
		return call.end(0, unsupported("an approximate index", c.db.engine.Capabilities().Engine))
	}
	return call.end(0, run(ctx, x))
}
