package vecwire_test

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/internal/testenv"
)

// TestIRISOpen recognises the server by what it says, whatever the URL's scheme.
func TestIRISOpen(t *testing.T) {
	ctx := t.Context()
	server := testenv.IRIS(t, irisKinds[0])
	for _, target := range []string{server.URL(), server.PostgresURL(), strings.Replace(server.PostgresURL(), "postgres:", "postgresql:", 1)} {
		db := openIRIS(t, target)
		caps := db.Capabilities()
		require.Equal(t, "iris", caps.Engine)
		require.False(t, caps.L2)
		require.False(t, caps.AtomicBatches)
	}

	pool, err := pgxpool.New(ctx, server.PostgresURL())
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	_, err = vecwire.OpenPool(ctx, pool)
	var connect *vecwire.ConnectError
	require.ErrorAs(t, err, &connect)
	require.ErrorContains(t, err, "IRIS")

	if !server.Real {
		u, err := url.Parse(testenv.Postgres(t))
		require.NoError(t, err)
		u.Scheme = "iris"
		_, err = vecwire.Open(ctx, u.String())
		require.ErrorAs(t, err, &connect)
		require.Contains(t, connect.Remedy, "postgres://")
	}

	for _, bad := range []string{"iris://user:geheim@host:port/USER", "iris://user:geheim@127.0.0.1:1/USER", "iris://user:geh%eim@127.0.0.1/USER"} {
		err := testenv.Soon(ctx, func(ctx context.Context) error {
			_, err := vecwire.Config{Logger: testenv.Impatient()}.Open(ctx, bad)
			return err
		})
		require.ErrorAs(t, err, &connect)
		require.NotContains(t, err.Error(), "geheim")
		require.NotEmpty(t, connect.Remedy)
	}
}

// TestIRISUnsupported names what IRIS lacks, and keeps the server's own error.
func TestIRISUnsupported(t *testing.T) {
	ctx := t.Context()
	server := testenv.IRIS(t, irisKinds[0])
	db := openIRIS(t, server.URL())
	_, err := db.CreateCollection(ctx, vecwire.Schema{Name: "l2", Dim: 2, Metric: vecwire.L2})
	require.ErrorIs(t, err, vecwire.ErrUnsupported)
	require.ErrorContains(t, err, "L2")
	require.ErrorContains(t, err, "iris")

	c, err := db.CreateCollection(ctx, vecwire.Schema{Name: "gone", Dim: 2})
	require.NoError(t, err)
	_, err = bareIRIS(t, server).Exec(ctx, "DROP TABLE vw_gone")
	require.NoError(t, err)
	err = c.Upsert(ctx, vecwire.Record{ID: "1", Vector: []float32{1, 2}})
	require.ErrorIs(t, err, vecwire.ErrNotFound)
	var raw *pgconn.PgError
	require.ErrorAs(t, err, &raw)
	require.Contains(t, raw.Message, "SQLCODE: <-30>")
	require.NoError(t, db.DropCollection(ctx, "gone"), "what is left of it")
}

