package enginetest

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
)

// groups is about GroupBy: a group is a value, whatever it looks like in print.
func (s *suite) groups(t *testing.T) {
	ctx := t.Context()
	c := s.create(t, vecwire.Schema{Dim: 2, Metric: vecwire.Dot, Fields: []vecwire.Field{
		{Name: "url", Type: vecwire.String}, {Name: "raw", Type: vecwire.Bytes}, {Name: "at", Type: vecwire.Time},
		{Name: "price", Type: vecwire.Float}, {Name: "n", Type: vecwire.Int}, {Name: "ok", Type: vecwire.Bool},
	}})
	var records []vecwire.Record
	add := func(fields vecwire.Fields) {
		i := len(records)
		records = append(records, vecwire.Record{ID: fmt.Sprintf("%03d", i), Vector: []float32{float32(1000 - i), 1}, Fields: fields})
	}
	day := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	for i := range 5 {
		long := strings.Repeat("https://example.org/the/same/for/all/", 3) + fmt.Sprint(i)
		for range 2 {
			add(vecwire.Fields{
				"url": long, "raw": append(bytes.Repeat([]byte{0}, 60), byte(i)), "at": day.Add(time.Duration(i) * time.Microsecond),
				"price": 1 + float64(i)*0x1p-52, "n": int64(math.MaxInt64) - int64(i), "ok": i%2 == 0,
			})
		}
	}
	for _, text := range []string{"1", "true", "nil", "<nil>", "1 ", " 1", "[1]", `"1"`, "a\tb", "a\\tb"} {
		add(vecwire.Fields{"url": text, "raw": []byte(text), "price": 0.0})
	}
	add(vecwire.Fields{"price": math.Copysign(0, -1)})
	add(vecwire.Fields{"raw": []byte{}})
	add(nil)
	require.NoError(t, c.Upsert(ctx, records...))

	values := map[string]func(v any) any{ // as keys of a map
		"raw": func(v any) any { return string(v.([]byte)) },
		"at":  func(v any) any { return v.(time.Time).UnixNano() },
	}
	for _, field := range c.Schema().Fields {
		for _, size := range []int{1, 2} {
			run(t, fmt.Sprint(field.Name, " ", size), func(t *testing.T) {
				var want []string
				count := map[any]int{}
				for _, r := range records {
					key, ok := r.Fields[field.Name]
					if as := values[field.Name]; ok && as != nil {
						key = as(key)
					}
					if count[key]++; count[key] <= size {
						want = append(want, r.ID)
					}
				}
				hits, err := c.Search(ctx, vecwire.Query{Vector: []float32{1, 0}, K: len(records), GroupBy: field.Name, GroupSize: size})
				require.NoError(t, err)
				require.Equal(t, want, hitIDs(hits))
			})
		}
	}
}

// onceReranker fails if it is given a text again, and counts them.
type onceReranker struct{ seen map[string]bool }

func (r onceReranker) Rerank(_ context.Context, _ string, texts []string) ([]float64, error) {
	scores := make([]float64, len(texts))
	for i, text := range texts {
		if r.seen[text] {
			return nil, fmt.Errorf("text %q came again", text)
		}
		r.seen[text] = true
		scores[i] = float64(len(text))
	}
	return scores, nil
}

// groupsReranked is about what a Reranker is given where groups leave an answer
// short.
func (s *suite) groupsReranked(t *testing.T) {
	ctx := t.Context()
	c := s.create(t, vecwire.Schema{Dim: 2, Metric: vecwire.Dot, Fields: []vecwire.Field{{Name: "half", Type: vecwire.Int}}})
	records := make([]vecwire.Record, 600)
	for i := range records {
		half := 0
		if i > 400 {
			half = 1
		}
		records[i] = vecwire.Record{ID: fmt.Sprint(i), Text: fmt.Sprint("text ", i), Vector: []float32{float32(1000 - i), 1}, Fields: vecwire.Fields{"half": half}}
	}
	require.NoError(t, c.Upsert(ctx, records...))
	r := onceReranker{map[string]bool{}}
	hits, err := c.Search(ctx, vecwire.Query{Vector: []float32{1, 0}, Text: "q", Reranker: r, GroupBy: "half"})
	require.NoError(t, err)
	require.Len(t, hits, 2, "there are two groups")
	// The first candidates are all of the first group, which is full then.
	require.LessOrEqual(t, len(r.seen), vecwire.DefaultCandidates+len(records)-401)
	require.Greater(t, len(r.seen), vecwire.DefaultCandidates)
	require.NotEqual(t, hits[0].Fields["half"], hits[1].Fields["half"])
}
