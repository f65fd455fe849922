package serve

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"

	"github.com/vecwire/vecwire"
)

func search(c *call) error {
	v, err := c.body()
	if err != nil {
		return err
	}
	return c.on(func(h *handle) error {
		q, err := c.queryOf(h, v)
		if err != nil {
			return err
		}
		results, err := h.c.SearchMany(c.ctx, []vecwire.Query{q})
		if err != nil {
			return err
		}
		inJSON(&results[0], q)
		next := nextOf(q, &results[0])
		body, err := h.appendFound(c.scratch().answer[:0], &results[0], next)
		c.room.answer = body
		if err != nil {
			return err
		}
		return c.json(http.StatusOK, body)
	})
}

func searchMany(c *call) error {
	v, err := c.body()
	if err != nil {
		return err
	}
	list := get[[]any](v, "queries")
	return c.on(func(h *handle) error {
		queries := make([]vecwire.Query, len(list))
		for i, one := range list {
			var err error
			if queries[i], err = c.queryOf(h, one.(values)); err != nil {
				return within("/queries/"+strconv.Itoa(i), problemOf(err, inQuery))
			}
		}
		results, err := h.c.SearchMany(c.ctx, queries)
		if err != nil {
			return err
		}
		body := c.scratch().answer[:0]
		body = append(body, `{"results":[`...)
		for i := range results {
			inJSON(&results[i], queries[i])
			if i > 0 {
				body = append(body, ',')
			}
			if body, err = h.appendFound(body, &results[i], nextOf(queries[i], &results[i])); err != nil {
				return err
			}
		}
		body = append(body, "]}"...)
		c.room.answer = body
		return c.json(http.StatusOK, body)
	})
}

// queryOf makes a query of a body of the shape of one.
func (c *call) queryOf(h *handle, v values) (q vecwire.Query, err error) {
	whole := func(key string) int { return int(get[int64](v, key)) }
	q = vecwire.Query{
		In: get[string](v, "in"), Around: whole("around"), AroundTokens: whole("around_tokens"),
		Text: get[string](v, "text"), K: whole("k"), Offset: whole("offset"), After: get[string](v, "after"), Exact: get[bool](v, "exact"), Effort: whole("effort"),
		IDsOnly: get[bool](v, "ids_only"), Vectors: get[bool](v, "vectors"), Candidates: whole("candidates"), Rescore: get[bool](v, "rescore"),
		MinScore: get[float64](v, "min_score"), GroupBy: get[string](v, "group_by"), GroupSize: whole("group_size"), Diversity: get[float64](v, "diversity"),
	}
	if q.Filter, err = c.filterOf(v); err != nil {
		return q, err
	}
	compared := h.schema // whose vectors are those that the query compares
	if q.In != "" {
		if compared, err = seenThrough(h.schema, q.In, "/in"); err != nil {
			return q, err
		}
	}
	if q.Vector, q.Vector64, err = get[numbers](v, "vector").read(compared, c.scratch()); err != nil {
		return q, within("/vector", err)
	}
	for i, one := range get[[]any](v, "away") {
		single := compared
		single.Element = vecwire.FLOAT
		f32, _, err := one.(numbers).read(single, c.scratch())
		if err != nil {
			return q, within("/away/"+strconv.Itoa(i), err)
		}
		if len(f32) != compared.Dim {
			return q, invalid("/away/"+strconv.Itoa(i), fmt.Sprintf("%d numbers", compared.Dim), strconv.Itoa(len(f32)))
		}
		q.Away = append(q.Away, f32)
	}
	if f, ok := v["fusion"].(values); ok {
		q.Fusion = &vecwire.Fusion{K: get[float64](f, "k"), VectorWeight: get[float64](f, "vector_weight"), TextWeight: get[float64](f, "text_weight"), TextOnly: get[bool](f, "text_only")}
	}
	hasVector := q.Vector != nil || q.Vector64 != nil
	switch {
	case !hasVector && q.Text == "":
		return q, invalid("", "a vector or a text to search for", "neither")
	case !hasVector && !h.embedded && (q.Fusion == nil || !q.Fusion.TextOnly):
		return q, invalid("/text", "a vector: the server has no embedder for the collection's model", "a text")
	case !hasVector && q.In != "":
		return q, invalid("/text", "a vector beside in: the server has no embedders of named vectors", "a text")
	case q.Around > 0 && (!hasField(h.schema, vecwire.SourceField) || !hasField(h.schema, vecwire.PartField)):
		return q, invalid("/around", "0: the collection has no fields source and part", strconv.Itoa(q.Around))
	case hasVector && q.Text != "" && q.Fusion == nil:
		return q, invalid("/text", "none beside a vector, unless fusion is given", "a text")
	case q.GroupBy != "" && !hasField(h.schema, q.GroupBy):
		return q, invalid("/group_by", "a field of the collection", describe([]byte(q.GroupBy)))
	case q.Fusion != nil && h.schema.FullText == vecwire.NoFullText:
		return q, invalid("/fusion", "none: the collection has no index over the words of its texts", "one")
	}
	k := q.K
	if k == 0 {
		k = vecwire.DefaultK
	}
	if beside := besideAfter(q); q.After != "" && beside != "" {
		return q, invalid("/after", "none beside "+beside+": page by offset alone", "a token")
	}
	if k+q.Offset > c.o.Limits.K {
		return q, invalid("/offset", fmt.Sprintf("with k at most %d", c.o.Limits.K), strconv.Itoa(q.Offset))
	}
	return q, nil
}

