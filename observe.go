package vecwire

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/vecwire/vecwire/internal/engine"
	"github.com/vecwire/vecwire/internal/live"
	"github.com/vecwire/vecwire/internal/schema"
)

// Op names an operation to observers, logs and metrics. Its values are stable:
// they are data, and errors say the same in words.
type Op string

// The operations, one for each verb.
const (
	OpOpen             Op = "open"
	OpClose            Op = "close"
	OpCreateCollection Op = "create_collection"
	OpOpenCollection   Op = "open_collection"
	OpEnsureCollection Op = "ensure_collection"
	OpAttachCollection Op = "attach_collection"
	OpListCollections  Op = "list_collections"
	OpDropCollection   Op = "drop_collection"
	OpAlterCollection  Op = "alter_collection"
	OpTx               Op = "tx"
	OpReembed          Op = "reembed"
	OpBackup           Op = "backup"
	OpCheck            Op = "check"
	OpCompact          Op = "compact"
	OpSalvage          Op = "salvage"

	OpUpsert        Op = "upsert"
	OpInsert        Op = "insert"
	OpUpdate        Op = "update"
	OpUpdateWhere   Op = "update_where"
	OpIngest        Op = "ingest"
	OpCursor        Op = "cursor"
	OpReplaceSource Op = "replace_source"
	OpSource        Op = "source"
	OpGet           Op = "get"
	OpDelete        Op = "delete"
	OpDeleteWhere   Op = "delete_where"
	OpDeleteExpired Op = "delete_expired"
	OpCount         Op = "count"
	OpScan          Op = "scan"
	OpFacet         Op = "facet"
	OpRange         Op = "range"
	OpSearch        Op = "search"
	OpSearchAll     Op = "search_all"
	OpBuildIndex    Op = "build_index"
	OpListIndexes   Op = "list_indexes"
	OpDropIndex     Op = "drop_index"
	OpRecall        Op = "recall"
	OpTune          Op = "tune"
	OpMirror        Op = "mirror"
	OpRefreshMirror Op = "refresh_mirror"
	OpWithEmbedder  Op = "with_embedder"
	OpNamespace     Op = "namespace"
	OpIn            Op = "in"
)

// opPhrases are the operations as errors say them, before a name.
var opPhrases = map[Op]string{
	OpCreateCollection: "create collection",
	OpOpenCollection:   "open collection",
	OpEnsureCollection: "ensure collection",
	OpAttachCollection: "attach",
	OpListCollections:  "list collections",
	OpDropCollection:   "drop collection",
	OpAlterCollection:  "alter collection",
	OpTx:               "run transaction",
	OpBackup:           "back up",
	OpUpsert:           "upsert into",
	OpInsert:           "insert into",
	OpUpdateWhere:      "update",
	OpIngest:           "ingest into",
	OpCursor:           "read a cursor of",
	OpReplaceSource:    "replace a source of",
	OpSource:           "read a source of",
	OpGet:              "get from",
	OpDelete:           "delete from",
	OpDeleteWhere:      "delete from",
	OpDeleteExpired:    "delete what has expired from",
	OpFacet:            "count by value in",
	OpRange:            "find the range of values in",
	OpSearchAll:        "search all of",
	OpBuildIndex:       "build index of",
	OpListIndexes:      "list indexes of",
	OpDropIndex:        "drop index of",
	OpRecall:           "measure recall of",
	OpRefreshMirror:    "refresh the mirror of",
	OpWithEmbedder:     "set embedder of",
	OpNamespace:        "open a namespace of",
	OpIn:               "open a vector of",
}

// phrase returns the operation in words.
func (op Op) phrase() string {
	if p, ok := opPhrases[op]; ok {
		return p
	}
	return string(op)
}

// Observer is told of every operation once, with its outcome, for traces and
// metrics. It must be safe for concurrent use and quick: calls wait for it.
// The module otel has one for OpenTelemetry.
type Observer interface {
	// Begin is told that an operation begins. The operation goes on with the
	// context that Begin returns, so that what happens within can be seen as a
	// part of it, and calls the function, which must not be nil, once when it ends.
	Begin(ctx context.Context, call Call) (context.Context, func(Outcome))
}

// Call says what is called.
type Call struct {
	Op         Op
	Engine     string // see Capabilities
	Collection string // "" for operations on none
}

// Outcome says what came of a call.
type Outcome struct {
	Records int           // records that were returned, stored, deleted or counted; values of a Facet or Range
	Plan    *Plan         // of a search, the first one's; nil for other operations
	Took    time.Duration // from begin to end
	Err     error         // as the caller gets it
}

