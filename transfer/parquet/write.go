package parquet

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"time"

	pq "github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress/uncompressed"
	"github.com/parquet-go/parquet-go/compress/zstd"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/transfer"
)

// schemaKey is where in a file's metadata [transfer.WriteSchema]'s line is.
const schemaKey = "vecwire"

// groupBytes is about how much of the records a row group holds. A group is in memory
// until it is written.
const groupBytes = 16 << 20

// Write writes records of c to w as a Parquet file, in the order of their IDs, and
// returns how many it wrote. Row groups have about 16 MiB of records, one of which is in
// memory. The columns are compressed by Zstandard, but for vectors, which do not get
// smaller.
//
// The file's metadata has the schema, for [ReadSchema]. A field without a value is
// null, and so is a text that is empty. It returns an error of c or of w. Options.Comma
// and NoHeader do not count.
func Write(ctx context.Context, w io.Writer, c *vecwire.Collection, o transfer.Options) (n int, err error) {
	s := c.Schema()
	var names transfer.Names
	if o.Names != nil {
		names = *o.Names
	}
	id, vector, text, fields, vectors, err := names.Columns(s)
	if err == nil {
		err = names.Distinct(s)
	}
	if err != nil {
		return 0, err
	}
	group := pq.Group{id: compressed(pq.String()), text: compressed(pq.Optional(pq.String()))}
	if !o.NoVectors {
		element := pq.FloatType
		if s.Element == vecwire.DOUBLE {
			element = pq.DoubleType
		}
		group[vector] = vectorNode(element)
	}
	for i, f := range s.Fields {
		group[fields[i]] = pq.Optional(nodeOf(f.Type))
	}
	if o.NoVectors {
		vectors = nil
	}
	for _, name := range vectors {
		group[name] = pq.Optional(vectorNode(pq.FloatType))
	}
	schema := pq.NewSchema("records", group)
	var header bytes.Buffer
	if err := transfer.WriteSchema(&header, s); err != nil {
		return 0, err
	}
	counted := &counter{w: w}
	out := pq.NewWriter(counted, schema, pq.KeyValueMetadata(schemaKey, string(bytes.TrimSpace(header.Bytes()))), pq.CreatedBy("vecwire", "1", ""))
	e := &encoder{schema: s}
	for _, path := range schema.Columns() {
		leaf, _ := schema.Lookup(path...)
		col := column{index: leaf.ColumnIndex, levels: leaf.MaxDefinitionLevel, place: placeID}
		switch path[0] {
		case id:
		case vector:
			col.place = placeVector
		case text:
			col.place = placeText
		}
		for i, name := range slices.Concat(fields, vectors) {
			if name == path[0] {
				col.place = i
			}
		}
		e.columns = append(e.columns, col)
	}
	written := int64(0)
	n, err = o.Each(ctx, c, func(r vecwire.Record) (int, error) {
		row, size, err := e.row(r)
		if err != nil {
			return 0, err
		}
		if _, err := out.WriteRows([]pq.Row{row}); err != nil {
			return 0, err
		}
		if written += int64(size); written >= groupBytes {
			written = 0
			if err := out.Flush(); err != nil {
				return 0, err
			}
		}
		return size, nil
	}, nil)
	if err == nil {
		err = out.Close()
	}
	if counted.failed != nil { // which is not a record's
		err = counted.failed
	}
	return n, err
}

func compressed(n pq.Node) pq.Node { return pq.Compressed(n, &zstd.Codec{}) }

func vectorNode(element pq.Type) pq.Node {
	return pq.List(pq.Compressed(pq.Encoded(pq.Leaf(element), &pq.Plain), &uncompressed.Codec{}))
}

