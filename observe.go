package vecwire

import (
	"context"
	"time"
)

// Observer is told of every call that works with the database, for traces and
// metrics. It must be safe for concurrent use and quick: calls wait for it.
// The module otel has one for OpenTelemetry.
type Observer interface {
	// Begin is told that a call begins. The call goes on with the context that it
	// returns, so that what happens within can be seen as a part of it, and calls
	// the function, which must not be nil, once when it ends.
	Begin(ctx context.Context, call Call) (context.Context, func(Outcome))
}

// Call says what is called.
type Call struct {
	Verb       string // as errors name it, such as "search" or "upsert into"
	Engine     string // see Capabilities
	Collection string // "" for calls about none
}

// Outcome says what came of a call.
type Outcome struct {
	Rows int           // records that were returned, stored, deleted or counted
	Plan *Plan         // of a search, the first one's; nil for other calls
	Took time.Duration // from begin to end
	Err  error         // as the caller gets it
}

// call is a call under way.
type call struct {
	db         *DB
	c          *Collection // nil for calls about no open one
	verb, name string
	begun      time.Time
	ended      func(Outcome) // nil without an Observer
}

// begin begins a call about a collection by its name: it keeps the database open,
// and tells the observer. Its leave and its end must be called.
func (db *DB) begin(ctx context.Context, verb, name string) (context.Context, call, error) {
	k := call{db: db, verb: verb, name: name}
	if err := db.enter(); err != nil {
		return ctx, k, k.wrap(err)
	}
	if db.observer != nil {
		k.begun = time.Now()
		ctx, k.ended = db.observer.Begin(ctx, Call{Verb: verb, Engine: db.engine.Capabilities().Engine, Collection: name})
	}
	return ctx, k, nil
}

// begin begins a verb of the collection.
func (c *Collection) begin(ctx context.Context, verb string) (context.Context, call, error) {
	ctx, k, err := c.db.begin(ctx, verb, c.schema.Name)
	if err != nil {
		return ctx, k, c.wrap(verb, err)
	}
	k.c = c
	return ctx, k, nil
}

func (k *call) wrap(err error) error {
	if k.c != nil {
		return k.c.wrap(k.verb, err)
	}
	return wrap(k.verb, shorten(k.name), err)
}

// leave lets the database be closed.
func (k *call) leave() { k.db.leave() }

// end ends a call. It returns the error as the caller gets it.
func (k *call) end(rows int, err error) error { return k.endSearch(rows, nil, err) }

// tell tells the observer what came of the call.
func (k *call) tell(rows int, plan *Plan, err error) {
	if k.ended != nil {
		k.ended(Outcome{Rows: rows, Plan: plan, Took: time.Since(k.begun), Err: err})
	}
}

func (k *call) endSearch(rows int, plan *Plan, err error) error {
	err = k.wrap(err)
	k.tell(rows, plan, err)
	return err
}
