package pgvector

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
	"github.com/vecwire/vecwire/internal/score"
	"github.com/vecwire/vecwire/internal/wire"
)

// How an index is searched.
const (
	defaultEf  = 100    // hnsw.ef_search for small k: recall near 1 on 100,000 vectors, at a tenth more time than pgvector's 40
	maxEf      = 1_000  // pgvector's limit
	maxProbes  = 32_768 // pgvector's limit for ivfflat.probes
	maxList    = 10_000 // pgvectorscale's limit for diskann.query_search_list_size
	maxRescore = 1_000  // and for diskann.query_rescore
	// A scan of HNSW that goes on keeps about scanBytes for each record that it looks at,
	// and may have so many times work_mem, which is leastWorkMem at least. So what it may
	// look at bounds it, and no setting of the server does.
	scanBytes    = 300
	leastWorkMem = 64 << 10
	leastScan    = 20_000  // pgvector's default
	maxScan      = 200_000 // whose bytes are 916 times leastWorkMem; pgvector's limit is 1,000 times
	copySpare    = 4       // candidates for each hit, where the index is over copies of less precision
	bitSpare     = 16      // the same where it is over bits
)

// Search implements engine.Collection. Several searches share up to half of the
// pool's connections.
func (c *collection) Search(ctx context.Context, searches []engine.Search) ([]engine.Result, error) {
	indexes, err := c.usable(ctx)
	if err != nil {
		return nil, err
	}
	results := make([]engine.Result, len(searches))
	if len(searches) == 1 {
		results[0], err = c.search(ctx, searches[0], indexes)
		return results, err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(c.runner(ctx).Width())
	for i := range searches {
		group.Go(func() (err error) {
			results[i], err = c.search(ctx, searches[i], indexes)
			return err
		})
	}
	return results, group.Wait()
}

func (c *collection) search(ctx context.Context, s engine.Search, indexes indexes) (engine.Result, error) {
	s.K = min(s.K, wire.MostHits)
	if s.After != nil {
		if err := c.checkID(s.After.ID); err != nil {
			return engine.Result{}, err
		}
		s.Exact = s.Exact || s.After.Place == 0 // an index knows places only
	}
	index, narrowed := indexes.pick(wire.UpTo(s))
	plan := engine.Plan{Path: "scan", Records: -1, Why: c.whyNone()}
	if !s.Filter.IsZero() {
		plan.Path = "filtered scan"
	}
	if index != nil {
		plan.Why = "the query asks for the exact answer"
	}
	if index != nil && !s.Exact && !index.holds(c.queryArg(s.Vector)) {
		plan.Why = "the query has an element that half precision cannot hold"
	} else if index != nil && !s.Exact && !index.points(c.queryArg(s.Vector)) {
		plan.Why = fmt.Sprintf("the first %d elements of the query are 0", index.dims)
	} else if index != nil && !s.Exact {
		hits, err := c.approximate(ctx, narrowed, index)
		hits = wire.Rest(s, hits, c.compareIDs())
		switch {
		case errors.Is(err, errNotComparable):
			plan.Why = "the index gave a record that the server cannot compare"
		case err != nil:
			return engine.Result{}, err
		case len(hits) < s.K:
			plan.Why = fmt.Sprintf("the index gave %d of %d hits", len(hits), s.K) + index.bounds(narrowed, c.db.extension())
		default:
			return engine.Result{Hits: hits, Plan: index.plan(narrowed, c.db.extension())}, nil
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
func (i *vectorIndex) holds(query vectorArg) bool {
	return !strings.HasPrefix(i.class, "halfvec_") ||
		!slices.ContainsFunc(query, func(x float32) bool { return x > maxHalf || x < -maxHalf })
}

// plan says what a search through the index did.
func (i *vectorIndex) plan(s engine.Search, x extension) engine.Plan {
	p := engine.Plan{Path: "graph", Index: i.String(), Effort: i.effort(s), Records: -1}
	switch n := i.candidates(s); {
	case !i.copies:
		p.Why = "the index gave all K hits"
	case s.Rescore:
		p.Why = fmt.Sprintf("the index gave up to %d candidates, to be compared by the caller", n)
	default:
		p.Why = fmt.Sprintf("the index gave up to %d candidates, and their own vectors the hits", n)
	}
	p.Why += i.about() + i.bounds(s, x) + "; the server may have used another plan, see EXPLAIN"
	return p
}

// selection is what a search's SELECT has in common in all its forms.
func (c *collection) selection(s engine.Search, planOnce bool) (columns []string, condition string, args []any) {
	w := where{t: c.table, args: []any{c.queryArg(s.Vector)}, planOnce: planOnce}
	if !s.Filter.IsZero() {
		w.filter(s.Filter)
	}
	return c.payload(s.Payload, s.Vectors), c.comparable(w.sql.String()), w.args
}

// comparable leaves out the records without a vector.
func (c *collection) comparable(condition string) string {
	if c.nullable {
		return wire.And(condition, c.vector+" IS NOT NULL")
	}
	return condition
}

// queryArg returns a search's vector as a statement's first argument.
func (c *collection) queryArg(v engine.Vector) vectorArg {
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
func (c *collection) exactSQL(s engine.Search) (string, []any) {
	// No index over vectors is weighed against the others here, so how many records the
	// filter lets pass hardly matters. Citus would run a query within it first.
	columns, condition, args := c.selection(s, !c.place.remote())
	distance := c.single() + c.operator() + "$1::" + c.ext + ".vector"
	condition, args = c.behind(s, distance, condition, args)
	distance = "NULLIF(" + distance + ", 'NaN')"
	if c.schema.Metric == codec.Cosine {
		// Where the square of a length leaves the range of 32 bits, the cosine
		// comes out as NaN, or as 0 or one of the ends of its range.
		distance = "CASE WHEN " + distance + " IN (0, 1, 2) AND " + c.outOfRange() + " THEN NULL ELSE " + distance + " END"
	}
	return "SELECT " + strings.Join(columns, ", ") + ", " + distance + " FROM " + c.name + wire.Where(condition) +
		" ORDER BY " + strconv.Itoa(len(columns)+1) + " NULLS FIRST, " + c.idOrder() + " LIMIT " + strconv.Itoa(s.K), args
}

// single is the record's vector as the type vector.
func (c *collection) single() string {
	if c.vectorKind == asHalf {
		return c.vector + "::" + c.ext + ".vector"
	}
	return c.vector
}

// indexSQL is the statement that index can answer. Of an index over copies in
// less precision, more candidates are taken and compared by the vectors
// themselves: by the server or, for DOUBLE vectors and with Rescore, by the caller.
func (c *collection) indexSQL(s engine.Search, index *vectorIndex) (string, []any) {
	columns, condition, args := c.selection(s, false)
	condition = wire.And(condition, index.predicate)
	list, limit := strings.Join(columns, ", "), strconv.Itoa(index.candidates(s))
	order := index.column + index.operator + index.query
	near := " FROM " + c.name + wire.Where(condition) + " ORDER BY " + order + " LIMIT " + limit
	switch {
	case !index.copies:
		return "SELECT " + list + ", " + order + near, args
	case c.vectorKind == asDoubles || s.Rescore:
		return "SELECT " + list + ", 0::float8" + near, args
	}
	distance := c.single() + c.operator() + "$1::" + c.ext + ".vector"
	if c.place.spread() { // a query within a query would fetch whole records of every candidate, and compare them here
		return "SELECT " + list + ", " + distance + near, args
	}
	return "SELECT " + list + ", " + distance + " FROM (SELECT *" + near + ") near ORDER BY " + distance +
		" LIMIT " + strconv.Itoa(s.K+wire.Spare), args
}

// idOrder is what rows of equal distance are ordered by.
func (c *collection) idOrder() string {
	if c.idKind == idText && !c.idSorts {
		return c.id + `::text COLLATE "C"`
	}
	return c.name + "." + c.id
}

// errNotComparable says that the server could not compute a distance: in 32
// bits the squares of very large or very small elements are infinite or zero.
var errNotComparable = errors.New("a distance is not a number")

func (c *collection) exact(ctx context.Context, s engine.Search) (hits []engine.Hit, err error) {
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

// approximate sets what the index needs and searches it in one round trip, see
// searchBatch.
func (c *collection) approximate(ctx context.Context, s engine.Search, index *vectorIndex) (hits []engine.Hit, err error) {
	wanted := s
	s.Vectors = s.Vectors || c.vectorKind == asDoubles
	sql, args := c.indexSQL(s, index)
	settings := index.settings(s, c.db.extension())
	err = c.read(ctx, func(conn *pgx.Conn) error {
		b := c.searchBatch(conn, settings, sql, args)
		results := conn.SendBatch(ctx, &b.Batch)
		var err error
		for range b.before {
			if _, err = results.Exec(); err != nil {
				break
			}
		}
		if err == nil {
			var rows pgx.Rows
			if rows, err = results.Query(); err == nil {
				hits, err = c.hits(conn, rows, s)
			}
		}
		err = cmp.Or(err, results.Close())
		if err != nil && b.begins {
			undo(ctx, conn)
		}
		return err
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
	slices.SortFunc(hits, (&wire.TopK{Less: c.compareIDs()}).Compare)
	return hits[:min(s.K, len(hits))], nil
}

// rescore compares hits that have DOUBLE vectors with the query in 64 bits.
func (c *collection) rescore(hits []engine.Hit, s engine.Search) {
	scorer := score.New(c.schema.Metric, s.Vector.F64, nil)
	for i := range hits {
		hits[i].Score = scorer.Of(hits[i].Vector.F64)
		if !s.Vectors {
			hits[i].Vector = engine.Vector{}
		}
	}
}

func (c *collection) compareIDs() func(a, b string) int {
	if c.idKind == idInt {
		return wire.ByNumber
	}
	return wire.ByBytes
}

// hits reads the rows of a search: the payload, and the distance.
func (c *collection) hits(conn *pgx.Conn, rows pgx.Rows, s engine.Search) ([]engine.Hit, error) {
	defer rows.Close()
	hits := make([]engine.Hit, 0, min(s.K+wire.Spare, 256))
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
		hits = append(hits, engine.Hit{Record: r, Score: scoreOf(c.schema.Metric, distance)})
	}
	return hits, rows.Err()
}

// stream answers a search exactly by reading every vector that passes the
// filter and comparing it here, in 64 bits. It keeps no more than K hits.
func (c *collection) stream(ctx context.Context, s engine.Search) ([]engine.Hit, error) {
	condition, args := c.where(s.Filter)
	condition = c.comparable(condition)
	query := s.Vector.F64
	if query == nil {
		query = widen(nil, s.Vector.F32)
	}
	scorer := score.New(c.schema.Metric, query, nil)
	sql := "SELECT " + strings.Join(c.payload(s.Payload, true), ", ") + " FROM " + c.name + wire.Where(condition)
	var found wire.TopK
	err := c.read(ctx, func(conn *pgx.Conn) error {
		found = wire.TopK{K: s.K, Less: c.compareIDs()}
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
			score := scorer.Of(scratch)
			if id := string(raw[0]); !found.Wants(score, id) || s.After != nil && !wire.Behind(s.After, c.compareIDs(), score, id) {
				continue
			}
			r, err := d.record(rows)
			if err != nil {
				return err
			}
			found.Offer(engine.Hit{Record: r, Score: score})
		}
		return rows.Err()
	})
	return found.Sorted(), err
}

func widen(dst []float64, v []float32) []float64 {
	for _, x := range v {
		dst = append(dst, float64(x))
	}
	return dst
}