// maxAround is how many parts a query may ask for on either side of a hit.
const maxAround = 100

// besideAfter names the members of a query that after does not go with, "" if there are
// none of them.
func besideAfter(q vecwire.Query) string {
	var names []string
	for _, member := range []struct {
		name  string
		given bool
	}{
		{"offset", q.Offset != 0}, {"fusion", q.Fusion != nil}, {"rescore", q.Rescore}, {"group_by", q.GroupBy != ""}, {"diversity", q.Diversity != 0},
	} {
		if member.given {
			names = append(names, member.name)
		}
	}
	return strings.Join(names, ", ")
}

// nextOf returns the after of a query for the next page, "" if this one is the last, or
// if its order has no tokens.
func nextOf(q vecwire.Query, r *vecwire.Result) string {
	if n := len(r.Hits); n > 0 && n >= cmp.Or(q.K, vecwire.DefaultK) {
		return q.Token(r.Hits[n-1])
	}
	return ""
}

// inJSON has the plan speak of the query's members, not of Go's fields.
func inJSON(r *vecwire.Result, q vecwire.Query) {
	if q.Fusion != nil && q.Fusion.TextOnly {
		r.Plan.Why = "fusion.text_only"
	}
}

// appendFound appends an answer's JSON.
func (h *handle) appendFound(dst []byte, r *vecwire.Result, next string) ([]byte, error) {
	dst = append(dst, `{"hits":[`...)
	var err error
	var passages []*vecwire.Passage
	place := map[*vecwire.Passage]int{}
	for i, hit := range r.Hits {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, `{"score":`...)
		dst = appendNumber(dst, hit.Score)
		if !math.IsNaN(hit.Distance) {
			dst = append(dst, `,"distance":`...)
			dst = appendNumber(dst, hit.Distance)
		}
		if p := hit.Passage; p != nil {
			if _, known := place[p]; !known {
				place[p] = len(passages)
				passages = append(passages, p)
			}
			dst = strconv.AppendInt(append(dst, `,"passage":`...), int64(place[p]), 10)
		}
		if r := hit.Record; r.Text == "" && r.Fields == nil && r.Vector == nil && r.Vector64 == nil {
			dst = append(appendString(append(dst, `,"id":`...), r.ID), '}')
			continue
		}
		start := len(dst)
		if dst, err = h.encode(dst, hit.Record); err != nil {
			return dst, err
		}
		dst[start] = ',' // in place of the brace
	}
	dst = append(dst, `],"exact":`...)
	dst = strconv.AppendBool(dst, r.Exact)
	dst = append(dst, `,"plan":{"path":`...)
	dst = appendString(dst, r.Plan.Path)
	dst = append(dst, `,"index":`...)
	dst = appendString(dst, r.Plan.Index)
	dst = append(dst, `,"effort":`...)
	dst = strconv.AppendInt(dst, int64(r.Plan.Effort), 10)
	dst = append(dst, `,"records":`...)
	dst = strconv.AppendInt(dst, int64(r.Plan.Records), 10)
	dst = append(dst, `,"why":`...)
	dst = append(appendString(dst, r.Plan.Why), '}')
	if next != "" {
		dst = appendString(append(dst, `,"next":`...), next)
	}
	if passages != nil {
		dst = appendPassages(append(dst, `,"passages":`...), passages)
	}
	return append(dst, '}'), nil
}

// appendPassages appends passages' JSON: their texts, and which records are in them.
func appendPassages(dst []byte, passages []*vecwire.Passage) []byte {
	dst = append(dst, '[')
	for i, p := range passages {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendString(append(dst, `{"source":`...), p.Source)
		dst = appendString(append(dst, `,"text":`...), p.Text)
		dst = append(dst, `,"ids":[`...)
		for j, r := range p.Records {
			if j > 0 {
				dst = append(dst, ',')
			}
			dst = appendString(dst, r.ID)
		}
		dst = append(dst, "]}"...)
	}
	return append(dst, ']')
}

// appendNumber appends a float with the fewest digits that read back as the same.
func appendNumber(dst []byte, x float64) []byte { return strconv.AppendFloat(dst, x, 'g', -1, 64) }

func appendString(dst []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c >= 0x7f || c == '"' || c == '\\' {
			quoted, _ := json.Marshal(s) // of a string it cannot fail
			return append(dst, quoted...)
		}
	}
	dst = append(dst, '"')
	dst = append(dst, s...)
	return append(dst, '"')
}
