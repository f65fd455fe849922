package vecwire

import (
	"context"
	"time"
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
	OpUsage         Op = "usage"
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
	OpUsage:            "measure what is taken by",
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
