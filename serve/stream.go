package serve

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/transfer"
)

// flushAt is how many bytes of a stream are sent at a time.
const flushAt = 64 << 10

// listRecords streams records. Its lines are those of a file of records and
// nothing else: if the stream cannot go on, the connection is cut.
func listRecords(c *call) error {
	f, err := c.filterOf(c.query)
	if err != nil {
		return err
	}
	return c.on(func(h *handle) error {
		limit := get[int64](c.query, "limit")
		scan := vecwire.Scan{
			Filter: f, After: get[string](c.query, "after"), Vectors: get[bool](c.query, "vectors"),
			OrderBy: get[string](c.query, "order_by"), Desc: get[bool](c.query, "desc"), Limit: int(limit),
		}
		if scan.OrderBy != "" && scan.OrderBy != "id" && !hasField(h.schema, scan.OrderBy) {
			return invalidParameter("order_by", "a field of the collection", describe([]byte(scan.OrderBy)))
		}
		b := buffers.Get().(*bytes.Buffer)
		defer release(b)
		if get[bool](c.query, "schema") {
			if err := transfer.WriteSchema(b, h.schema); err != nil {
				return err
			}
		}
		page := 0 < limit && limit <= pageRecords
		n := int64(0)
		for r, err := range h.c.All(c.ctx, scan) {
			if err != nil {
				return err
			}
			line, err := h.encode(b.AvailableBuffer(), r)
			if err != nil {
				return err
			}
			b.Write(append(line, '\n'))
			if n++; page && n == limit {
				c.w.Header().Set("Vecwire-After", url.QueryEscape(scan.Token(r)))
			}
			if b.Len() >= flushAt && (!page || b.Len() >= pageBytes) {
				if err := c.send(b); err != nil {
					return err
				}
			}
		}
		return c.send(b)
	})
}

// A page of records is sent in one piece, after a header that says where the next
// one begins, unless its records are large.
const (
	pageRecords = 1000
	pageBytes   = 8 << 20
)

// send sends what a stream has ready. The client has a while to take it.
func (c *call) send(b *bytes.Buffer) error {
	if c.w.status == 0 {
		h := c.w.Header()
		h.Set("Content-Type", linesOfJSON)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cache-Control", "no-store")
		c.w.WriteHeader(http.StatusOK)
	}
	c.stalling()
	if _, err := b.WriteTo(c.w); err != nil {
		return fmt.Errorf("%w: %w", context.Canceled, err)
	}
	b.Reset()
	if err := http.NewResponseController(c.w).Flush(); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return fmt.Errorf("%w: %w", context.Canceled, err)
	}
	return nil
}

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
		in := &lines{from: http.MaxBytesReader(c.w, c.r.Body, c.o.Limits.Bulk), c: c}
		s := &storing{c: c, h: h, all: get[string](c.query, "results") != "failed"}
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
			if failed = s.add(r); failed != nil {
				break
			}
		}
		if in.err != nil {
			failed = in.err
		}
		return s.end(failed)
	})
}

// storing is a body of records on its way into a collection.
type storing struct {
	c       *call
	h       *handle
	all     bool // each record has a line, not only those that failed
	out     bytes.Buffer
	batch   []vecwire.Record
	places  []int // of the batch's records in the body
	bytes   int
	next    int // the place of the next record
	stored  int
	failed  int
	refused []vecwire.RecordError // since the last batch was stored, by their place
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
	s.refused = append(s.refused, vecwire.RecordError{ID: e.ID, Index: s.next, Err: e.Err})
	s.next++
}

// add takes a record, and stores the batch if it is full.
func (s *storing) add(r vecwire.Record) error {
	s.batch, s.places = append(s.batch, r), append(s.places, s.next)
	s.next++
	s.bytes += len(r.ID) + len(r.Text) + 4*len(r.Vector) + 8*len(r.Vector64) + 64*len(r.Fields)
	if len(s.batch) < max(1, s.c.db.Capabilities().BatchRecords) && s.bytes < batchBytes {
		return nil
	}
	return s.flush()
}