// Plan says what a search did.
type Plan struct {
	Path    string // what was looked at: "scan", "filtered scan" or "graph", or another of the engine's words
	Index   string // the index that took part, "" for none
	Effort  int    // as it was used, 0 without a graph
	Records int    // how many records were compared, -1 if that is not known
	Why     string // why this path and no other
}

// call is an operation under way.
type call struct {
	db    *DB
	tx    *transaction     // nil outside transactions
	in    bool             // a transaction, of DB.Tx or the caller's
	live  *live.Collection // what keeps alterations out, nil if nothing has to
	op    Op
	name  string
	begun time.Time
	ended func(Outcome) // nil without an Observer
}

// enter keeps the database open until gate.Leave is called. In a transaction that
// goes on, which keeps it open, it works while Close waits.
func (db *DB) enter(ctx context.Context) error {
	if db.txOf(ctx) != nil {
		db.gate.EnterAgain()
		return nil
	}
	return db.gate.Enter()
}

// begin begins an operation on a collection by its name: it keeps the database
// open, and tells the observer. Its leave and its end must be called.
func (db *DB) begin(ctx context.Context, op Op, name string) (context.Context, call, error) {
	k := call{db: db, op: op, name: name, tx: db.txOf(ctx)}
	return k.begin(ctx)
}

func (k call) begin(ctx context.Context) (context.Context, call, error) {
	if err := k.db.enter(ctx); err != nil {
		return ctx, k, k.wrap(err)
	}
	if err := k.live.Enter(ctx); err != nil {
		k.db.gate.Leave()
		return ctx, k, k.wrap(err)
	}
	begun := false
	defer func() {
		if !begun { // the Observer may have panicked
			k.leave()
		}
	}()
	if k.db.observer != nil {
		k.begun = time.Now()
		ctx, k.ended = k.db.observer.Begin(ctx, Call{Op: k.op, Engine: k.db.engine.Capabilities().Engine, Collection: k.name})
	}
	joined, err := k.db.join(ctx, k.tx)
	if err != nil {
		return ctx, k, k.end(0, err)
	}
	begun = true
	k.in = k.tx != nil || engine.CallerOf(ctx) != nil
	return joined, k, nil
}

// beginOutsideTx is begin for an operation that no transaction can have; instead
// says what to do.
func (db *DB) beginOutsideTx(ctx context.Context, op Op, name, instead string) (context.Context, call, error) {
	ctx, k, err := db.begin(ctx, op, name)
	return ctx, k, k.outsideTx(instead, err)
}

// outsideTx ends an operation that was begun, with err, inside a transaction.
func (k *call) outsideTx(instead string, err error) error {
	if err == nil && k.in {
		defer k.leave()
		err = k.end(0, fmt.Errorf("it cannot be part of a transaction: %s", instead))
	}
	return err
}

// wrap is the error of the operation. It fails the transaction that the
// operation is part of.
func (k *call) wrap(err error) error {
	err = wrap(k.op, schema.Shorten(k.name), err)
	if err != nil && k.tx != nil {
		k.tx.fail(err)
	}
	return err
}

// leave ends what begin began. It is deferred, so that a panic of the caller's code,
// which the caller may recover from, leaves nothing behind.
func (k *call) leave() {
	defer k.release()
	k.left()
}

// errLeft is the outcome of an operation that ended without an answer.
var errLeft = errors.New("the caller's code panicked, or ended its goroutine")

// left tells the observer that the operation is over, if it was not told its end.
func (k *call) left() { k.tell(0, nil, errLeft) }

// release lets the database be closed, and the collection be altered.
func (k *call) release() {
	k.live.Leave()
	k.db.gate.Leave()
}

// end ends an operation. It returns the error as the caller gets it.
func (k *call) end(records int, err error) error {
	err = k.wrap(err)
	k.tell(records, nil, err)
	return err
}

// tell tells the observer what came of the operation.
func (k *call) tell(records int, plan *Plan, err error) {
	if ended := k.ended; ended != nil {
		k.ended = nil // it is told once, also if it panics
		ended(Outcome{Records: records, Plan: plan, Took: time.Since(k.begun), Err: err})
	}
}

// endSearch is end for a search that has these answers, unless it failed.
func (k *call) endSearch(results []Result, err error) error {
	if err != nil || k.ended == nil || len(results) == 0 {
		return k.end(0, err)
	}
	records := 0
	for i := range results {
		records += len(results[i].Hits)
	}
	plan := results[0].Plan
	k.tell(records, &plan, nil)
	return nil
}
