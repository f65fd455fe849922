package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
)

// This file asks a PostgreSQL server what the library does not: it is about the server,
// and not about what vecwire keeps there.

// examineServer looks at a server before vecwire opens it. It reports whether there is
// something to open.
func examineServer(ctx context.Context, v *visit, url string) (goOn bool, err error) {
	cfg, err := pgx.ParseConfig(url)
	if err != nil {
		return true, nil // the library refuses it, and shows nothing of it
	}
	conn, err := pgx.ConnectConfig(ctx, cfg)
	if err != nil {
		return true, nil // the library says why, with the remedy
	}
	defer func() { err = errors.Join(err, conn.Close(ctx)) }()
	version := conn.PgConn().ParameterStatus("server_version")
	if strings.Contains(version, "IRIS") {
		return true, v.ok("the server is an IRIS wire: %s", version)
	}
	return examinePostgres(ctx, v, conn, version)
}

func examinePostgres(ctx context.Context, v *visit, conn *pgx.Conn, version string) (goOn bool, err error) {
	var number int
	if err := conn.QueryRow(ctx, "SELECT current_setting('server_version_num')::int").Scan(&number); err != nil {
		return false, err
	}
	if number < 130000 {
		return false, v.problem("take PostgreSQL 13 or newer", "the server is PostgreSQL %s", version)
	}
	if err := v.ok("the server is PostgreSQL %s", version); err != nil {
		return false, err
	}
	var secure bool
	err = conn.QueryRow(ctx, "SELECT coalesce((SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()), false)").Scan(&secure)
	if err != nil {
		return false, err
	}
	host := conn.Config().Host
	local := strings.HasPrefix(host, "/") || host == "localhost" || host == "127.0.0.1" || host == "::1"
	if !secure && !local {
		if err := v.warn("add sslmode=verify-full to the URL", "the connection is not encrypted, nor is the server's name checked"); err != nil {
			return false, err
		}
	}
	if goOn, err := examinePgvector(ctx, v, conn); err != nil || !goOn {
		return false, err
	}
	var schema string
	var create bool
	err = conn.QueryRow(ctx, "SELECT coalesce(current_schema(), ''), coalesce(has_schema_privilege(current_schema(), 'CREATE'), false)").Scan(&schema, &create)
	if err != nil {
		return false, err
	}
	if !create {
		return true, v.problem(fmt.Sprintf("GRANT CREATE ON SCHEMA %s TO %s, or set search_path to a schema of the user's", pgx.Identifier{schema}.Sanitize(), pgx.Identifier{conn.Config().User}.Sanitize()),
			"the user may not make tables in the schema %q", schema)
	}
	if err := v.ok("the user may make tables in the schema %q", schema); err != nil {
		return false, err
	}
	var memory int64
	if err := conn.QueryRow(ctx, "SELECT pg_size_bytes(current_setting('maintenance_work_mem'))").Scan(&memory); err != nil {
		return false, err
	}
	if memory < 256<<20 {
		return true, v.warn("pass --memory to vecwire index, or raise maintenance_work_mem", "an index may take %s of memory while it is built, and is built slowly if it needs more", bytesText(memory))
	}
	return true, nil
}

// advised is the version from which on no fault of pgvector is known that loses records
// or graphs; see docs/postgres.md.
var advised = [3]int{0, 8, 4}

func examinePgvector(ctx context.Context, v *visit, conn *pgx.Conn) (goOn bool, err error) {
	var version string
	err = conn.QueryRow(ctx, "SELECT extversion FROM pg_extension WHERE extname = 'vector'").Scan(&version)
	if errors.Is(err, pgx.ErrNoRows) {
		var available string
		err = conn.QueryRow(ctx, "SELECT coalesce(max(default_version), '') FROM pg_available_extensions WHERE name = 'vector'").Scan(&available)
		if err != nil {
			return false, err
		}
		if available == "" {
			return false, v.problem("install the package of pgvector for this server, then run CREATE EXTENSION vector as a superuser", "pgvector is not installed on the server's machine")
		}
		return true, v.warn("vecwire makes it when the user may; otherwise run CREATE EXTENSION vector as one who may", "pgvector is %s on the server, and not yet made in this database", available)
	}
	if err != nil {
		return false, err
	}
	var number [3]int
	if _, err := fmt.Sscanf(version, "%d.%d.%d", &number[0], &number[1], &number[2]); err != nil {
		return true, v.warn("see docs/postgres.md for the versions that were tested", "pgvector is of an unknown version, %q", version)
	}
	switch {
	case older(number, [3]int{0, 5, 0}):
		return true, v.problem("install 0.8.4 or newer, then run ALTER EXTENSION vector UPDATE", "pgvector is %s, which has no HNSW index", version)
	case older(number, advised):
		return true, v.warn("install 0.8.4 or newer, then run ALTER EXTENSION vector UPDATE", "pgvector is %s, which has faults that were mended since; see docs/postgres.md", version)
	}
	return true, v.ok("pgvector is %s", version)
}

func older(version, than [3]int) bool {
	for i := range version {
		if version[i] != than[i] {
			return version[i] < than[i]
		}
	}
	return false
}
