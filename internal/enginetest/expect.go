package enginetest

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/filter"
)

// part says what of a record a call returns beside its ID.
type part int

const (
	payload part = 1 << iota // text and fields
	vector
)

// expectRecords checks that got is want, record for record.
func expectRecords(t testing.TB, want, got []vecwire.Record, parts part) {
	t.Helper()
	require.Equal(t, idsOf(want), idsOf(got), "the records' IDs")
	for i := range want {
		expectRecord(t, want[i], got[i], parts)
	}
}

func expectRecord(t testing.TB, want, got vecwire.Record, parts part) {
	t.Helper()
	if parts&payload == 0 {
		want.Text, want.Fields = "", nil
	}
	if parts&vector == 0 {
		want.Vector, want.Vector64 = nil, nil
	}
	if d := difference(want, got); d != "" {
		t.Fatalf("record %.80q differs: %s", want.ID, d)
	}
}

// difference says in which ways two records differ, "" if they do not. Zeros
// may differ in sign; all else is compared bit by bit.
func difference(want, got vecwire.Record) string {
	var d []string
	note := func(what string, want, got any) {
		d = append(d, fmt.Sprintf("%s is %s, want %s", what, brief(got), brief(want)))
	}
	if want.ID != got.ID {
		note("ID", want.ID, got.ID)
	}
	if want.Text != got.Text {
		note("Text", want.Text, got.Text)
	}
	for name, w := range want.Fields {
		g, ok := got.Fields[name]
		if !ok {
			note("field "+name, w, nil)
		} else if !sameValue(w, g) {
			note("field "+name, w, g)
		}
	}
	for name, g := range got.Fields {
		if _, ok := want.Fields[name]; !ok {
			note("field "+name, nil, g)
		}
	}
	if !slices.EqualFunc(want.Vector, got.Vector, func(a, b float32) bool { return a == b }) {
		note("Vector", want.Vector, got.Vector)
	}
	if !slices.EqualFunc(want.Vector64, got.Vector64, func(a, b float64) bool { return a == b }) {
		note("Vector64", want.Vector64, got.Vector64)
	}
	return strings.Join(d, "; ")
}

// sameValue reports whether two field values are of one type and equal; times
// also have to be in UTC.
func sameValue(want, got any) bool {
	if g, ok := got.(time.Time); ok && g.Location() != time.UTC {
		return false
	}
	return fmt.Sprintf("%T", want) == fmt.Sprintf("%T", got) && compare(want, got) == 0
}

func brief(v any) string {
	s := fmt.Sprintf("%T %#v", v, v)
	switch x := v.(type) {
	case nil:
		return "missing"
	case string:
		s = fmt.Sprintf("%q", x)
	case time.Time:
		s = x.Format(time.RFC3339Nano)
	}
	if len(s) > 300 {
		return fmt.Sprintf("%s… (%d bytes)", s[:300], len(s))
	}
	return s
}

func idsOf(records []vecwire.Record) []string {
	ids := make([]string, len(records))
	for i, r := range records {
		ids[i] = r.ID
	}
	return ids
}

func hitIDs(hits []vecwire.Hit) []string {
	ids := make([]string, len(hits))
	for i, h := range hits {
		ids[i] = h.ID
	}
	return ids
}

// collect reads a stream to its end.
func collect(t testing.TB, c *vecwire.Collection, scan vecwire.Scan) []vecwire.Record {
	t.Helper()
	var records []vecwire.Record
	for r, err := range c.All(t.Context(), scan) {
		require.NoError(t, err)
		records = append(records, r)
	}
	return records
}

// expectAll checks that a collection holds what the model does: by Count, by
// All, and with vectors.
func (m *model) expectAll(t testing.TB, c *vecwire.Collection) {
	t.Helper()
	n, err := c.Count(t.Context(), filter.Filter{})
	require.NoError(t, err)
	require.Equal(t, len(m.records), n, "Count")
	expectRecords(t, m.all(), collect(t, c, vecwire.Scan{Vectors: true}), payload|vector)
}

// expectSearch runs an exact query and checks its hits against brute force.
func (m *model) expectSearch(t testing.TB, c *vecwire.Collection, q vecwire.Query) {
	t.Helper()
	q.Exact = true
	hits, err := c.Search(t.Context(), q)
	require.NoError(t, err)
	m.expectHits(t, q, hits)
}

// expectHits checks the hits of an exact query. Records whose scores differ by
// less than rounding errors may stand in either order.
func (m *model) expectHits(t testing.TB, q vecwire.Query, hits []vecwire.Hit) {
	t.Helper()
	k := q.K
	if k == 0 {
		k = vecwire.DefaultK
	}
	ranked := m.ranked(q)
	require.Len(t, hits, min(k, len(ranked)), "filter %q: %d records match and K is %d", q.Filter, len(ranked), k)
	parts := payload
	if q.IDsOnly {
		parts = 0
	}
	if q.Vectors {
		parts |= vector
	}
	seen := map[string]bool{}
	for i, h := range hits {
		require.False(t, seen[h.ID], "record %q was found twice", h.ID)
		seen[h.ID] = true
		require.True(t, slices.ContainsFunc(ranked, func(s scored) bool { return s.id == h.ID }),
			"record %q was found, which does not pass %q or does not exist", h.ID, q.Filter)
		score, tolerance := m.score(q, h.ID)
		require.InDelta(t, score, h.Score, tolerance, "the score of %q", h.ID)
		require.InDelta(t, ranked[i].score, h.Score, tolerance, "hit %d is %q, want one as good as %q", i, h.ID, ranked[i].id)
		m.expectDistance(t, h)
		if i > 0 {
			last := hits[i-1]
			require.True(t, last.Score > h.Score || last.Score == h.Score && last.ID < h.ID,
				"%q (score %v) stands before %q (score %v): hits go by score, then by ID", last.ID, last.Score, h.ID, h.Score)
		}
		expectRecord(t, m.records[h.ID], h.Record, parts)
	}
}

// expectDistance checks a hit's Distance against its Score.
func (m *model) expectDistance(t testing.TB, h vecwire.Hit) {
	t.Helper()
	want := -h.Score
	if m.schema.Metric == vecwire.Cosine {
		want = 1 - h.Score
		require.True(t, h.Score >= -1 && h.Score <= 1, "the cosine of %q is %v, want -1 to 1", h.ID, h.Score)
	}
	require.InDelta(t, want, h.Distance, 1e-12*math.Max(1, math.Abs(want)), "the distance of %q, whose score is %v", h.ID, h.Score)
}
