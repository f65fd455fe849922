package serve

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/transfer"
)

// handles keeps the collections that requests are about, for a short time: a
// collection may be dropped, or changed, by another process.
type handles struct {
	db        *vecwire.DB
	embedders map[string]vecwire.Embedder // by their models
	mu        sync.RWMutex
	open      map[handleKey]*handle
}

type handleKey struct{ collection, namespace string }

// handle is an open collection, or a namespace of one.
type handle struct {
	c        *vecwire.Collection
	schema   vecwire.Schema
	embedded bool // it has an embedder
	opened   time.Time
	encoders sync.Pool // of *transfer.Encoder
}

const (
	keptFor     = 2 * time.Second
	mostHandles = 1024 // names come from callers
)

func newHandles(db *vecwire.DB, embedders []vecwire.Embedder) *handles {
	h := &handles{db: db, embedders: map[string]vecwire.Embedder{}, open: map[handleKey]*handle{}}
	for _, e := range embedders {
		h.embedders[e.Model()] = e
	}
	return h
}

// get returns a collection, and whether it was open already. With fresh it is opened
// in any case.
func (h *handles) get(ctx context.Context, key handleKey, fresh bool) (*handle, bool, error) {
	if !fresh {
		h.mu.RLock()
		kept := h.open[key]
		h.mu.RUnlock()
		if kept != nil && time.Since(kept.opened) < keptFor {
			return kept, true, nil
		}
	}
	opened, err := h.openNow(ctx, key)
	h.mu.Lock()
	defer h.mu.Unlock()
	if err != nil {
		delete(h.open, key)
		return nil, false, err
	}
	if len(h.open) >= mostHandles {
		clear(h.open)
	}
	h.open[key] = opened
	return opened, false, nil
}

func (h *handles) openNow(ctx context.Context, key handleKey) (*handle, error) {
	c, err := h.db.OpenCollection(ctx, key.collection)
	if err == nil && key.namespace != "" {
		c, err = c.Namespace(key.namespace)
		if _, ok := errors.AsType[*vecwire.ValueError](err); ok {
			err = invalidParameter("namespace", "1 to 100 letters, digits and _ . @ -, beginning with a letter or digit", "something else")
		} else if _, ok := errors.AsType[*vecwire.SchemaError](err); ok {
			err = invalidParameter("namespace", "none: the collection has no indexed String field namespace", "one")
		}
	}
	if err != nil {
		return nil, err
	}
	out := &handle{opened: time.Now()}
	if e := h.embedders[c.Schema().Model]; e != nil {
		if c, err = c.WithEmbedder(e); err != nil {
			return nil, err
		}
		out.embedded = true
	}
	out.c, out.schema = c, c.Schema()
	out.encoders.New = func() any { return transfer.NewEncoder(out.schema) }
	return out, nil
}

// encode appends the JSON of a record.
func (h *handle) encode(dst []byte, r vecwire.Record) ([]byte, error) {
	e := h.encoders.Get().(*transfer.Encoder)
	defer h.encoders.Put(e)
	return e.Append(dst, r)
}

// on runs a function with the collection that the request is about. If the
// collection that was kept is gone, or has another schema by now, it runs again with
// the one that is there: so the function sends nothing before it has succeeded.
func (c *call) on(do func(h *handle) error) error {
	key := handleKey{c.r.PathValue("collection"), c.namespace}
	h, kept, err := c.handles.get(c.ctx, key, c.route.long)
	if err != nil {
		return err
	}
	if err = do(h); err == nil || !kept {
		return err
	}
	// What does not fit the collection may fit the one that has taken its place.
	if status := problemOf(err, c.route.where).Status; status >= http.StatusInternalServerError {
		return err
	}
	if h, _, err = c.handles.get(c.ctx, key, true); err != nil {
		return err
	}
	return do(h)
}
