package local

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
)

var checkedSchema = engine.Schema{
	Name: "docs", Dim: 8, Metric: codec.Cosine, FullText: engine.English,
	Fields: []engine.Field{
		{Name: "n", Type: filter.Int, Index: true}, {Name: "tags", Type: filter.Strings, Index: true},
		{Name: "xs", Type: filter.Floats, Index: true}, {Name: "meta", Type: filter.JSON, Paths: []string{"a"}},
	},
}

func checkedRecord(rng *rand.Rand, id string) engine.Record {
	r := engine.Record{ID: id, Vector: engine.Vector{F32: make([]float32, 8)}, Fields: make([]any, 4)}
	for i := range r.Vector.F32 {
		r.Vector.F32[i] = float32(rng.NormFloat64())
	}
	if rng.IntN(3) > 0 {
		r.Fields[0] = rng.Int64N(9)
		r.Fields[1] = []string{"go", fmt.Sprint("t", rng.IntN(5)), "go"}
		r.Fields[2] = []float64{rng.Float64(), 0.1, 1e300}
		r.Fields[3] = `{"a":[1,"x"],"b":null}`
	}
	r.Text = []string{"", "!?", fmt.Sprint("The boats are sailing ", id, " 向量数据库 and so are Ships, ships"), "one word"}[rng.IntN(4)]
	return r
}

func checked(t testing.TB, s *store) engine.Checked {
	t.Helper()
	report, err := s.Check(t.Context())
	require.NoError(t, err)
	return report
}

// A sound store has no problem, whatever was done to it, in memory, with a snapshot and
// opened again.
func TestCheckOfSoundStores(t *testing.T) {
	ctx := t.Context()
	for seed := range uint64(3) {
		rng := rand.New(rand.NewPCG(seed, 7))
		s := newStore(t)
		s.leastSave = 40
		c := create(t, s, checkedSchema)
		for round := range 12 {
			var records []engine.Record
			for i := range 40 {
				records = append(records, checkedRecord(rng, fmt.Sprint(round%3, "-", i)))
			}
			require.NoError(t, c.Upsert(ctx, records))
			if _, err := c.DeleteWhere(ctx, filter.Ge("n", int64(7))); err != nil {
				t.Fatal(err)
			}
			text := fmt.Sprint("changed ", round)
			err := c.Update(ctx, []engine.Change{{ID: fmt.Sprint(round%3, "-1"), Text: &text}})
			require.True(t, err == nil || errors.As(err, new(*engine.RefusedError)), err)
			switch round {
			case 3:
				require.NoError(t, c.BuildIndex(ctx, engine.IndexPlan{M: 4, EfConstruction: 10}))
			case 6:
				next := checkedSchema
				next.Name = "next"
				require.NoError(t, create(t, s, next).Upsert(ctx, records))
				require.NoError(t, s.Swap(ctx, engine.Swap{Name: "docs", Next: "next", Old: "old", Settle: func(context.Context, engine.Collection, engine.Collection) error { return nil }}))
				c = open(t, s, "docs")
			case 8:
				require.NoError(t, c.BuildIndex(ctx, engine.IndexPlan{M: 4, EfConstruction: 10}))
			case 9:
				path := s.path
				require.NoError(t, s.Close())
				r := openReading(t, path)
				require.Nil(t, checked(t, r).Problems)
				s = openStore(t, path)
				c = open(t, s, "docs")
			}
			report := checked(t, s)
			require.Nil(t, report.Problems)
			n, err := c.Count(ctx, filter.Filter{})
			require.NoError(t, err)
			require.Equal(t, engine.CheckedCollection{Name: "docs", Records: n}, report.Collections[0])
		}
	}
}

func TestCheckOfMemory(t *testing.T) {
	e, err := openMemory(t.Context(), Options{Logger: openStore(t, filepath.Join(t.TempDir(), "x.db")).log})
	require.NoError(t, err)
	defer e.Close()
	s := e.(*store)
	rng := rand.New(rand.NewPCG(1, 1))
	require.NoError(t, create(t, s, checkedSchema).Upsert(t.Context(), []engine.Record{checkedRecord(rng, "a"), checkedRecord(rng, "b")}))
	report := checked(t, s)
	require.Nil(t, report.Problems)
	require.Equal(t, 2, report.Collections[0].Records)
	require.NoError(t, s.Compact(t.Context()))
	require.Nil(t, checked(t, s).Problems)
}

