package testenv

import (
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

// BenchmarkIRIS measures what the wire server costs: the engine behind it is a
// stand-in, so a search here says nothing about IRIS.
func BenchmarkIRIS(b *testing.B) {
	for _, kind := range irisKinds {
		b.Run(kind.Version+"-"+string(kind.Mode), func(b *testing.B) {
			s := IRIS(b, kind)
			c := connectIRIS(b, s)
			b.Run("select1-exec", func(b *testing.B) {
				for b.Loop() {
					_, err := rowsAsText(b.Context(), c.conn, "SELECT 1", pgx.QueryExecModeExec)
					require.NoError(b, err)
				}
			})
			b.Run("select1-simple", func(b *testing.B) {
				for b.Loop() {
					_, err := rowsAsText(b.Context(), c.conn, "SELECT 1", pgx.QueryExecModeSimpleProtocol)
					require.NoError(b, err)
				}
			})
			for _, dim := range []int{128, 1536} {
				for _, rows := range []int{1, 10, 25, 50} {
					tb := c.table(fmt.Sprintf("id VARCHAR(50) COLLATE %%EXACT NOT NULL PRIMARY KEY, n INT, vec VECTOR(FLOAT, %d)", dim))
					args := unionArgs(rows)
					for i := 2; i < len(args); i += 3 {
						args[i] = "[" + strings.TrimSuffix(strings.Repeat("0.12345678,", dim), ",") + "]"
					}
					sql := "/*w*/ " + unionUpsert(tb, rows)
					b.Run(fmt.Sprintf("upsert-%dd-%drows", dim, rows), func(b *testing.B) {
						for b.Loop() {
							require.Equal(b, "ok", c.exec(sql, args...))
						}
						b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*rows), "µs/row")
					})
					if rows < 50 || dim > 128 {
						continue
					}
					search := "SELECT TOP 10 id, VECTOR_COSINE(vec, TO_VECTOR($1, FLOAT)) AS score FROM " + tb + " ORDER BY 2 DESC"
					b.Run("search-50rows-128d", func(b *testing.B) {
						for b.Loop() {
							_, err := rowsAsText(b.Context(), c.conn, search, pgx.QueryExecModeExec, args[2])
							require.NoError(b, err)
						}
					})
				}
			}
		})
	}
}
