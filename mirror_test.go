package vecwire_test

import (
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/embed"
	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/testenv"
)

// TestMirrorEmbeds takes the collection's embedder along.
func TestMirrorEmbeds(t *testing.T) {
	ctx := t.Context()
	db := openURL(t, "mem:")
	c, err := db.CreateCollection(ctx, vecwire.Schema{Name: "docs", Dim: 2, Model: letters("ab").Model()})
	require.NoError(t, err)
	var e embed.Embedder = letters("ab")
	c, err = c.WithEmbedder(e)
	require.NoError(t, err)
	m, err := c.Mirror(ctx, vecwire.MirrorOptions{})
	require.NoError(t, err)
	defer m.Close()
	require.NoError(t, m.Upsert(ctx, vecwire.Record{ID: "1", Text: "aaa"}, vecwire.Record{ID: "2", Text: "bbb"}))
	require.Equal(t, []string{"2", "1"}, foundIDs(t, m.Collection, vecwire.Query{Text: "bb"}))
}

// TestMirrorUsage counts the copy beside the collection.
func TestMirrorUsage(t *testing.T) {
	ctx := t.Context()
	c, err := openURL(t, "mem:").CreateCollection(ctx, vecwire.Schema{Name: "docs", Dim: 64})
	require.NoError(t, err)
	records := make([]vecwire.Record, 1000)
	for i := range records {
		v := make([]float32, 64)
		v[i%64] = float32(i + 1)
		records[i] = vecwire.Record{ID: strconv.Itoa(i), Vector: v}
	}
	require.NoError(t, c.Upsert(ctx, records...))
	m, err := c.Mirror(ctx, vecwire.MirrorOptions{})
	require.NoError(t, err)
	u, err := m.Usage(ctx)
	require.NoError(t, err)
	alone, err := c.Usage(ctx)
	require.NoError(t, err)
	require.Greater(t, len(u.Parts), len(alone.Parts))
	copied := int64(0)
	for i, p := range u.Parts {
		if i < len(alone.Parts) {
			require.Equal(t, alone.Parts[i].Name, p.Name)
			continue
		}
		require.Contains(t, p.Name, "copy's ")
		copied += p.Memory + p.Mapped
	}
	require.GreaterOrEqual(t, copied, int64(1000*64*4), "the vectors")
	require.NoError(t, m.Close())
	_, err = m.Usage(ctx)
	require.ErrorIs(t, err, vecwire.ErrClosed)
}

// TestMirrorAttached mirrors an existing table, where keys are numbers, and vectors
// are less precise than what is written, or missing.
func TestMirrorAttached(t *testing.T) {
	ctx := t.Context()
	url := testenv.Postgres(t)
	run(t, url, `CREATE EXTENSION vector`,
		`CREATE TABLE items (item_no integer PRIMARY KEY, stock smallint, emb halfvec(2))`,
		`INSERT INTO items SELECT i, i % 4, ARRAY[i % 6, 1]::halfvec FROM generate_series(1, 120) i`,
		`INSERT INTO items (item_no) VALUES (200)`)
	c, err := openURL(t, url).AttachCollection(ctx, vecwire.AttachOptions{Table: "items", Metric: vecwire.L2})
	require.NoError(t, err)
	m, err := c.Mirror(ctx, vecwire.MirrorOptions{})
	require.NoError(t, err)
	defer m.Close()
	require.Equal(t, 120, m.Stats().Records, "one has no vector")
	same := func() {
		t.Helper()
		for _, k := range []int{1, 7, 50, 1_000} {
			for _, f := range []filter.Filter{{}, filter.Eq("stock", 1), filter.Gt("id", "9"), filter.Not(filter.Lt("id", "50"))} {
				q := vecwire.Query{Vector: []float32{2.5, 1}, K: k, Filter: f, Vectors: true}
				theirs, err := c.Search(ctx, q)
				require.NoError(t, err)
				ours, err := m.Search(ctx, q)
				require.NoError(t, err)
				require.Equal(t, theirs, ours, "%d of %s", k, f)
			}
		}
	}
	same()
	require.NoError(t, m.Refresh(ctx))
	require.Zero(t, m.Stats().Changed)

	require.NoError(t, m.Upsert(ctx, vecwire.Record{ID: "7", Vector: []float32{2.50001, 1.00001}}, vecwire.Record{ID: "-1000", Vector: []float32{1.0 / 3, 1}}))
	require.Error(t, m.Upsert(ctx, vecwire.Record{ID: "007", Vector: []float32{1, 1}}))
	same()
	_, err = m.DeleteWhere(ctx, filter.Between("id", "5", "20"))
	require.NoError(t, err)
	same()
	require.NoError(t, m.Refresh(ctx))
	require.Zero(t, m.Stats().Changed, "the mirror has what the table has")
	run(t, url, `UPDATE items SET emb = NULL WHERE item_no = 30`, `UPDATE items SET emb = '[9,9]' WHERE item_no = 200`)
	require.NoError(t, m.Refresh(ctx))
	require.Equal(t, 2, m.Stats().Changed)
	same()

	// Where no two scores are the same, the mirror answers.
	results, err := m.SearchMany(ctx, []vecwire.Query{{Vector: []float32{9, 9}, K: 1, IDsOnly: true}})
	require.NoError(t, err)
	require.Equal(t, "mirror scan", results[0].Plan.Path)
	require.Equal(t, "200", results[0].Hits[0].ID)
}

// TestMirrorCodes mirrors with short codes, which take less and find the same.
func TestMirrorCodes(t *testing.T) {
	ctx := t.Context()
	db := openURL(t, "mem:")
	c, err := db.CreateCollection(ctx, vecwire.Schema{Name: "docs", Dim: 64})
	require.NoError(t, err)
	rng := rand.New(rand.NewPCG(1, 1))
	records := make([]vecwire.Record, 2100)
	for i := range records {
		v := make([]float32, 64)
		for j := range v {
			v[j] = float32(rng.NormFloat64())
		}
		records[i] = vecwire.Record{ID: strconv.Itoa(i), Vector: v}
	}
	require.NoError(t, c.Upsert(ctx, records...))
	_, err = c.Mirror(ctx, vecwire.MirrorOptions{Codes: vecwire.FourBits + 1})
	var bad *vecwire.ValueError
	require.ErrorAs(t, err, &bad)
	require.Equal(t, "Codes", bad.Field)
	q := vecwire.Query{Vector: records[3].Vector, K: 20}
	want, err := c.Search(ctx, q)
	require.NoError(t, err)
	bytes := map[vecwire.Codes]int64{}
	for _, codes := range []vecwire.Codes{vecwire.SevenBits, vecwire.FourBits} {
		m, err := c.Mirror(ctx, vecwire.MirrorOptions{Codes: codes})
		require.NoError(t, err)
		got, err := m.Search(ctx, q)
		require.NoError(t, err)
		require.Equal(t, want, got)
		u, err := m.Usage(ctx)
		require.NoError(t, err)
		for _, p := range u.Parts {
			if p.Name == "copy's codes" {
				bytes[codes] = p.Memory + p.Mapped
			}
		}
		require.NoError(t, m.Close())
	}
	require.Positive(t, bytes[vecwire.FourBits])
	require.Less(t, bytes[vecwire.FourBits], bytes[vecwire.SevenBits]*2/3)
}