// checkedStore makes a store with an index and a snapshot of it, closed.
func checkedStore(t testing.TB, records int) string {
	s := newStore(t)
	c := create(t, s, checkedSchema)
	rng := rand.New(rand.NewPCG(1, 1))
	var all []engine.Record
	for i := range records {
		r := checkedRecord(rng, fmt.Sprint("r", i))
		r.Text = fmt.Sprintf("the text of record %d", i)
		r.Fields[1], r.Fields[2] = []string{"go"}, []float64{0.5}
		all = append(all, r)
	}
	require.NoError(t, c.Upsert(t.Context(), all))
	require.NoError(t, c.BuildIndex(t.Context(), engine.IndexPlan{M: 8, EfConstruction: 32}))
	require.NoError(t, s.Close())
	return s.path
}

// What was done to a store by SQL is named.
func TestCheckNamesWhatIsWrong(t *testing.T) {
	path := checkedStore(t, 60)
	for name, tc := range map[string]struct{ statement, id, what string }{
		"a lost vector":           {`DELETE FROM "docs.data" WHERE vecwire_row = 7`, "r7", "it has no vector and no text"},
		"a lost record":           {`PRAGMA recursive_triggers = 0; DELETE FROM "docs.rows" WHERE vecwire_row = 7`, "", "belongs to no record"},
		"a short vector":          {`UPDATE "docs.data" SET vector = x'00' WHERE vecwire_row = 7`, "r7", "has 1 bytes, want 32"},
		"NaN":                     {`UPDATE "docs.data" SET vector = CAST(x'0000c07f' || substr(vector, 5) AS BLOB) WHERE vecwire_row = 7`, "r7", "its vector"},
		"zero":                    {`UPDATE "docs.data" SET vector = zeroblob(32) WHERE vecwire_row = 7`, "r7", "its vector"},
		"another vector":          {`UPDATE "docs.data" SET vector = (SELECT vector FROM "docs.data" WHERE vecwire_row = 8) WHERE vecwire_row = 7`, "r7", "in the snapshot: the vector is not the one"},
		"another ID":              {`UPDATE "docs.rows" SET id = 'other' WHERE vecwire_row = 7`, "other", "in the snapshot: it is row 7 in the file"},
		"a record more":           {`INSERT INTO "docs.rows" (vecwire_row, id) VALUES (60, 'more'); INSERT INTO "docs.data" SELECT 60, vector, NULL FROM "docs.data" WHERE vecwire_row = 7`, "more", "in the snapshot: it is row 60 in the file"},
		"a record less":           {`DELETE FROM "docs.rows" WHERE vecwire_row = 7; DELETE FROM "docs.data" WHERE vecwire_row = 7`, "r7", "in the snapshot: it is row 7 there"},
		"a lost value":            {`DELETE FROM "docs.values.tags" WHERE vecwire_row = 7`, "r7", `the index over "tags" lacks go`},
		"a value more":            {`INSERT INTO "docs.values.xs" VALUES ('0.25', 7)`, "r7", `the index over "xs" has 0.25`},
		"a value of nothing":      {`INSERT INTO "docs.values.tags" VALUES ('go', 777)`, "", "row 777, which belongs to no record"},
		"a list that is none":     {`UPDATE "docs.rows" SET tags = '{}' WHERE vecwire_row = 7`, "r7", `field "tags" holds`},
		"words of another text":   {`UPDATE "docs.data" SET text = 'another' WHERE vecwire_row = 7`, "r7", "other words than its text"},
		"no words":                {`DELETE FROM "docs.words" WHERE rowid = 7`, "r7", "the full text lacks it"},
		"words of no text":        {`INSERT INTO "docs.words" (rowid, text) VALUES (777, 'x')`, "", "words of row 777"},
		"words lost in the index": {`DELETE FROM "docs.words_data" WHERE id > 100`, "", "SQLite"},
		"a trigger":               {`SELECT 1`, "", "triggers"},
		"an unknown metric":       {`UPDATE vecwire_collections SET metric = 'taxicab'`, "", "taxicab"},
		"fields that are none":    {`UPDATE vecwire_collections SET fields = 'x'`, "", "its schema cannot be read"},
		"a lost table":            {`DROP TABLE "docs.values.tags"`, "", "docs.values.tags"},
		"an index of nothing":     {`INSERT INTO vecwire_indexes (collection, m, ef) VALUES ('none', 4, 10)`, "", "it has an index, and is not in the registry"},
		"a snapshot of nothing":   {`UPDATE vecwire_snapshots SET tag = 'AAAA'`, "", "its snapshot cannot be used"},
	} {
		t.Run(name, func(t *testing.T) {
			path := copyStore(t, filepath.Dir(path), path)
			db, err := openPool(fileURI(path)) // with our functions
			require.NoError(t, err)
			if name == "a trigger" {
				var trigger string
				require.NoError(t, db.QueryRow(`SELECT name FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = 'docs.data'`).Scan(&trigger))
				tc.statement = "DROP TRIGGER " + quote(trigger)
			}
			_, err = db.Exec(tc.statement + "; DELETE FROM vecwire_place") // a copy would be refused
			require.NoError(t, err)
			require.NoError(t, db.Close())
			for _, s := range []*store{openReading(t, path), openStore(t, path)} {
				report := checked(t, s)
				require.NoError(t, s.Close())
				require.True(t, slices.ContainsFunc(report.Problems, func(p engine.Problem) bool {
					return p.ID == tc.id && bytes.Contains([]byte(p.What), []byte(tc.what))
				}), "%+v", report.Problems)
				require.GreaterOrEqual(t, report.Total, len(report.Problems))
			}
		})
	}
}

