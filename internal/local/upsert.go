package local

import (
	"context"
	"slices"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/internal/engine"
)

// Upsert implements engine.Collection.
func (c *collection) Upsert(ctx context.Context, records []engine.Record) error {
	if tx := c.in(ctx); tx != nil {
		return tx.Upsert(ctx, records)
	}
	return c.store.update(ctx, c.call("Upsert"), func(t *txn) error { return c.upsert(ctx, t, records) })
}

func (c *collection) upsert(ctx context.Context, t *txn, records []engine.Record) error {
	if err := c.ready(); err != nil {
		return err
	}
	ch := t.change(c)
	ch.expect(len(records))
	w := recordWriter{c: c, t: t}
	for chunk := range slices.Chunk(records, every) {
		if err := ctx.Err(); err != nil {
			return err
		}
		old, err := c.oldTexts(t, chunk)
		if err != nil {
			return err
		}
		for len(chunk) > 0 {
			n := 1
			if len(chunk) >= c.writes.many {
				n = c.writes.many
			}
			if err := w.write(ch, chunk[:n], old); err != nil {
				return err
			}
			chunk = chunk[n:]
			if old != nil {
				old = old[n:]
			}
		}
	}
	return c.indexFields(t)
}

// recordWriter writes records in two statements, one of them or as many as the
// collection's statements take.
type recordWriter struct {
	c     *collection
	t     *txn
	blobs []byte
	args  []any
}

// write writes records, whose texts in the file are old, of a collection with full text.
func (w *recordWriter) write(ch *change, records []engine.Record, old []oldText) error {
	rowQuery, dataQuery := w.c.writes.row, w.c.writes.data
	if len(records) > 1 {
		rowQuery, dataQuery = w.c.writes.rows, w.c.writes.datas
	}
	w.args = w.args[:0]
	rows := make([]int32, len(records))
	for i, r := range records {
		rows[i] = ch.store(r)
		w.args = append(w.args, int64(rows[i]), r.ID)
		for _, v := range r.Fields {
			w.args = append(w.args, column(v))
		}
	}
	if _, err := w.t.exec(rowQuery, w.args); err != nil {
		return err
	}
	w.args, w.blobs = w.args[:0], w.blobs[:0]
	for i, r := range records {
		if old != nil {
			if err := w.c.putWords(w.t, rows[i], old[i], r.Text); err != nil {
				return err
			}
		}
		blob := noVector
		if !w.c.store.held() {
			begin := len(w.blobs)
			w.blobs = appendVector(w.blobs, r.Vector)
			blob = w.blobs[begin:]
		}
		w.args = append(w.args, int64(rows[i]), blob, textColumn(r.Text))
	}
	_, err := w.t.exec(dataQuery, w.args)
	return err
}

func appendVector(dst []byte, v engine.Vector) []byte {
	if v.F64 != nil {
		return codec.AppendBlob(dst, v.F64)
	}
	return codec.AppendBlob(dst, v.F32)
}
