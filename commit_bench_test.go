package vecwire_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
)

// BenchmarkCommit pairs an Upsert of one new record with a commit of the same one by a bare
// loop of prepared statements over the same tables, where there are a thousand already. It
// reports the medians, and how many times as long Upsert takes.
func BenchmarkCommit(b *testing.B) {
	const dim, before = 384, 1100
	ctx := b.Context()
	vector := make([]float32, dim)
	for i := range vector {
		vector[i] = float32(i)
	}
	schema := vecwire.Schema{Name: "docs", Dim: dim, Fields: []vecwire.Field{{Name: "lang", Index: true}, {Name: "year", Type: vecwire.Int}}}
	text := fmt.Sprintf("%0512d", 0)
	db, docs := createCollection(b, filepath.Join(b.TempDir(), "docs.db"), schema)
	defer db.Close()
	bare := newBareLoop(b, schema)
	var took [2][]float64
	for i := 0; i < before || b.Loop(); i++ {
		begun := time.Now()
		require.NoError(b, docs.Upsert(ctx, vecwire.Record{
			ID: fmt.Sprint("doc-", i), Vector: vector, Text: text, Fields: vecwire.Fields{"lang": "go", "year": 2020 + i%7},
		}))
		between := time.Now()
		bare.insert(b, ctx, [][]float32{vector}, text)
		if i >= before {
			took[0] = append(took[0], float64(between.Sub(begun).Microseconds()))
			took[1] = append(took[1], float64(time.Since(between).Microseconds()))
		}
	}
	for i := range took {
		slices.Sort(took[i])
	}
	ours, theirs := took[0][len(took[0])/2], took[1][len(took[1])/2]
	b.ReportMetric(ours, "ours-us")
	b.ReportMetric(theirs, "bare-us")
	b.ReportMetric(ours/theirs, "ratio")
	b.ReportMetric(0, "ns/op")
}
