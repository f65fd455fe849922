package serve

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"runtime/debug"
	"slices"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/transfer"
)

// batchBytes closes a batch of records that are stored at once.
const batchBytes = 4 << 20

// storeRecords stores the records of a body batch by batch, and says of each what
// became of it.
func storeRecords(c *call) error {
	if err := c.mediaType(linesOfJSON, "application/jsonl", "application/jsonlines", "application/x-jsonlines"); err != nil {
		return err
	}
	if c.r.ContentLength > c.o.Limits.Bulk {
		return &http.MaxBytesError{Limit: c.o.Limits.Bulk}
	}
	return c.on(func(h *handle) error {
		_ = http.NewResponseController(c.w).EnableFullDuplex() // HTTP/1 needs it, to answer before the body has ended
		in := newLines(c, http.MaxBytesReader(c.w, c.r.Body, c.o.Limits.Bulk))
		s := newStoring(c, h, in)
		defer s.wait()
		var failed error
		for r, err := range transfer.ReadJSONL(in, h.schema) {
			if err != nil {
				refused, ok := errors.AsType[*vecwire.RecordError](err)
				if !ok {
					failed = err
					break
				}
				s.refuse(refused)
				continue
			}
			if !s.add(r) {
				break
			}
		}
		if in.err != nil {
			failed = in.err
		}
		return s.end(failed)
	})
}

// storing is a body of records on its way into a collection. While a batch is stored by a
// goroutine of its own, the next one is read.
type storing struct {
	c      *call
	h      *handle
	in     *lines
	all    bool // each record has a line, not only those that failed
	filled *batch
	next   int         // the place of the next record
	full   chan *batch // closed after the last
	free   chan *batch
	over   chan struct{} // closed when nothing is stored any more

	// What follows is the goroutine's until over is closed.
	out    bytes.Buffer
	stored int
	failed int
	err    error // why it ended early
}

// batch are records that are stored at once.
type batch struct {
	records []vecwire.Record
	places  []int // of the records in the body
	bytes   int
	refused []vecwire.RecordError // before the end of the batch, by their place
}

func newStoring(c *call, h *handle, in *lines) *storing {
	s := &storing{
		c: c, h: h, in: in, all: get[string](c.query, "results") != "failed",
		filled: new(batch), full: make(chan *batch), free: make(chan *batch, 2), over: make(chan struct{}),
	}
	s.free <- new(batch)
	go s.run()
	return s
}

// run stores batches until there are no more, or one cannot be stored.
func (s *storing) run() {
	defer close(s.over)
	defer func() {
		if v := recover(); v != nil {
			s.err = &panicError{v, debug.Stack()}
		}
		if s.err != nil {
			s.in.stop() // the client may send nothing before it has the answer
		}
	}()
	for b := range s.full {
		if s.err = s.in.during(func() error { return s.store(b) }); s.err != nil {
			return
		}
		*b = batch{records: b.records[:0], places: b.places[:0]}
		s.free <- b
	}
}

// wait returns when nothing is stored any more.
func (s *storing) wait() {
	if s.full != nil {
		close(s.full)
		s.full = nil
	}
	<-s.over
}

// result is the line of a record.
type result struct {
	Index  int     `json:"index"`
	ID     string  `json:"id,omitempty"`
	Status string  `json:"status"`
	Error  *detail `json:"error,omitempty"`
}

// refuse takes down a record that could not be read.
func (s *storing) refuse(e *vecwire.RecordError) {
	s.filled.refused = append(s.filled.refused, vecwire.RecordError{ID: e.ID, Index: s.next, Err: e.Err})
	s.next++
}

// add takes a record, and has the batch stored if it is full. It reports whether it could.
func (s *storing) add(r vecwire.Record) bool {
	b := s.filled
	b.records, b.places = append(b.records, r), append(b.places, s.next)
	s.next++
	b.bytes += len(r.ID) + len(r.Text) + 4*len(r.Vector) + 8*len(r.Vector64) + 64*len(r.Fields)
	if len(b.records) < max(1, s.c.db.Capabilities().BatchRecords) && b.bytes < batchBytes {
		return true
	}
	return s.give()
}

// give has the batch stored, and waits for the one before. It reports whether it could.
func (s *storing) give() bool {
	select {
	case s.full <- s.filled:
		s.filled = <-s.free
		return true
	case <-s.over:
		return false
	}
}

