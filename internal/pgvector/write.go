package pgvector

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
	"github.com/vecwire/vecwire/internal/wire"
	"github.com/vecwire/vecwire/internal/words"
)

// Above so many records, or bytes of vectors, COPY and a merge are faster than
// one INSERT over arrays (measured with 128 dimensions), and need less memory
// on the server.
const (
	copyRecords = 5_000
	copyBytes   = 32 << 20
)

// sorted returns the records in the order of their IDs: two connections that
// write the same ones then wait for each other and do not deadlock. It refuses
// records whose IDs the table's key cannot have.
func (c *collection) sorted(records []engine.Record) ([]engine.Record, error) {
	var refused engine.RefusedError
	for i, r := range records {
		if err := errors.Join(c.checkID(r.ID), c.checkNamespace(&r)); err != nil {
			refused.Records = append(refused.Records, engine.Refusal{Index: i, Err: err})
		}
	}
	if refused.Records != nil {
		return nil, &refused
	}
	byID := func(a, b engine.Record) int { return strings.Compare(a.ID, b.ID) }
	if !slices.IsSortedFunc(records, byID) {
		records = slices.Clone(records)
		slices.SortFunc(records, byID)
	}
	return records, nil
}

// Upsert implements engine.Collection.
func (c *collection) Upsert(ctx context.Context, records []engine.Record) error {
	records, err := c.sorted(records)
	if err = errors.Join(err, c.gone()); err != nil || len(records) == 0 {
		return err
	}
	r, stored := c.runner(ctx), c.storedBy(engine.IDs(records))
	if len(records) <= copyRecords && len(records)*c.schema.Dim*c.schema.Element.Size() <= copyBytes {
		return r.send(ctx, stored, c.unnest(), c.arrays(records)...)
	}
	err = r.change(ctx, stored, func(conn *pgx.Conn) error { return c.stage(ctx, conn, records, c.merge()) })
	if isCode(err, "42501") { // a user who may make no temporary tables
		return r.change(ctx, stored, func(conn *pgx.Conn) error {
			for part := range slices.Chunk(records, copyRecords) {
				if _, err := conn.Exec(ctx, c.unnest(), c.arrays(part)...); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return err
}

// unnest is the INSERT that takes each column as one array. DOUBLE vectors come
// as one array of all, because unnest takes nested arrays apart to the bottom.
func (c *collection) unnest() string {
	types := []string{idTypes[c.idKind], c.ext + ".vector"}
	if c.vectorKind == asDoubles {
		types[1] = "double precision"
	}
	if c.text != "" {
		types = append(types, "text")
	}
	casts := map[int]string{}
	for _, f := range c.schema.Fields {
		typ, cast := unnested(f.Type)
		casts[len(types)] = cast
		types = append(types, typ)
	}
	if c.schema.FullText != engine.NoFullText {
		types = append(types, "text")
	}
	var args, values []string
	for i, typ := range types {
		args = append(args, fmt.Sprintf("$%d::%s[]", i+1, typ))
		values = append(values, fmt.Sprintf("u.c%d%s", i+1, casts[i]))
	}
	switch c.vectorKind {
	case asHalf:
		values[1] += "::" + c.ext + ".halfvec"
	case asDoubles:
		values[1] = fmt.Sprintf("(%s)[(u.n-1)*%d+1 : u.n*%d]", args[1], c.schema.Dim, c.schema.Dim)
		args[1] = "$1::" + idTypes[c.idKind] + "[]" // keeps the place
	}
	if c.schema.FullText != engine.NoFullText {
		values[len(values)-1] += "::tsvector"
	}
	names := make([]string, len(types))
	for i := range names {
		names[i] = fmt.Sprintf("c%d", i+1)
	}
	return fmt.Sprintf("INSERT INTO %s (%s) SELECT %s FROM unnest(%s) WITH ORDINALITY u(%s, n)%s", c.name,
		strings.Join(c.columns(), ", "), strings.Join(values, ", "), strings.Join(args, ", "), strings.Join(names, ", "), c.merge())
}

// arrays returns the arguments of unnest.
func (c *collection) arrays(records []engine.Record) []any {
	ids := make([]string, len(records))
	for i := range records {
		ids[i] = records[i].ID
	}
	args := []any{ids, vectorsArg(records)}
	if c.vectorKind == asDoubles {
		args[1] = flatArg(records)
	}
	if c.text != "" {
		args = append(args, column{records, -1})
	}
	for i := range c.schema.Fields {
		args = append(args, column{records, i})
	}
	if c.schema.FullText != engine.NoFullText {
		args = append(args, lexemesArg(words.Named(c.schema.FullText.String()), records))
	}
	return args
}

// stage brings the records into a temporary table and from there into the
// collection's, by an INSERT with the given ending.
func (c *collection) stage(ctx context.Context, conn *pgx.Conn, records []engine.Record, ending string) error {
	columns := c.columns()
	types := []string{"text", fmt.Sprintf("%s.vector(%d)", c.ext, c.schema.Dim)}
	if c.vectorKind == asDoubles {
		types[1] = "double precision[]"
	}
	if c.text != "" {
		types = append(types, "text")
	}
	for _, f := range c.schema.Fields {
		types = append(types, fieldTypes[f.Type])
	}
	if c.schema.FullText != engine.NoFullText {
		types = append(types, "tsvector")
	}
	var definition strings.Builder
	values := make([]string, len(columns))
	for i, name := range columns {
		if i > 0 {
			definition.WriteString(", ")
		}
		definition.WriteString(name + " " + types[i])
		values[i] = name
	}
	values[0] += "::" + idTypes[c.idKind]
	if c.vectorKind == asHalf {
		values[1] += "::" + c.ext + ".halfvec"
	}
	// The name tells definitions apart: a plan that the server keeps for one of
	// them would not fit another.
	stage := "vecwire_stage_" + wire.Fingerprint(definition.String())
	if _, err := conn.Exec(ctx, "CREATE TEMP TABLE "+stage+" ("+definition.String()+") ON COMMIT DROP"); err != nil {
		return err
	}
	if err := c.copyInto(ctx, conn, "pg_temp."+stage, records); err != nil {
		return err
	}
	list := strings.Join(columns, ", ")
	_, err := conn.Exec(ctx, "INSERT INTO "+c.name+" ("+list+") SELECT "+strings.Join(values, ", ")+" FROM pg_temp."+stage+ending)
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, "DROP TABLE pg_temp."+stage) // a second batch of the same transaction makes it again
	return err
}

// copyInto sends records by COPY. The encoding is our own and not pgx's,
// which first asks the server for types that are known here.
func (c *collection) copyInto(ctx context.Context, conn *pgx.Conn, into string, records []engine.Record) error {
	sql := "COPY " + into + " (" + strings.Join(c.columns(), ", ") + ") FROM STDIN (FORMAT binary)"
	tracer, traced := conn.Config().Tracer.(pgx.CopyFromTracer)
	if traced {
		ctx = tracer.TraceCopyFromStart(ctx, conn, pgx.TraceCopyFromStartData{
			TableName: pgx.Identifier{into}, ColumnNames: c.columns(),
		})
	}
	tag, err := conn.PgConn().CopyFrom(ctx, &copyReader{c: c, records: records}, sql)
	if err == nil && tag.RowsAffected() != int64(len(records)) {
		err = fmt.Errorf("the server took %d of %d records", tag.RowsAffected(), len(records))
	}
	if traced {
		tracer.TraceCopyFromEnd(ctx, conn, pgx.TraceCopyFromEndData{CommandTag: tag, Err: err})
	}
	return err
}

// copyReader is the records in COPY's binary form (PostgreSQL, "COPY", Binary
// Format), made piece by piece.
type copyReader struct {
	c       *collection
	records []engine.Record
	buf     []byte
	read    int // how much of buf was read
	begun   bool
	ended   bool
}

// copyPiece is how many bytes copyReader makes at a time.
const copyPiece = 64 << 10

func (r *copyReader) Read(p []byte) (int, error) {
	n := 0
	for n < len(p) { // full, because each Read becomes a message
		if r.read == len(r.buf) {
			if r.ended {
				break
			}
			r.fill()
		}
		m := copy(p[n:], r.buf[r.read:])
		r.read += m
		n += m
	}
	if n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

func (r *copyReader) fill() {
	r.buf, r.read = r.buf[:0], 0
	if !r.begun {
		r.begun = true
		r.buf = append(r.buf, "PGCOPY\n\377\r\n\000\000\000\000\000\000\000\000\000"...)
	}
	for len(r.records) > 0 && len(r.buf) < copyPiece {
		r.buf = r.c.appendRow(r.buf, &r.records[0])
		r.records = r.records[1:]
	}
	if len(r.records) == 0 {
		r.ended = true
		r.buf = append(r.buf, 0xff, 0xff)
	}
}

// appendRow appends a record as a row of the columns that table.columns names,
// in the types that tables of our own have.
func (c *collection) appendRow(buf []byte, r *engine.Record) []byte {
	columns := 2 + len(r.Fields)
	if c.text != "" {
		columns++
	}
	if c.schema.FullText != engine.NoFullText {
		columns++
	}
	buf = binary.BigEndian.AppendUint16(buf, uint16(columns))
	buf = append(binary.BigEndian.AppendUint32(buf, uint32(len(r.ID))), r.ID...)
	if c.vectorKind == asDoubles {
		at := len(buf)
		buf, _ = encodeBinary{}.Encode(doublesArg(r.Vector.F64), append(buf, 0, 0, 0, 0))
		binary.BigEndian.PutUint32(buf[at:], uint32(len(buf)-at-4))
	} else {
		buf = binary.BigEndian.AppendUint32(buf, uint32(4+4*len(r.Vector.F32)))
		buf = codec.AppendBinary(buf, r.Vector.F32)
	}
	if c.text != "" {
		var text any
		if r.Text != "" {
			text = r.Text
		}
		buf = appendBinary(buf, text)
	}
	for _, v := range r.Fields {
		buf = appendBinary(buf, v)
	}
	switch {
	case c.schema.FullText == engine.NoFullText:
	case r.Text == "":
		buf = appendBinary(buf, nil)
	default:
		buf = appendBinaryLexemes(buf, lexemesOf(words.Named(c.schema.FullText.String()), r.Text))
	}
	return buf
}

// postgresEpoch is what timestamps count their microseconds from.
var postgresEpoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// appendBinary appends a field's value with its length.
func appendBinary(buf []byte, v any) []byte {
	switch v := v.(type) {
	case string:
		return append(binary.BigEndian.AppendUint32(buf, uint32(len(v))), v...)
	case []byte:
		return append(binary.BigEndian.AppendUint32(buf, uint32(len(v))), v...)
	case int64:
		return binary.BigEndian.AppendUint64(append(buf, 0, 0, 0, 8), uint64(v))
	case float64:
		return binary.BigEndian.AppendUint64(append(buf, 0, 0, 0, 8), math.Float64bits(v))
	case time.Time:
		return binary.BigEndian.AppendUint64(append(buf, 0, 0, 0, 8), uint64(v.UnixMicro()-postgresEpoch.UnixMicro()))
	case bool:
		if v {
			return append(buf, 0, 0, 0, 1, 1)
		}
		return append(buf, 0, 0, 0, 1, 0)
	}
	if buf, ok := appendBinaryValue(buf, v); ok {
		return buf
	}
	return append(buf, 0xff, 0xff, 0xff, 0xff) // NULL
}

// Insert implements engine.Collection.
func (c *collection) Insert(ctx context.Context, records []engine.Record) error {
	records, err := c.sorted(records)
	if err = errors.Join(err, c.gone()); err != nil || len(records) == 0 {
		return err
	}
	r := c.runner(ctx)
	direct, ending := c.own, ""
	if c.place.remote() {
		// With RETURNING Citus does not take COPY, whose errors have no code. In a
		// transaction nothing can be done again.
		direct, ending = direct && r == runner(c.db), " RETURNING 1"
	}
	return r.change(ctx, c.storedBy(engine.IDs(records)), func(conn *pgx.Conn) error {
		if !direct {
			return c.stage(ctx, conn, records, ending)
		}
		err := c.copyInto(ctx, conn, c.name, records)
		if c.place.remote() && isCopyError(err) {
			direct = false // and the error of the next try says what is wrong
		}
		return err
	})
}

// Delete implements engine.Collection.
func (c *collection) Delete(ctx context.Context, ids []string) (int, error) {
	if ids = c.idArg(ids); len(ids) == 0 {
		return 0, c.gone()
	}
	if c.place.spread() { // on workers that do not lock in an order common to all of them
		condition, args := c.byIDs(ids)
		return c.affected(ctx, "DELETE FROM "+c.name+" WHERE "+condition, args...)
	}
	// The rows are locked in the order in which Upsert locks them.
	return c.affected(ctx, "DELETE FROM "+c.name+" WHERE "+c.id+" IN (SELECT "+c.id+" FROM "+c.name+" WHERE "+c.ids(1)+
		" ORDER BY "+c.id+" FOR UPDATE)", ids)
}

// DeleteWhere implements engine.Collection.
func (c *collection) DeleteWhere(ctx context.Context, f filter.Filter) (int, error) {
	condition, args := c.where(f)
	return c.affected(ctx, "DELETE FROM "+c.name+wire.Where(condition), args...)
}

// affected runs a statement and returns how many records it changed.
func (c *collection) affected(ctx context.Context, sql string, args ...any) (int, error) {
	if err := c.gone(); err != nil {
		return 0, err
	}
	var tag pgconn.CommandTag
	err := c.runner(ctx).whole(ctx, c.name, func(conn *pgx.Conn) (err error) {
		tag, err = conn.Exec(ctx, sql, args...)
		return err
	})
	if err != nil {
		return 0, err
	}
	return int(tag.RowsAffected()), nil
}
