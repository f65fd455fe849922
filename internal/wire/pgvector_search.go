package wire

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/internal/engine"
)

// How an index is searched.
const (
	defaultEf = 100   // hnsw.ef_search for small k: recall near 1 on 100,000 vectors, at a tenth more time than pgvector's 40
	maxEf     = 1_000 // pgvector's limit
	spare     = 8     // hits asked for beyond k, so that equal distances at its end are cut by ID
	copySpare = 4     // candidates for each hit, where the index is over copies of less precision
	bitSpare  = 16    // the same where it is over bits
)

// Search implements engine.Collection. Several searches share up to half of the
// pool's connections.
func (c *pgCollection) Search(ctx context.Context, searches []engine.Search) ([]engine.Result, error) {
	index, err := c.usable(ctx)
	if err != nil {
		return nil, err
	}
	results := make([]engine.Result, len(searches))
	if len(searches) == 1 {
		results[0], err = c.search(ctx, searches[0], index)
		return results, err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(c.runner.width())
	for i := range searches {
		group.Go(func() (err error) {
			results[i], err = c.search(ctx, searches[i], index)
			return err
		})
	}
	return results, group.Wait()
}

func (c *pgCollection) search(ctx context.Context, s engine.Search, index *pgIndex) (engine.Result, error) {
	plan := engine.Plan{Path: "scan", Rows: -1, Why: "there is no vector index"}
	if !s.Filter.IsZero() {
		plan.Path = "filtered scan"
	}
	if index != nil {
		plan.Why = "the query asks for the exact answer"
	}
	if index != nil && !s.Exact && !index.holds(c.queryArg(s.Vector)) {
		plan.Why = "the query has an element that half precision cannot hold"
	} else if index != nil && !s.Exact {
		hits, err := c.approximate(ctx, s, index)
		switch {
		case errors.Is(err, errNotComparable):
			plan.Why = "the index gave a record that the server cannot compare"
		case err != nil:
			return engine.Result{}, err
		case len(hits) < s.K:
			plan.Why = fmt.Sprintf("the index gave %d of %d hits", len(hits), s.K)
		default:
			return engine.Result{Hits: hits, Plan: index.plan(s)}, nil
		}
	}
	var err error
	r := engine.Result{Exact: true, Plan: plan}
	if c.vectorKind == asDoubles {
		r.Hits, err = c.stream(ctx, s)
		return r, err
	}
	r.Hits, err = c.exact(ctx, s)
	if errors.Is(err, errNotComparable) {
		r.Plan.Path, r.Plan.Why = "stream", "the server cannot compare vectors so large or small, so that they were read and compared here"
		r.Hits, err = c.stream(ctx, s)
	}
	return r, err
}

// maxHalf is the largest number of half precision (IEEE 754, binary16).
const maxHalf = 65_504

// holds reports whether a query can be cast to what the index is over.
func (i *pgIndex) holds(query vectorArg) bool {
	return !strings.HasPrefix(i.class, "halfvec_") ||
		!slices.ContainsFunc(query, func(x float32) bool { return x > maxHalf || x < -maxHalf })
}

// plan says what a search through the index did.
func (i *pgIndex) plan(s engine.Search) engine.Plan {
	p := engine.Plan{Path: "graph", Index: i.String(), Effort: i.effort(s), Rows: -1}
	switch n := i.candidates(s); {
	case !i.copies:
		p.Why = "the index gave all K hits"
	case s.Rescore:
		p.Why = fmt.Sprintf("the index gave up to %d candidates, to be compared by the caller", n)
	default:
		p.Why = fmt.Sprintf("the index gave up to %d candidates, and their own vectors the hits", n)
	}
	p.Why += "; the server may have used another plan, see EXPLAIN"
	return p
}

// selection is what a search's SELECT has in common in all its forms.
func (c *pgCollection) selection(s engine.Search) (columns []string, condition string, args []any) {
	condition, args = c.where(s.Filter, c.queryArg(s.Vector))
	return c.payload(s.Payload, s.Vectors), c.comparable(condition), args
}

// comparable leaves out the records without a vector.
func (c *pgCollection) comparable(condition string) string {
	if c.nullable {
		return and(condition, c.vector+" IS NOT NULL")
	}
	return condition
}

// queryArg returns a search's vector as a statement's first argument.
func (c *pgCollection) queryArg(v engine.Vector) vectorArg {
	if v.F32 != nil && c.schema.Metric != codec.Cosine {
		return vectorArg(v.F32)
	}
	if v.F32 != nil {
		return vectorArg(moderate(v.F32))
	}
	single := make(vectorArg, len(v.F64))
	for i, x := range v.F64 {
		single[i] = float32(max(-math.MaxFloat32, min(math.MaxFloat32, x)))
	}
	return single
}

// moderate returns v, scaled by a power of two if its length is so large or
// small that the server could not square it, or not hold it in half precision. A
// cosine stays as it is.
func moderate(v []float32) []float32 {
	var largest float32
	for _, x := range v {
		largest = max(largest, x, -x)
	}
	_, exp := math.Frexp(float64(largest))
	if exp > -8 && exp < 16 {
		return v
	}
	out := make([]float32, len(v))
	for i, x := range v {
		out[i] = float32(math.Ldexp(float64(x), -exp))
	}
	return out
}

// exactSQL is a statement that no index over vectors can answer: it orders by
// an expression that no such index has. A distance that is not a number comes
// first, as NULL, so that it does not go unnoticed.
func (c *pgCollection) exactSQL(s engine.Search) (string, []any) {
	columns, condition, args := c.selection(s)
	distance := "NULLIF(" + c.single() + c.operator() + "$1::" + c.ext + ".vector, 'NaN')"
	if c.schema.Metric == codec.Cosine {
		// Where the square of a length leaves the range of 32 bits, the cosine
		// comes out as NaN, or as 0 or one of the ends of its range.
		distance = "CASE WHEN " + distance + " IN (0, 1, 2) AND " + c.ext + ".vector_norm(" + c.single() +
			") NOT BETWEEN 1e-15 AND 1e15 THEN NULL ELSE " + distance + " END"
	}
	return "SELECT " + strings.Join(columns, ", ") + ", " + distance + " FROM " + c.name + whereClause(condition) +
		" ORDER BY " + strconv.Itoa(len(columns)+1) + " NULLS FIRST, " + c.idOrder() + " LIMIT " + strconv.Itoa(s.K), args
}

// single is the record's vector as the type vector.
func (c *pgCollection) single() string {
	if c.vectorKind == asHalf {
		return c.vector + "::" + c.ext + ".vector"
	}
	return c.vector
}

// indexSQL is the statement that index can answer. Of an index over copies in
// less precision, more candidates are taken and compared by the vectors
// themselves: by the server or, for DOUBLE vectors and with Rescore, by the caller.
func (c *pgCollection) indexSQL(s engine.Search, index *pgIndex) (string, []any) {
	columns, condition, args := c.selection(s)
	list, limit := strings.Join(columns, ", "), strconv.Itoa(index.candidates(s))
	order := index.column + index.operator + index.query
	near := " FROM " + c.name + whereClause(condition) + " ORDER BY " + order + " LIMIT " + limit
	switch {
	case !index.copies:
		return "SELECT " + list + ", " + order + near, args
	case c.vectorKind == asDoubles || s.Rescore:
		return "SELECT " + list + ", 0::float8" + near, args
	}
	distance := c.single() + c.operator() + "$1::" + c.ext + ".vector"
	return "SELECT " + list + ", " + distance + " FROM (SELECT *" + near + ") near ORDER BY " + distance +
		" LIMIT " + strconv.Itoa(s.K+spare), args
}

// idOrder is what rows of equal distance are ordered by.
func (c *pgCollection) idOrder() string {
	if c.idKind == idText && !c.idSorts {
		return c.id + `::text COLLATE "C"`
	}
	return c.name + "." + c.id
}

// errNotComparable says that the server could not compute a distance: in 32
// bits the squares of very large or very small elements are infinite or zero.
var errNotComparable = errors.New("a distance is not a number")

func (c *pgCollection) exact(ctx context.Context, s engine.Search) (hits []engine.Hit, err error) {
	sql, args := c.exactSQL(s)
	err = c.read(ctx, func(conn *pgx.Conn) error {
		rows, err := conn.Query(ctx, sql, args...)
		if err != nil {
			return err
		}
		hits, err = c.hits(conn, rows, s)
		return err
	})
	return hits, err
}

// approximate sets what the index needs and searches it in one round trip. The
// two statements are one transaction, because nothing separates them (PostgreSQL,
// "Pipelining"), and so the settings end with it.
func (c *pgCollection) approximate(ctx context.Context, s engine.Search, index *pgIndex) (hits []engine.Hit, err error) {
	wanted := s
	s.Vectors = s.Vectors || c.vectorKind == asDoubles
	sql, args := c.indexSQL(s, index)
	settings := index.settings(s, c.db.extension())
	err = c.read(ctx, func(conn *pgx.Conn) error {
		var batch pgx.Batch
		batch.Queue(settings)
		batch.Queue(sql, args...)
		results := conn.SendBatch(ctx, &batch)
		_, err := results.Exec()
		if err == nil {
			var rows pgx.Rows
			if rows, err = results.Query(); err == nil {
				hits, err = c.hits(conn, rows, s)
			}
		}
		return cmp.Or(err, results.Close())
	})
	if err != nil {
		return nil, err
	}
	if s.Rescore && index.copies {
		return hits, nil
	}
	if c.vectorKind == asDoubles {
		c.rescore(hits, wanted)
	}
	slices.SortFunc(hits, (&best{less: c.compareIDs()}).compare)
	return hits[:min(s.K, len(hits))], nil
}

// rescore compares hits that have DOUBLE vectors with the query in 64 bits.
func (c *pgCollection) rescore(hits []engine.Hit, s engine.Search) {
	compare, scratch := newExact(c.schema.Metric, s.Vector.F64), []float64(nil)
	for i := range hits {
		scratch = append(scratch[:0], hits[i].Vector.F64...)
		hits[i].Score = compare.score(scratch)
		if !s.Vectors {
			hits[i].Vector = engine.Vector{}
		}
	}
}

func (c *pgCollection) compareIDs() func(a, b string) int {
	if c.idKind == idInt {
		return byNumber
	}
	return byBytes
}

// hits reads the rows of a search: the payload, and the distance.
func (c *pgCollection) hits(conn *pgx.Conn, rows pgx.Rows, s engine.Search) ([]engine.Hit, error) {
	defer rows.Close()
	hits := make([]engine.Hit, 0, min(s.K+spare, 256))
	d := c.decoder(conn.TypeMap(), s.Payload, s.Vectors)
	for rows.Next() {
		r, err := d.record(rows)
		if err != nil {
			return nil, err
		}
		raw, desc := rows.RawValues(), rows.FieldDescriptions()
		last := len(raw) - 1
		if raw[last] == nil {
			return nil, errNotComparable
		}
		distance, err := parseFloat(raw[last], desc[last].Format)
		if err != nil {
			return nil, err
		}
		if distance-distance != 0 { // infinite
			return nil, errNotComparable
		}
		hits = append(hits, engine.Hit{Record: r, Score: score(c.schema.Metric, distance)})
	}
	return hits, rows.Err()
}

// stream answers a search exactly by reading every vector that passes the
// filter and comparing it here, in 64 bits. It keeps no more than K hits.
func (c *pgCollection) stream(ctx context.Context, s engine.Search) ([]engine.Hit, error) {
	condition, args := c.where(s.Filter)
	condition = c.comparable(condition)
	query := s.Vector.F64
	if query == nil {
		query = widen(nil, s.Vector.F32)
	}
	compare := newExact(c.schema.Metric, query)
	sql := "SELECT " + strings.Join(c.payload(s.Payload, true), ", ") + " FROM " + c.name + whereClause(condition)
	var found best
	err := c.read(ctx, func(conn *pgx.Conn) error {
		found = best{k: s.K, less: c.compareIDs()}
		rows, err := conn.Query(ctx, sql, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		d := c.decoder(conn.TypeMap(), s.Payload, s.Vectors)
		scratch := make([]float64, 0, c.schema.Dim)
		var single []float32
		for rows.Next() {
			raw, desc := rows.RawValues(), rows.FieldDescriptions()
			last := len(raw) - 1
			if c.vectorKind == asDoubles {
				scratch, err = parseDoubles(scratch[:0], desc[last].Format, raw[last])
			} else {
				single, err = parseVector(single[:0], desc[last].Format, raw[last])
				scratch = widen(scratch[:0], single)
			}
			if err != nil {
				return err
			}
			score := compare.score(scratch)
			if !found.wants(score, string(raw[0])) {
				continue
			}
			r, err := d.record(rows)
			if err != nil {
				return err
			}
			found.offer(engine.Hit{Record: r, Score: score})
		}
		return rows.Err()
	})
	return found.sorted(), err
}

func widen(dst []float64, v []float32) []float64 {
	for _, x := range v {
		dst = append(dst, float64(x))
	}
	return dst
}
