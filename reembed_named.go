package vecwire

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/vecwire/vecwire/internal/embedding"
	"github.com/vecwire/vecwire/internal/engine"
	"github.com/vecwire/vecwire/internal/ingest"
	"github.com/vecwire/vecwire/internal/reembed"
	"github.com/vecwire/vecwire/internal/schema"
)

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
