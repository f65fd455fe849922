package vecwire

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/vecwire/vecwire/chunk"
	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
	"github.com/vecwire/vecwire/internal/ingest"
	"github.com/vecwire/vecwire/internal/lru"
	"github.com/vecwire/vecwire/internal/search"
)

// SourceField names the String field, "source", that says which document a record is a part
// of; see [Collection.ReplaceSource].
const SourceField = search.SourceField

// ReplaceSource makes records the only ones of a source, such as the chunks of a
// document that has changed: it stores them, with their [SourceField] set to
// source, and deletes the source's other records. Without records it deletes all.
// If the schema has a [PartField], a record without a value for it gets its place
// among the records, from 0. [Chunks] makes records of chunks.
// As in [Collection.Ingest], what is stored already as it is is neither embedded
// nor written.
//
// The schema must have a String field of the name SourceField, which should be
// indexed. If a record is refused, nothing is changed, and the error is a
// [*BatchError]. Others see all of the change or nothing; on an engine without
// AtomicBatches (see [Capabilities]) the records are stored before the others
// are deleted.
//
// Records are compared before the transaction, and again inside it. If another
// writer has changed one in between, ReplaceSource begins again, up to 20 times, so
// that the source has exactly the given records when it returns nil.
func (c *Collection) ReplaceSource(ctx context.Context, source string, records ...Record) (IngestReport, error) {
	c, ctx, call, err := c.begin(ctx, OpReplaceSource)
	if err != nil {
		return IngestReport{}, err
	}
	defer call.leave()
	report, err := c.replaceSource(ctx, source, records)
	return report, call.end(int(report.Done()), err)
}

func (c *Collection) replaceSource(ctx context.Context, source string, records []Record) (IngestReport, error) {
	begun := time.Now()
	if t, ok := c.rules.TypeOf(SourceField); !ok || t != String {
		return IngestReport{}, &SchemaError{Collection: c.schema.Name, Field: SourceField, Msg: "is needed, of the type String, to tell sources apart"}
	}
	ofSource, err := c.checkFilter(filter.Eq(SourceField, source))
	if err != nil {
		return IngestReport{}, err
	}
	t, numbered := c.rules.TypeOf(PartField)
	numbered = numbered && t == Int
	parts := make([]Record, len(records))
	var failed []RecordError
	for i, r := range records {
		if own, ok := r.Fields[SourceField]; ok && own != source {
			err := badValue(SourceField, filter.Describe(source)+" or nothing", filter.Describe(own))
			failed = append(failed, RecordError{ID: r.ID, Index: i, Err: err})
		}
		if r.Fields = maps.Clone(r.Fields); r.Fields == nil {
			r.Fields = Fields{}
		}
		r.Fields[SourceField] = source
		if numbered && r.Fields[PartField] == nil {
			r.Fields[PartField] = int64(i)
		}
		parts[i] = r
	}
	if failed != nil {
		return IngestReport{}, &BatchError{Total: len(records), Failed: failed}
	}
	if err := lru.Check(c.schema, len(records)); err != nil {
		return IngestReport{}, err
	}
	job := ingest.New(c.job(IngestOptions{}))
	var r *ingest.Replacement
	for range sourceTries {
		if r, err = job.Prepare(ctx, parts); err != nil {
			return IngestReport{}, err
		}
		if r.Failed != nil {
			return IngestReport{}, &BatchError{Total: len(records), Failed: failuresOf(r.Failed)}
		}
		if err = c.apply(ctx, r, ofSource); !errors.Is(err, ingest.ErrOvertaken) {
			break
		}
	}
	if err != nil {
		return IngestReport{}, fmt.Errorf("source %s: %w", filter.Describe(source), err)
	}
	report := reportOf(r.Report)
	report.Elapsed = time.Since(begun)
	return report, nil
}

// sourceTries is how often the records of a source are compared, while other
// writers change them between that and the transaction that replaces them.
const sourceTries = 20

// apply applies a replacement in one transaction, where there is one.
func (c *Collection) apply(ctx context.Context, r *ingest.Replacement, set filter.Filter) error {
	apply := func(ctx context.Context, e engine.Collection) error { return r.Apply(ctx, e, set) }
	caps := c.db.engine.Capabilities()
	switch {
	case !caps.Transactions || !caps.AtomicBatches || c.db.txOf(ctx) != nil:
		return apply(ctx, c.engine)
	case c.mirror != nil:
		return c.mirror.Atomically(ctx, c.db.engine.Tx, apply)
	}
	return c.db.engine.Tx(ctx, func(ctx context.Context) error { return apply(ctx, c.engine) })
}

// The fields that say, beside [SourceField], where in its document a record stands.
const (
	// PartField names the Int field, "part", with a record's place among the parts of its
	// document: 0, 1, 2 and on, without gaps. [Collection.ReplaceSource] fills it.
	PartField = search.PartField
	// StartField names the Int field, "start", with the place in the document, in bytes, where the
	// record's text begins. It is needed only where chunks overlap, to have what they
	// share once in a [Passage].
	StartField = search.StartField
)

// SourceFields returns the fields by which parts of documents are found and put
// together again, for a [Schema]: SourceField, with an index, PartField and StartField.
func SourceFields() []Field {
	return []Field{{Name: SourceField, Index: true}, {Name: PartField, Type: Int}, {Name: StartField, Type: Int}}
}

// Chunks returns the chunks of a document as records with the fields of [SourceFields],
// for [Collection.ReplaceSource]. An ID is the source, "#", and the beginning of a hash of
// the chunk's text, so that a chunk keeps it, and its vector, when text comes in before
// it; a text that the document has again gets a number behind it.
func Chunks(source string, chunks []chunk.Chunk) []Record {
	records := make([]Record, len(chunks))
	seen := map[string]int{}
	for i, c := range chunks {
		hash := sha256.Sum256([]byte(c.Text))
		id := fmt.Sprintf("%s#%x", source, hash[:6])
		if seen[id]++; seen[id] > 1 {
			id = fmt.Sprintf("%s-%d", id, seen[id])
		}
		records[i] = Record{ID: id, Text: c.Text, Fields: Fields{SourceField: source, PartField: int64(c.Part), StartField: int64(c.Start)}}
	}
	return records
}

// Source reads a document back: all records of a source in the order of their
// [PartField], and their texts as one. Records without a place in it come last, by ID. The
// schema must have [SourceField] and PartField, or Source returns a [*SchemaError]. It
// returns [ErrNotFound] if the source has no records, and a [*ValueError] if records of
// several namespaces have it: read it through [Collection.Namespace] then.
func (c *Collection) Source(ctx context.Context, source string) (*Passage, error) {
	c, ctx, call, err := c.begin(ctx, OpSource)
	if err != nil {
		return nil, err
	}
	defer call.leave()
	p, err := c.searched.Document(ctx, source)
	n := 0
	if err == nil {
		n = len(p.Parts)
	}
	if err = call.end(n, err); err != nil {
		return nil, err
	}
	return c.passage(p), nil
}
