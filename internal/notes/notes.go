// Package notes keeps the numbers that a database is to remember of its
// collections: the cursors of jobs, and the effort that Tune found. They are
// records of a collection of their own, so that every engine has them without a
// verb more; its vectors mean nothing. The package knows no job and no search.
package notes

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/url"
	"strings"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
)

// schema is the collection of the notes. Its name is one that users cannot give.
var schema = engine.Schema{
	Name: "vecwire_notes", Dim: 1, Metric: codec.Dot, Fields: []engine.Field{{Name: "value", Type: filter.Int}},
}

// maxKey is how long a key may be, in bytes: engines take IDs of 255 and more.
const maxKey = 200

// Key returns the key of a note of a collection. The keys of two different lists
// of parts never meet, whatever is in the parts, and not those of two collections.
func Key(of engine.Schema, parts ...string) string {
	var b strings.Builder
	for _, part := range parts {
		b.WriteByte('/')
		b.WriteString(url.PathEscape(part)) // which escapes the slash
	}
	prefix, rest := prefixOf(of), b.String()
	if len(prefix)+len(rest) > maxKey {
		sum := sha256.Sum256([]byte(rest))
		rest = "#" + hex.EncodeToString(sum[:]) // no other key has this sign there
	}
	return prefix + rest
}

// prefixOf is what the keys of a collection begin with. Names of collections hold
// no slash and no dot, and those that differ only in case are the same. A table that
// is attached has a name like any other, and is told from others by its sum.
func prefixOf(of engine.Schema) string {
	if of.Attached != "" {
		sum := sha256.Sum256([]byte(of.Attached))
		return "." + hex.EncodeToString(sum[:]) + "/"
	}
	return strings.ToLower(of.Name) + "/"
}

// Get returns a note, 0 if there is none.
func Get(ctx context.Context, e engine.Engine, key string) (int64, error) {
	c, err := e.Open(ctx, schema.Name)
	if errors.Is(err, engine.ErrNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	found, err := c.Get(ctx, []string{key}, false)
	if err != nil || len(found) == 0 {
		return 0, err
	}
	value, _ := found[0].Fields[0].(int64)
	return value, nil
}

// Put keeps a note.
func Put(ctx context.Context, e engine.Engine, key string, value int64) error {
	c, err := e.Open(ctx, schema.Name)
	if errors.Is(err, engine.ErrNotFound) {
		c, err = e.Create(ctx, schema)
		if errors.Is(err, engine.ErrExists) { // another process has made it in the meantime
			c, err = e.Open(ctx, schema.Name)
		}
	}
	if err != nil {
		return err
	}
	return c.Upsert(ctx, []engine.Record{{ID: key, Vector: engine.Vector{F32: []float32{1}}, Fields: []any{value}}})
}

// Forget removes a note.
func Forget(ctx context.Context, e engine.Engine, key string) error {
	return remove(ctx, e, filter.Eq("id", key))
}

// ForgetAll removes the notes of a collection that vecwire made.
func ForgetAll(ctx context.Context, e engine.Engine, collection string) error {
	return remove(ctx, e, filter.Prefix("id", prefixOf(engine.Schema{Name: collection})))
}

func remove(ctx context.Context, e engine.Engine, which filter.Filter) error {
	c, err := e.Open(ctx, schema.Name)
	if err == nil {
		_, err = c.DeleteWhere(ctx, which)
	}
	if errors.Is(err, engine.ErrNotFound) {
		return nil
	}
	return err
}

// Rename gives the notes of a collection to the one of another name, which has none
// of its own. What would get too long a key is left out.
func Rename(ctx context.Context, e engine.Engine, from, to string) error {
	c, err := e.Open(ctx, schema.Name)
	if errors.Is(err, engine.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	before, after := prefixOf(engine.Schema{Name: from}), prefixOf(engine.Schema{Name: to})
	var moved []engine.Record
	for r, err := range engine.Stream(ctx, engine.Scan{Filter: filter.Prefix("id", before), Limit: engine.PageRecords, Vectors: true}, c.Scan) {
		if err != nil {
			return err
		}
		r.ID = after + strings.TrimPrefix(r.ID, before)
		if len(r.ID) <= maxKey {
			moved = append(moved, r)
		}
	}
	if len(moved) > 0 {
		if err := c.Upsert(ctx, moved); err != nil {
			return err
		}
	}
	return ForgetAll(ctx, e, from)
}
