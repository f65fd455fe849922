package vecwire

import (
	"cmp"
	"context"

	"github.com/vecwire/vecwire/filter"
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
	// size is about 1.2 * Dim * 4 bytes, less if compressed, and 8 * M a record. More than the records can
	// need is not asked for. Defaults to the
	// server's maintenance_work_mem, which is often only 64 MiB.
	MemoryBytes int64
	// Workers is how many processes help to build on PostgreSQL, and how many
	// goroutines build on the embedded engine. Defaults to the server's
	// max_parallel_maintenance_workers, and to GOMAXPROCS.
	Workers int
	// Progress is told how far the building is, from time to time and by one
	// goroutine.
	Progress func(Progress)
	// Compress makes the index smaller. [ErrUnsupported] says that the engine, or
	// the collection's metric, has no such index; the embedded engine compresses
	// by itself. Defaults to NoCompression.
	Compress Compress
	// Where makes an index over only those records that pass the filter, beside the
	// other indexes of the collection: for a filter that many searches share. A search goes
	// through it if all conditions of Where are among those that its own filter joins by
	// And. Only on PostgreSQL; see Capabilities.PartialIndexes.
	Where filter.Filter
	// Dims makes an index over that many first elements of the vectors, for models whose
	// vectors can be cut off (Matryoshka). It is smaller, and finds candidates, which are
	// then compared by the whole vectors. Only on PostgreSQL; see Capabilities.PrefixIndexes.
	Dims int
	// Method is the kind of index. Defaults to HNSW; others belong to extensions of
	// PostgreSQL, and are refused where the extension is missing. See
	// Capabilities.IndexMethods.
	Method IndexMethod
}

// IndexMethod is a kind of vector index, as in IndexInfo.Kind.
type IndexMethod string

// The methods that [Collection.BuildIndex] builds by.
const (
	HNSW = IndexMethod("hnsw")
	// DiskANN belongs to the extension pgvectorscale. IndexOptions.M is its num_neighbors,
	// and EfConstruction its search_list_size; 0 leaves the choice to the extension.
	DiskANN = IndexMethod("diskann")
	// VectorChord belongs to the extension of that name, and has neither.
	VectorChord = IndexMethod("vchordrq")
)

// IndexInfo describes a vector index.
type IndexInfo struct {
	Name           string
	In             string // the vectors that it is over, of [Schema].Vectors; "" for the records' own
	Kind           string // "hnsw", "ivfflat", "diskann" or "vchordrq"
	M              int    // see IndexOptions; 0 for other kinds
	EfConstruction int    // see IndexOptions; 0 for other kinds
	Bytes          int64  // on the disk
	Compress       Compress
	Valid          bool   // false while it is built, and if building was interrupted
	Where          string // the filter that its records pass, or SQL if vecwire did not build it; "" for all records
	Dims           int    // see IndexOptions
}

// BuildIndex builds an approximate index (HNSW) over the collection's vectors,
// which searches then use. The embedded engine builds one by itself, too, see
// [AutoIndex]. It is best built after the records are loaded: with
// an index each write is 50 to 100 times slower. Meanwhile the collection can be
// read and written.
//
// An index with the same settings that is there already is left as it is; one
// with others is replaced; one that an interrupted call left is built anew.
// If ctx ends, nothing stays behind. A panic in Progress ends the building, too,
// and is returned as an error.
//
// Vectors of more than 2,000 dimensions are indexed as copies in half precision,
// and DOUBLE vectors as FLOAT copies; searches compare four times as many
// candidates by the vectors themselves. Above 4,000 dimensions only [Bits] are
// indexed, and without them BuildIndex returns [ErrUnsupported], as it does for
// an engine that has no such index.
func (c *Collection) BuildIndex(ctx context.Context, o IndexOptions) error {
	return c.withIndexes(ctx, OpBuildIndex, func(ctx context.Context, c *Collection) error { return c.buildIndex(ctx, o) })
}

func (c *Collection) buildIndex(ctx context.Context, o IndexOptions) error {
	p, err := o.plan(c.db.engine.Capabilities())
	if err != nil {
		return err
	}
	if p.Where, err = c.checkFilter(o.Where); err != nil {
		return err
	}
	return withProgress(ctx, o.Progress, func(ctx context.Context, tell func(engine.Progress)) error {
		p.Progress = tell
		return c.engine.BuildIndex(ctx, p)
	})
}

// plan checks the options that are the same on every engine.
func (o IndexOptions) plan(caps engine.Capabilities) (engine.IndexPlan, error) {
	switch {
	case o.Compress > Bits:
		return engine.IndexPlan{}, badValue("Compress", "NoCompression, HalfPrecision or Bits", uint8(o.Compress))
	case o.Compress != NoCompression && !caps.CompressedIndexes:
		return engine.IndexPlan{}, engine.Unsupported("an index that is compressed", caps.Engine)
	case !o.Where.IsZero() && !caps.PartialIndexes:
		return engine.IndexPlan{}, engine.Unsupported("an index over some records (IndexOptions.Where)", caps.Engine)
	case o.Dims != 0 && !caps.PrefixIndexes:
		return engine.IndexPlan{}, engine.Unsupported("an index over some dimensions (IndexOptions.Dims)", caps.Engine)
	case o.Method != "" && o.Method != HNSW && !caps.IndexMethods:
		return engine.IndexPlan{}, engine.Unsupported("another index than HNSW (IndexOptions.Method)", caps.Engine)
	case o.MemoryBytes < 0:
		return engine.IndexPlan{}, badValue("MemoryBytes", "0 or more", o.MemoryBytes)
	case o.Workers < 0:
		return engine.IndexPlan{}, badValue("Workers", "0 or more", o.Workers)
	}
	p := engine.IndexPlan{
		M: o.M, EfConstruction: o.EfConstruction, MemoryBytes: o.MemoryBytes, Workers: o.Workers,
		Compress: engine.Compress(o.Compress), Dims: o.Dims, Method: string(o.Method),
	}
	return p, nil
}

// Indexes returns the indexes over the collection's vectors, by name.
func (c *Collection) Indexes(ctx context.Context) ([]IndexInfo, error) {
	var out []IndexInfo
	err := c.withIndexes(ctx, OpListIndexes, func(ctx context.Context, c *Collection) error {
		found, err := c.engine.Indexes(ctx)
		for _, f := range found {
			out = append(out, IndexInfo{
				Name: f.Name, Kind: f.Kind, M: f.M, EfConstruction: f.EfConstruction, Bytes: f.Bytes,
				Compress: Compress(f.Compress), Valid: f.Valid, Where: cmp.Or(f.Where.String(), f.Predicate), Dims: f.Dims,
			})
			if f.In > 0 {
				out[len(out)-1].In = c.schema.Vectors[f.In-1].Name
			}
		}
		return err
	})
	return out, err
}

// DropIndex removes an index over the collection's vectors. It returns
// [ErrNotFound] if there is none of that name. The embedded engine does not build
// another by itself then, see [AutoIndex].
func (c *Collection) DropIndex(ctx context.Context, name string) error {
	return c.withIndexes(ctx, OpDropIndex, func(ctx context.Context, c *Collection) error { return c.engine.DropIndex(ctx, name) })
}

func (c *Collection) withIndexes(ctx context.Context, op Op, run func(context.Context, *Collection) error) error {
	c, ctx, call, err := c.begin(ctx, op)
	if err != nil {
		return err
	}
	defer call.leave()
	return call.end(0, run(ctx, c))
}
