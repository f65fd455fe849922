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
//
// The seam is one [Engine] interface and one [Collection] interface that have
// every verb. An engine that lacks a verb embeds [Lacks], and says so in [Can];
// nothing outside this package asks for a verb by a type assertion.
package engine

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/filter"
)

// The errors that the root re-exports. Engines wrap them.
var (
	ErrNotFound    = errors.New("not found")
	ErrExists      = errors.New("already exists")
	ErrUnsupported = errors.New("not supported")
	ErrReadOnly    = errors.New("the store was opened for reading only")
)

// ErrOutcomeUnknown says that a call's connection was lost while it committed, and
// that the server could not be asked, or does not know any more, whether it did.
var ErrOutcomeUnknown = errors.New("it is not known whether this was done")

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
	// Distributed is how the engine was asked to spread the records, always
	// NotDistributed without Can.Distributed.
	Distributed Distribution
	Vectors     []NamedVector // further vectors of the records; package named keeps them, no engine does
	MaxRecords  int           // how many records there are at most, 0 for any number; package lru keeps to it, no engine does
	// Index says whether the engine builds an index by itself, which it heeds with
	// Can.AutoIndex.
	Index Indexing
	// Codes is what the engine's codes are like, always SevenBits without Can.Codes.
	Codes Codes
	// Attached tells the existing table that is meant from every other, and the
	// vectors in it from others there. It is empty for a collection of vecwire's own,
	// which its name tells apart.
	Attached string
	// Dated says that an earlier version made the indexes over fields and words. An Alter
	// brings them up to date, one that leaves all else as it is, too.
	Dated bool
}

// Field is a typed field of every record. The tags name it in registries.
type Field struct {
	Name  string      `json:"name"`
	Type  filter.Type `json:"type"`
	Index bool        `json:"index,omitempty"`
	Paths []string    `json:"paths,omitempty"` // of a JSON field, to index
	Extra bool        `json:"extra,omitempty"` // the JSON field that gathers what no field is for
	// Expires says that a record is not there any longer from this time on. Engines keep
	// it and do nothing about it: see package expiry.
	Expires bool `json:"expires,omitempty"`
	Bound   int  `json:"bound,omitempty"` // of the field of package lru, how many records there are at most
}

// Equal reports whether two fields are the same.
func (f Field) Equal(g Field) bool {
	return f.Name == g.Name && f.Type == g.Type && f.Index == g.Index && slices.Equal(f.Paths, g.Paths) && f.Extra == g.Extra &&
		f.Expires == g.Expires && f.Bound == g.Bound
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
	// Named is aligned with Schema.Vectors, with the zero Vector for a missing one. It is
	// nil where vectors were not asked for, and where those that are stored are to stay.
	Named []Vector
}

// Scan asks for a page of records, by default in the order of their IDs.
type Scan struct {
	Filter  filter.Filter
	After   string // only what comes after the record of this ID; "" for the first page
	Limit   int    // at most so many; always positive
	Vectors bool   // with vectors
	Order   Order
}

// Search asks for the K records whose vectors are the nearest to Vector.
type Search struct {
	Vector  Vector
	In      int // the vectors to search: 0 for the records' own, or 1 + the place in Schema.Vectors
	K       int // always positive
	Filter  filter.Filter
	After   *After // only what comes after a hit; nil for all, and with Rescore
	Exact   bool   // no approximate index
	Effort  int    // how many candidates a search of a graph looks at; 0 for the collection's own, or the engine's choice
	Payload bool   // with text and fields
	Vectors bool   // with vectors
	// Rescore, only with Vectors, says that the caller compares the hits with
	// Vector itself. An engine whose index is over compressed vectors then leaves
	// that out: it returns candidates in any order and with any scores, and more
	// than K where so few would not do.
	Rescore bool
	// Candidates is how many there are to be with Rescore, at least K; 0 for the
	// engine's choice, which takes it that K has room to choose from already.
	Candidates int
}

// After is a hit behind which a search goes on: those that score less come after it, and of
// those with the same score the ones whose IDs do. The hit need not be there any more.
type After struct {
	ID    string
	Score float64
	Place int // how many hits come up to it, roughly; 0 if that is not known
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
	Path    string // what was looked at, such as "scan", "filtered scan" or "graph"
	Index   string // the index that took part, "" for none
	Effort  int    // as it was used, 0 without a graph
	Records int    // how many records were compared or passed the filter, -1 if unknown
	Why     string // why this path and no other
}

// LockedError says that another process wrote to a store all the time that a call
// waited for its turn.
type LockedError struct {
	Path    string        // the store's file
	PID     int           // the process, 0 if it is not known
	Program string        // its name
	Host    string        // where it runs
	Since   time.Time     // when it began to write
	Waited  time.Duration // how long the call waited
}

func (e *LockedError) Error() string {
	who := "another program"
	if e.PID != 0 {
		who = fmt.Sprintf("process %d (%s) on %s, which writes since %s", e.PID, e.Program, e.Host, e.Since.Format(time.DateTime))
	}
	return fmt.Sprintf("the store %s is locked by %s; waited %v", e.Path, who, e.Waited.Round(time.Millisecond))
}
