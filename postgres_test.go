package vecwire_test

import (
	"context"
	"os"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/internal/enginetest"
	"github.com/vecwire/vecwire/internal/testenv"
)

// conform runs the conformance suite, which excuses nothing, over a database that is
// reached in another way than by TestPostgres: with few samples of the random cases,
// which are about the server, unless VECWIRE_TEST_ALL asks for all of them.
func conform(t *testing.T, cfg vecwire.Config, url string) {
	enginetest.Run(t, enginetest.Target{
		Open: func(t testing.TB) *vecwire.DB {
			db, err := cfg.Open(t.Context(), url)
			require.NoError(t, err)
			return db
		},
		Shared: true, Persistent: true, Light: !testenv.All(),
	})
}

func TestPostgres(t *testing.T) {
	t.Parallel()
	enginetest.Run(t, enginetest.Target{Open: opener(testenv.Postgres(t)), Shared: true, Persistent: true})
}

func TestPostgresSimpleProtocol(t *testing.T) {
	t.Parallel()
	conform(t, vecwire.Config{Server: vecwire.ServerConfig{ExecMode: pgx.QueryExecModeSimpleProtocol}}, testenv.Postgres(t))
}

// TestPostgresSettings runs the suite over a database whose settings, and locale,
// are not the usual ones, and with statements as text, where they would show.
func TestPostgresSettings(t *testing.T) {
	if os.Getenv("VECWIRE_TEST_SETTINGS") == "" {
		t.Skip("a pass of its own: set VECWIRE_TEST_SETTINGS=1")
	}
	for name, database := range map[string]func(testing.TB) string{"values": testenv.HostilePostgres, "plans": testenv.TurkishPostgres} {
		t.Run(name, func(t *testing.T) {
			url := database(t)
			enginetest.Run(t, enginetest.Target{
				Open: func(t testing.TB) *vecwire.DB {
					db, err := vecwire.Config{Server: vecwire.ServerConfig{ExecMode: pgx.QueryExecModeExec}}.Open(t.Context(), url)
					require.NoError(t, err)
					return db
				},
				Shared: true, Persistent: true, Light: !testenv.All(),
			})
		})
	}
}

// TestPostgresPgBouncer goes through a pooler in transaction mode, which gives
// each transaction another server connection.
func TestPostgresPgBouncer(t *testing.T) {
	t.Parallel()
	url := testenv.PgBouncer(t, testenv.Postgres(t))
	conform(t, vecwire.Config{Server: vecwire.ServerConfig{ExecMode: pgx.QueryExecModeExec, MaxConns: 8}}, url)
}

// TestPostgresHiddenExtension has the extension in a schema that search_path
// does not name, and another schema for the collections.
func TestPostgresHiddenExtension(t *testing.T) {
	t.Parallel()
	url := testenv.Postgres(t)
	run(t, url, `CREATE SCHEMA "Odd ""schema"`, `CREATE SCHEMA app`, `CREATE EXTENSION vector SCHEMA "Odd ""schema"`)
	conform(t, vecwire.Config{}, withParam(t, url, "search_path", "app"))
}

func TestPostgresPool(t *testing.T) {
	t.Parallel()
	pool, err := pgxpool.New(t.Context(), testenv.Postgres(t))
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	enginetest.Run(t, enginetest.Target{
		Open: func(t testing.TB) *vecwire.DB {
			db, err := vecwire.OpenPool(t.Context(), pool)
			require.NoError(t, err)
			return db
		},
		Shared: true, Persistent: true, Light: !testenv.All(),
	})
	require.NoError(t, pool.Ping(t.Context()), "the pool stays its owner's")
	var text string
	require.NoError(t, pool.QueryRow(t.Context(), "SELECT '[1,2.5]'::vector").Scan(&text))
	require.Equal(t, "[1,2.5]", text, "and its connections work as before")
}

// TestPostgresPoolWithCodec has an owner who reads vectors as text.
func TestPostgresPoolWithCodec(t *testing.T) {
	t.Parallel()
	target := testenv.Postgres(t)
	run(t, target, `CREATE EXTENSION vector`)
	cfg, err := pgxpool.ParseConfig(target)
	require.NoError(t, err)
	cfg.AfterConnect = func(ctx context.Context, conn *pgx.Conn) error {
		var oid uint32
		err := conn.QueryRow(ctx, `SELECT 'vector'::regtype::oid`).Scan(&oid)
		conn.TypeMap().RegisterType(&pgtype.Type{Name: "vector", OID: oid, Codec: &pgtype.TextFormatOnlyCodec{Codec: pgtype.TextCodec{}}})
		return err
	}
	pool, err := pgxpool.NewWithConfig(t.Context(), cfg)
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	db, err := vecwire.OpenPool(t.Context(), pool)
	require.NoError(t, err)
	c, err := db.CreateCollection(t.Context(), vecwire.Schema{Name: "c", Dim: 2})
	require.NoError(t, err)
	r := vecwire.Record{ID: "1", Vector: []float32{1, 2.5}}
	require.NoError(t, c.Upsert(t.Context(), r))
	hits, err := c.Search(t.Context(), vecwire.Query{Vector: r.Vector, Vectors: true})
	require.NoError(t, err)
	require.Equal(t, r, hits[0].Record)
	require.NoError(t, c.BuildIndex(t.Context(), vecwire.IndexOptions{}))
	hits, err = c.Search(t.Context(), vecwire.Query{Vector: r.Vector, Vectors: true})
	require.NoError(t, err)
	require.Equal(t, r, hits[0].Record)
	var text string
	require.NoError(t, pool.QueryRow(t.Context(), `SELECT vector FROM c WHERE vector = $1`, "[1,2.5]").Scan(&text))
	require.Equal(t, "[1,2.5]", text)
}
