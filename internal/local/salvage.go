package local

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/vecwire/vecwire/internal/engine"
)

// salvageBatch is how many records are stored at a time.
const salvageBatch = 1000

// Salvage implements engine.Engine. It reads as Check does, record by record where a
// page is damaged, and stores what is whole in a store beside path, of which path
// becomes a backup when all is there.
func (s *store) Salvage(ctx context.Context, path string) (report engine.Checked, err error) {
	if _, err := os.Lstat(path); err == nil {
		return report, fmt.Errorf("%s %w", path, engine.ErrExists)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return report, err
	}
	temp := path + "." + rand.Text() + ".salvage"
	to, err := Open(ctx, Options{Path: temp, SyncNormal: true, FitPages: true, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return report, err
	}
	defer func() { removeStore(temp) }()
	k := &checker{store: s, unread: map[int64]bool{}}
	if err = k.salvage(ctx, to); err == nil {
		err = to.Backup(ctx, path, nil)
	}
	if closed := to.Close(); err == nil {
		err = closed
	}
	return k.report, explain(err)
}

// removeStore removes a store that nobody else knows, with all files beside it.
func removeStore(path string) {
	beside, _ := filepath.Glob(globQuote(path) + "*") // of a name that is quoted it cannot fail
	for _, name := range beside {
		_ = os.RemoveAll(name) // it is of no use
	}
}

// globQuote returns a pattern that is met by the path alone.
func globQuote(path string) string {
	var out []rune
	for _, r := range path {
		switch r {
		case '*', '?', '[':
			out = append(out, '[', r, ']')
		default:
			out = append(out, r)
		}
	}
	return string(out)
}

// salvage brings all collections over.
func (k *checker) salvage(ctx context.Context, to engine.Engine) error {
	s := k.store
	if err := s.reading(ctx, call{verb: "Salvage"}); err != nil {
		return err
	}
	defer s.endReading()
	pinned, end, err := s.pin(ctx)
	if err != nil {
		return err
	}
	defer end()
	p := pinned.Value(pinKey{s}).(*pin)
	k.tx, k.conn = p.tx, p.conn
	return k.eachCollection(pinned, func(c registered) error { return k.salvageCollection(pinned, c, to) })
}

func (k *checker) salvageCollection(ctx context.Context, r registered, to engine.Engine) error {
	schemas, _, err := readSchemas(ctx, k.tx, "WHERE id = ?", r.id)
	if err == nil && len(schemas) == 0 {
		err = fmt.Errorf("%w: it is not in the registry by its number", errDamaged)
	}
	if err != nil {
		return k.try(ctx, r.name, "its schema cannot be read, and none of its records was brought over", err)
	}
	from, err := newCollection(k.store, schemas[0], r.id)
	if err != nil {
		return err
	}
	defer from.index.close()
	into, err := to.Create(ctx, schemas[0])
	if err != nil {
		return err
	}
	b := &salvaged{into: into, seen: map[string]bool{}}
	if k.store.held() {
		b.held = k.store.heldIn(r.id)
	}
	f := &found{c: from, last: -1, row: func(v []any) { k.salvageRow(b, from, v) }}
	if err := k.recordsInTurn(ctx, f, b); err != nil {
		return err
	}
	if err := b.store(ctx, k); err != nil {
		return err
	}
	k.report.Collections = append(k.report.Collections, engine.CheckedCollection{Name: r.name, Records: b.count})
	return nil
}

// salvaged are the records of a collection that are brought over.
type salvaged struct {
	into    engine.Collection
	records []engine.Record // that are not yet stored
	seen    map[string]bool // IDs
	count   int
	held    vectorSource // nil if they are in the file
}

// store stores what is there. Of two records with one ID the first is kept.
func (b *salvaged) store(ctx context.Context, k *checker) error {
	var records []engine.Record
	for _, r := range b.records {
		if b.seen[r.ID] {
			k.add(b.into.Schema().Name, r.ID, "another record has this ID: this one is lost")
			continue
		}
		b.seen[r.ID] = true
		records = append(records, r)
	}
	b.records = b.records[:0]
	if len(records) == 0 {
		return nil
	}
	b.count += len(records)
	return b.into.Upsert(ctx, records)
}

// salvageRow keeps the record of a row of readRecords, as far as it is whole. Without a
// vector it is lost; a field that cannot be read is.
func (k *checker) salvageRow(b *salvaged, c *collection, v []any) {
	s := c.schema
	id, ok := v[1].(string)
	if !ok || id == "" || len(id) > maxIDBytes || !utf8.ValidString(id) {
		k.add(s.Name, "", "the ID of row %v cannot be read: the record is lost", v[0])
		return
	}
	r := engine.Record{ID: strings.Clone(id), Fields: make([]any, len(s.Fields))}
	row, _ := v[0].(int64)
	v = v[2:]
	for i, field := range s.Fields {
		x, ok := value(field.Type, v[i])
		if !ok {
			k.add(s.Name, r.ID, "field %q holds a %T that is no %v: its value is lost", field.Name, v[i], field.Type)
			continue
		}
		if b, ok := x.([]byte); ok {
			x = bytes.Clone(b)
		}
		r.Fields[i] = x
	}
	v = v[len(s.Fields):]
	var err error
	if b.held != nil {
		err = c.putHeld(&r, int32(row), b.held)
	} else {
		blob, _ := v[1].([]byte)
		r.Vector, err = c.checkedVector(r.ID, blob)
	}
	if err != nil || v[0] == nil {
		k.add(s.Name, r.ID, "its vector cannot be read, and the record is lost: %v", err)
		return
	}
	if text, ok := v[2].(string); ok && utf8.ValidString(text) {
		r.Text = strings.Clone(text)
	} else if v[2] != nil {
		k.add(s.Name, r.ID, "its text cannot be read, and is lost")
	}
	b.records = append(b.records, r)
}

// recordsInTurn reads the rows of a collection, some thousand at a time, and one by one
// where they cannot be read together.
func (k *checker) recordsInTurn(ctx context.Context, f *found, b *salvaged) error {
	ids, err := k.rowsAndIDs(ctx, f.c)
	if err != nil {
		return err
	}
	rows := slices.Sorted(maps.Keys(ids))
	for chunk := range slices.Chunk(rows, salvageBatch) {
		before := k.report
		err := k.readRecords(ctx, f, fmt.Sprintf(" WHERE r.%s BETWEEN %d AND %d", rowColumn, chunk[0], chunk[len(chunk)-1]))
		if isDamage(ctx, err) {
			b.records, k.report = b.records[:0], before
			err = k.oneByOne(ctx, f, chunk, ids)
		}
		if err == nil {
			err = b.store(ctx, k)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (k *checker) oneByOne(ctx context.Context, f *found, rows []int64, ids map[int64]string) error {
	for _, row := range rows {
		err := k.readRecords(ctx, f, fmt.Sprintf(" WHERE r.%s = %d", rowColumn, row))
		if isDamage(ctx, err) {
			k.add(f.c.schema.Name, ids[row], "the record cannot be read, and is lost: %v", err)
			err = nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}
