package serve

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"

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
		b := &c.scratch().body // a GET has none
		b.Reset()
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