// nodeOf returns the node of a field's column.
func nodeOf(t vecwire.FieldType) pq.Node {
	if elem, list := t.Elem(); list {
		return pq.List(nodeOf(elem))
	}
	switch t {
	case vecwire.Int:
		return compressed(pq.Int(64))
	case vecwire.Float:
		return compressed(pq.Leaf(pq.DoubleType))
	case vecwire.Bool:
		return compressed(pq.Leaf(pq.BooleanType))
	case vecwire.Time:
		return compressed(pq.Timestamp(pq.Microsecond))
	case vecwire.Bytes:
		return compressed(pq.Leaf(pq.ByteArrayType))
	case vecwire.JSON:
		return compressed(pq.JSON())
	}
	return compressed(pq.String())
}

// counter keeps the error of a writer.
type counter struct {
	w      io.Writer
	failed error
}

func (c *counter) Write(b []byte) (int, error) {
	n, err := c.w.Write(b)
	if err != nil {
		c.failed = err
	}
	return n, err
}

// The places of the parts of a record; the fields' are those in the schema,
// and those of the named vectors come after them.
const (
	placeID     = -3
	placeVector = -2
	placeText   = -1
	placeExtra  = -4
)

// column is a column of a file that is written.
type column struct {
	index  int
	levels int // definition level of a value
	place  int
}

// encoder makes rows of records.
type encoder struct {
	schema  vecwire.Schema
	columns []column // in the order of the file
	buf     pq.Row
	size    int
}

// row returns the row of a record, valid until it is called again, and about how many
// bytes it has.
func (e *encoder) row(r vecwire.Record) (pq.Row, int, error) {
	e.buf, e.size = e.buf[:0], 0
	for _, c := range e.columns {
		var v any
		switch c.place {
		case placeID:
			v = r.ID
		case placeText:
			if r.Text != "" {
				v = r.Text
			}
		case placeVector:
			if v = r.Vector; r.Vector64 != nil {
				v = r.Vector64
			}
		default:
			if i := c.place - len(e.schema.Fields); i >= 0 {
				if x := r.Vectors[e.schema.Vectors[i].Name]; x != nil {
					v = x
				}
				break
			}
			v = r.Fields[e.schema.Fields[c.place].Name]
		}
		if err := e.values(c, v); err != nil {
			return nil, 0, err
		}
	}
	return e.buf, e.size, nil
}

// values adds the values of a column.
func (e *encoder) values(c column, v any) error {
	switch x := v.(type) {
	case nil:
		e.buf = append(e.buf, pq.Value{}.Level(0, 0, c.index))
	case []float32:
		list(e, c, x, pq.FloatValue)
	case []float64:
		list(e, c, x, pq.DoubleValue)
	case []int64:
		list(e, c, x, pq.Int64Value)
	case []string:
		list(e, c, x, func(s string) pq.Value { return pq.ByteArrayValue([]byte(s)) })
		for _, s := range x {
			e.size += len(s)
		}
	case string:
		e.add(c, pq.ByteArrayValue([]byte(x)), len(x))
	case []byte:
		e.add(c, pq.ByteArrayValue(x), len(x))
	case int64:
		e.add(c, pq.Int64Value(x), 8)
	case float64:
		e.add(c, pq.DoubleValue(x), 8)
	case bool:
		e.add(c, pq.BooleanValue(x), 1)
	case time.Time:
		e.add(c, pq.Int64Value(x.UnixMicro()), 8)
	case map[string]any, []any:
		var b bytes.Buffer
		enc := json.NewEncoder(&b)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(x); err != nil {
			return err
		}
		e.add(c, pq.ByteArrayValue(bytes.TrimSuffix(b.Bytes(), []byte("\n"))), b.Len())
	default:
		return fmt.Errorf("a %T has no column", v)
	}
	return nil
}

func (e *encoder) add(c column, v pq.Value, size int) {
	e.buf = append(e.buf, v.Level(0, c.levels, c.index))
	e.size += size
}

// list adds the values of a list. One that is empty is there and has no element.
func list[T any](e *encoder, c column, x []T, value func(T) pq.Value) {
	if len(x) == 0 {
		e.buf = append(e.buf, pq.Value{}.Level(0, c.levels-1, c.index))
		return
	}
	for i, v := range x {
		e.buf = append(e.buf, value(v).Level(min(i, 1), c.levels, c.index))
	}
	e.size += 8 * len(x)
}
