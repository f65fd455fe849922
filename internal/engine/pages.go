package engine

import (
	"context"
	"iter"
)

// PageRecords is how many records without vectors are read at a time. With
// vectors see [Schema.VectorPage].
const PageRecords = 512

const pageBytes = 1 << 20 // of vectors that are read at a time

// Page returns how many records without vectors a scan of a whole collection reads at a
// time. From workers these are more, because each is asked for a whole page of its own.
func (s Schema) Page() int {
	if s.Distributed != NotDistributed {
		return 2 * PageRecords
	}
	return PageRecords
}

// VectorPage returns how many records with vectors are read at a time: about a
// MiB of them, and 16 at least.
func (s Schema) VectorPage() int {
	return max(16, min(PageRecords, pageBytes/(s.Dim*s.Element.Size())))
}

// Pages reads one page after the other with scan, as plan has it, until a page is
// not full. After an error it ends. The pages are the caller's.
func Pages(ctx context.Context, plan Scan, scan func(context.Context, Scan) ([]Record, error)) iter.Seq2[[]Record, error] {
	return func(yield func([]Record, error) bool) {
		for {
			page, err := scan(ctx, plan)
			if err != nil {
				yield(nil, err)
				return
			}
			more := len(page) == plan.Limit
			if more {
				plan.After = page[len(page)-1].ID
			}
			if !yield(page, nil) || !more {
				return
			}
		}
	}
}

// Stream is [Pages], a record at a time.
func Stream(ctx context.Context, plan Scan, scan func(context.Context, Scan) ([]Record, error)) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		for page, err := range Pages(ctx, plan, scan) {
			if err != nil {
				yield(Record{}, err)
				return
			}
			for _, r := range page {
				if !yield(r, nil) {
					return
				}
			}
		}
	}
}

// ScanIDs returns the IDs of the records that the plan's filter lets pass.
func ScanIDs(ctx context.Context, plan Scan, scan func(context.Context, Scan) ([]Record, error)) (ids []string, err error) {
	plan.Limit = PageRecords
	for r, err := range Stream(ctx, plan, scan) {
		if err != nil {
			return nil, err
		}
		ids = append(ids, r.ID)
	}
	return ids, nil
}

// IDs returns the records' IDs.
func IDs(records []Record) []string {
	ids := make([]string, len(records))
	for i, r := range records {
		ids[i] = r.ID
	}
	return ids
}
