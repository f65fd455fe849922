package vecwire_test

import (
	"database/sql"
	"fmt"
	"net/url"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/pair"
)

// BenchmarkUpdate changes one field of one record among 10,000, through the public
// API and by a bare prepared UPDATE over a file of the same tables, indexes and
// settings. Each change is a commit of its own.
func BenchmarkUpdate(b *testing.B) {
	const records, dim = 10_000, 128
	schema := vecwire.Schema{
		Name: "docs", Dim: dim,
		Fields: []vecwire.Field{{Name: "lang", Index: true}, {Name: "year", Type: vecwire.Int, Index: true}, {Name: "price", Type: vecwire.Int}},
	}
	fill := func(b *testing.B, name string) (string, *vecwire.DB, *vecwire.Collection) {
		path := filepath.Join(b.TempDir(), name)
		db, docs := createCollection(b, path, schema)
		batch := make([]vecwire.Record, records)
		for i := range batch {
			v := make([]float32, dim)
			v[i%dim], v[0] = 1, 1
			batch[i] = vecwire.Record{ID: fmt.Sprint("doc-", i), Vector: v, Text: fmt.Sprintf("%0512d", i), Fields: vecwire.Fields{"lang": "go", "year": i % 50, "price": i}}
		}
		require.NoError(b, docs.Upsert(b.Context(), batch...))
		return path, db, docs
	}
	id := func(i int) string { return fmt.Sprint("doc-", i*7919%records) }
	for _, test := range []struct {
		field string
		cond  bool
	}{{"price", false}, {"year", false}, {"year", true}} { // one without an index, and one with
		name := test.field
		if test.cond {
			name += "-if"
		}
		b.Run(name, func(b *testing.B) {
			_, db, docs := fill(b, "ours.db")
			defer db.Close()
			path, other, _ := fill(b, "bare.db")
			require.NoError(b, other.Close())
			bare, err := sql.Open("sqlite", "file:"+path+"?"+url.Values{"_pragma": {"journal_mode(WAL)", "synchronous(FULL)"}}.Encode())
			require.NoError(b, err)
			defer bare.Close()
			bare.SetMaxOpenConns(1)
			query := fmt.Sprintf(`UPDATE "docs.rows" SET %q = ? WHERE id = ?`, test.field)
			if test.cond {
				query += ` AND "lang" = ?`
			}
			update, err := bare.Prepare(query)
			require.NoError(b, err)
			ctx, ours, theirs := b.Context(), 0, 0
			pair.Run(b, func() {
				change := vecwire.Change{ID: id(ours), Set: vecwire.Fields{test.field: 1000 + ours}}
				if test.cond {
					change.If = filter.Eq("lang", "go")
				}
				require.NoError(b, docs.Update(ctx, change))
				ours++
			}, func() {
				args := []any{1000 + theirs, id(theirs)}
				if test.cond {
					args = append(args, "go")
				}
				done, err := update.ExecContext(ctx, args...)
				require.NoError(b, err)
				n, err := done.RowsAffected()
				require.NoError(b, err)
				require.EqualValues(b, 1, n)
				theirs++
			})
		})
	}
}
