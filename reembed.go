package vecwire

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
)

// ReembedOptions says how [DB.Reembed] works. The zero value is good for most
// collections.
type ReembedOptions struct {
	// Keep is the name under which the collection with the old vectors is kept.
	// Defaults to none, and it is dropped.
	Keep string
	// SkipFailed goes on although records cannot be embedded, and leaves those
	// out of the new collection. Without, nothing is replaced then.
	SkipFailed bool
	// MaxErrors, Workers and Progress are those of [IngestOptions]. The records
	// are read several times, and progress begins anew each time.
	MaxErrors int
	Workers   int
	Progress  func(IngestProgress)
	// Index is for the vector index, if the old collection has one. M,
	// EfConstruction and Compress default to those of the old one's.
	Index IndexOptions
}

// Reembed gives every record of a collection a vector of another model's, made
// of its text, and returns the collection with its new embedder. IDs, texts,
// fields, metric and element type stay. The collection that is returned replaces
// all handles to it: those opened before return [ErrNotFound] afterwards, so that
// vectors of two models are never compared.
//
// The new vectors go into a second collection, which takes the name when it is
// complete; until then the first one serves searches and takes writes as ever.
// What is written, changed or deleted meanwhile is taken over, and a vector index
// is built anew. Then the second takes the name in one step. No write is lost: it
// has come before that step, or it fails with ErrNotFound. An engine without
// AtomicBatches (see [Capabilities]) cannot keep writers out: there, do not write
// to the collection while Reembed is about to end.
//
// An interrupted Reembed, by an error, by ctx or by the death of the process,
// goes on when it is called again. Of the texts, at most those that were being
// embedded are embedded twice. For a collection that has the embedder's model
// already there is nothing to do, but to clear away what is left of an
// interrupted one. So a program can call Reembed whenever it starts. It must not
// run twice at a time for one collection.
//
// If writers never pause, the last few texts are embedded while they wait. An
// embedder that itself writes to the same embedded database, such as one with an
// [EmbeddingCache] there, cannot do that: then Reembed ends when they pause.
//
// A record without a text cannot be embedded, nor one whose text the embedder
// refuses for good. Then nothing is replaced, the report names these records, and
// the error is a [*BatchError]: give them texts or delete them, or set SkipFailed.
//
// The report counts all passes over the records; Unchanged are those that an
// interrupted call before this one had embedded, and Failures those that could
// not be embedded when Reembed ended.
//
// It returns ErrNotFound if there is no collection of that name, [ErrExists] if
// there is one of the name Keep, and a [*SchemaError] if the engine has no
// collections of the embedder's dimension. It needs room for both collections.
func (db *DB) Reembed(ctx context.Context, name string, e Embedder, o ReembedOptions) (*Collection, IngestReport, error) {
	ctx, call, err := db.begin(ctx, "reembed", name)
	if err != nil {
		return nil, IngestReport{}, err
	}
	defer call.leave()
	r := &reembed{
		db: &DB{engine: db.engine, log: db.log}, // which may be entered again while Close waits
		e:  e, o: o, begun: time.Now(),
	}
	err = r.check(name)
	if err == nil {
		err = r.run(ctx, name)
	}
	r.report.Elapsed = time.Since(r.begun)
	if err != nil {
		return nil, r.report, call.end(0, err)
	}
	c, err := db.engine.Open(ctx, name)
	if err != nil {
		return nil, r.report, call.end(0, err)
	}
	with, err := newCollection(db, c).WithEmbedder(e)
	call.tell(int(r.report.Done()), nil, err)
	return with, r.report, err
}

// reembed is a Reembed under way.
type reembed struct {
	db    *DB
	e     Embedder
	o     ReembedOptions
	begun time.Time

	old, next *Collection
	pass      *reembedPass // the last one
	settled   IngestReport // of what came after it
	behind    int          // how many swaps found that more was written
	report    IngestReport
}

// check refuses what cannot be, before anything is done.
func (r *reembed) check(name string) error {
	switch {
	case r.e == nil:
		return &ValueError{Field: "embedder", Pos: -1, Want: "an embedder", Got: "nil"}
	case r.e.Model() == "":
		return &ValueError{Field: "embedder", Pos: -1, Want: "an embedder whose model has a name", Got: "none"}
	case !nameRE.MatchString(name) || taken(name):
		return ErrNotFound
	case r.o.Keep != "" && (!nameRE.MatchString(r.o.Keep) || taken(r.o.Keep)):
		return &SchemaError{Collection: shorten(r.o.Keep), Msg: "the name Keep " + nameRule + ", and not with vecwire_"}
	case strings.EqualFold(r.o.Keep, name):
		return fmt.Errorf("the collection of the name Keep %w", ErrExists)
	}
	return nil
}

