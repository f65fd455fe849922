package reembed

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
	"github.com/vecwire/vecwire/internal/ingest"
)

// Options says what is reembedded and how.
type Options struct {
	Engine engine.Engine
	Log    *slog.Logger
	Name   string // of the collection

	Model string // the new model's name, and the dimension of its vectors
	Dim   int
	Embed ingest.Embed
	// From is what the records are read from in place of the collection, which holds only
	// vectors of them: see Sources.
	From engine.Collection
	// Check says why a collection of a schema cannot be made, nil if it can.
	Check func(engine.Schema) error

	Keep       string // the name that the old collection is kept under, "" to drop it
	SkipFailed bool
	MaxErrors  int
	Workers    int
	Batch      int // records in a batch
	Progress   func(ingest.Progress)
	Index      engine.IndexPlan // what is zero is the old index's
}

// ErrBehind says that the collection was written to all the time, and that the
// embedder could not work while writers waited.
var ErrBehind = errors.New("the collection is written to without a pause in which the last texts can be embedded: pause the writers")

// job is a Run under way.
type job struct {
	Options
	old, next engine.Collection
	failed    *failures
	memo      map[string]engine.Vector // of texts that writers changed while a swap was tried
	passes    int
	tries     int // how often a swap was tried
	report    ingest.Report
	settled   ingest.Report // of the last try to swap
}

// Run makes the second collection and puts it in the place of the first. If the
// collection has the model already, it only clears away what an interrupted Run
// left. The report is good in any case.
func Run(ctx context.Context, o Options) (ingest.Report, error) {
	j := &job{Options: o}
	begun := time.Now()
	err := j.run(ctx)
	j.report.Elapsed = time.Since(begun)
	return j.report, err
}

// rounds is how often a swap is tried while writers change texts. Each round
// embeds the few texts of the last one, so that more than a handful are needed only
// if the embedder itself writes to the same database, and cannot do that while
// writers wait.
const rounds = 20

func (j *job) run(ctx context.Context) error {
	var err error
	if j.old, err = j.Engine.Open(ctx, j.Name); err != nil {
		return err
	}
	if j.old.Schema().Model == j.Model {
		return DropLeftovers(ctx, j.Engine, j.Name, j.Model)
	}
	if err := j.openNext(ctx); err != nil {
		return err
	}
	for indexed := false; j.tries < rounds; {
		behind, err := j.pass(ctx)
		if err != nil {
			return err
		}
		if behind {
			continue
		}
		if !indexed {
			indexed = true
			built, err := j.buildIndex(ctx)
			if err != nil {
				return err
			}
			if built { // which takes long
				continue
			}
		}
		if err := j.trySwaps(ctx); !errors.Is(err, errBehind) {
			return err
		}
	}
	return ErrBehind
}

// trySwaps tries to swap, and embeds what stands in the way, until another pass is
// needed: then it returns errBehind.
func (j *job) trySwaps(ctx context.Context) error {
	for j.tries < rounds {
		j.tries++
		wanted, err := j.swap(ctx)
		if err == nil {
			j.report.Updated += j.settled.Updated
			j.report.Deleted += j.settled.Deleted
		}
		if !errors.Is(err, errBehind) || len(wanted) == 0 {
			return err
		}
		if all, err := j.remember(ctx, wanted); err != nil {
			return err
		} else if !all {
			return errBehind
		}
	}
	return errBehind
}

