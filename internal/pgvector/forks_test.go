package pgvector

import (
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/internal/engine"
	"github.com/vecwire/vecwire/internal/testenv"
	"github.com/vecwire/vecwire/internal/wire"
)

// TestForks opens a PostgreSQL that calls itself something else.
func TestForks(t *testing.T) {
	for version, want := range map[string]string{
		"CockroachDB CCL v25.2.1 (x86_64-pc-linux-gnu, built 2025/06/09 17:00:00, go1.23.7)":                "OPERATOR(schema.name)",
		"PostgreSQL 15.2-YB-2.25.1.0-b381 on x86_64-pc-linux-gnu, compiled by clang version 17.0.6, 64-bit": "xmax",
		"PostgreSQL 18.6 (Debian 18.6-1) on x86_64-pc-linux-gnu, compiled by gcc, 64-bit":                   "",
	} {
		url := testenv.Postgres(t)
		execute(t, url, "CREATE SCHEMA other", "CREATE FUNCTION other.version() RETURNS text LANGUAGE sql AS $$SELECT '"+version+"'$$")
		url += "&search_path=public,other,pg_catalog"
		e, err := Open(t.Context(), wire.Options{URL: url})
		if want == "" {
			require.NoError(t, err)
			require.NoError(t, e.Close())
			continue
		}
		refused := func(err error) {
			require.ErrorIs(t, err, engine.ErrUnsupported)
			require.ErrorContains(t, err, version)
			require.ErrorContains(t, err, want)
			var connect *engine.ConnectError
			require.ErrorAs(t, err, &connect)
			require.Contains(t, connect.Remedy, "Citus")
		}
		refused(err)
		pool, err := pgxpool.New(t.Context(), url)
		require.NoError(t, err)
		_, err = Use(t.Context(), pool, wire.Options{})
		refused(err)
		require.NoError(t, pool.Ping(t.Context()), "the pool stays its owner's")
		pool.Close()
	}
}

// execute runs statements beside the package.
func execute(t testing.TB, url string, statements ...string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	defer conn.Close(t.Context())
	for _, s := range statements {
		_, err := conn.Exec(t.Context(), s)
		require.NoError(t, err, s)
	}
}
