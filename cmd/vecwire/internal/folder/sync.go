package folder

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/cmd/vecwire/internal/pdf"
	"github.com/vecwire/vecwire/filter"
)

// Report says what became of the files of a tree.
type Report struct {
	vecwire.IngestReport
	Files   int
	Chunks  int
	Skipped map[Reason]int
	Skips   []*Skip // the first hundred
}

// Options says how [Sync] works.
type Options struct {
	// Move takes over records of the same sources that came from another folder.
	Move bool
	// DryRun reads the files and changes nothing.
	DryRun bool
	// Ingest is handed on. Its Total is counted first if there is a Progress.
	Ingest vecwire.IngestOptions
}

// OriginError says that sources of these names came from another folder.
type OriginError struct{ Source string }

func (e *OriginError) Error() string {
	return fmt.Sprintf("%s is in the collection already, from another folder of that name", e.Source)
}

// Sync stores the chunks of a tree's files in a collection that has [Fields], and
// removes those of the tree's earlier files and chunks that are gone. What is stored
// already is neither embedded nor written, so an interrupted Sync is finished by
// another one. A file that cannot be read now keeps the records that it has.
func Sync(ctx context.Context, c *vecwire.Collection, t Tree, o Options) (Report, error) {
	origin, err := t.Origin()
	if err != nil {
		return Report{}, err
	}
	origins, err := t.claim(ctx, c, origin, o.Move)
	if err != nil {
		return Report{}, err
	}
	var kept *keptPages
	if o.Ingest.Progress != nil && o.Ingest.Total == 0 {
		kept = &keptPages{parse: pdf.Pages}
		for _, err := range t.records(ctx, origin, &seen{pages: kept}) {
			if _, bad := errors.AsType[*vecwire.RecordError](err); err != nil && !bad {
				return Report{}, err
			}
			if ctx.Err() != nil {
				return Report{}, context.Cause(ctx)
			}
			o.Ingest.Total++
		}
	}
	s := &seen{pages: kept}
	var report Report
	if o.DryRun {
		for _, err := range t.records(ctx, origin, s) {
			if _, bad := errors.AsType[*vecwire.RecordError](err); err != nil && !bad {
				return report, err
			}
		}
	} else {
		report.IngestReport, err = c.Ingest(ctx, t.records(ctx, origin, s), o.Ingest)
	}
	report.Files, report.Chunks, report.Skipped, report.Skips = s.files, len(s.ids), s.skipped, s.skips
	if err != nil || o.DryRun {
		return report, err
	}
	n, err := t.sweep(ctx, c, origins, s)
	report.Deleted = int64(n)
	return report, err
}

// seen is what a walk has come by.
type seen struct {
	files   int
	ids     map[string]bool
	keep    map[string]bool // sources whose records stay, since they could not all be read
	skipped map[Reason]int
	skips   []*Skip
	pages   *keptPages // of PDFs that may be read again
}

func (s *seen) skip(skip *Skip) {
	if s.skipped == nil {
		s.skipped = map[Reason]int{}
	}
	s.skipped[skip.Reason]++
	if len(s.skips) < vecwire.MaxFailures {
		s.skips = append(s.skips, skip)
	}
	if skip.Reason == Unreadable {
		s.keeps(skip.Source)
	}
}

func (s *seen) keeps(source string) {
	if s.keep == nil {
		s.keep = map[string]bool{}
	}
	s.keep[source] = true
}

// kept reports whether a source, or a folder that it is in, could not be read.
func (s *seen) kept(source string) bool {
	for {
		if s.keep[source] {
			return true
		}
		i := strings.LastIndexByte(source, '/')
		if i < 0 {
			return false
		}
		source = source[:i]
	}
}

// records yields the chunks of all files and notes in s what it comes by.
func (t Tree) records(ctx context.Context, origin string, s *seen) iter.Seq2[vecwire.Record, error] {
	return func(yield func(vecwire.Record, error) bool) {
		s.ids = map[string]bool{}
		for f, err := range t.Files() {
			if skip, ok := errors.AsType[*Skip](err); ok {
				s.skip(skip)
				continue
			}
			if err != nil {
				yield(vecwire.Record{}, err)
				return
			}
			s.files++
			f.kept = s.pages
			for r, err := range f.Records(ctx, origin, t.Chunk) {
				if skip, ok := errors.AsType[*Skip](err); ok {
					s.files--
					s.skip(skip)
					break
				}
				if err != nil {
					s.keeps(f.Source)
				} else {
					s.ids[r.ID] = true
				}
				if !yield(r, err) {
					return
				}
			}
		}
	}
}

// within passes the records of a tree's sources.
func (t Tree) within() filter.Filter {
	prefix := t.prefix()
	if prefix == "" {
		return filter.Not(filter.Prefix(vecwire.SourceField, "../"))
	}
	return filter.Or(filter.Eq(vecwire.SourceField, prefix), filter.Prefix(vecwire.SourceField, strings.TrimSuffix(prefix, "/")+"/"))
}

// claim returns the origins whose records are the tree's. It refuses if a source of
// the tree came from elsewhere, unless that folder has moved.
func (t Tree) claim(ctx context.Context, c *vecwire.Collection, origin string, move bool) ([]string, error) {
	foreign := filter.And(t.within(), filter.Ne(OriginField, origin))
	if n, err := c.Count(ctx, foreign); err != nil || n == 0 {
		return []string{origin}, err
	}
	theirs := map[string]string{}
	for r, err := range c.All(ctx, vecwire.Scan{Filter: foreign}) {
		if err != nil {
			return nil, err
		}
		source, _ := r.Fields[vecwire.SourceField].(string)
		theirs[source], _ = r.Fields[OriginField].(string)
	}
	origins := []string{origin}
	for f, err := range t.Files() {
		if _, skipped := errors.AsType[*Skip](err); skipped {
			continue
		}
		if err != nil {
			return nil, err
		}
		other, taken := theirs[f.Source]
		switch {
		case taken && !move:
			return nil, &OriginError{f.Source}
		case taken && !slices.Contains(origins, other):
			origins = append(origins, other)
		}
	}
	return origins, nil
}

// sweep removes the tree's records that the walk has not come by.
func (t Tree) sweep(ctx context.Context, c *vecwire.Collection, origins []string, s *seen) (int, error) {
	var gone []string
	for r, err := range c.All(ctx, vecwire.Scan{Filter: filter.And(t.within(), filter.In(OriginField, origins...))}) {
		if err != nil {
			return 0, err
		}
		source, _ := r.Fields[vecwire.SourceField].(string)
		if !s.ids[r.ID] && !s.kept(source) {
			gone = append(gone, r.ID)
		}
	}
	deleted := 0
	for len(gone) > 0 {
		n := min(len(gone), 1000)
		removed, err := c.Delete(ctx, gone[:n]...)
		deleted += removed
		if err != nil {
			return deleted, err
		}
		gone = gone[n:]
	}
	return deleted, nil
}