// openNext opens the second collection, or makes it. One that an interrupted call
// left is gone on with if it has the schema that it should have, and made again if
// it has no records: then perhaps it was not made whole.
func (j *job) openNext(ctx context.Context) error {
	want := j.old.Schema()
	want.Name, want.Dim, want.Model = nextName(want.Name, j.Model), j.Dim, j.Model
	next, err := j.Engine.Open(ctx, want.Name)
	if err == nil {
		n, counted := next.Count(ctx, filter.Filter{})
		if counted != nil && !errors.Is(counted, engine.ErrNotFound) {
			return counted
		}
		if is := next.Schema(); n > 0 && is.Dim == want.Dim && is.Element == want.Element && is.Metric == want.Metric && slices.EqualFunc(is.Fields, want.Fields, engine.Field.Equal) && is.SameVectors(want) {
			j.next = next
			return nil
		}
		err = j.Engine.Drop(ctx, want.Name)
	}
	if err != nil && !errors.Is(err, engine.ErrNotFound) {
		return err
	}
	checked := want
	checked.Name = j.old.Schema().Name
	if err := j.Check(checked); err != nil {
		return err
	}
	if j.Keep != "" {
		_, err := j.Engine.Open(ctx, j.Keep)
		if err == nil {
			return fmt.Errorf("the collection %s %w", j.Keep, engine.ErrExists)
		}
		if !errors.Is(err, engine.ErrNotFound) {
			return err
		}
	}
	j.next, err = j.Engine.Create(ctx, want)
	return err
}

// buildIndex builds the vector indexes that the old collection has, and reports
// whether there was one to build.
func (j *job) buildIndex(ctx context.Context) (built bool, err error) {
	was, err := j.old.Indexes(ctx)
	if errors.Is(err, engine.ErrUnsupported) {
		return false, nil
	}
	was = slices.DeleteFunc(was, func(x engine.Index) bool { return !x.Valid || x.In != 0 || x.Predicate != "" && x.Where.IsZero() })
	if err != nil || len(was) == 0 {
		return false, err
	}
	for len(was) > 0 { // of all records, and each of some
		where := was[0].Where
		of := func(x engine.Index) bool { return x.Where.Equal(where) }
		like := was[max(0, slices.IndexFunc(was, func(x engine.Index) bool { return of(x) && x.M > 0 }))]
		one, err := j.buildLike(ctx, like)
		if err != nil {
			return false, err
		}
		built = built || one
		was = slices.DeleteFunc(was, of)
	}
	return built, nil
}

// buildLike builds an index as the old collection has it. That was over some of the
// dimensions perhaps; another model's vectors may not be such as can be cut off.
func (j *job) buildLike(ctx context.Context, like engine.Index) (built bool, err error) {
	p := j.Index
	p.Where = like.Where
	if like.Kind != "hnsw" && like.Kind != "ivfflat" { // which is not built here
		p.Method = like.Kind
	}
	if p.M == 0 {
		p.M = like.M
	}
	if p.EfConstruction == 0 {
		p.EfConstruction = like.EfConstruction
	}
	if p.Compress == engine.NoCompression {
		p.Compress = like.Compress
	}
	err = j.next.BuildIndex(ctx, p)
	if errors.Is(err, engine.ErrUnsupported) { // over so many dimensions; a search without finds as much
		j.Log.WarnContext(ctx, "the new vectors have no index", "collection", j.old.Schema().Name, "err", err)
		return false, nil
	}
	return true, err
}

// The names of what a Run keeps beside a collection. Users cannot make collections
// of such names. They tell models apart, so that a table named after one never
// holds vectors of two.
func nextName(collection, model string) string { return besideName(collection, "next", model) }
func oldName(collection, model string) string  { return besideName(collection, "old", model) }

func besideName(collection, what, model string) string {
	collection = strings.ToLower(collection)
	sum := sha256.Sum256([]byte(collection + "\x00" + what + "\x00" + model))
	return fmt.Sprintf("vecwire_%.27s_%x", collection, sum[:6])
}

// DropLeftovers removes what an interrupted Run left beside a collection: that of
// one model, or "" for all.
func DropLeftovers(ctx context.Context, e engine.Engine, collection, model string) error {
	all, err := e.List(ctx)
	if err != nil {
		return err
	}
	for _, s := range all {
		next := s.Name == nextName(collection, s.Model) && (model == "" || s.Model == model)
		old := s.Name == oldName(collection, s.Model) && (model == "" || s.Model != model)
		if next || old {
			if err := e.Drop(ctx, s.Name); err != nil && !errors.Is(err, engine.ErrNotFound) {
				return err
			}
		}
	}
	return nil
}
