package enginetest

import (
	"context"
	"fmt"
	"iter"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/embed"
	"github.com/vecwire/vecwire/filter"
)

// poison overwrites all of a record that is not a value: the caller reuses it.
func poison(records ...vecwire.Record) {
	for _, r := range records {
		for i := range r.Vector {
			r.Vector[i] = float32(math.NaN())
		}
		for i := range r.Vector64 {
			r.Vector64[i] = math.NaN()
		}
		for name, v := range r.Fields {
			if b, ok := v.([]byte); ok {
				for i := range b {
					b[i] = '!'
				}
			}
			r.Fields[name] = nil
		}
		clear(r.Fields)
	}
}

// reused yields records from the same memory, one after the other, as readers of
// files do. What it yielded is poisoned when the next one is asked for.
func reused(records []vecwire.Record) iter.Seq2[vecwire.Record, error] {
	return func(yield func(vecwire.Record, error) bool) {
		var vector []float32
		var vector64 []float64
		blob, fields := make([]byte, 300), vecwire.Fields{}
		for _, r := range records {
			given := vecwire.Record{ID: r.ID, Text: r.Text, Fields: fields}
			if r.Vector != nil {
				vector = append(vector[:0], r.Vector...)
				given.Vector = vector
			}
			if r.Vector64 != nil {
				vector64 = append(vector64[:0], r.Vector64...)
				given.Vector64 = vector64
			}
			for name, v := range r.Fields {
				if b, ok := v.([]byte); ok {
					v = blob[:copy(blob, b)]
				}
				fields[name] = v
			}
			more := yield(given, nil)
			poison(given)
			if !more {
				return
			}
		}
	}
}

// reusing is an embedder that returns its vectors from the same memory each time.
type reusing struct {
	counting *counting
	memory   [][]float32
}

func (r *reusing) Model() string { return r.counting.model }
func (r *reusing) Dim() int      { return r.counting.dim }

func (r *reusing) Embed(ctx context.Context, texts []string, use embed.Use) ([][]float32, error) {
	vectors, err := r.counting.Embed(ctx, texts, use)
	for _, v := range r.memory {
		for i := range v {
			v[i] = float32(math.NaN())
		}
	}
	r.memory = vectors
	return vectors, err
}

// reuse: after a call has returned, or has asked for the next element, all that it
// was given is the caller's again.
func (s *suite) reuse(t *testing.T) {
	ctx := t.Context()
	for _, element := range []vecwire.Element{vecwire.FLOAT, vecwire.DOUBLE} {
		if element == vecwire.DOUBLE && !s.caps.Doubles {
			continue // eachKind has asked
		}
		for _, narrow := range []bool{false, true} { // a DOUBLE collection takes float32, too
			if narrow && element == vecwire.FLOAT {
				continue
			}
			fields := []vecwire.Field{{Name: "n", Type: vecwire.Int}, {Name: "y", Type: vecwire.Bytes}, {Name: vecwire.SourceField, Index: true}, {Name: vecwire.NamespaceField, Index: true}}
			schema := vecwire.Schema{Dim: 4, Element: element, Fields: fields}
			some := func(c *vecwire.Collection) []vecwire.Record {
				g := newGenerator(211, c.Schema())
				records := make([]vecwire.Record, 40)
				for i := range records {
					records[i] = vecwire.Record{
						ID: fmt.Sprintf("%04d", i), Text: fmt.Sprint("text ", i), Fields: vecwire.Fields{"n": i, "y": fmt.Appendf(nil, "bytes %d", i)},
					}
					if element == vecwire.DOUBLE && !narrow {
						records[i].Vector64 = g.vector64()
					} else {
						records[i].Vector = g.vector()
					}
				}
				return records
			}
			whole := func(db *vecwire.Collection) (*vecwire.Collection, error) { return db, nil }
			inNamespace := func(c *vecwire.Collection) (*vecwire.Collection, error) { return c.Namespace("one") }
			inMirror := func(c *vecwire.Collection) (*vecwire.Collection, error) {
				m, err := c.Mirror(ctx, vecwire.MirrorOptions{})
				if err != nil {
					return nil, err
				}
				t.Cleanup(func() { m.Close() })
				return m.Collection, nil
			}
			writes := map[string]func(c *vecwire.Collection, records []vecwire.Record) error{
				"Upsert": func(c *vecwire.Collection, records []vecwire.Record) error { return c.Upsert(ctx, records...) },
				"Insert": func(c *vecwire.Collection, records []vecwire.Record) error { return c.Insert(ctx, records...) },
				"Ingest": func(c *vecwire.Collection, records []vecwire.Record) error {
					_, err := c.Ingest(ctx, reused(records), vecwire.IngestOptions{BatchRecords: 16})
					return err
				},
				"ReplaceSource": func(c *vecwire.Collection, records []vecwire.Record) error {
					_, err := c.ReplaceSource(ctx, "a source", records...)
					return err
				},
			}
			for verb, write := range writes {
				if verb == "Insert" && !s.caps.Insert {
					continue // capabilities has asked
				}
				for of, part := range map[string]func(*vecwire.Collection) (*vecwire.Collection, error){
					"a collection": whole, "a namespace": inNamespace, "a mirror": inMirror,
				} {
					run(t, fmt.Sprintf("%s/%s, narrow %t, of %s", verb, element, narrow, of), func(t *testing.T) {
						c, err := part(s.create(t, schema))
						require.NoError(t, err)
						given := some(c)
						require.NoError(t, write(c, given))
						poison(given...)
						m := newModel(c.Schema(), some(c)...)
						if verb == "ReplaceSource" {
							for _, r := range m.records {
								r.Fields[vecwire.SourceField] = "a source"
							}
						}
						m.expectAll(t, c)
						m.expectSearch(t, c, vecwire.Query{Vector: []float32{1, 2, 3, 4}, K: 100, Vectors: true})
					})
				}
			}
		}
	}
	run(t, "deeper values", s.reuseValues)
	run(t, "questions", s.reuseQuestions)
	run(t, "answers", s.reuseAnswers)
	run(t, "vectors of an embedder", s.reuseEmbedded)
}

