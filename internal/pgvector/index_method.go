package pgvector

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/internal/engine"
)

// The access methods of vector indexes. Those of other extensions have classes of
// operators of the same names as pgvector's.
const (
	hnsw      = "hnsw"
	ivfflat   = "ivfflat"
	vchordrq  = "vchordrq" // VectorChord
	diskann   = "diskann"  // pgvectorscale
	kindsList = "'hnsw', 'ivfflat', 'vchordrq', 'diskann'"
)

// extensions are what an index of a kind needs beside pgvector.
var extensions = map[string]string{vchordrq: "vchord", diskann: "vectorscale"}

// options reads what the catalog says that an index was built with.
func (f *foundIndex) options(text string) {
	names := map[string]*int{"m": &f.M, "ef_construction": &f.EfConstruction}
	switch f.Kind {
	case diskann:
		names = map[string]*int{"num_neighbors": &f.M, "search_list_size": &f.EfConstruction, "num_dimensions": &f.Dims}
	case vchordrq:
		f.lists = listsOf(text)
	}
	for option := range strings.SplitSeq(text, ",") {
		key, value, _ := strings.Cut(option, "=")
		if at := names[key]; at != nil {
			*at, _ = strconv.Atoi(value)
		}
	}
	if f.Kind == hnsw {
		f.M, f.EfConstruction = cmp.Or(f.M, defaultM), cmp.Or(f.EfConstruction, defaultEfC)
	}
}

var listsRE = regexp.MustCompile(`(?m)^\s*lists\s*=\s*\[([0-9,\s]*)\]`)

// listsOf reads into how many lists each level of an index of VectorChord is divided.
func listsOf(options string) (lists []int) {
	found := listsRE.FindStringSubmatch(strings.TrimPrefix(options, "options="))
	if found == nil {
		return nil
	}
	for text := range strings.SplitSeq(found[1], ",") {
		if n, err := strconv.Atoi(strings.TrimSpace(text)); err == nil {
			lists = append(lists, n)
		}
	}
	return lists
}

// probes is a list of how many lists are searched on each level of an index of
// VectorChord, which must have as many entries as the index has levels: the given
// number of the last level, and the same share of the others.
func (i *vectorIndex) probes(effort int) string {
	out := make([]string, len(i.lists))
	for at, n := range i.lists {
		last := max(1, i.lists[len(i.lists)-1])
		out[at] = strconv.Itoa(max(1, min(n, (effort*n+last-1)/last)))
	}
	return strings.Join(out, ",")
}

// checkIndex completes and checks what an index is asked to be.
func checkIndex(p *engine.IndexPlan) error {
	bad := func(field, want string, got any) error {
		return &codec.ValueError{Field: field, Pos: -1, Want: want, Got: fmt.Sprint(got)}
	}
	between := func(field string, got, least, most int) error {
		if got != 0 && (got < least || got > most) {
			return bad(field, fmt.Sprintf("%d to %d for %s", least, most, p.Method), got)
		}
		return nil
	}
	switch p.Method = cmp.Or(p.Method, hnsw); p.Method {
	case hnsw:
	case diskann:
		return cmp.Or(between("M", p.M, 10, 1000), between("EfConstruction", p.EfConstruction, 10, 1000))
	case vchordrq:
		return cmp.Or(between("M", p.M, 0, 0), between("EfConstruction", p.EfConstruction, 0, 0))
	default:
		return bad("Method", `"hnsw", "diskann" or "vchordrq"`, strconv.Quote(p.Method))
	}
	p.M, p.EfConstruction = cmp.Or(p.M, defaultM), cmp.Or(p.EfConstruction, max(defaultEfC, 2*p.M))
	switch {
	case p.M < 2 || p.M > 100:
		return bad("M", "2 to 100", p.M)
	case p.EfConstruction < 4 || p.EfConstruction > 1000:
		return bad("EfConstruction", "4 to 1000", p.EfConstruction)
	case p.EfConstruction < 2*p.M:
		return bad("EfConstruction", fmt.Sprintf("at least twice M, %d", 2*p.M), p.EfConstruction)
	}
	return nil
}

// withSQL is how an index is told what it was asked to be.
func withSQL(p engine.IndexPlan) string {
	var options []string
	add := func(name string, n int) {
		if n > 0 {
			options = append(options, fmt.Sprintf("%s = %d", name, n))
		}
	}
	switch p.Method {
	case hnsw:
		add("m", p.M)
		add("ef_construction", p.EfConstruction)
	case diskann:
		add("num_neighbors", p.M)
		add("search_list_size", p.EfConstruction)
	}
	if len(options) == 0 {
		return ""
	}
	return " WITH (" + strings.Join(options, ", ") + ")"
}

// classSQL returns the class of operators of a key for an access method, with its schema.
func (c *collection) classSQL(ctx context.Context, key indexKey, method string) (string, error) {
	if method == hnsw {
		return c.ext + "." + key.class, nil
	}
	var schemas []string
	err := c.read(ctx, func(conn *pgx.Conn) error {
		rows, err := conn.Query(ctx, `SELECT n.nspname::text FROM pg_catalog.pg_opclass o JOIN pg_catalog.pg_am m ON m.oid = o.opcmethod
			JOIN pg_catalog.pg_namespace n ON n.oid = o.opcnamespace WHERE m.amname = $1::text AND o.opcname = $2::text`, method, key.class)
		if err != nil {
			return err
		}
		schemas, err = pgx.CollectRows(rows, pgx.RowTo[string])
		return err
	})
	if err != nil {
		return "", err
	}
	if len(schemas) > 0 {
		return quote(schemas[0]) + "." + key.class, nil
	}
	return "", fmt.Errorf("%w: an index of the method %s, by %s, by the postgres engine: is the extension there? CREATE EXTENSION %s CASCADE",
		engine.ErrUnsupported, method, key.class, extensions[method])
}
