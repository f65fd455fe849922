package pgvector

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
	"github.com/vecwire/vecwire/internal/wire"
)

// collection is an open collection.
type collection struct {
	*table
	db    *database
	state *tableState
}

// tableState is what all who have a table open know about it.
type tableState struct {
	dropped atomic.Bool
	counted atomic.Bool // by triggers, see keepCount
	index   indexState
	sample  sample // see pageEnd
}

// Sweep implements engine.Collection: nothing expires here.
func (c *collection) Sweep(context.Context, filter.Filter) (int, error) { return 0, nil }

// runner returns what runs operations: the transaction that ctx carries, or the
// pool.
func (c *collection) runner(ctx context.Context) runner {
	if t, ok := c.db.txOf(ctx).(runner); ok {
		return t
	}
	return c.db
}

// Can implements engine.Collection.
func (c *collection) Can() engine.Can { return c.db.Capabilities().Can }

// Altered implements engine.Collection: what others have altered is found by the
// statements that then fail.
func (c *collection) Altered(context.Context) (bool, error) { return false, nil }

// Release implements engine.Collection: nothing is kept.
func (c *collection) Release(context.Context) error { return nil }

func (e *database) open(t *table, state *tableState) *collection {
	return &collection{table: t, db: e, state: state}
}

// Schema implements engine.Collection.
func (c *collection) Schema() engine.Schema { return c.schema }

func (c *collection) gone() error {
	if c.state.dropped.Load() {
		return engine.ErrNotFound
	}
	return nil
}

func (c *collection) read(ctx context.Context, op func(*pgx.Conn) error) error {
	if err := c.gone(); err != nil {
		return err
	}
	return c.runner(ctx).Read(ctx, op)
}

// alter runs a statement that comes to the same when it is run again, and that the
// server may refuse inside a transaction.
func (c *collection) alter(ctx context.Context, sql string) error {
	if err := c.gone(); err != nil {
		return err
	}
	return c.db.Write(ctx, func(conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, sql)
		return err
	})
}

// Get implements engine.Collection.
func (c *collection) Get(ctx context.Context, ids []string, vectors bool) ([]engine.Record, error) {
	if ids = c.idArg(ids); len(ids) == 0 {
		return nil, c.gone()
	}
	sql := "SELECT " + strings.Join(c.payload(true, vectors), ", ") + " FROM " + c.name + " WHERE "
	condition, args := c.byIDs(ids)
	return c.records(ctx, vectors, sql+condition, args...)
}

// Scan implements engine.Collection.
func (c *collection) Scan(ctx context.Context, s engine.Scan) ([]engine.Record, error) {
	if s.After != "" {
		if err := c.checkID(s.After); err != nil {
			return nil, err
		}
	}
	end, err := c.pageEnd(ctx, s)
	switch {
	case err != nil:
		return nil, err
	case end != "":
		return c.scanUpTo(ctx, s, end)
	}
	return c.page(ctx, s, "")
}

// page reads a page of a scan, up to an ID if that is not "".
func (c *collection) page(ctx context.Context, s engine.Scan, end string) ([]engine.Record, error) {
	condition, args := c.where(s.Filter)
	condition, order, args := c.ordered(s, condition, args)
	if end != "" {
		args = append(args, end)
		condition = wire.And(condition, order+" <= $"+strconv.Itoa(len(args))+"::text")
	}
	sql := "SELECT " + strings.Join(c.payload(true, s.Vectors), ", ") + " FROM " + c.name + wire.Where(condition) +
		" ORDER BY " + order + " LIMIT " + strconv.Itoa(s.Limit)
	return c.records(ctx, s.Vectors, sql, args...)
}

