package pgvector

import (
	"context"
	"slices"
	"sync"

	"github.com/jackc/pgx/v5"

	"github.com/vecwire/vecwire/internal/engine"
)

// Citus has each shard send a whole page, and throws all but one of them away. A page that
// has an end, too, is sent once. Where it may end says a sample of the IDs, about one of
// 64, which is kept for the pages that follow. It is no more than a hint: a page that it
// ends too early is filled by a second query.

const (
	sampleOf    = 64
	sampleSize  = 1024 // IDs at a time
	sampledPage = 512  // the least records of a page for which it is worth it
)

// sample is what was read last of the IDs of a collection, in their order.
type sample struct {
	mu    sync.Mutex
	after string // what it begins behind
	ids   []string
	last  bool // it reaches to the end of the collection
}

// end returns where a page that begins behind an ID, of so many records, probably ends. It
// is "" where the sample does not reach so far; known says whether another one would not
// either.
func (s *sample) end(after string, records int) (end string, known bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if after < s.after {
		return "", false
	}
	at, found := slices.BinarySearch(s.ids, after)
	if found {
		at++
	}
	if at += records * 5 / 4 / sampleOf; at < len(s.ids) { // a quarter more, since it is a sample
		return s.ids[at], true
	}
	return "", s.last
}

// set replaces the sample.
func (s *sample) set(after string, ids []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.after, s.ids, s.last = after, ids, after != "" && len(ids) < sampleSize
}

// pageEnd returns where a page of a scan may end, "" if it is to be read without: the
// first of a scan, which may be the only one, the last ones, and what is not simply all
// records in the order of their IDs.
func (c *collection) pageEnd(ctx context.Context, s engine.Scan) (string, error) {
	if c.schema.Distributed != engine.ByID || !c.place.spread() || s.Limit < sampledPage || !s.Filter.IsZero() || s.Order.Field != "" || s.Order.Desc {
		return "", nil
	}
	hint := &c.state.sample
	if s.After == "" {
		hint.set("", nil) // the records may be others by now
		return "", nil
	}
	if end, known := hint.end(s.After, s.Limit); known {
		return end, nil
	}
	var ids []string
	err := c.read(ctx, func(conn *pgx.Conn) error {
		rows, err := conn.Query(ctx, "SELECT "+c.id+" FROM "+c.name+" WHERE "+c.id+" > $1::text AND hashtext("+c.id+") & $2::int = 0 ORDER BY "+c.id+" LIMIT $3::int",
			s.After, sampleOf-1, sampleSize)
		if err != nil {
			return err
		}
		ids, err = pgx.CollectRows(rows, pgx.RowTo[string])
		return err
	})
	if err != nil {
		return "", err
	}
	hint.set(s.After, ids)
	end, _ := hint.end(s.After, s.Limit)
	return end, nil
}

// scanUpTo reads a page that probably ends at an ID, and the rest of it if it does not.
func (c *collection) scanUpTo(ctx context.Context, s engine.Scan, end string) ([]engine.Record, error) {
	page, err := c.page(ctx, s, end)
	if err != nil || len(page) == s.Limit {
		return page, err
	}
	if len(page) < s.Limit/2 {
		c.state.sample.set("", nil) // too much has changed
	}
	s.After, s.Limit = end, s.Limit-len(page)
	rest, err := c.page(ctx, s, "")
	return append(page, rest...), err
}
