// Package engine is the seam between the root package and the engines. The root
// checks what a user gives and compiles it into the plans below; an engine runs
// a plan and returns what it found. The two share nothing else.
//
// What a plan promises the engine: names are valid, lower- or upper-case
// identifiers that no other name of the schema equals in any case; vectors have
// the right length and element type and are finite; no ID is empty or stands
// twice in one Upsert; field values are of the one Go type that filter.Type.Convert
// gives, in the order of the schema's fields, with nil for a missing one;
// filters are checked. An engine owns nothing that it is given after it returns.
package engine

import (
	"context"
	"errors"
	"fmt"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/filter"
)

// The errors that the root re-exports. Engines wrap them.
var (
	ErrNotFound    = errors.New("not found")
	ErrExists      = errors.New("already exists")
	ErrUnsupported = errors.New("not supported")
)

// ErrRefused says that the database itself refused to store what a call gave it,
// and would refuse it again, but not which record it was. Nothing of the call is
// stored. See [Refused].
var ErrRefused = errors.New("refused")

// Refused returns err so that it is ErrRefused, too.
func Refused(err error) error { return refusedError{err} }

type refusedError struct{ error }

func (e refusedError) Unwrap() error        { return e.error }
func (e refusedError) Is(target error) bool { return target == ErrRefused }

// ConnectError says why a database cannot be used and what to do about it.
type ConnectError struct {
	Target string // what was to be opened, without any password
	Remedy string // what the user can do
	Err    error
}

func (e *ConnectError) Error() string {
	if e.Remedy == "" {
		return fmt.Sprintf("%s: %v", e.Target, e.Err)
	}
	return fmt.Sprintf("%s: %v (%s)", e.Target, e.Err, e.Remedy)
}

func (e *ConnectError) Unwrap() error { return e.Err }

// Capabilities says what an engine can do.
type Capabilities struct {
	Engine       string // the engine's name, such as "embedded"
	L2           bool
	Doubles      bool // DOUBLE vectors are stored and compared in 64 bits
	MaxIDBytes   int
	MaxDim       int
	Transactions bool // it is a Transactor, and its transactions are real
	Indexes      bool // its collections are Indexers
	Attach       bool // it is an Attacher
	// AtomicBatches says that Upsert stores all records or none, and that readers
	// see all of it or nothing. Without, each of several parts is stored by itself.
	AtomicBatches bool
	BatchRecords  int  // of an Upsert of many, how many records at a time go fastest
	Effort        bool // its searches heed Search.Effort
	FullText      bool // its collections are TextSearchers
	// CompressedIndexes says that its Indexers heed IndexPlan.Compress.
	CompressedIndexes bool
}

// RefusedError reports records that an engine without AtomicBatches refused
// while it stored others.
type RefusedError struct {
	Records []Refusal // in the order of the call
	Stored  int       // how many of the others are stored: all of them, or none
}

// Refusal is one record that was refused.
type Refusal struct {
	Index int // its place among the records of the call
	Err   error
}

func (e *RefusedError) Error() string {
	return fmt.Sprintf("%d records refused, the first at %d: %v", len(e.Records), e.Records[0].Index, e.Records[0].Err)
}

// Schema describes a collection.
type Schema struct {
	Name     string
	Dim      int
	Element  codec.Element
	Metric   codec.Metric
	Model    string
	Fields   []Field
	FullText FullText
}

// Field is a typed field of every record. The tags name it in registries.
type Field struct {
	Name  string      `json:"name"`
	Type  filter.Type `json:"type"`
	Index bool        `json:"index,omitempty"`
}

// Vector holds one vector: F32 in a FLOAT collection, F64 in a DOUBLE one, the
// other nil; both nil where no vector was asked for.
type Vector struct {
	F32 []float32
	F64 []float64
}

// Record is one record of a collection.
type Record struct {
	ID     string
	Vector Vector
	Text   string // "" for none
	Fields []any  // aligned with Schema.Fields, nil for a missing value
}

// Scan asks for a page of records in the order of their IDs.
type Scan struct {
	Filter  filter.Filter
	After   string // only IDs after this one; "" for the first page
	Limit   int    // at most so many; always positive
	Vectors bool   // with vectors
}

// Search asks for the K records whose vectors are the nearest to Vector.
type Search struct {
	Vector  Vector
	K       int // always positive
	Filter  filter.Filter
	Exact   bool // no approximate index
	Effort  int  // how many candidates a search of a graph looks at; 0 for the collection's own, or the engine's choice
	Payload bool // with text and fields
	Vectors bool // with vectors
	// Rescore, only with Vectors, says that the caller compares the hits with
	// Vector itself. An engine whose index is over compressed vectors then leaves
	// that out: it returns candidates in any order and with any scores, and more
	// than K where so few would not do.
	Rescore bool
	// Candidates is how many there are to be with Rescore, at least K; 0 for the
	// engine's choice, which takes it that K has room to choose from already.
	Candidates int
}

// Hit is a record that a search found. Score is higher for nearer: the cosine,
// the dot product, or the negated Euclidean distance.
type Hit struct {
	Record
	Score float64
}

// Result holds the hits of one search, best first, equal scores by ID. Exact
// says that no approximate index took part.
type Result struct {
	Hits  []Hit
	Exact bool
	Plan  Plan
}

// Plan says what a search did.
type Plan struct {
	Path   string // what was looked at, such as "scan", "filtered scan" or "graph"
	Index  string // the index that took part, "" for none
	Effort int    // as it was used, 0 without a graph
	Rows   int    // how many rows were compared or passed the filter, -1 if unknown
	Why    string // why this path and no other
}

// Engine is a database that holds collections. All methods are safe for
// concurrent use; the root calls none after Close.
type Engine interface {
	Capabilities() Capabilities
	// Create makes a collection, or returns ErrExists.
	Create(ctx context.Context, s Schema) (Collection, error)
	// Open opens a collection, or returns ErrNotFound.
	Open(ctx context.Context, name string) (Collection, error)
	// List returns the schemas of all collections, by name.
	List(ctx context.Context) ([]Schema, error)
	// Drop removes a collection with its records, or returns ErrNotFound.
	Drop(ctx context.Context, name string) error
	Close() error
}

// Collection is an open collection. After it was dropped its methods return
// ErrNotFound.
type Collection interface {
	Schema() Schema
	// Upsert stores all records or, if it returns an error, none; without
	// AtomicBatches an error other than a RefusedError leaves open which.
	Upsert(ctx context.Context, records []Record) error
	// Get returns those of the records that exist, in any order.
	Get(ctx context.Context, ids []string, vectors bool) ([]Record, error)
	// Delete removes those of the records that exist and returns how many.
	Delete(ctx context.Context, ids []string) (int, error)
	DeleteWhere(ctx context.Context, f filter.Filter) (int, error)
	Count(ctx context.Context, f filter.Filter) (int, error)
	Scan(ctx context.Context, s Scan) ([]Record, error)
	// Search answers all searches, in order, each as if it were alone.
	Search(ctx context.Context, searches []Search) ([]Result, error)
}
