package transfer

import (
	"context"
	"fmt"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/filter"
)

// CopyOptions says what [Copy] copies, and how.
type CopyOptions struct {
	// Filter says which records are copied. The zero filter lets all pass.
	Filter filter.Filter
	// After leaves out the records whose ID is not after this one, byte by byte.
	After string
	// NoVectors leaves the vectors out, for a collection with an embedder to make
	// them anew of the texts; see [vecwire.Collection.WithEmbedder]. The dimension,
	// the element type and the model may then differ.
	NoVectors bool
	// Ingest says how the copy stores the records, and who is told. Its Total is
	// counted if it is 0 and there is a Progress.
	Ingest vecwire.IngestOptions
}

// Copy stores the records of src in dst, of any engine each, with
// [vecwire.Collection.Ingest]. Records that dst has beside them stay.
//
// The schemas must fit: dst has each field of src, with the same type, and
// vectors of the same dimension, of the same element type or of DOUBLE where src
// has FLOAT, and not of another model. The metric may differ. Otherwise Copy
// stores nothing, and returns all that does not fit: [*vecwire.SchemaError],
// [*vecwire.DimensionError], [*vecwire.ElementError], [vecwire.ErrModelMismatch].
//
// A record that dst refuses, such as zeros under Cosine, is a failure in the
// report. A copy that was interrupted is finished by running it again: what is
// in dst already is compared, and not written.
func Copy(ctx context.Context, dst, src *vecwire.Collection, o CopyOptions) (vecwire.IngestReport, error) {
	from, to := src.Schema(), dst.Schema()
	if err := fits(from, to, !o.NoVectors); err != nil {
		return vecwire.IngestReport{}, fmt.Errorf("transfer: copy %s to %s: %w", from.Name, to.Name, err)
	}
	read := Options{Filter: o.Filter, After: o.After}
	if o.Ingest.Total == 0 && o.Ingest.Progress != nil {
		total, err := read.count(ctx, src)
		if err != nil {
			return vecwire.IngestReport{}, fmt.Errorf("transfer: copy %s to %s: %w", from.Name, to.Name, err)
		}
		o.Ingest.Total = int64(total)
	}
	report, err := dst.Ingest(ctx, read.scan(ctx, src, !o.NoVectors), o.Ingest)
	if err != nil {
		err = fmt.Errorf("transfer: copy %s to %s: %w", from.Name, to.Name, err)
	}
	return report, err
}
