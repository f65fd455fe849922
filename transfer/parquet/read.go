package parquet

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strconv"
	"strings"

	pq "github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/transfer"
)

// ReadSchema reads the schema in the metadata of a file that [Write] has written. It
// returns [transfer.ErrNoSchema] for the files of other programs.
func ReadSchema(r io.ReaderAt, size int64) (s vecwire.Schema, err error) {
	defer damaged(&err)
	f, err := open(r, size)
	if err != nil {
		return s, err
	}
	line, ok := f.Lookup(schemaKey)
	if !ok {
		return s, fmt.Errorf("transfer/parquet: %w", transfer.ErrNoSchema)
	}
	return transfer.ReadSchema(bufio.NewReader(strings.NewReader(line + "\n")))
}

// open reads the metadata of a file.
func open(r io.ReaderAt, size int64) (*pq.File, error) {
	if err := checkFooter(r, size); err != nil {
		return nil, err
	}
	f, err := pq.OpenFile(r, size, pq.SkipPageIndex(true), pq.SkipBloomFilters(true))
	if err != nil {
		return nil, fmt.Errorf("transfer/parquet: the file cannot be opened: %w", err)
	}
	for _, group := range f.Metadata().RowGroups {
		for _, c := range group.Columns {
			if codec := c.MetaData.Codec; codec == format.Lz4Raw || codec == format.Lz4 {
				return nil, fmt.Errorf("transfer/parquet: column %q is compressed with LZ4, want snappy, zstd, gzip, brotli or none: the reader of LZ4 cannot tell damage from a page that needs more memory, and takes all there is", strings.Join(c.MetaData.PathInSchema, "."))
			}
		}
	}
	return f, nil
}

// checkFooter checks the length that a file gives of its metadata: the reader below takes
// as much memory, up to 4 GiB, before it looks whether the file has so many bytes.
func checkFooter(r io.ReaderAt, size int64) error {
	const ends = 4 + 8 // the mark, and behind the metadata its length and the mark again
	if size < ends {
		return fmt.Errorf("transfer/parquet: the file has %d bytes, want at least %d: it is no Parquet file, or cut short", size, ends)
	}
	var length [4]byte
	if n, err := r.ReadAt(length[:], size-8); n < len(length) {
		return fmt.Errorf("transfer/parquet: read the end of the file: %w", err)
	}
	if n := int64(binary.LittleEndian.Uint32(length[:])); n > size-ends {
		return fmt.Errorf("transfer/parquet: the file says that its metadata has %d bytes, and has room for %d: it is no Parquet file, or damaged", n, size-ends)
	}
	return nil
}

// damaged makes an error of a panic: the reader below is not made for files that lie.
func damaged(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("transfer/parquet: the file is damaged: %v", p)
	}
}

// Read reads records of schema s from a Parquet file of so many bytes, as [Write] writes
// it, or with the columns that names says, for [vecwire.Collection.Ingest]. It yields
// them as they come, holding some pages of each column; ranged over again, it goes on
// where it stopped. The table of package parquet says which columns a field takes. Pages
// that are compressed are read twice, the first time for their size: one that has another
// than it says would take as much memory as it likes.
//
// Columns that no name is for are passed over; if s has Extra, it gathers those of
// strings, numbers, bools, times and lists of them. For a FLOAT collection doubles are
// rounded to the nearest float.
//
// A row that cannot be read is yielded as a [*vecwire.RecordError], with the place of the
// record from 0, the ID if it is known, and the column in its text; the next row follows.
// That is one without an ID, with a value that its field cannot hold, or with a null
// within a list. Any other error is r's, or says that the file is damaged or that a
// column has another type than its field, and ends the sequence.
func Read(r io.ReaderAt, size int64, s vecwire.Schema, names transfer.Names) iter.Seq2[vecwire.Record, error] {
	d := &decoder{schema: s, names: names, r: r, size: size}
	return func(yield func(vecwire.Record, error) bool) {
		for {
			r, err := d.next()
			if errors.Is(d.failed, errEnd) || !yield(r, err) || d.failed != nil {
				d.close()
				return
			}
		}
	}
}

// errEnd says that all rows were read. A file that is cut off has an io.EOF of its own.
var errEnd = errors.New("the end of the file")

