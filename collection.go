package vecwire

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync/atomic"
	"time"

	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
	"github.com/vecwire/vecwire/internal/live"
	"github.com/vecwire/vecwire/internal/mirror"
	"github.com/vecwire/vecwire/internal/notes"
	"github.com/vecwire/vecwire/internal/schema"
	"github.com/vecwire/vecwire/internal/search"
	"github.com/vecwire/vecwire/internal/tenant"
)

// Collection holds records of one schema and finds them by their vectors. It is
// safe for concurrent use.
type Collection struct {
	db       *DB
	engine   engine.Collection
	schema   engine.Schema
	rules    *schema.Rules
	searched *search.Collection          // the collection as package search has it
	live     *live.Collection            // shared by all that stand for the collection; nil if it cannot be altered
	seen     *engine.Collection          // of live, as it was when this was made
	fresh    *atomic.Pointer[Collection] // what now has made of it last
	embedder Embedder                    // nil without WithEmbedder
	named    map[string]Embedder         // those of named vectors
	tuned    *notes.Kept                 // the effort that Tune has found; nil for none ever
	tunedIn  map[string]*notes.Kept      // of named vectors
	closed   *atomic.Bool                // by Close, of this handle

	attached  bool           // an existing table, which vecwire did not create
	namespace string         // the name of a namespace, "" for a whole collection
	vector    string         // the named vector that it is seen through, "" for the records' own
	mirror    *mirror.Mirror // what engine is in a Mirror, nil otherwise
}

// wrap is the error of one of the collection's operations.
func (c *Collection) wrap(op Op, err error) error { return wrap(op, c.schema.Name, err) }

// newCollection returns a collection over e, which is that of a namespace if that has a
// name.
func newCollection(db *DB, e engine.Collection, namespace string) *Collection {
	c := &Collection{db: db, tuned: new(notes.Kept), closed: new(atomic.Bool), fresh: new(atomic.Pointer[Collection]), namespace: namespace}
	c.over(e)
	return c
}

// over makes the collection one over e.
func (c *Collection) over(e engine.Collection) {
	caps := c.db.engine.Capabilities()
	maxID := caps.MaxIDBytes
	if c.namespace != "" {
		maxID -= len(tenant.Prefix(c.namespace))
	}
	c.engine, c.schema, c.rules = e, e.Schema(), schema.Of(e, caps.Engine, maxID)
	caps.FullText = e.Can().FullText // which a mirror may have where its engine has none
	c.searched = &search.Collection{Engine: e, Rules: c.rules, Caps: caps}
	c.tunedIn = make(map[string]*notes.Kept, len(c.schema.Vectors))
	for _, v := range c.schema.Vectors {
		c.tunedIn[v.Name] = new(notes.Kept)
	}
}

var errMirrorAltered = errors.New("close this mirror, and mirror the collection again")

// now returns the collection as it is since it was last altered: itself if it was not.
func (c *Collection) now() (*Collection, error) {
	if c.live == nil {
		return c, nil
	}
	latest := c.live.Now()
	if latest == nil || latest == c.seen {
		return c, nil
	}
	if c.mirror != nil {
		return nil, fmt.Errorf("%w: %w", ErrAltered, errMirrorAltered)
	}
	if fresh := c.fresh.Load(); fresh != nil && fresh.seen == latest {
		return fresh, nil
	}
	now := *c
	now.seen, now.fresh = latest, new(atomic.Pointer[Collection])
	e := *latest
	if c.namespace != "" {
		at, err := schema.NamespacePlace(e.Schema())
		if err != nil {
			return nil, err
		}
		e = tenant.New(e, c.namespace, at)
	}
	if c.vector != "" {
		var err error
		if e, err = through(e, c.vector); err != nil {
			return nil, err
		}
	}
	now.over(e)
	if err := now.embeds(); err != nil {
		return nil, err
	}
	c.fresh.Store(&now)
	return &now, nil
}

// latest is now for an operation that is not begun.
func (c *Collection) latest(op Op) (*Collection, error) {
	now, err := c.now()
	if err != nil {
		return nil, c.wrap(op, err)
	}
	return now, nil
}