// TestIRISIndex goes down the ladder of forms in which releases of IRIS take HNSW.
func TestIRISIndex(t *testing.T) {
	for _, tt := range []struct {
		kind    testenv.IRISOptions
		release string // what the stand-in takes
		cosine  vecwire.IndexInfo
		dot     bool
	}{
		{irisKinds[0], "full", vecwire.IndexInfo{M: 24, EfConstruction: 100}, true},
		{irisKinds[1], "distance", vecwire.IndexInfo{}, true},
		{irisKinds[4], "bare", vecwire.IndexInfo{}, false},
		{irisKinds[3], "full", vecwire.IndexInfo{M: 24, EfConstruction: 100}, true},
	} {
		t.Run(fmt.Sprintf("%s-%s-%s", tt.kind.Version, tt.kind.Mode, tt.release), func(t *testing.T) {
			ctx := t.Context()
			tt.kind.Switches = map[string]string{"HNSW": tt.release}
			server := testenv.IRIS(t, tt.kind)
			db := openIRIS(t, server.URL())
			for _, metric := range []vecwire.Metric{vecwire.Cosine, vecwire.Dot} {
				c, err := db.CreateCollection(ctx, vecwire.Schema{Name: "indexed_" + metric.String(), Dim: 3, Metric: metric})
				require.NoError(t, err)
				for i := range 20 {
					require.NoError(t, c.Upsert(ctx, vecwire.Record{ID: fmt.Sprint(i), Vector: []float32{1, float32(i), 2}}))
				}
				search := func(q vecwire.Query) vecwire.Result {
					t.Helper()
					q.Vector, q.K = []float32{1, 3, 2}, 5
					results, err := c.SearchMany(ctx, []vecwire.Query{q})
					require.NoError(t, err)
					require.Len(t, results[0].Hits, 5)
					return results[0]
				}
				before := search(vecwire.Query{})
				require.True(t, before.Exact)

				options := vecwire.IndexOptions{M: 24, EfConstruction: 100}
				err = c.BuildIndex(ctx, options)
				infos, listErr := c.Indexes(ctx)
				require.NoError(t, listErr)
				if server.Real {
					t.Logf("%s: BuildIndex: %v; %+v", metric, err, infos)
				} else if metric == vecwire.Dot && !tt.dot {
					require.ErrorIs(t, err, vecwire.ErrUnsupported)
					require.Empty(t, infos)
				} else {
					require.NoError(t, err)
					require.NoError(t, c.BuildIndex(ctx, options), "it is there")
					require.Len(t, infos, 1)
					require.Equal(t, "hnsw", infos[0].Kind)
					require.Equal(t, tt.cosine.M, infos[0].M, "what IRIS took")
					require.Equal(t, tt.cosine.EfConstruction, infos[0].EfConstruction)
					after := search(vecwire.Query{})
					require.False(t, after.Exact)
					require.Equal(t, before.Hits, after.Hits)
					require.True(t, search(vecwire.Query{Exact: true}).Exact)

					other, err := vecwire.Open(ctx, server.URL())
					require.NoError(t, err)
					again, err := other.OpenCollection(ctx, c.Schema().Name)
					require.NoError(t, err)
					seen, err := again.Indexes(ctx)
					require.NoError(t, err)
					require.Equal(t, infos, seen)
					require.NoError(t, other.Close())

					require.NoError(t, c.BuildIndex(ctx, vecwire.IndexOptions{M: 8}), "with other settings")
					infos, err = c.Indexes(ctx)
					require.NoError(t, err)
					require.Len(t, infos, 1)
					require.NoError(t, c.DropIndex(ctx, infos[0].Name))
					require.ErrorIs(t, c.DropIndex(ctx, infos[0].Name), vecwire.ErrNotFound)
					require.True(t, search(vecwire.Query{}).Exact)
				}
				require.NoError(t, db.DropCollection(ctx, c.Schema().Name))
			}
		})
	}
}

// TestIRISStatements sees what reaches the engine of a search: one statement
// (inside IRIS the server runs each twice), whose text is the same for every
// vector where the server leaves it alone, and a table that others can read.
func TestIRISStatements(t *testing.T) {
	eachIRIS(t, func(t *testing.T, server *testenv.IRISServer, db *vecwire.DB) {
		ctx := t.Context()
		c, err := db.CreateCollection(ctx, vecwire.Schema{Name: "seen", Dim: 2, Fields: []vecwire.Field{{Name: "at", Type: vecwire.Time}, {Name: "n", Type: vecwire.Int}}})
		require.NoError(t, err)
		at := time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC)
		require.NoError(t, c.Upsert(ctx, vecwire.Record{ID: "007", Text: "1e5", Vector: []float32{1, 2}, Fields: vecwire.Fields{"at": at, "n": int64(1_000_000_000_000_000)}}))
		var id, body, when, n string
		row := bareIRIS(t, server).QueryRow(ctx, "SELECT '~' || id, '~' || body, '~' || f_at, '~' || f_n FROM vw_seen")
		require.NoError(t, row.Scan(&id, &body, &when, &n))
		require.Equal(t, []string{"~007", "~1e5", "~2026-01-02 03:04:05.000006", "~1000000000000000"}, []string{id, body, when, n})

		before := len(server.EngineLog(t, "VECTOR_COSINE"))
		for i := range 5 {
			hits, err := c.Search(ctx, vecwire.Query{Vector: []float32{1, float32(i)}})
			require.NoError(t, err)
			require.Len(t, hits, 1)
		}
		require.NoError(t, db.DropCollection(ctx, "seen"))
		if server.Real {
			return
		}
		times, texts := 0, map[string]bool{}
		for _, s := range server.EngineLog(t, "VECTOR_COSINE")[before:] {
			if !strings.Contains(s.SQL, "_metadata_discovery") {
				texts[s.SQL] = true
				times++
			}
		}
		require.Equal(t, 5, times)
		if server.Version == testenv.IRISOldest || server.Mode == testenv.IRISDBAPI {
			require.Len(t, texts, 1, "%v", texts)
		}
	})
}