// flush stores the batch and writes the lines of its records. An error that is not
// about some of the records is returned.
func (s *storing) flush() error {
	stored, err := s.upsert()
	results := make([]result, 0, len(s.batch)+len(s.refused))
	for _, e := range s.refused {
		d := recordDetail(e)
		results = append(results, result{Index: e.Index, ID: e.ID, Status: "failed", Error: &detail{Pointer: d.Pointer, Want: d.Want, Got: d.Got, Detail: d.Detail}})
	}
	s.failed += len(s.refused)
	s.stored += len(stored)
	if s.all {
		for _, place := range stored {
			results = append(results, result{Index: s.places[place], ID: s.batch[place].ID, Status: "stored"})
		}
		slices.SortFunc(results, func(a, b result) int { return a.Index - b.Index })
	}
	for _, r := range results {
		if err := s.line(r); err != nil {
			return err
		}
	}
	s.batch, s.places, s.refused, s.bytes = s.batch[:0], s.places[:0], nil, 0
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
func (s *storing) upsert() (stored []int, err error) {
	rest := make([]int, len(s.batch))
	for i := range rest {
		rest[i] = i
	}
	for len(rest) > 0 {
		records := make([]vecwire.Record, len(rest))
		for i, place := range rest {
			records[i] = s.batch[place]
		}
		err := s.h.c.Upsert(s.c.ctx, records...)
		if err == nil {
			return append(stored, rest...), nil
		}
		batch, ok := errors.AsType[*vecwire.BatchError](err)
		if _, embedding := errors.AsType[*vecwire.EmbedError](err); embedding {
			batch, err = s.isolate(records)
			if ok = err == nil; !ok {
				return stored, err
			}
		}
		if !ok || len(batch.Failed) == 0 && batch.Stored < len(rest) {
			return stored, err
		}
		bad := map[int]bool{}
		for _, f := range batch.Failed {
			place := rest[f.Index]
			bad[f.Index] = true
			s.refused = append(s.refused, vecwire.RecordError{ID: f.ID, Index: s.places[place], Err: f.Err})
		}
		good := make([]int, 0, len(rest))
		for i, place := range rest {
			if !bad[i] {
				good = append(good, place)
			}
		}
		if batch.Stored > 0 {
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
	if failed == nil {
		failed = s.flush()
	} else if err := s.flush(); err != nil {
		failed = err
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

// lines reads a body of records. It bounds how long a line is, and how long the
// client may be silent.
type lines struct {
	from io.Reader
	c    *call
	line int64 // bytes of the line that is being read
	err  error // what ended the input, but for its end
}

func (l *lines) Read(b []byte) (int, error) {
	if l.err != nil {
		return 0, l.err
	}
	_ = http.NewResponseController(l.c.w).SetReadDeadline(time.Now().Add(l.c.o.Limits.Stall))
	n, err := l.from.Read(b)
	whole := 0 // bytes of b up to the end of a line that is not too long
	for part := range bytes.Lines(b[:n]) {
		if l.line += int64(len(part)); l.line > l.c.o.Limits.Line {
			break
		}
		if part[len(part)-1] == '\n' {
			l.line = 0
			whole += len(part)
		}
	}
	if l.line > l.c.o.Limits.Line {
		n = whole
		err = newProblem(http.StatusRequestEntityTooLarge, "too-large", "a record has more than %d bytes", l.c.o.Limits.Line)
	}
	if err != nil && !errors.Is(err, io.EOF) {
		if _, ok := errors.AsType[*problem](err); !ok {
			if _, ok := errors.AsType[*http.MaxBytesError](err); !ok {
				err = malformed("the body could not be read to its end")
			}
		}
		l.err = err
	}
	return n, err
}