// run makes the second collection and puts it in the place of the first.
func (r *reembed) run(ctx context.Context, name string) error {
	swapper, ok := r.db.engine.(engine.Swapper)
	if !ok {
		return unsupported("replacing a collection", r.db.engine.Capabilities().Engine)
	}
	old, err := r.db.engine.Open(ctx, name)
	if err != nil {
		return err
	}
	r.old = newCollection(r.db, old)
	if r.old.schema.Model == r.e.Model() {
		if _, err := r.old.WithEmbedder(r.e); err != nil {
			return err
		}
		return r.db.dropLeftovers(ctx, name, r.e.Model())
	}
	if err := r.openNext(ctx); err != nil {
		return err
	}
	for indexed := false; ; {
		behind, err := r.catchUp(ctx)
		if err != nil {
			return err
		}
		if behind {
			continue
		}
		if !indexed {
			indexed = true
			built, err := r.buildIndex(ctx)
			if err != nil {
				return err
			}
			if built { // which takes long
				continue
			}
		}
		swap := engine.Swap{
			Name: r.old.schema.Name, Next: r.next.schema.Name, Old: r.o.Keep, Drop: r.o.Keep == "",
			Settle: func(old, next engine.Collection) error { return r.settle(ctx, old, next) },
		}
		if swap.Drop {
			swap.Old = oldName(name, r.old.schema.Model)
		}
		switch err := swapper.Swap(ctx, swap); {
		case err == nil:
			r.report.Updated += r.settled.Updated
			r.report.Embedded += r.settled.Embedded
			r.report.Deleted += r.settled.Deleted
			return nil
		case !errors.Is(err, errBehind):
			return err
		}
		r.behind++
	}
}

// openNext opens the second collection, or makes it. One that an interrupted
// call left is gone on with if it has the schema that it should have, and made
// anew if it has no records: then perhaps it was not made whole.
func (r *reembed) openNext(ctx context.Context) error {
	want := r.old.schema
	want.Name, want.Dim, want.Model = nextName(want.Name, r.e.Model()), r.e.Dim(), r.e.Model()
	next, err := r.db.engine.Open(ctx, want.Name)
	if err == nil {
		n, counted := next.Count(ctx, filter.Filter{})
		if counted != nil && !errors.Is(counted, ErrNotFound) {
			return counted
		}
		if is := next.Schema(); n > 0 && is.Dim == want.Dim && is.Element == want.Element && is.Metric == want.Metric && slices.Equal(is.Fields, want.Fields) {
			return r.setNext(next)
		}
		err = r.db.engine.Drop(ctx, want.Name)
	}
	if err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	checked := schemaOf(want)
	checked.Name = r.old.schema.Name
	if err := checked.check(r.db.engine.Capabilities()); err != nil {
		return err
	}
	if r.o.Keep != "" {
		_, err := r.db.engine.Open(ctx, r.o.Keep)
		if err == nil {
			return fmt.Errorf("the collection %s %w", r.o.Keep, ErrExists)
		}
		if !errors.Is(err, ErrNotFound) {
			return err
		}
	}
	if next, err = r.db.engine.Create(ctx, want); err != nil {
		return err
	}
	return r.setNext(next)
}

func (r *reembed) setNext(next engine.Collection) (err error) {
	r.next, err = newCollection(r.db, next).WithEmbedder(r.e)
	return err
}

// buildIndex builds the vector index that the old collection has, and reports
// whether there was one to build.
func (r *reembed) buildIndex(ctx context.Context) (built bool, err error) {
	was, err := r.old.Indexes(ctx)
	if errors.Is(err, ErrUnsupported) {
		return false, nil
	}
	was = slices.DeleteFunc(was, func(x IndexInfo) bool { return !x.Valid })
	if err != nil || len(was) == 0 {
		return false, err
	}
	like := was[max(0, slices.IndexFunc(was, func(x IndexInfo) bool { return x.M > 0 }))]
	o := r.o.Index
	if o.M == 0 {
		o.M = like.M
	}
	if o.EfConstruction == 0 {
		o.EfConstruction = like.EfConstruction
	}
	if o.Compress == NoCompression {
		o.Compress = like.Compress
	}
	err = r.next.BuildIndex(ctx, o)
	if errors.Is(err, ErrUnsupported) { // over so many dimensions; a search without finds as much
		r.db.log.WarnContext(ctx, "the new vectors have no index", "collection", r.old.schema.Name, "err", err)
		return false, nil
	}
	return true, err
}

// The names of what a Reembed keeps beside a collection. Users cannot make
// collections of such names. They tell models apart, so that a table named after
// one never holds vectors of two.
func nextName(collection, model string) string { return besideName(collection, "next", model) }
func oldName(collection, model string) string  { return besideName(collection, "old", model) }

func besideName(collection, what, model string) string {
	collection = strings.ToLower(collection)
	sum := sha256.Sum256([]byte(collection + "\x00" + what + "\x00" + model))
	return fmt.Sprintf("vecwire_%.27s_%x", collection, sum[:6])
}

// dropLeftovers removes what a Reembed that was interrupted left beside a
// collection: that of one model, or "" for all.
func (db *DB) dropLeftovers(ctx context.Context, collection, model string) error {
	all, err := db.engine.List(ctx)
	if err != nil {
		return err
	}
	for _, s := range all {
		next := s.Name == nextName(collection, s.Model) && (model == "" || s.Model == model)
		old := s.Name == oldName(collection, s.Model) && (model == "" || s.Model != model)
		if next || old {
			if err := db.engine.Drop(ctx, s.Name); err != nil && !errors.Is(err, ErrNotFound) {
				return err
			}
		}
	}
	return nil
}
