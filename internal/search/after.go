package search

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"math"
	"strings"
	"sync"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
	"github.com/vecwire/vecwire/internal/schema"
)

// token is what a token of a hit holds.
type token struct {
	ID    string
	Score uint64 // its bits: no score is changed by a text
	Place int
	Query uint64 // see Query.sum
}

// fixed is how many bytes of a token stand before the ID: the query, the score and the
// place.
const fixed = 8 + 8 + 4

// Token returns the After of a query that goes on behind a hit, taken for the last one of
// the page; "" if hits have no place in the order of all records.
func (q *Query) Token(id string, score float64) string {
	first := *q
	first.Offset = 0 // of this page alone
	if first.besideAfter() != nil {
		return ""
	}
	place := q.K
	if place == 0 {
		place = DefaultK
	}
	place = min(place, math.MaxInt32) + min(q.Offset, math.MaxInt32)
	if q.After != "" {
		if before, ok := parseToken(q.After); ok {
			place += before.Place
		}
	}
	b := make([]byte, 0, fixed+64)
	b = binary.LittleEndian.AppendUint64(b, q.sum())
	b = binary.LittleEndian.AppendUint64(b, math.Float64bits(score))
	b = binary.LittleEndian.AppendUint32(b, uint32(min(place, math.MaxInt32)))
	return base64.RawURLEncoding.EncodeToString(append(b, id...))
}

func parseToken(s string) (t token, ok bool) {
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil || len(b) <= fixed {
		return t, false
	}
	t = token{
		Query: binary.LittleEndian.Uint64(b), Score: binary.LittleEndian.Uint64(b[8:]),
		Place: int(binary.LittleEndian.Uint32(b[16:])), ID: string(b[fixed:]),
	}
	return t, t.Place >= 0 && t.Place <= math.MaxInt32 && !math.IsNaN(math.Float64frombits(t.Score))
}

// sums keeps what sum writes into, which every page of hits needs for a moment.
var sums = sync.Pool{New: func() any { return new([]byte) }}

// sum stands for what the scores of a query's hits depend on, as it was given.
func (q *Query) sum() uint64 {
	room := sums.Get().(*[]byte)
	b := (*room)[:0]
	defer func() {
		if cap(b) <= 64<<10 { // larger ones are let go
			*room = b
			sums.Put(room)
		}
	}()
	number := func(n int) { b = binary.LittleEndian.AppendUint64(b, uint64(n)) }
	text := func(s string) {
		number(len(s))
		b = append(b, s...)
	}
	vector := func(v []float32) {
		number(len(v))
		b = codec.AppendBlob(b, v)
	}
	text(q.In)
	vector(q.Vector)
	number(len(q.Vector64))
	b = codec.AppendBlob(b, q.Vector64)
	if q.Vector == nil && q.Vector64 == nil { // beside a vector it is for snippets only
		text(q.Text)
	}
	for _, v := range q.Away {
		vector(v)
	}
	sum := sha256.Sum256(b)
	return binary.LittleEndian.Uint64(sum[:])
}

// Sum notes what the query is before its text becomes a vector, if a token must fit it.
func (q *Query) Sum() {
	if q.After != "" {
		q.summed = q.sum()
	}
}

// after returns where the query goes on, nil for the best hit.
func (q *Query) after() (*engine.After, error) {
	if q.After == "" {
		return nil, nil
	}
	if beside := q.besideAfter(); beside != nil {
		return nil, schema.BadValue("After", "none beside "+strings.Join(beside, ", ")+": page by Offset", "a token")
	}
	t, ok := parseToken(q.After)
	switch {
	case !ok:
		return nil, schema.BadValue("After", "what Query.Token returns", filter.Describe(q.After))
	case t.Query != q.summed:
		return nil, schema.BadValue("After", "a token of a query with the same Vector, Text, Away and In", "one of another query")
	}
	return &engine.After{ID: t.ID, Score: math.Float64frombits(t.Score), Place: t.Place}, filter.CheckString("After", t.ID)
}

// besideAfter names what a token does not go with: hits that are chosen among candidates
// have no place in the order of all records.
func (q *Query) besideAfter() (names []string) {
	for _, option := range []struct {
		name  string
		given bool
	}{
		{"Offset", q.Offset != 0},
		{"Fusion", q.Fusion != nil},
		{"Rescore", q.Rescore},
		{"MaxSim", q.MaxSim != nil},
		{"Reranker", q.Reranker != nil},
		{"Boosts", len(q.Boosts) > 0},
		{"GroupBy", q.GroupBy != ""},
		{"Diversity", q.Diversity != 0},
	} {
		if option.given {
			names = append(names, option.name)
		}
	}
	return names
}
