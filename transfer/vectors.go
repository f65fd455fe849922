package transfer

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"sync"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/codec"
)

// WriteVecs writes the vectors of c to one file, as .fvecs, and all else to
// another, as JSONL without vectors, row by row, in the order of the IDs. It
// returns how many records it wrote. The format has FLOAT vectors only: for
// DOUBLE it returns a [*vecwire.ElementError], and [WriteNPY] does it. Errors
// are as in [WriteJSONL], and after one the two may have different numbers of
// rows, which [ReadVecs] notices.
func WriteVecs(ctx context.Context, vectors, payload io.Writer, c *vecwire.Collection, o Options) (n int, err error) {
	if c.Schema().Element != vecwire.FLOAT {
		return 0, &vecwire.ElementError{Want: vecwire.FLOAT, Got: c.Schema().Element}
	}
	return writeRows(ctx, payload, c, o, 4, singles, func(rows iter.Seq2[[]float32, error]) (int, error) {
		return codec.WriteFvecs(vectors, rows)
	})
}

// WriteNPY writes the vectors of c to one file, as a NumPy array of a row for
// each, "<f4" or "<f8" after the element type, and all else to another, as JSONL
// without vectors. It counts the records first, because the number of rows comes
// before the rows. If others write to c meanwhile so that the number is wrong,
// it is corrected if vectors is a file, and a [*codec.CountError] otherwise.
// All else is as in [WriteVecs].
func WriteNPY(ctx context.Context, vectors, payload io.Writer, c *vecwire.Collection, o Options) (n int, err error) {
	total, err := o.count(ctx, c)
	if err != nil {
		return 0, err
	}
	dim := c.Schema().Dim
	if c.Schema().Element == vecwire.DOUBLE {
		return writeRows(ctx, payload, c, o, 0, doubles, func(rows iter.Seq2[[]float64, error]) (int, error) {
			return codec.WriteNPY(vectors, total, dim, rows)
		})
	}
	return writeRows(ctx, payload, c, o, 0, singles, func(rows iter.Seq2[[]float32, error]) (int, error) {
		return codec.WriteNPY(vectors, total, dim, rows)
	})
}

func singles(r *vecwire.Record) *[]float32 { return &r.Vector }
func doubles(r *vecwire.Record) *[]float64 { return &r.Vector64 }

// writeRows writes the payload of each record and gives its vector to write. A
// row of the file of vectors has as many bytes before its elements as extra says.
func writeRows[T codec.Float](ctx context.Context, payload io.Writer, c *vecwire.Collection, o Options, extra int,
	vector func(*vecwire.Record) *[]T, write func(iter.Seq2[[]T, error]) (int, error),
) (n int, err error) {
	if o.NoVectors {
		return 0, &vecwire.ValueError{Field: "NoVectors", Pos: -1, Want: "false for a file of vectors", Got: "true"}
	}
	lines, err := newEncoder(c.Schema(), o.Names)
	if err != nil {
		return 0, err
	}
	m, err := o.meter(ctx, c)
	if err != nil {
		return 0, err
	}
	out := bufio.NewWriterSize(payload, 64<<10)
	defer func() {
		if failed := out.Flush(); err == nil {
			err = failed
		}
		m.tell()
	}()
	size := extra + c.Schema().Dim*c.Schema().Element.Size()
	return write(func(yield func([]T, error) bool) {
		for r, err := range o.scan(ctx, c, true) {
			if err != nil {
				yield(nil, err)
				return
			}
			v := *vector(&r)
			r.Vector, r.Vector64 = nil, nil
			line, err := lines.encode(r)
			if err != nil {
				yield(nil, &vecwire.RecordError{ID: r.ID, Index: int(m.now.Done), Err: err})
				return
			}
			if _, err := out.Write(line); err != nil {
				yield(nil, err)
				return
			}
			if !yield(v, nil) {
				return
			}
			if m.add(r.ID, size+len(line)) {
				m.tell()
			}
		}
	})
}