// begin begins an operation of the collection. It returns the collection as it is
// now: while the operation is under way, it is not altered by this process.
func (c *Collection) begin(ctx context.Context, op Op) (*Collection, context.Context, call, error) {
	if c.closed.Load() {
		return c, ctx, call{}, c.wrap(op, handleClosed{})
	}
	k := call{db: c.db, op: op, name: c.schema.Name, tx: c.db.txOf(ctx)}
	if k.tx == nil && engine.CallerOf(ctx) == nil { // what a transaction holds keeps alterations out
		k.live = c.live
	}
	ctx, k, err := k.begin(ctx)
	if err != nil {
		return c, ctx, k, err
	}
	if k.live != nil {
		err = k.live.Follow(ctx, c.db.reopen)
	}
	now := c
	if err == nil {
		now, err = c.now()
	}
	if err == nil && k.in && c.mirror != nil {
		err = errors.New("a transaction has no mirrors: use the collection itself, and refresh the mirror afterwards")
	}
	if err != nil {
		defer k.leave()
		return c, ctx, k, k.end(0, err)
	}
	return now, ctx, k, nil
}

// beginOutsideTx is begin for an operation that no transaction can have; instead
// says what to do.
func (c *Collection) beginOutsideTx(ctx context.Context, op Op, instead string) (*Collection, context.Context, call, error) {
	c, ctx, k, err := c.begin(ctx, op)
	return c, ctx, k, k.outsideTx(instead, err)
}

// Schema returns the collection's schema, as it was when it was last altered or
// opened by this process.
func (c *Collection) Schema() Schema {
	if now, err := c.now(); err == nil {
		c = now
	}
	return schemaOf(c.schema)
}

// Get returns the records with these IDs that exist, in the order of ids, with
// their vectors. IDs that are not there are left out.
func (c *Collection) Get(ctx context.Context, ids ...string) ([]Record, error) {
	c, ctx, call, err := c.begin(ctx, OpGet)
	if err != nil {
		return nil, err
	}
	defer call.leave()
	ids, known := c.rules.IDs(ids), map[string]Record{}
	if len(ids) == 0 {
		return nil, call.end(0, ctx.Err())
	}
	found, err := c.engine.Get(ctx, ids, true)
	if err = call.end(len(found), err); err != nil {
		return nil, err
	}
	for _, r := range found {
		known[r.ID] = c.record(r)
	}
	records := make([]Record, 0, len(found))
	for _, id := range ids {
		if r, ok := known[id]; ok {
			records = append(records, r)
		}
	}
	c.used(ctx, engine.IDs(found))
	return records, nil
}

// Delete removes the records with these IDs that exist and returns how many
// there were.
func (c *Collection) Delete(ctx context.Context, ids ...string) (int, error) {
	c, ctx, call, err := c.begin(ctx, OpDelete)
	if err != nil {
		return 0, err
	}
	defer call.leave()
	if ids = c.rules.IDs(ids); len(ids) == 0 {
		return 0, call.end(0, ctx.Err())
	}
	n, err := c.engine.Delete(ctx, ids)
	return n, call.end(n, err)
}

// DeleteWhere removes the records that f lets pass and returns how many there
// were. The zero filter lets every record pass.
func (c *Collection) DeleteWhere(ctx context.Context, f filter.Filter) (int, error) {
	return c.withFilter(ctx, OpDeleteWhere, f, engine.Collection.DeleteWhere)
}

// Count returns how many records f lets pass. The zero filter counts all.
func (c *Collection) Count(ctx context.Context, f filter.Filter) (int, error) {
	return c.withFilter(ctx, OpCount, f, engine.Collection.Count)
}

func (c *Collection) withFilter(ctx context.Context, op Op, f filter.Filter,
	run func(engine.Collection, context.Context, filter.Filter) (int, error),
) (int, error) {
	c, ctx, call, err := c.begin(ctx, op)
	if err != nil {
		return 0, err
	}
	defer call.leave()
	if f, err = c.checkFilter(f); err != nil {
		return 0, call.end(0, err)
	}
	n, err := run(c.engine, ctx, f)
	return n, call.end(n, err)
}

// checkFilter checks a filter against the schema, and that the engine can answer it.
func (c *Collection) checkFilter(f filter.Filter) (filter.Filter, error) { return c.rules.Filter(f) }

