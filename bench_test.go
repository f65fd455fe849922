package vecwire_test

import (
	"context"
	"database/sql"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"net/url"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/internal/pair"
)

// BenchmarkUpsert stores records, new ones each time, through the public API and through
// a bare loop of prepared statements over the same tables: 1,000 in one transaction, and
// one in each.
func BenchmarkUpsert(b *testing.B) {
	for _, dim := range []int{128, 384} {
		b.Run(fmt.Sprintf("1000x%d", dim), func(b *testing.B) { benchmarkUpsert(b, 1000, dim) })
		b.Run(fmt.Sprintf("1x%d", dim), func(b *testing.B) { benchmarkUpsert(b, 1, dim) })
	}
}

func benchmarkUpsert(b *testing.B, batch, dim int) {
	ctx := b.Context()
	schema := vecwire.Schema{
		Name: "docs", Dim: dim,
		Fields: []vecwire.Field{{Name: "lang", Index: true}, {Name: "year", Type: vecwire.Int}},
	}
	path := filepath.Join(b.TempDir(), "ours.db")
	db, docs := createCollection(b, path, schema)
	defer db.Close()
	bare := newBareLoop(b, schema)

	rng := rand.New(rand.NewPCG(1, 1))
	vectors := make([][]float32, batch)
	for i := range vectors {
		vectors[i] = make([]float32, dim)
		for j := range vectors[i] {
			vectors[i][j] = rng.Float32()
		}
	}
	text := fmt.Sprintf("%0512d", 0)
	ours := 0
	records := make([]vecwire.Record, batch)
	pair.Run(b, func() {
		for i := range records {
			records[i] = vecwire.Record{
				ID: fmt.Sprint("doc-", ours), Vector: vectors[i], Text: text,
				Fields: vecwire.Fields{"lang": "go", "year": 2020 + i%7},
			}
			ours++
		}
		require.NoError(b, docs.Upsert(ctx, records...))
	}, func() { bare.insert(b, ctx, vectors, text) })
}

// bareLoop writes into the same tables with nothing in between.
type bareLoop struct {
	db         *sql.DB
	rows, data *sql.Stmt
	next       int
}

func newBareLoop(b *testing.B, s vecwire.Schema) *bareLoop {
	path := filepath.Join(b.TempDir(), "bare.db")
	db, _ := createCollection(b, path, s)
	require.NoError(b, db.Close())
	l := &bareLoop{}
	var err error
	l.db, err = sql.Open("sqlite", "file:"+path+"?"+url.Values{"_pragma": {"journal_mode(WAL)", "synchronous(FULL)"}}.Encode())
	require.NoError(b, err)
	b.Cleanup(func() { l.db.Close() })
	l.db.SetMaxOpenConns(1)
	_, err = l.db.Exec("PRAGMA journal_mode = DELETE; PRAGMA page_size = 4096; VACUUM; PRAGMA journal_mode = WAL") // as SQLite makes files by itself
	require.NoError(b, err)
	_, err = l.db.Exec(`CREATE INDEX "docs.index.lang.bare" ON "docs.rows" (lang)`) // ours has it from so many records on
	require.NoError(b, err)
	l.rows, err = l.db.Prepare(`INSERT INTO "docs.rows" (vecwire_row, id, lang, year) VALUES (?, ?, ?, ?)`)
	require.NoError(b, err)
	l.data, err = l.db.Prepare(`INSERT INTO "docs.data" (vecwire_row, vector, text) VALUES (?, ?, ?)`)
	require.NoError(b, err)
	return l
}

func (l *bareLoop) insert(b *testing.B, ctx context.Context, vectors [][]float32, text string) {
	tx, err := l.db.Begin()
	require.NoError(b, err)
	var blob []byte
	for i, v := range vectors {
		_, err := tx.Stmt(l.rows).Exec(l.next, fmt.Sprint("doc-", l.next), "go", 2020+i%7)
		require.NoError(b, err)
		blob = blob[:0]
		for _, x := range v {
			blob = binary.LittleEndian.AppendUint32(blob, math.Float32bits(x))
		}
		_, err = tx.Stmt(l.data).Exec(l.next, blob, text)
		require.NoError(b, err)
		l.next++
	}
	require.NoError(b, tx.Commit())
}
