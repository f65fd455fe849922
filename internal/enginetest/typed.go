package enginetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/typed"
)

// article is a record as a struct.
type article struct {
	Key    int64     `vecwire:"id"`
	Vector []float32 `vecwire:",dim=4"`
	Text   string
	Lang   string `vecwire:"lang,index"`
	Stars  *int
	Rating float64
	Draft  bool
	SeenAt time.Time `vecwire:",omitzero"`
	Digest []byte
}

// typed: structs come back from every engine as they went in.
func (s *suite) typed(t *testing.T) {
	ctx := t.Context()
	schema, err := typed.SchemaOf[article](s.name())
	require.NoError(t, err)
	s.create(t, schema)
	articles, err := typed.Ensure[article](ctx, s.db, schema.Name)
	require.NoError(t, err)
	g := newGenerator(90, schema)
	var want []article
	for i := range 20 {
		a := article{
			Key: int64(i - 3), Vector: g.vector(), Text: fmt.Sprint("text ", i), Lang: []string{"go", "", "ä"}[i%3],
			Rating: g.NormFloat64(), Draft: i%2 == 0, Digest: []byte{byte(i)},
		}
		if i%4 > 0 {
			a.Stars = &i
			a.SeenAt = time.Date(2026, 1, 1+i, 2, 3, 4, 5000, time.UTC)
		}
		want = append(want, a)
	}
	require.NoError(t, articles.Upsert(ctx, want...))
	ids := make([]string, len(want))
	for i := range want {
		ids[i] = fmt.Sprint(want[i].Key)
	}
	got, err := articles.Get(ctx, ids...)
	require.NoError(t, err)
	require.Equal(t, want, got)

	hits, err := articles.Search(ctx, vecwire.Query{Vector: want[7].Vector, K: 1, Filter: filter.Eq("lang", want[7].Lang), Vectors: true})
	require.NoError(t, err)
	require.Len(t, hits, 1)
	require.Equal(t, want[7], hits[0].Value)

	bad := article{Key: 1, Vector: []float32{1}}
	var e *typed.StructError
	require.ErrorAs(t, articles.Upsert(ctx, bad), &e)
	require.Equal(t, "Vector", e.Field)
}