// Scan says which records [Collection.All] streams.
type Scan struct {
	Filter filter.Filter // only records that pass; the zero filter lets all pass
	// After is where an earlier scan stopped, to go on behind it: the ID of the last
	// record, or with OrderBy what [Scan.Token] returns for it.
	After   string
	Vectors bool // with vectors
	// OrderBy names the field whose values the records are ordered by: of the type
	// String (byte by byte), Int, Float, Bool (false first) or Time. Records of the same
	// value go by ID; those without a value come last. "" and "id" order by ID.
	OrderBy string
	// Desc puts the greatest values first, or with no OrderBy the greatest IDs. Records
	// of the same value go by ascending ID, and those without a value come last, all the
	// same.
	Desc  bool
	Limit int // how many records are wanted at most; 0 for all
}

// Token returns the After of a scan that goes on behind r: a record that this scan
// has yielded, or one with the same ID and the same value of the field OrderBy. It
// holds the two, so it is good whatever becomes of the record, in any process, on any
// engine. In the order of IDs it is r's ID; otherwise it is opaque, safe in URLs, and
// good for scans with the same OrderBy and Desc only.
func (s Scan) Token(r Record) string {
	return schema.Scan(s).Token(r.ID, r.Fields[s.OrderBy])
}

// All streams records, by default in the order of their IDs, byte by byte. It reads
// a page at a time and holds nothing in between, so the loop may take its time, may
// call other methods and may stop early. A record that is written or deleted
// meanwhile may or may not be seen, and one whose value of OrderBy changes may be
// seen again in its new place; every other is seen once. After an error the stream
// ends.
//
// An index over the field OrderBy makes each page cost little more than its records,
// and those that share the value it begins with; without, each page looks at all
// records that pass.
func (c *Collection) All(ctx context.Context, s Scan) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		c, ctx, call, err := c.begin(ctx, OpScan)
		if err != nil {
			yield(Record{}, err)
			return
		}
		defer call.left()
		call.release() // each page enters for itself, so that the loop may close the database
		n := 0
		err = c.rules.Records(ctx, schema.Scan(s), c.scan, func(r engine.Record) bool {
			n++
			return yield(c.record(r), nil)
		})
		if err = call.end(n, err); err != nil {
			yield(Record{}, err)
		}
	}
}

// scan reads a page.
func (c *Collection) scan(ctx context.Context, plan engine.Scan) ([]engine.Record, error) {
	if err := c.db.enter(ctx); err != nil {
		return nil, err
	}
	defer c.db.gate.Leave()
	return c.engine.Scan(ctx, plan)
}

// Close ends the use of this handle: its calls return [ErrClosed] from then on, and
// closing it again does nothing. What the embedded engine keeps in memory of the
// collection is let go at once, after the calls that need it; the records stay. All
// other handles to the collection go on, those that WithEmbedder and Namespace made of
// this one included: the next call of one loads the collection again, as the first
// call did. Servers keep nothing in this process.
//
// Nobody has to close a collection before its database. Where there are many, and
// [Config].Memory bounds what they keep, those that were not used for long are let go
// without it.
//
// While a transaction or another call writes, Close waits for it, 5 s at most, and then
// lets nothing go. So inside a transaction it lets nothing go.
func (c *Collection) Close() error {
	if c.closed.Swap(true) {
		return nil
	}
	if c.mirror != nil || c.db.gate.Enter() != nil {
		return nil // the memory is the mirror's, or gone
	}
	defer c.db.gate.Leave()
	now, err := c.now()
	if err != nil {
		return c.wrap(OpClose, err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), longestRelease)
	defer cancel()
	err = now.engine.Release(ctx)
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, ErrNotFound) || errors.Is(err, ErrAltered) {
		return nil
	}
	return c.wrap(OpClose, err)
}

// longestRelease is how long Close waits for those who write.
const longestRelease = 5 * time.Second

// handleClosed is the error of a handle that was closed. It is ErrClosed.
type handleClosed struct{}

// Error implements error.
func (handleClosed) Error() string {
	return "this handle to the collection is closed: open the collection again"
}

// Is reports whether the target is ErrClosed.
func (handleClosed) Is(target error) bool { return target == ErrClosed }