// ReadVecs reads records of schema s from two files row by row: their vectors
// from an .fvecs file, and all else from JSONL that has no vectors. It yields
// them as [ReadJSONL] does; a line that cannot be read is passed over together
// with its vector. Vectors that do not fit s, or an end of one file before the
// other's, is an error that names the row, from 0, and ends the sequence.
func ReadVecs(vectors, payload io.Reader, s vecwire.Schema) iter.Seq2[vecwire.Record, error] {
	return readVecs(vectors, newDecoder(payload, s))
}

func readVecs(vectors io.Reader, payload *decoder) iter.Seq2[vecwire.Record, error] {
	return readRows(codec.ReadFvecs(vectors), payload, singles)
}

// ReadNPY is [ReadVecs] for an array that NumPy has written, of two dimensions
// and of the types that [codec.ReadNPY] names. A DOUBLE collection takes all of
// them. For a FLOAT one, float64 is refused with a [*vecwire.ElementError],
// because it would be rounded: say astype("float32") in NumPy. An integer that
// the collection's elements do not hold exactly is an error too.
func ReadNPY(vectors, payload io.Reader, s vecwire.Schema) iter.Seq2[vecwire.Record, error] {
	return readNPY(vectors, newDecoder(payload, s))
}

func readNPY(vectors io.Reader, payload *decoder) iter.Seq2[vecwire.Record, error] {
	var array *codec.NPY
	open := sync.OnceValue(func() (err error) {
		if array, err = codec.ReadNPY(vectors); err != nil {
			return err
		}
		element := vecwire.FLOAT
		if strings.HasSuffix(array.Type, "f8") {
			element = vecwire.DOUBLE
		}
		return vectorsFit(vecwire.Schema{Dim: array.Dim, Element: element}, payload.schema)
	})
	if payload.schema.Element == vecwire.DOUBLE {
		return readRows(opened(open, func() iter.Seq2[[]float64, error] { return array.Float64s() }), payload, doubles)
	}
	return readRows(opened(open, func() iter.Seq2[[]float32, error] { return array.Float32s() }), payload, singles)
}

// opened streams rows after open has succeeded.
func opened[T any](open func() error, rows func() iter.Seq2[[]T, error]) iter.Seq2[[]T, error] {
	return func(yield func([]T, error) bool) {
		if err := open(); err != nil {
			yield(nil, err)
			return
		}
		rows()(yield)
	}
}

// readRows puts vectors and payload together.
func readRows[T codec.Float](vectors iter.Seq2[[]T, error], d *decoder, vector func(*vecwire.Record) *[]T) iter.Seq2[vecwire.Record, error] {
	return func(yield func(vecwire.Record, error) bool) {
		next, stop := iter.Pull2(vectors)
		defer stop()
		for {
			row := d.count
			r, err := d.next()
			ended := errors.Is(d.failed, io.EOF)
			if d.failed != nil && !ended {
				yield(vecwire.Record{}, err)
				return
			}
			v, bad, more := next()
			switch {
			case bad != nil:
				err = d.fail(fmt.Errorf("transfer: vector of row %d: %w", row, bad))
			case ended && !more:
				return
			case ended:
				err = d.fail(fmt.Errorf("transfer: the payload ends before row %d, which has a vector", row))
			case !more:
				err = d.fail(fmt.Errorf("transfer: the vectors end before row %d, which has a payload", row))
			case len(v) != d.schema.Dim:
				err = d.fail(fmt.Errorf("transfer: vector of row %d: %w", row, &vecwire.DimensionError{Want: d.schema.Dim, Got: len(v)}))
			case err != nil: // the row is passed over
			case r.Vector != nil || r.Vector64 != nil:
				err = d.refuse(r.ID, &vecwire.ValueError{Field: "vector", Pos: -1, Want: "none beside a file of vectors", Got: "an array"})
			default:
				*vector(&r) = slices.Clone(v)
				err = d.vectorsFit()
			}
			if err != nil {
				r = vecwire.Record{}
			}
			if !yield(r, err) || d.failed != nil {
				return
			}
		}
	}
}