// reuseQuestions poisons what streams are asked with, when they have begun, and
// the values of filters, when they are made.
func (s *suite) reuseQuestions(t *testing.T) {
	ctx := t.Context()
	c := s.create(t, vecwire.Schema{Dim: 2, Metric: vecwire.Dot, Fields: []vecwire.Field{{Name: "n", Type: vecwire.Int}, {Name: "y", Type: vecwire.Bytes}}})
	var records []vecwire.Record
	for i := range 300 {
		records = append(records, vecwire.Record{ID: fmt.Sprintf("%04d", i), Vector: []float32{float32(300 - i), 1}, Fields: vecwire.Fields{"n": i, "y": []byte{byte(i % 3)}}})
	}
	require.NoError(t, c.Upsert(ctx, records...))
	m := newModel(c.Schema(), records...)

	one := []byte{1}
	few := [][]byte{{0}, {1}}
	filters := map[string]filter.Filter{"Eq": filter.Eq("y", one), "In": filter.In("y", few...)}
	want := map[string][]string{"Eq": m.ids(filter.Eq("y", []byte{1})), "In": m.ids(filter.In("y", []byte{0}, []byte{1}))}
	one[0], few[0][0], few[1] = 9, 9, []byte{9}
	for name, f := range filters {
		require.Equal(t, want[name], idsOf(collect(t, c, vecwire.Scan{Filter: f})), name)
	}

	v, away := []float32{1, 0}, [][]float32{{0, 1}}
	var found []string
	for h, err := range c.SearchAll(ctx, vecwire.Query{Vector: v, Away: away, K: 10, IDsOnly: true}) {
		require.NoError(t, err)
		found = append(found, h.ID)
		v[0], v[1], away[0][0], away[0][1] = -1, float32(math.NaN()), 5, 5
	}
	require.Equal(t, m.ids(filter.Filter{}), found, "the order is that of the vector as it was given")

	v, away, found = []float32{1, 0}, [][]float32{{0, 1}}, nil
	stream := c.SearchAll(ctx, vecwire.Query{Vector: v, Away: away, IDsOnly: true})
	v[0], away[0][1], away[0] = -1, 5, nil
	for h, err := range stream {
		require.NoError(t, err)
		found = append(found, h.ID)
	}
	require.Equal(t, m.ids(filter.Filter{}), found, "the order is that of the vector as it was given, before the loop began")
}

// reuseAnswers poisons what calls returned: nothing of it is the engine's.
func (s *suite) reuseAnswers(t *testing.T) {
	ctx := t.Context()
	c := s.create(t, vecwire.Schema{Dim: 2, Fields: []vecwire.Field{{Name: "y", Type: vecwire.Bytes}}})
	record := func(i int) vecwire.Record {
		return vecwire.Record{ID: fmt.Sprint(i), Vector: []float32{1, float32(i)}, Text: "text", Fields: vecwire.Fields{"y": []byte("some bytes")}}
	}
	require.NoError(t, c.Upsert(ctx, record(1), record(2), record(3)))
	m := newModel(c.Schema(), record(1), record(2), record(3))
	mirror := mirrored(t, c, vecwire.MirrorOptions{})
	for range 2 { // the second answers come from what the first left in memory
		for _, c := range []*vecwire.Collection{c, mirror.Collection} {
			got, err := c.Get(ctx, "1", "2")
			require.NoError(t, err)
			poison(got...)
			poison(collect(t, c, vecwire.Scan{Vectors: true})...)
			for _, q := range []vecwire.Query{{Vector: []float32{1, 1}, Vectors: true}, {Vector: []float32{1, 1}, Vectors: true, IDsOnly: true}} {
				hits, err := c.Search(ctx, q)
				require.NoError(t, err)
				for _, h := range hits {
					poison(h.Record)
				}
			}
			m.expectAll(t, c)
			m.expectSearch(t, c, vecwire.Query{Vector: []float32{1, 1}, Vectors: true})
		}
	}
}

// reuseEmbedded has an embedder reuse the vectors that it returned.
func (s *suite) reuseEmbedded(t *testing.T) {
	ctx := t.Context()
	e := &reusing{counting: newCounting("model", 3)}
	c, err := s.create(t, vecwire.Schema{Dim: 3, Model: "model"}).WithEmbedder(e)
	require.NoError(t, err)
	m := newModel(c.Schema())
	var records []vecwire.Record
	for i := range 40 {
		r := vecwire.Record{ID: fmt.Sprintf("%04d", i), Text: fmt.Sprint("text ", i)}
		records = append(records, r)
		r.Vector = e.counting.vector(r.Text)
		m.upsert(r)
	}
	require.NoError(t, c.Upsert(ctx, records[:10]...))
	_, err = c.Ingest(ctx, input(records[10:]...), vecwire.IngestOptions{BatchRecords: 8, Workers: 1})
	require.NoError(t, err)
	_, err = e.Embed(ctx, []string{"the last"}, embed.Document)
	require.NoError(t, err)
	m.expectAll(t, c)
}