// decoder makes records of rows.
type decoder struct {
	schema  vecwire.Schema
	names   transfer.Names
	r       io.ReaderAt
	size    int64
	file    *pq.File
	columns []bound        // by the column's place in the file
	aside   map[string]any // of the record being read
	group   int            // the next row group
	rows    pq.Rows        // of the group before it; nil if all of them were read
	page    []pq.Row       // rows that were read and not yet yielded
	buf     [64]pq.Row
	count   int
	failed  error // what ended reading for good; errEnd at the end
}

// close lets go of the pages when nothing more is read.
func (d *decoder) close() {
	if d.rows == nil || d.failed == nil {
		return
	}
	if err := d.rows.Close(); err != nil && errors.Is(d.failed, errEnd) {
		d.failed = err
	}
	d.rows = nil
}

func (d *decoder) next() (vecwire.Record, error) {
	if d.failed != nil {
		return vecwire.Record{}, d.failed
	}
	row, err := d.row()
	if err != nil {
		if d.failed = err; !errors.Is(err, errEnd) && d.file != nil {
			d.failed = fmt.Errorf("transfer/parquet: row %d: %w", d.count, err)
		}
		return vecwire.Record{}, d.failed
	}
	r, err := d.record(row)
	d.count++
	if err != nil {
		return vecwire.Record{}, &vecwire.RecordError{ID: r.ID, Index: d.count - 1, Err: fmt.Errorf("row %d: %w", d.count-1, err)}
	}
	return r, nil
}

// row returns the next row of the file, or errEnd.
func (d *decoder) row() (row pq.Row, err error) {
	defer damaged(&err)
	if d.file == nil {
		if d.file, err = open(d.r, d.size); err == nil {
			err = d.bind()
		}
		if err != nil {
			d.file = nil
			return nil, err
		}
	}
	for len(d.page) == 0 {
		if d.rows == nil {
			groups := d.file.RowGroups()
			if d.group == len(groups) {
				return nil, errEnd
			}
			if err := checkPages(d.r, d.size, &d.file.Metadata().RowGroups[d.group]); err != nil {
				return nil, err
			}
			d.rows, d.group = groups[d.group].Rows(), d.group+1
		}
		n, err := d.rows.ReadRows(d.buf[:])
		d.page = d.buf[:n]
		if errors.Is(err, io.EOF) {
			if err := d.rows.Close(); err != nil {
				return nil, err
			}
			d.rows = nil
			continue
		}
		if err != nil {
			return nil, err
		}
		if n == 0 {
			return nil, io.ErrNoProgress
		}
	}
	row, d.page = d.page[0], d.page[1:]
	return row, nil
}

// record makes a record of a row. With an error it returns one that has the ID, if that
// was read.
func (d *decoder) record(row pq.Row) (r vecwire.Record, err error) {
	defer damaged(&err)
	d.aside = nil
	for start := 0; start < len(row); {
		at := row[start].Column()
		end := start + 1
		for end < len(row) && row[end].Column() == at {
			end++
		}
		if at < 0 || at >= len(d.columns) {
			return r, fmt.Errorf("column %d is not in the file's schema", at)
		}
		c := d.columns[at]
		for _, place := range c.places {
			if err := d.assign(&r, c.leaf, place, row[start:end]); err != nil {
				return r, fmt.Errorf("column %q: %w", c.leaf.name, err)
			}
		}
		start = end
	}
	if r.ID == "" {
		return r, &vecwire.ValueError{Field: "id", Pos: -1, Want: "a String that is not empty", Got: "nothing"}
	}
	return r, d.gather(&r)
}

// bound is a column of the file and the parts of a record that it is for.
type bound struct {
	leaf   leaf
	places []int
}

// bind finds the columns of the parts of a record.
func (d *decoder) bind() error {
	id, vector, text, fields, vectors, err := d.names.Columns(d.schema)
	if err != nil {
		return err
	}
	leaves := leavesOf(d.file.Schema())
	var names []string
	for _, l := range leaves {
		names = append(names, l.name)
	}
	if err := d.names.Missing(d.schema, names); err != nil {
		return err
	}
	parts := slices.Concat([]string{id, vector, text}, fields, vectors)
	for _, l := range leaves {
		b := bound{leaf: l}
		for i, name := range parts {
			if name != l.name {
				continue
			}
			if want := d.wanted(i-3, l); want != "" {
				return fmt.Errorf("transfer/parquet: column %q is %s, want %s", l.name, l, want)
			}
			b.places = append(b.places, i-3)
		}
		if len(b.places) == 0 && d.schema.Extra != "" && l.gathered() {
			b.places = []int{placeExtra}
		}
		d.columns = append(d.columns, b)
	}
	return nil
}

