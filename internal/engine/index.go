package engine

import "github.com/vecwire/vecwire/filter"

// IndexPlan asks for an HNSW index. Zero values stand for the engine's defaults.
type IndexPlan struct {
	In             int // the vectors to index, as in Search
	M              int // links a node
	EfConstruction int // candidates looked at for each new node
	MemoryBytes    int64
	Workers        int
	Progress       func(IndexProgress) // may be nil; called by one goroutine at a time
	Compress       Compress            // always none without Capabilities.CompressedIndexes
	// Where is the records that the index holds, zero for all, as it is without
	// Capabilities.PartialIndexes. Indexes of different Where stand beside each other.
	Where  filter.Filter
	Dims   int    // the index is over that many first dimensions; 0, as it is without Capabilities.PrefixIndexes, for all
	Method string // "" for HNSW, as it is without Capabilities.IndexMethods
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

// Progress says how far long work is.
type Progress struct {
	Phase       string
	Done, Total int64 // in units that the phase knows; Total is 0 where it is unknown
}

// IndexProgress says how far the building of an index is.
type IndexProgress = Progress

// Index describes a vector index.
type Index struct {
	Name           string
	In             int    // what it is over, as in Search
	Kind           string // "hnsw", "ivfflat"
	M              int
	EfConstruction int
	Bytes          int64
	Compress       Compress
	Valid          bool          // false while it is built, or if building was interrupted
	Where          filter.Filter // see IndexPlan; zero also if Predicate is not known to be a filter
	Predicate      string        // in the engine's words, "" for an index over all records
	Dims           int           // see IndexPlan
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
