package local

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/internal/engine"
	"github.com/vecwire/vecwire/internal/pair"
)

// BenchmarkOutside pairs searches that read vectors from the store's file (ours) with those of
// a copy of the store whose snapshot has them (theirs), over the same graph.
func BenchmarkOutside(b *testing.B) {
	const rows, dim = 50_000, 384
	for _, element := range []codec.Element{codec.FLOAT, codec.DOUBLE} {
		for _, metric := range []codec.Metric{codec.L2, codec.Cosine} {
			schema := engine.Schema{Name: "docs", Element: element, Dim: dim, Metric: metric, Index: engine.NoIndex}
			name := fmt.Sprint(element, "/", metric)
			b.Run(name, func(b *testing.B) {
				before := outsideFrom
				defer func() { outsideFrom = before }()
				outsideFrom = math.MaxInt
				dir := b.TempDir()
				in, vector := make([]engine.Collection, 2), planeVectors(1, schema)
				s := openFresh(b, filepath.Join(dir, "inside.db"))
				c, err := s.Create(b.Context(), schema)
				require.NoError(b, err)
				var records []engine.Record
				for i := range rows {
					records = append(records, engine.Record{ID: fmt.Sprint(i), Vector: vector()})
				}
				require.NoError(b, c.Upsert(b.Context(), records))
				require.NoError(b, c.BuildIndex(b.Context(), engine.IndexPlan{M: 16, EfConstruction: 64}))
				require.NoError(b, s.Close())
				files, err := filepath.Glob(filepath.Join(dir, "inside.db*"))
				require.NoError(b, err)
				for _, name := range files {
					content, err := os.ReadFile(name)
					require.NoError(b, err)
					require.NoError(b, os.WriteFile(strings.Replace(name, "inside", "outside", 1), content, 0o600))
				}
				for i, name := range []string{"outside.db", "inside.db"} {
					outsideFrom = []int{1, math.MaxInt}[i]
					s := openFresh(b, filepath.Join(dir, name))
					in[i], err = s.Open(b.Context(), "docs")
					require.NoError(b, err)
					require.NoError(b, in[i].Upsert(b.Context(), records[:1]))
					saveNow(b, in[i])
				}
				require.EqualValues(b, rows, outsiders(in[0]))
				require.Zero(b, outsiders(in[1]))
				var queries []engine.Vector
				for range 512 {
					queries = append(queries, vector())
				}
				for _, exact := range []bool{false, true} {
					b.Run(map[bool]string{false: "graph", true: "exact"}[exact], func(b *testing.B) {
						at := [2]int{}
						search := func(i int) func() {
							return func() {
								at[i]++
								_, err := in[i].Search(b.Context(), []engine.Search{{Vector: queries[at[i]%len(queries)], K: 10, Exact: exact}})
								require.NoError(b, err)
							}
						}
						pair.Run(b, search(0), search(1))
					})
				}
			})
		}
	}
}
