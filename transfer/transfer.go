// Package transfer moves collections: into files and out of them, and from one
// engine to another. All of it streams, so that a collection may be larger than
// the memory, and all of it is lossless: what is read back is, bit for bit, what
// was written.
//
// A file of records is JSONL, one JSON object a line:
//
//	{"id":"007","vector":[0.1,-2.5],"text":"…","fields":{"lang":"go","year":2009}}
//
// [WriteJSONL] writes it and [ReadJSONL] reads it as the input of
// [vecwire.Collection.Ingest]. Other programs have other names, which [Names] tells,
// and tables, which [WriteCSV] and [ReadCSV] know and package transfer/parquet, a
// module of its own. [WriteVecs] and [WriteNPY] write the vectors into
// a file of their own, in a form that other tools map into memory, and all else
// as JSONL beside it. [WriteSchema] puts the schema at the head of the JSONL, or
// into any other file, for [ReadSchema] to make the collection of. [Copy] needs
// no file.
//
// The package uses the public API of package vecwire, as any other program could.
package transfer

import (
	"context"
	"iter"
	"time"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/filter"
)

// Options says which records are written, and who is told.
type Options struct {
	// Filter says which records are written. The zero filter lets all pass.
	Filter filter.Filter
	// After leaves out the records whose ID is not after this one, byte by byte:
	// the Last of a Progress, to go on where an export stopped.
	After string
	// NoVectors leaves the vectors out of JSONL. An embedder can make them anew
	// of the texts. Files of vectors cannot be without.
	NoVectors bool
	// Names are what another program calls the parts of a record, in JSONL, CSV and
	// the payload of files of vectors. Defaults to the form of this package.
	Names *Names
	// Comma is the ASCII character between the cells of CSV, such as '\t'. Defaults
	// to ','.
	Comma rune
	// NoHeader leaves out the row of CSV that names the columns, for an export that
	// goes on in the same file.
	NoHeader bool
	// Progress is called after every 512 records, and once at the end, also of
	// an export that failed. It makes the export count the records first.
	Progress func(Progress)
}

// Progress says how far an export is.
type Progress struct {
	Done    int64         // records written
	Total   int64         // records that there were to write at the beginning; others may have come or gone since
	Bytes   int64         // bytes written, of vectors and payload
	Last    string        // ID of the last record written; unless the io.Writer failed, it has been given the whole line in WriteJSONL
	Elapsed time.Duration // since the beginning
}

// reportEvery is how many records are written between two calls of Progress.
const reportEvery = 512

// scan streams the records that are to be written.
func (o Options) scan(ctx context.Context, c *vecwire.Collection, vectors bool) iter.Seq2[vecwire.Record, error] {
	return c.All(ctx, vecwire.Scan{Filter: o.Filter, After: o.After, Vectors: vectors})
}

// count returns how many records there are to write.
func (o Options) count(ctx context.Context, c *vecwire.Collection) (int, error) {
	f := o.Filter
	if o.After != "" {
		f = filter.And(f, filter.Gt("id", o.After))
	}
	return c.Count(ctx, f)
}

// meter counts what is written.
type meter struct {
	report func(Progress) // may be nil
	begun  time.Time
	now    Progress
}

// meter returns a meter that knows the total, if somebody wants to be told.
func (o Options) meter(ctx context.Context, c *vecwire.Collection) (*meter, error) {
	m := &meter{report: o.Progress, begun: time.Now()}
	if o.Progress == nil {
		return m, nil
	}
	total, err := o.count(ctx, c)
	m.now.Total = int64(total)
	return m, err
}

// add counts a record, and reports whether it is time to tell.
func (m *meter) add(id string, bytes int) (due bool) {
	m.now.Done++
	m.now.Bytes += int64(bytes)
	m.now.Last = id
	return m.report != nil && m.now.Done%reportEvery == 0
}

func (m *meter) tell() {
	if m.report != nil {
		m.now.Elapsed = time.Since(m.begun)
		m.report(m.now)
	}
}

// Each calls write for each record that is to be written, in the order of the IDs, and
// returns how many that were: what a format of another package needs, such as
// transfer/parquet. It returns the bytes that the record took for Progress. flush, if
// it is not nil, is called before each Progress, so that what is told of has been
// written. An error of write comes back in a [*vecwire.RecordError].
func (o Options) Each(ctx context.Context, c *vecwire.Collection, write func(vecwire.Record) (bytes int, err error), flush func() error) (n int, err error) {
	m, err := o.meter(ctx, c)
	if err != nil {
		return 0, err
	}
	return m.each(ctx, c, o, write, flush)
}

// each is Each with a meter that may have counted already.
func (m *meter) each(ctx context.Context, c *vecwire.Collection, o Options, write func(vecwire.Record) (int, error), flush func() error) (n int, err error) {
	if flush == nil {
		flush = func() error { return nil }
	}
	defer func() {
		if failed := flush(); err == nil {
			err = failed
		}
		m.tell()
	}()
	for r, err := range o.scan(ctx, c, !o.NoVectors) {
		if err != nil {
			return n, err
		}
		bytes, err := write(r)
		if err != nil {
			return n, &vecwire.RecordError{ID: r.ID, Index: n, Err: err}
		}
		n++
		if m.add(r.ID, bytes) {
			if err := flush(); err != nil {
				return n, err
			}
			m.tell()
		}
	}
	return n, nil
}
