package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/transfer"
	"github.com/vecwire/vecwire/transfer/parquet"
)

var types = map[string]vecwire.FieldType{
	"string": vecwire.String, "int": vecwire.Int, "float": vecwire.Float, "bool": vecwire.Bool, "time": vecwire.Time, "bytes": vecwire.Bytes,
	"strings": vecwire.Strings, "ints": vecwire.Ints, "floats": vecwire.Floats, "json": vecwire.JSON,
}

var metrics = map[string]vecwire.Metric{"": vecwire.Cosine, "cosine": vecwire.Cosine, "dot": vecwire.Dot, "l2": vecwire.L2}

// The formats of files.
const (
	formatJSONL   = "jsonl"
	formatCSV     = "csv"
	formatTSV     = "tsv"
	formatParquet = "parquet"
	formatNPY     = "npy"
	formatVecs    = "fvecs"
)

const formatHelp = "`FORMAT` of the file: jsonl, csv, tsv or parquet (default by its ending, else jsonl)"

// formatOf returns the format of a file: the one that is named, or else that of its
// ending, or else JSONL. More are endings beside those that may be named.
func formatOf(name, format string, more ...string) (string, error) {
	known := []string{formatJSONL, formatCSV, formatTSV, formatParquet}
	if format != "" {
		if !slices.Contains(known, format) {
			return "", usagef("--format %q: want %s", format, strings.Join(known, ", "))
		}
		return format, nil
	}
	if ext := strings.TrimPrefix(strings.ToLower(filepath.Ext(name)), "."); slices.Contains(append(known, more...), ext) {
		return ext, nil
	}
	return formatJSONL, nil
}

// commaOf returns what stands between the cells of a table.
func commaOf(format string) rune {
	if format == formatTSV {
		return '\t'
	}
	return ','
}

// namesOf makes the names of a file of what --map says. Those of fields that the schema
// does not have are refused by package transfer.
func namesOf(mapping map[string]string) transfer.Names {
	n := transfer.Names{Fields: map[string]string{}}
	for name, key := range mapping {
		switch name {
		case "id":
			n.ID = key
		case "vector":
			n.Vector = key
		case "text":
			n.Text = key
		default:
			n.Fields[name] = key
		}
	}
	return n
}

// opened opens a file that is read in any order.
func opened(name string) (*os.File, int64, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, 0, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is not a regular file", name)
	}
	if err != nil {
		f.Close()
		return nil, 0, err
	}
	return f, info.Size(), nil
}

// inFile is a file that is imported.
type inFile struct {
	format string
	in     *bufio.Reader // but for Parquet
	lines  *bufio.Reader // the same, or the JSONL beside a file of vectors
	file   *os.File      // of Parquet
	size   int64
}

// schema reads the schema that the file has.
func (f inFile) schema() (vecwire.Schema, error) {
	switch f.format {
	case formatCSV, formatTSV:
		return vecwire.Schema{}, transfer.ErrNoSchema
	case formatParquet:
		return parquet.ReadSchema(f.file, f.size)
	}
	return transfer.ReadSchema(f.lines)
}

// records reads the records of the file.
func (f inFile) records(s vecwire.Schema, o importing) iter.Seq2[vecwire.Record, error] {
	names := namesOf(o.mapping)
	foreign := len(o.mapping) > 0 || len(o.fields) > 0
	switch f.format {
	case formatCSV, formatTSV:
		return transfer.ReadCSV(f.in, s, transfer.CSVOptions{Names: names, Comma: commaOf(f.format)})
	case formatParquet:
		return parquet.Read(f.file, f.size, s, names)
	case formatNPY:
		if foreign {
			return names.ReadNPY(f.in, f.lines, s)
		}
		return transfer.ReadNPY(f.in, f.lines, s)
	case formatVecs:
		if foreign {
			return names.ReadVecs(f.in, f.lines, s)
		}
		return transfer.ReadVecs(f.in, f.lines, s)
	}
	if foreign {
		return names.ReadJSONL(f.lines, s)
	}
	return transfer.ReadJSONL(f.lines, s)
}

// first returns the first record of the file, as far as the buffer reaches, without
// taking it. Of one that is only vectors it is that of the lines beside it. It fails if
// what --map says cannot be; a record that cannot be read is empty.
func (f inFile) first(s vecwire.Schema, o importing) (r vecwire.Record, err error) {
	if f.format != formatParquet {
		head, _ := f.lines.Peek(f.lines.Size())
		if f.format == formatNPY || f.format == formatVecs {
			f.format = formatJSONL
		}
		f.in = bufio.NewReader(bytes.NewReader(head))
		f.lines = f.in
	}
	o.fields = append(o.fields, "") // the file may be anyone's
	for r, err := range f.records(s, o) {
		if _, refused := errors.AsType[*vecwire.RecordError](err); refused {
			err = nil
		}
		return r, err
	}
	return r, nil
}

// schemaOf makes the schema of a file that has none: its fields are named, and its
// dimension is that of the first record's vector, or else the embedder's.
func (a *app) schemaOf(f inFile, o importing) (vecwire.Schema, error) {
	metric, ok := metrics[strings.ToLower(o.metric)]
	if !ok {
		return vecwire.Schema{}, usagef("--metric %q: want cosine, dot or l2", o.metric)
	}
	schema := vecwire.Schema{Metric: metric}
	for _, text := range o.fields {
		name, kind, _ := strings.Cut(text, ":")
		t, ok := types[strings.ToLower(kind)]
		if !ok && kind != "" {
			return schema, usagef("--field %q: want NAME or NAME:TYPE, with the type String, Int, Float, Bool, Time, Bytes, Strings, Ints, Floats or JSON", text)
		}
		schema.Fields = append(schema.Fields, vecwire.Field{Name: name, Type: t})
	}
	r, err := f.first(schema, o)
	if err != nil {
		return schema, err
	}
	if len(r.Vector) > 0 {
		schema.Dim = len(r.Vector)
		return schema, nil
	}
	e, err := a.embedder()
	if err != nil {
		return schema, err
	}
	schema.Dim, schema.Model, schema.FullText = e.Dim(), e.Model(), vecwire.Words
	return schema, nil
}