// store stores a batch and writes the lines of its records. An error that is not
// about some of the records is returned.
func (s *storing) store(b *batch) error {
	stored, err := s.upsert(b)
	results := make([]result, 0, len(b.records)+len(b.refused))
	for _, e := range b.refused {
		d := recordDetail(e)
		results = append(results, result{Index: e.Index, ID: e.ID, Status: "failed", Error: &detail{Pointer: d.Pointer, Want: d.Want, Got: d.Got, Detail: d.Detail}})
	}
	s.failed += len(b.refused)
	s.stored += len(stored)
	if s.all {
		for _, place := range stored {
			results = append(results, result{Index: b.places[place], ID: b.records[place].ID, Status: "stored"})
		}
		slices.SortFunc(results, func(a, b result) int { return a.Index - b.Index })
	}
	for _, r := range results {
		if err := s.line(r); err != nil {
			return err
		}
	}
	if err != nil {
		return err
	}
	if s.out.Len() == 0 {
		return nil
	}
	return s.c.send(&s.out)
}

// upsert stores the batch and returns the places in it of those that were stored.
// Records that are refused keep out no others: the rest is stored again without
// them.
func (s *storing) upsert(b *batch) (stored []int, err error) {
	rest := make([]int, len(b.records))
	for i := range rest {
		rest[i] = i
	}
	for len(rest) > 0 {
		records := make([]vecwire.Record, len(rest))
		for i, place := range rest {
			records[i] = b.records[place]
		}
		err := s.h.c.Upsert(s.c.ctx, records...)
		if err == nil {
			return append(stored, rest...), nil
		}
		report, ok := errors.AsType[*vecwire.BatchError](err)
		if _, embedding := errors.AsType[*vecwire.EmbedError](err); embedding {
			report, err = s.isolate(records)
			if ok = err == nil; !ok {
				return stored, err
			}
		}
		if !ok || len(report.Failed) == 0 && report.Stored < len(rest) {
			return stored, err
		}
		bad := map[int]bool{}
		for _, f := range report.Failed {
			place := rest[f.Index]
			bad[f.Index] = true
			if named := s.h.refusedNamed(b.records[place]); named != nil {
				f.Err = named
			}
			b.refused = append(b.refused, vecwire.RecordError{ID: f.ID, Index: b.places[place], Err: f.Err})
		}
		good := make([]int, 0, len(rest))
		for i, place := range rest {
			if !bad[i] {
				good = append(good, place)
			}
		}
		if report.Stored > 0 {
			return append(stored, good...), nil
		}
		rest = good
	}
	return stored, nil
}

// isolate stores records of which the embedder refuses some texts: those alone fail.
func (s *storing) isolate(records []vecwire.Record) (*vecwire.BatchError, error) {
	report, err := s.h.c.Ingest(s.c.ctx, func(yield func(vecwire.Record, error) bool) {
		for _, r := range records {
			if !yield(r, nil) {
				return
			}
		}
	}, vecwire.IngestOptions{Workers: 1})
	if _, ok := errors.AsType[*vecwire.BatchError](err); err != nil && !ok {
		return nil, err
	}
	return &vecwire.BatchError{Total: len(records), Failed: report.Failures, Stored: len(records) - int(report.Failed)}, nil
}

func (s *storing) line(v any) error {
	line, err := json.Marshal(v)
	if err != nil {
		return err
	}
	s.out.Write(line)
	return s.out.WriteByte('\n')
}

// end stores what is left and writes the summary. What ended the input early is in
// the summary, because the lines before it count.
func (s *storing) end(failed error) error {
	s.give()
	s.wait()
	if s.err != nil {
		failed = s.err
	}
	if failed != nil && s.c.w.status == 0 && s.stored == 0 && s.failed == 0 {
		return failed
	}
	summary := struct {
		Done   bool     `json:"done"`
		Stored int      `json:"stored"`
		Failed int      `json:"failed"`
		Error  *problem `json:"error,omitempty"`
	}{Done: failed == nil, Stored: s.stored, Failed: s.failed}
	if failed != nil {
		summary.Error = problemOf(failed, inRecord)
		out := *summary.Error
		out.RequestID = s.c.id
		summary.Error = &out
	}
	if err := s.line(summary); err != nil {
		return err
	}
	return s.c.send(&s.out)
}