// What another program does behind the back of an open store is named, too.
func TestCheckOfMemoryAgainstTheFile(t *testing.T) {
	path := checkedStore(t, 60)
	s := openStore(t, path)
	open(t, s, "docs")
	require.Nil(t, checked(t, s).Problems)
	db, err := sql.Open("sqlite", fileURI(path))
	require.NoError(t, err)
	defer db.Close()
	_, err = db.Exec(`UPDATE "docs.data" SET vector = (SELECT vector FROM "docs.data" WHERE vecwire_row = 8) WHERE vecwire_row = 7`)
	require.NoError(t, err)
	report := checked(t, s)
	require.Equal(t, 2, report.Total, "%+v", report.Problems) // there, and in the snapshot
	for _, p := range report.Problems {
		require.Equal(t, "r7", p.ID)
		require.Equal(t, "docs", p.Collection)
	}
	require.Contains(t, report.Problems[1].What, "in memory: the vector is not the one")
}

// A damaged page costs the records on it, which are named, and no others.
func TestCheckOfDamagedPages(t *testing.T) {
	path := checkedStore(t, 600)
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	db, err := sql.Open("sqlite", fileURI(path))
	require.NoError(t, err)
	var page int
	require.NoError(t, db.QueryRow(`SELECT pageno FROM dbstat WHERE name = 'docs.data' AND pagetype = 'leaf' LIMIT 1 OFFSET 3`).Scan(&page))
	require.NoError(t, db.Close())
	at := (page - 1) * 4096
	clear(b[at : at+4096])
	require.NoError(t, os.WriteFile(path, b, 0o600))

	report := checked(t, openReading(t, path))
	lost := 0
	for _, p := range report.Problems {
		if p.ID != "" {
			require.Contains(t, p.What, "the record cannot be read")
			lost++
		}
	}
	require.Positive(t, lost)
	require.Equal(t, 600-lost, report.Collections[0].Records)
	require.Less(t, lost, 100)
}

// Flipped bytes never end a check: it names something, or the store is as it was, or
// it does not open.
func TestCheckOfFlippedBytes(t *testing.T) {
	path := checkedStore(t, 200)
	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	rng := rand.New(rand.NewPCG(5, 5))
	found := 0
	const times = 60
	for range times {
		b := slices.Clone(whole)
		for range 20 {
			b[rng.IntN(len(b))] ^= 1 << rng.IntN(8)
		}
		require.NoError(t, os.WriteFile(path, b, 0o600))
		e, err := Open(t.Context(), Options{Path: path, ReadOnly: true, Logger: openStore(t, filepath.Join(t.TempDir(), "x.db")).log})
		if err != nil {
			found++
			continue
		}
		report, err := e.Check(t.Context())
		require.NoError(t, err)
		if report.Total > 0 {
			found++
		}
		require.NoError(t, e.Close())
	}
	require.Greater(t, found, times/2)
}

// SQLite's check of full text goes by what its connection read last of the words, also if
// others have written since. That is no damage.
func TestCheckAfterWordsWereRead(t *testing.T) {
	s := newStore(t)
	c := create(t, s, checkedSchema)
	rng := rand.New(rand.NewPCG(1, 1))
	for i := range 20 {
		var records []engine.Record
		for j := range 30 {
			r := checkedRecord(rng, fmt.Sprint("r", (i*7+j)%90))
			r.Text = fmt.Sprintf("the text %d of record %d", i, j)
			records = append(records, r)
		}
		require.NoError(t, c.Upsert(t.Context(), records))
		require.Nil(t, checked(t, s).Problems)
		_, err := c.SearchText(t.Context(), []engine.TextSearch{{Text: "text", K: 5}})
		require.NoError(t, err)
	}
}
