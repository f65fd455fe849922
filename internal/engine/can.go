package engine

import (
	"context"
	"fmt"

	"github.com/vecwire/vecwire/filter"
)

// Capabilities says what an engine can do, and its limits.
type Capabilities struct {
	Engine       string // the engine's name, such as "embedded"
	MaxIDBytes   int
	MaxDim       int
	BatchRecords int // of an Upsert of many, how many records at a time go fastest
	Can
}

// Can says which of the optional features an engine or one of its collections
// has. A verb of a feature that is false returns ErrUnsupported.
type Can struct {
	L2           bool // the metric L2
	Doubles      bool // DOUBLE vectors are stored and compared in 64 bits
	WideDoubles  bool // also under Cosine where their squares are beyond 64 bits; else those are refused
	Transactions bool // Engine.Tx
	Serializable bool // the transactions of Engine.Tx are; else they are what the server makes of them
	Join         bool // Engine.Join
	Attach       bool // Engine.Attach
	Swap         bool // Engine.Swap
	Alter        bool // Engine.Alter
	// AtomicBatches says that Upsert stores all records or none. Without it, each of
	// several parts is stored by itself.
	AtomicBatches bool
	// Snapshots says that readers see all of what an Upsert stores, or nothing.
	Snapshots   bool
	Distributed bool // Schema.Distributed
	Insert      bool // Collection.Insert
	Update      bool // Collection.Update and UpdateWhere
	UpdateIf    bool // Update heeds Change.If
	Merge       bool // Collection.Merge
	FullText    bool // Collection.SearchText
	Effort      bool // searches heed Search.Effort
	Indexes     bool // Collection.BuildIndex, Indexes and DropIndex
	Lists       bool // fields of the types Strings, Ints and Floats
	JSON        bool // fields of the type JSON
	TextFilters bool // filters over the text
	Like        bool // the filter like
	// CompressedIndexes says that BuildIndex heeds IndexPlan.Compress.
	CompressedIndexes bool
	PartialIndexes    bool // BuildIndex heeds IndexPlan.Where
	PrefixIndexes     bool // BuildIndex heeds IndexPlan.Dims
	IndexMethods      bool // BuildIndex heeds IndexPlan.Method
	AutoIndex         bool // an index is built by itself, as Schema.Index has it
	Codes             bool // Schema.Codes
	Facets            bool // Collection.Facet
	Usage             bool // Collection.Usage
	MaxRecords        bool // Schema.MaxRecords
	Vectors           bool // Schema.Vectors; of a collection, that it has some
}

// Unsupported is the error of a verb that an engine lacks: ErrUnsupported with
// the feature and the engine's name.
func Unsupported(feature, engine string) error {
	return fmt.Errorf("%w: %s by the %s engine", ErrUnsupported, feature, engine)
}

// Lacks is embedded by an engine, and by its collections, for the optional verbs
// that they do not have: each returns ErrUnsupported. Its value is the engine's
// name.
type Lacks string

// The features, as errors name them.
const (
	LackTransactions = "transactions"
	LackJoin         = "taking part in a pgx.Tx"
	LackAttach       = "attaching existing tables"
	LackSwap         = "replacing a collection"
	LackAlter        = "altering a collection"
	LackInsert       = "inserting only"
	LackMerge        = "merging"
	LackUpdate       = "changing records in place"
	LackUpdateIf     = "changing a record on a condition"
	LackFullText     = "full text"
	LackIndexes      = "an approximate index"
	LackBackup       = "a backup into a file"
	LackSize         = "keeping count of the records"
	LackCodes        = "codes of another length (Schema.Codes)"
)

// Tx implements Engine.
func (l Lacks) Tx(context.Context, func(ctx context.Context) error) error {
	return Unsupported(LackTransactions, string(l))
}

// Join implements Engine.
func (l Lacks) Join(context.Context, *Caller) (context.Context, error) {
	return nil, Unsupported(LackJoin, string(l))
}

// Backup implements Engine.
func (l Lacks) Backup(context.Context, string, func(Progress)) error {
	return Unsupported(LackBackup, string(l))
}

// Changes implements Engine, for one that notices nothing.
func (Lacks) Changes(context.Context) (uint64, error) { return 0, nil }

// Altered implements Collection, for one that notices nothing.
func (Lacks) Altered(context.Context) (bool, error) { return false, nil }

// Release implements Collection, for one that keeps nothing.
func (Lacks) Release(context.Context) error { return nil }

// Attach implements Engine.
func (l Lacks) Attach(context.Context, Attach) (Collection, error) {
	return nil, Unsupported(LackAttach, string(l))
}

// Swap implements Engine.
func (l Lacks) Swap(context.Context, Swap) error { return Unsupported(LackSwap, string(l)) }

// Alter implements Engine.
func (l Lacks) Alter(context.Context, Alter) error { return Unsupported(LackAlter, string(l)) }

// Insert implements Collection.
func (l Lacks) Insert(context.Context, []Record) error { return Unsupported(LackInsert, string(l)) }

// Update implements Collection.
func (l Lacks) Update(context.Context, []Change) error { return Unsupported(LackUpdate, string(l)) }

// UpdateWhere implements Collection.
func (l Lacks) UpdateWhere(context.Context, filter.Filter, []FieldValue) (int, error) {
	return 0, Unsupported(LackUpdate, string(l))
}

// Merge implements Collection.
func (l Lacks) Merge(context.Context, []Record) (inserted, updated int, err error) {
	return 0, 0, Unsupported(LackMerge, string(l))
}

// SearchText implements Collection.
func (l Lacks) SearchText(context.Context, []TextSearch) ([][]Hit, error) {
	return nil, Unsupported(LackFullText, string(l))
}

// Size implements Collection.
func (l Lacks) Size(context.Context) (int, error) { return 0, Unsupported(LackSize, string(l)) }

// Sweep implements Collection, for one in which nothing expires.
func (Lacks) Sweep(context.Context, filter.Filter) (int, error) { return 0, nil }

// BuildIndex implements Collection.
func (l Lacks) BuildIndex(context.Context, IndexPlan) error {
	return Unsupported(LackIndexes, string(l))
}

// Indexes implements Collection.
func (l Lacks) Indexes(context.Context) ([]Index, error) {
	return nil, Unsupported(LackIndexes, string(l))
}

// DropIndex implements Collection.
func (l Lacks) DropIndex(context.Context, string) error { return Unsupported(LackIndexes, string(l)) }
