package engine

import "context"

// Indexer is an engine's collection that can have an approximate index.
type Indexer interface {
	// BuildIndex builds the index, in place of one with other settings.
	BuildIndex(ctx context.Context, p IndexPlan) error
	// Indexes returns the vector indexes that there are, usable or not.
	Indexes(ctx context.Context) ([]Index, error)
	// DropIndex removes a vector index, or returns ErrNotFound.
	DropIndex(ctx context.Context, name string) error
}

// IndexPlan asks for an HNSW index. Zero values stand for the engine's defaults.
type IndexPlan struct {
	M              int // links a node
	EfConstruction int // candidates looked at for each new node
	MemoryBytes    int64
	Workers        int
	Progress       func(IndexProgress) // may be nil; called by one goroutine at a time
	Compress       Compress            // always none without Capabilities.CompressedIndexes
}

// Compress says what an index holds in place of the vectors.
type Compress uint8

// The ways to compress.
const (
	NoCompression Compress = iota // the vectors as they are or, where an engine cannot index those, as much of them as it can
	HalfPrecision                 // copies of 16 bits an element
	Bits                          // the signs of the elements
)

var compressions = [...]string{NoCompression: "none", HalfPrecision: "half", Bits: "bits"}

// String returns the name.
func (c Compress) String() string {
	if int(c) < len(compressions) {
		return compressions[c]
	}
	return "unknown"
}

// IndexProgress says how far the building of an index is.
type IndexProgress struct {
	Phase       string
	Done, Total int64 // in units that the phase knows; Total is 0 where it is unknown
}

// Index describes a vector index.
type Index struct {
	Name           string
	Kind           string // "hnsw", "ivfflat"
	M              int
	EfConstruction int
	Bytes          int64
	Compress       Compress
	Valid          bool // false while it is built, or if building was interrupted
}

// Transactor is an engine that has transactions.
type Transactor interface {
	// Tx runs f inside one transaction, committed if f returns nil and rolled
	// back otherwise. The function use returns an open collection of this engine
	// as the transaction sees it, valid until f returns.
	Tx(ctx context.Context, f func(use func(Collection) Collection) error) error
}

// Inserter is an engine's collection that can store records faster if their IDs
// are known to be new.
type Inserter interface {
	// Insert stores all records or, if one of their IDs is there already or
	// anything else fails, none; for such an ID it returns ErrExists.
	Insert(ctx context.Context, records []Record) error
}

// Attacher is an engine that can use tables which others have made.
type Attacher interface {
	// Attach opens a table as a collection. Nothing is written to the table, and
	// nothing to the registry.
	Attach(ctx context.Context, a Attach) (Collection, error)
}

// Attach names a table and its columns. What is zero is read from the catalog,
// as far as it is unambiguous there.
type Attach struct {
	Table        string // may be qualified with a schema
	IDColumn     string
	VectorColumn string
	TextColumn   string
	Schema       Schema // Metric as stated; other fields are what the user states, checked against the catalog
}

// Merger is an engine's collection that can tell, while it stores records,
// which of them it has already.
type Merger interface {
	// Merge is Upsert, but leaves out the records that are there as they are. It
	// says how many it inserted and how many it updated.
	Merge(ctx context.Context, records []Record) (inserted, updated int, err error)
}