// wanted returns what a part of a record takes, "" if it takes the column.
func (d *decoder) wanted(place int, l leaf) string {
	switch place {
	case placeID:
		if l.list || l.kind != isBytes && l.kind != isInt {
			return "strings or whole numbers for id"
		}
	case placeText:
		if l.list || l.kind != isBytes {
			return "strings for text"
		}
	case placeVector:
		return numbers(l, "vector")
	default:
		if i := place - len(d.schema.Fields); i >= 0 {
			return numbers(l, d.schema.Vectors[i].Name)
		}
		f := d.schema.Fields[place]
		elem, list := f.Type.Elem()
		if !list {
			elem = f.Type
		}
		if l.list != list || !slices.Contains(kindsOf[elem], l.kind) {
			return fmt.Sprintf("%s for field %q", f.Type, f.Name)
		}
	}
	return ""
}

// numbers returns what a vector takes, "" if it takes the column.
func numbers(l leaf, vector string) string {
	if l.list && (l.kind == isFloat || l.kind == isInt) {
		return ""
	}
	return "lists of numbers for " + vector
}

// kindsOf says which values a field takes.
var kindsOf = map[vecwire.FieldType][]kind{
	vecwire.String: {isBytes}, vecwire.Int: {isInt}, vecwire.Float: {isFloat, isInt}, vecwire.Bool: {isBool},
	vecwire.Time: {isTime}, vecwire.Bytes: {isBytes}, vecwire.JSON: {isBytes},
}

// assign gives a part of a record the values of a column.
func (d *decoder) assign(r *vecwire.Record, l leaf, place int, values []pq.Value) error {
	if l.null(values) {
		return nil
	}
	if place == placeVector {
		return d.vector(r, l, values)
	}
	if i := place - len(d.schema.Fields); i >= 0 {
		name := d.schema.Vectors[i].Name
		x, err := l.vector(name, vecwire.FLOAT, values)
		if err != nil {
			return err
		}
		if r.Vectors == nil {
			r.Vectors = map[string][]float32{}
		}
		r.Vectors[name] = singles(x)
		return nil
	}
	v, err := l.value(values)
	if err != nil {
		return err
	}
	name := l.name
	switch place {
	case placeID:
		if n, ok := v.(int64); ok {
			v = strconv.FormatInt(n, 10)
		}
		r.ID = text(v)
		return filter.CheckString("id", r.ID)
	case placeText:
		r.Text = text(v)
		return filter.CheckString("text", r.Text)
	case placeExtra: // which the collection checks, and gathers
		if b, ok := v.([]byte); ok && l.text {
			v = string(b)
		}
		if d.putAside(name, v) {
			return nil
		}
	default:
		f := d.schema.Fields[place]
		name = f.Name
		b, bytes := v.([]byte)
		switch {
		case bytes && f.Type == vecwire.JSON:
			v = json.RawMessage(b)
		case bytes && f.Type == vecwire.String:
			v = string(b)
		}
		if v, err = f.Type.Convert(f.Name, v); err != nil || v == nil {
			return err
		}
	}
	if r.Fields == nil {
		r.Fields = make(vecwire.Fields, len(d.schema.Fields))
	}
	r.Fields[name] = v
	return nil
}

// vector gives a record its vector.
func (d *decoder) vector(r *vecwire.Record, l leaf, values []pq.Value) error {
	x, err := l.vector("vector", d.schema.Element, values)
	if err != nil {
		return err
	}
	if d.schema.Element == vecwire.DOUBLE {
		r.Vector64 = x
	} else {
		r.Vector = singles(x)
	}
	return nil
}

func singles(x []float64) []float32 {
	out := make([]float32, len(x))
	for i, f := range x {
		out[i] = float32(f)
	}
	return out
}
