package vecwire

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/vecwire/vecwire/internal/embedding"
	"github.com/vecwire/vecwire/internal/engine"
	"github.com/vecwire/vecwire/internal/expiry"
	"github.com/vecwire/vecwire/internal/ingest"
	"github.com/vecwire/vecwire/internal/reembed"
	"github.com/vecwire/vecwire/internal/schema"
)

// ReembedOptions says how [DB.Reembed] works. The zero value is good for most
// collections.
type ReembedOptions struct {
	// In names one of the vectors of [Schema].Vectors, which is made again in place of the
	// records' own: of its Source, for each record that has one. The others have no such
	// vector then. Keep cannot be set with it.
	In string
	// Keep is the name under which the collection with the old vectors is kept.
	// Defaults to none, and it is dropped.
	Keep string
	// SkipFailed goes on although records cannot be embedded, and leaves those
	// out of the new collection. Without, nothing is replaced then.
	SkipFailed bool
	// MaxErrors, Workers and Progress are those of [IngestOptions]. The records
	// are read several times, and progress begins again each time.
	MaxErrors int
	Workers   int
	Progress  func(Progress)
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
// is built again. Then the second takes the name in one step. No write is lost: it
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
// Writers wait while the name is taken over, but not for the embedder: if texts
// were written in the last moment, they are embedded first and the name is tried
// again. If writers never pause, the last few texts are embedded while they wait,
// for ten seconds at most. An embedder that itself writes to the same embedded
// database, such as one with an [EmbeddingCache] there, cannot do that: then
// Reembed ends when they pause or, after 20 tries, with an error that says so.
//
// A record without a text cannot be embedded, nor one whose text the embedder
// refuses for good. Then nothing is replaced, the report names these records, and
// the error is a [*BatchError]: give them texts or delete them, or set SkipFailed.
//
// The report counts all passes over the records; Unchanged are those that an
// interrupted call before this one had embedded, and Failures those that could
// not be embedded when Reembed ended.
//
// With In it does the same for one of the vectors that the schema names. The handle that
// it returns has the embedder for that vector, see [Collection.WithVectorEmbedder], and
// those opened before go on, but for the ones with an embedder of another model for it:
// they return [ErrModelMismatch]. In other processes they return [ErrAltered] until they
// are opened again.
//
// It returns ErrNotFound if there is no collection of that name, [ErrExists] if
// there is one of the name Keep, and a [*SchemaError] if the engine has no
// collections of the embedder's dimension. It needs room for both collections.
func (db *DB) Reembed(ctx context.Context, name string, e Embedder, o ReembedOptions) (*Collection, IngestReport, error) {
	ctx, call, err := db.beginOutsideTx(ctx, OpReembed, name, "call it outside")
	if err != nil {
		return nil, IngestReport{}, err
	}
	defer call.leave()
	c, report, err := db.reembed(ctx, name, e, o)
	return c, report, call.end(int(report.Done()), err)
}

func (db *DB) reembed(ctx context.Context, name string, e Embedder, o ReembedOptions) (*Collection, IngestReport, error) {
	if err := o.check(name, e); err != nil {
		return nil, IngestReport{}, err
	}
	caps := db.engine.Capabilities()
	if !caps.Swap {
		return nil, IngestReport{}, engine.Unsupported(engine.LackSwap, caps.Engine)
	}
	was, err := db.engine.Open(ctx, name)
	if err != nil {
		return nil, IngestReport{}, err
	}
	if _, err := sweepAll(ctx, expiry.New(was)); err != nil { // what has expired is not worth a vector
		return nil, IngestReport{}, err
	}
	next := was.Schema()
	if o.Keep != "" && len(next.Vectors) > 0 {
		return nil, IngestReport{}, engine.Unsupported("keeping a collection whose records have several vectors", caps.Engine)
	}
	if o.In == "" && next.Model == e.Model() && next.Dim != e.Dim() {
		return nil, IngestReport{}, &DimensionError{Want: next.Dim, Got: e.Dim()}
	}
	index, err := o.Index.plan(caps)
	if err != nil {
		return nil, IngestReport{}, err
	}
	if o.In != "" {
		return db.reembedNamed(ctx, was, e, o, index)
	}
	next.Model, next.Dim = e.Model(), e.Dim()
	filled := &Collection{db: db, schema: next, embedder: e} // what embeds for it
	done, err := reembed.Run(ctx, reembed.Options{
		Engine: db.engine, Log: db.log, Name: name, Model: e.Model(), Dim: e.Dim(), Embed: filled.model().Job(next),
		Check: func(s engine.Schema) error { return schemaOf(s).check(caps) },
		Keep:  o.Keep, SkipFailed: o.SkipFailed, MaxErrors: o.MaxErrors, Workers: o.Workers,
		Batch: ingest.DefaultBatch(caps.BatchRecords, true), Progress: ingestProgress(o.Progress), Index: index,
	})
	report := reportOf(done)
	if failed, ok := errors.AsType[*reembed.FailedError](err); ok {
		err = fmt.Errorf("%w", reportOf(failed.Report).failure())
	}
	if err != nil {
		return nil, report, err
	}
	ctx, cancel := engine.Rest(ctx)
	defer cancel()
	c, err := db.engine.Open(ctx, name)
	if err != nil {
		return nil, report, err
	}
	db.lives.Forget(name, o.Keep)
	with := newCollection(db, db.kept(c), "")
	with.live, with.embedder = db.lives.Of(name), e
	return with, report, nil
}

// check refuses what cannot be, before anything is done.
func (o *ReembedOptions) check(name string, e Embedder) error {
	switch {
	case e == nil:
		return badValue("embedder", "an embedder", "nil")
	case e.Model() == "":
		return badValue("embedder", "an embedder whose model has a name", "none")
	case !schema.IsName(name) || schema.Taken(name):
		return ErrNotFound
	case o.In != "" && o.Keep != "":
		return &SchemaError{Collection: name, Msg: "a vector that is made again is not kept: leave Keep empty"}
	case o.Keep != "" && (!schema.IsName(o.Keep) || schema.Taken(o.Keep)):
		return &SchemaError{Collection: schema.Shorten(o.Keep), Msg: "the name Keep " + schema.NameRule + ", and not with vecwire_"}
	case strings.EqualFold(o.Keep, name):
		return fmt.Errorf("the collection of the name Keep %w", ErrExists)
	}
	return (&IngestOptions{Workers: o.Workers}).check()
}

// reembedNamed is Reembed of one of the vectors that the schema names: what takes the
// place of another is the collection that holds them. That collection says which model
// they are of from that moment on, and the schema after it, so that nothing is lost where
// a process ends in between.
func (db *DB) reembedNamed(ctx context.Context, was engine.Collection, e Embedder, o ReembedOptions, index engine.IndexPlan) (*Collection, IngestReport, error) {
	caps, s := db.engine.Capabilities(), was.Schema()
	if !caps.Vectors {
		return nil, IngestReport{}, engine.Unsupported(engine.LackVectors, caps.Engine)
	}
	at := s.VectorPlace(o.In)
	if at < 0 {
		return nil, IngestReport{}, schema.NoVector(s, o.In)
	}
	if v := s.Vectors[at]; v.Model == e.Model() && v.Dim != e.Dim() {
		return nil, IngestReport{}, &DimensionError{Want: v.Dim, Got: e.Dim()}
	}
	of := embedding.Named{Rules: schema.Of(was, caps.Engine, caps.MaxIDBytes)}
	made := s // as the new vectors see it
	made.Dim, made.Model, made.Element, made.Metric = e.Dim(), e.Model(), FLOAT, s.Vectors[at].Metric
	filled := &Collection{db: db, schema: made, embedder: e}
	done, err := reembed.Run(ctx, reembed.Options{
		Engine: &namedSwap{db.engine, func(ctx context.Context, swap func() error) error {
			return db.lives.Of(s.Name).Alone(ctx, func() error {
				if err := swap(); err != nil {
					return err
				}
				return db.sayModel(ctx, s.Name, o.In, e)
			})
		}},
		Log: db.log, Name: s.Vectors[at].Store, Model: e.Model(), Dim: e.Dim(), Embed: filled.model().Job(made),
		From: reembed.Sources(was, func(r *engine.Record) string { return of.Source(at, r) }),
		Check: func(engine.Schema) error {
			checked := s
			checked.Vectors = slices.Clone(s.Vectors)
			checked.Vectors[at].Dim, checked.Vectors[at].Model = e.Dim(), e.Model()
			return schemaOf(checked).check(caps)
		},
		SkipFailed: o.SkipFailed, MaxErrors: o.MaxErrors, Workers: o.Workers,
		Batch: ingest.DefaultBatch(caps.BatchRecords, true), Progress: ingestProgress(o.Progress), Index: index,
	})
	report := reportOf(done)
	if failed, ok := errors.AsType[*reembed.FailedError](err); ok {
		err = fmt.Errorf("%w", reportOf(failed.Report).failure())
	}
	if err == nil && s.Vectors[at].Model == e.Model() { // perhaps a call was cut off before it had said so
		err = db.lives.Of(s.Name).Alone(ctx, func() error { return db.sayModel(ctx, s.Name, o.In, e) })
	}
	if err != nil {
		return nil, report, err
	}
	c, err := db.engine.Open(ctx, s.Name)
	if err != nil {
		return nil, report, err
	}
	with := newCollection(db, db.kept(c), "")
	with.live, with.named = db.lives.Of(s.Name), map[string]Embedder{o.In: e}
	with.seen = with.live.Now()
	return with, report, nil
}

// namedSwap is an engine whose Swap runs within something.
type namedSwap struct {
	engine.Engine
	within func(ctx context.Context, swap func() error) error
}

// Swap implements engine.Engine.
func (n *namedSwap) Swap(ctx context.Context, s engine.Swap) error {
	return n.within(ctx, func() error { return n.Engine.Swap(ctx, s) })
}

// sayModel writes into a collection's schema which model a vector is of, and tells the
// handles of this process. The caller keeps calls out.
func (db *DB) sayModel(ctx context.Context, name, vector string, e Embedder) error {
	err := db.engine.Alter(ctx, engine.Alter{
		Name: name,
		Plan: func(is engine.Schema) (engine.Alteration, error) {
			to := engine.Alteration{Schema: is, From: make([]int, len(is.Fields))}
			for i := range to.From {
				to.From[i] = i
			}
			at := is.VectorPlace(vector)
			if at < 0 {
				return to, fmt.Errorf("%w: it has no vector %q any more", ErrAltered, vector)
			}
			to.Schema.Vectors = slices.Clone(is.Vectors)
			to.Schema.Vectors[at].Model, to.Schema.Vectors[at].Dim = e.Model(), e.Dim()
			return to, nil
		},
		Alone: func(_ context.Context, run func() error) error { return run() },
		Done:  func(engine.Collection) {},
	})
	if err != nil {
		return err
	}
	c, err := db.engine.Open(ctx, name)
	if err == nil {
		db.lives.Of(name).Altered(db.kept(c))
	}
	return err
}