func (c *collection) records(ctx context.Context, vectors bool, sql string, args ...any) ([]engine.Record, error) {
	var out []engine.Record
	err := c.read(ctx, func(conn *pgx.Conn) error {
		out = nil
		rows, err := conn.Query(ctx, sql, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		d := c.decoder(conn.TypeMap(), true, vectors)
		for rows.Next() {
			r, err := d.record(rows)
			if err != nil {
				return err
			}
			out = append(out, r)
		}
		return rows.Err()
	})
	return out, err
}

// Count implements engine.Collection.
func (c *collection) Count(ctx context.Context, f filter.Filter) (int, error) {
	condition, args := c.where(f)
	var n int
	err := c.read(ctx, func(conn *pgx.Conn) error {
		return conn.QueryRow(ctx, "SELECT count(*) FROM "+c.name+wire.Where(condition), args...).Scan(&n)
	})
	return n, err
}

// decoder reads the rows of a SELECT of table.payload. What columns hold is
// known from the schema; the server says only in which form they come.
type decoder struct {
	t       *table
	m       *pgtype.Map
	payload bool
	vectors bool
	log     *slog.Logger
}

func (c *collection) decoder(m *pgtype.Map, payload, vectors bool) decoder {
	return decoder{c.table, m, payload, vectors, c.db.Log}
}

// errInfinite is about the times 'infinity' and '-infinity', which no Time can be.
var errInfinite = errors.New("the time is infinity")

// tellUnlike says, once, that a value is read as if it were missing: a time that is
// infinite, or an array that is no list. The rest of the record is not withheld for it.
func (t *table) tellUnlike(log *slog.Logger, id, field string, why error) {
	if !t.toldUnlike.Swap(true) {
		log.Warn("a value is read as missing: its field's type cannot hold it, and to store the record again replaces it",
			"collection", t.schema.Name, "record", id, "field", field, "why", why)
	}
}

// record reads the row that rows is at. Columns after those of table.payload
// are left alone.
func (d decoder) record(rows pgx.Rows) (engine.Record, error) {
	raw, desc := rows.RawValues(), rows.FieldDescriptions()
	r := engine.Record{ID: string(raw[0])}
	at := 1
	if d.payload && d.t.text != "" {
		r.Text = string(raw[at])
		at++
	}
	if d.payload {
		fields := d.t.schema.Fields
		if len(fields) > 0 {
			r.Fields = make([]any, len(fields))
		}
		for i := range fields {
			v, err := d.value(fields[i].Type, raw[at], desc[at])
			if errors.Is(err, errInfinite) || errors.Is(err, errUnlike) {
				d.t.tellUnlike(d.log, r.ID, fields[i].Name, err)
				v, err = nil, nil
			}
			if err != nil {
				return r, fmt.Errorf("record %q: field %q: %w", r.ID, fields[i].Name, err)
			}
			r.Fields[i] = v
			at++
		}
	}
	if d.vectors && raw[at] != nil {
		if err := d.vector(&r.Vector, raw[at], desc[at].Format); err != nil {
			return r, fmt.Errorf("record %q: %w", r.ID, err)
		}
	}
	return r, nil
}

func (d decoder) vector(v *engine.Vector, raw []byte, format int16) (err error) {
	if d.t.vectorKind == asDoubles {
		v.F64, err = parseDoubles(make([]float64, 0, d.t.schema.Dim), format, raw)
	} else {
		v.F32, err = parseVector(make([]float32, 0, d.t.schema.Dim), format, raw)
	}
	return err
}

// value reads a field as the Go type that stands for its type.
func (d decoder) value(typ filter.Type, raw []byte, desc pgconn.FieldDescription) (any, error) {
	if raw == nil {
		return nil, nil
	}
	if _, list := typ.Elem(); list {
		return d.list(typ, raw, desc.DataTypeOID, desc.Format)
	}
	switch typ {
	case filter.JSON:
		return readJSON(raw, desc.DataTypeOID, desc.Format)
	case filter.String:
		return string(raw), nil
	case filter.Int:
		if desc.Format == pgtype.BinaryFormatCode {
			return binaryInt(raw), nil
		}
		return strconv.ParseInt(string(raw), 10, 64)
	case filter.Float:
		return parseFloat(raw, desc.Format)
	case filter.Bool:
		return len(raw) == 1 && (raw[0] == 1 || raw[0] == 't'), nil
	}
	known, ok := d.m.TypeForOID(desc.DataTypeOID)
	if !ok {
		return nil, fmt.Errorf("has the type with OID %d, which is not known here", desc.DataTypeOID)
	}
	v, err := known.Codec.DecodeValue(d.m, desc.DataTypeOID, desc.Format, raw)
	if err != nil {
		return nil, err
	}
	switch v := v.(type) {
	case time.Time:
		return v.UTC(), nil
	case []byte:
		return v, nil
	case pgtype.InfinityModifier: // of a table that others write
		return nil, errInfinite
	}
	return nil, fmt.Errorf("is %v, which has no %s", v, typ)
}

// binaryInt reads an int2, int4 or int8.
func binaryInt(raw []byte) int64 {
	switch len(raw) {
	case 2:
		return int64(int16(binary.BigEndian.Uint16(raw)))
	case 4:
		return int64(int32(binary.BigEndian.Uint32(raw)))
	default:
		return int64(binary.BigEndian.Uint64(raw))
	}
}

// parseFloat reads a float4 or float8 in either form.
func parseFloat(raw []byte, format int16) (float64, error) {
	switch {
	case format == pgtype.TextFormatCode:
		return strconv.ParseFloat(string(raw), 64)
	case len(raw) == 4:
		return float64(math.Float32frombits(binary.BigEndian.Uint32(raw))), nil
	case len(raw) == 8:
		return math.Float64frombits(binary.BigEndian.Uint64(raw)), nil
	}
	return 0, fmt.Errorf("a number has %d bytes", len(raw))
}
