package engine

import (
	"context"

	"github.com/vecwire/vecwire/filter"
)

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
	// Alter gives a collection another schema, in one transaction. It returns
	// ErrNotFound if there is none of the name, ErrExists if the new name is another's,
	// or what a.Plan returns; then the collection is as it was. A collection of this
	// process that was opened before returns ErrAltered, or goes on as far as its
	// fields are still there. Needs Can.Alter.
	Alter(ctx context.Context, a Alter) error
	Close() error
	// Backup writes one state of the database into a new file, or returns ErrExists. It
	// goes on from what an interrupted one has left. progress may be nil.
	Backup(ctx context.Context, path string, progress func(Progress)) error
	// Check compares all that the database keeps of its records, beside writers.
	Check(ctx context.Context) (Checked, error)
	// Salvage writes what can be read of a damaged database into a new file, or returns
	// ErrExists. It says what is in the new one, and as problems what is not.
	Salvage(ctx context.Context, path string) (Checked, error)
	// Compact gives the room of what was deleted back to the disk.
	Compact(ctx context.Context) error
	// Changes returns a number that differs from the one before when another process has
	// committed something in between, as far as this engine notices at once. It is what
	// notes may be remembered by; it costs next to nothing.
	Changes(ctx context.Context) (uint64, error)

	// Tx runs f inside one transaction, committed if f returns nil and rolled
	// back otherwise. The context that f is given carries the transaction: a
	// collection's verbs that are called with it, or with one made from it, take
	// part in the transaction until f returns, and fail afterwards. See [WithTx].
	// With Can.Serializable the transaction is serializable. If it conflicts with another one, or its
	// connection breaks, f runs again in a transaction of its own, a bounded number
	// of times; an error that f returns by itself ends it at once. With a ctx that
	// carries a transaction of the engine f takes part in that.
	// Needs Can.Transactions.
	Tx(ctx context.Context, f func(ctx context.Context) error) error
	// Join returns a context for one verb, or one Tx, that takes part in the
	// transaction of c: a collection's verbs that are called with it work on the
	// transaction's connection. A verb that fails is undone and leaves the rest of
	// the transaction as it was. Tx is then a part of the transaction, undone if f
	// returns an error. Join returns ErrUnsupported if the transaction is of another
	// database. Verbs of two such contexts at the same time are refused. Needs
	// Can.Join.
	Join(ctx context.Context, c *Caller) (context.Context, error)
	// Attach opens an existing table as a collection. It writes nothing to the
	// table, and nothing to the registry. Needs Can.Attach.
	Attach(ctx context.Context, a Attach) (Collection, error)
	// Swap puts one collection in the place of another. Needs Can.Swap.
	//
	// It returns ErrNotFound if one of the two collections is missing, ErrExists
	// if s.Old is another's name, or what s.Settle returns; then all is as it was,
	// but for what Settle wrote on an engine without AtomicBatches.
	//
	// Opening s.Name yields the one collection or the other at any moment, and
	// after the swap the other. A collection that was opened before never meets
	// the other's records: in this process its methods return ErrNotFound, and in
	// another process it goes on with its own records until they are dropped.
	//
	// A Swap that was cut off on an engine without AtomicBatches can be repeated,
	// as long as Name still stands for what it stood for. Otherwise Next and, with
	// Drop, Old may be left over: all that remains is to Drop them, which is safe.
	Swap(ctx context.Context, s Swap) error
}

// Collection is an open collection. After it was dropped its methods return
// ErrNotFound.
type Collection interface {
	Schema() Schema
	// Altered reports whether another process has altered the collection, under the
	// name that it has. Then its methods return ErrAltered, and another one can be
	// opened in its place. An engine that learns of it only by what fails says no.
	Altered(ctx context.Context) (bool, error)
	// Release lets go of what this process keeps in memory of the collection, until it is
	// used again. It waits for who changes it.
	Release(ctx context.Context) error
	// Can says which of the optional verbs work here. A wrapper answers for the
	// collection that it wraps, less what it takes away itself.
	Can() Can

	// Upsert stores all records or, if it returns an error, none; without
	// AtomicBatches an error other than a RefusedError leaves open which.
	Upsert(ctx context.Context, records []Record) error
	// Get returns those of the records that exist, in any order.
	Get(ctx context.Context, ids []string, vectors bool) ([]Record, error)
	// Delete removes those of the records that exist and returns how many.
	Delete(ctx context.Context, ids []string) (int, error)
	DeleteWhere(ctx context.Context, f filter.Filter) (int, error)
	Count(ctx context.Context, f filter.Filter) (int, error)
	// Size is Count without a filter, for those who ask at every write: where a field has
	// a Bound it takes as long with many records as with few, if the engine can. Needs
	// Can.Serializable, without which there are no bounds.
	Size(ctx context.Context) (int, error)
	// Sweep removes some of those records that have expired and that f lets pass, and
	// returns how many; 0 if there are none. Only a wrapper lets records expire.
	Sweep(ctx context.Context, f filter.Filter) (int, error)
	Scan(ctx context.Context, s Scan) ([]Record, error)
	// Facet counts records by value, the most frequent values first and those of equal
	// count by value; if there are records without a value, they come last. Needs
	// Can.Facets.
	Facet(ctx context.Context, f Facet) ([]FacetCount, error)
	// Search answers all searches, in order, each as if it were alone.
	Search(ctx context.Context, searches []Search) ([]Result, error)

	// Insert stores all records or, if one of their IDs is there already or
	// anything else fails, none; for such an ID it returns ErrExists. Needs
	// Can.Insert: it is there because it is faster than Upsert.
	Insert(ctx context.Context, records []Record) error
	// Update changes all records as stated or, if it returns an error, none; without
	// AtomicBatches an error other than a RefusedError leaves open how many. A record
	// that is missing, or does not pass its change's If, is in a RefusedError as
	// ErrNotFound or ErrConflict, and one that has another text than Was as
	// ErrOtherText. No ID comes twice. Conditions see the records as they are when
	// they are changed. Needs Can.Update, and for a Change.If Can.UpdateIf.
	Update(ctx context.Context, changes []Change) error
	// UpdateWhere gives fields of the records that f lets pass other values, and
	// returns how many records that are. Needs Can.Update.
	UpdateWhere(ctx context.Context, f filter.Filter, set []FieldValue) (int, error)
	// Merge is Upsert, but leaves out the records that are there as they are. It
	// says how many it inserted and how many it updated. Needs Can.Merge.
	Merge(ctx context.Context, records []Record) (inserted, updated int, err error)
	// SearchText answers all searches, in order, each as if it were alone. Hits
	// are best first, equal scores by ID. Scores of two searches, and of two
	// engines, cannot be compared. Needs Can.FullText and a schema with FullText.
	SearchText(ctx context.Context, searches []TextSearch) ([][]Hit, error)

	// BuildIndex builds the approximate index, in place of one with other
	// settings. It and the two below need Can.Indexes.
	BuildIndex(ctx context.Context, p IndexPlan) error
	// Indexes returns all vector indexes, usable or not.
	Indexes(ctx context.Context) ([]Index, error)
	// DropIndex removes a vector index, or returns ErrNotFound.
	DropIndex(ctx context.Context, name string) error
	// Usage says what the parts of the collection take now. It loads nothing. Needs
	// Can.Usage.
	Usage(ctx context.Context) ([]Part, error)
}
