package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/filter"
)

// finding is one thing that the doctor has looked at.
type finding struct {
	Level  string `json:"level"` // ok, warning or problem
	What   string `json:"what"`
	Remedy string `json:"remedy,omitempty"`
}

const (
	levelOK      = "ok"
	levelWarning = "warning"
	levelProblem = "problem"
)

// errProblems ends a visit that has found some.
var errProblems = errors.New("there are problems: see above")

// visit collects what the doctor finds.
type visit struct {
	found    func(finding) error
	problems int
}

func (v *visit) ok(format string, args ...any) error {
	return v.found(finding{Level: levelOK, What: fmt.Sprintf(format, args...)})
}

func (v *visit) warn(remedy, format string, args ...any) error {
	return v.found(finding{Level: levelWarning, What: fmt.Sprintf(format, args...), Remedy: remedy})
}

func (v *visit) problem(remedy, format string, args ...any) error {
	v.problems++
	return v.found(finding{Level: levelProblem, What: fmt.Sprintf(format, args...), Remedy: remedy})
}

func (a *app) doctor() *cobra.Command {
	var write bool
	cmd := &cobra.Command{
		Use: "doctor [flags] [URL]", Short: "say whether a database is in order, and what to do", GroupID: "tune",
		Long: `Connects to a database and says what is right, what is wrong, and the remedy: the
server's and pgvector's versions, rights, memory for indexes, collections and their
models. It changes nothing; with --write it also stores and deletes a few records in a
collection of its own. The exit code is 1 if there is a problem.`,
		Example: `vecwire doctor
vecwire doctor --write --json
vecwire doctor postgres://user@localhost/app`,
		Args: arguments(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				a.settings.DB = args[0]
			}
			v := &visit{found: a.finding}
			if err := a.examine(cmd.Context(), v, write); err != nil {
				return err
			}
			if v.problems > 0 {
				return errProblems
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&write, "write", false, "store and delete a few records, too")
	return cmd
}

func (a *app) finding(f finding) error {
	if a.json {
		return a.line(f)
	}
	if f.Remedy == "" {
		return a.printf("%-8s %s\n", f.Level, f.What)
	}
	return a.printf("%-8s %s\n         → %s\n", f.Level, f.What, f.Remedy)
}

func (a *app) examine(ctx context.Context, v *visit, write bool) (err error) {
	if strings.HasPrefix(a.settings.DB, "postgres://") || strings.HasPrefix(a.settings.DB, "postgresql://") {
		if goOn, err := examineServer(ctx, v, a.settings.DB); err != nil || !goOn {
			return err
		}
	}
	db, err := a.open(ctx)
	if bad, ok := errors.AsType[*vecwire.ConnectError](err); ok {
		return v.problem(bad.Remedy, "%s cannot be opened: %v", bad.Target, bad.Err)
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	can := db.Capabilities()
	if err := v.ok("the engine is %s", can.Engine); err != nil {
		return err
	}
	if lacks := lacking(can); len(lacks) > 0 {
		if err := v.warn("these verbs return an error on this engine; see docs/"+can.Engine+".md", "it lacks %s", strings.Join(lacks, ", ")); err != nil {
			return err
		}
	}
	if err := a.examineCollections(ctx, v, db); err != nil {
		return err
	}
	if write {
		return examineWriting(ctx, v, db)
	}
	return nil
}

// lacking names what an engine cannot do.
func lacking(can vecwire.Capabilities) []string {
	var lacks []string
	for _, c := range []struct {
		can  bool
		name string
	}{
		{can.Transactions, "transactions"}, {can.Indexes, "vector indexes"}, {can.FullText, "full text"}, {can.Effort, "tune"},
		{can.L2, "the metric L2"}, {can.AtomicBatches, "batches that are stored as a whole"},
	} {
		if !c.can {
			lacks = append(lacks, c.name)
		}
	}
	return lacks
}

func (a *app) examineCollections(ctx context.Context, v *visit, db *vecwire.DB) error {
	schemas, err := db.Collections(ctx)
	if err != nil {
		return err
	}
	if len(schemas) == 0 {
		return v.warn("run vecwire add FOLDER", "there is no collection")
	}
	e, err := a.embedder()
	if err != nil {
		return err
	}
	for _, s := range schemas {
		c, err := db.OpenCollection(ctx, s.Name)
		if err != nil {
			if err := v.problem("restore it from a backup or an export", "the collection %s cannot be opened: %v", s.Name, err); err != nil {
				return err
			}
			continue
		}
		n, err := c.Count(ctx, filter.Filter{})
		if err != nil {
			return err
		}
		if err := v.ok("the collection %s has %s of %d dimensions", s.Name, count(n, "record"), s.Dim); err != nil {
			return err
		}
		if s.Model != "" && s.Model != e.Model() {
			if err := v.warn("name its model by --embedder, --embed-url and --embed-model, or change it by vecwire reembed",
				"the collection %s was filled by the model %q, and questions would be embedded by %q", s.Name, s.Model, e.Model()); err != nil {
				return err
			}
		}
		if err := examineIndexes(ctx, v, db, c, n); err != nil {
			return err
		}
	}
	return nil
}

// manyRecords is from where on a collection without an index is worth a word.
const manyRecords = 200_000

func examineIndexes(ctx context.Context, v *visit, db *vecwire.DB, c *vecwire.Collection, records int) error {
	if !db.Capabilities().Indexes {
		return nil
	}
	indexes, err := c.Indexes(ctx)
	if err != nil {
		return err
	}
	if len(indexes) == 0 && records >= manyRecords {
		return v.warn("run vecwire index", "the collection %s has no vector index: every search compares %d records", c.Schema().Name, records)
	}
	for _, i := range indexes {
		if !i.Valid {
			if err := v.problem("run vecwire index again", "the index %s of %s was not finished", i.Name, c.Schema().Name); err != nil {
				return err
			}
		}
	}
	return nil
}

// examineWriting stores, finds and deletes records in a collection that it makes.
func examineWriting(ctx context.Context, v *visit, db *vecwire.DB) (err error) {
	name := "doctor_" + strings.ToLower(rand.Text()[:8])
	const remedy = "see the error; the rights of the user are the commonest reason"
	c, err := db.CreateCollection(ctx, vecwire.Schema{Name: name, Dim: 3})
	if err != nil {
		return v.problem(remedy, "a collection cannot be made: %v", err)
	}
	defer func() { err = errors.Join(err, db.DropCollection(context.WithoutCancel(ctx), name)) }()
	err = c.Upsert(ctx, vecwire.Record{ID: "1", Vector: []float32{1, 0, 0}}, vecwire.Record{ID: "2", Vector: []float32{0, 1, 0}})
	if err != nil {
		return v.problem(remedy, "records cannot be stored: %v", err)
	}
	hits, err := c.Search(ctx, vecwire.Query{Vector: []float32{0, 1, 0.1}, K: 1})
	if err != nil {
		return v.problem(remedy, "records cannot be searched: %v", err)
	}
	if len(hits) != 1 || hits[0].ID != "2" {
		return v.problem("report this with the output of vecwire doctor --json", "a search did not find what was stored")
	}
	return v.ok("records can be stored, found and deleted")
}
