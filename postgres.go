package vecwire

import (
	"context"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/vecwire/vecwire/internal/wire"
)

// ServerConfig is how a server is connected to. What is zero is left to the URL,
// and to pgx where the URL does not say.
type ServerConfig struct {
	// MaxConns is the most connections the pool has. Defaults to the URL's
	// pool_max_conns, or the larger of 4 and the number of CPUs. Searches of one
	// call share half of them, and one is kept free of writers. Over IRIS it is 4
	// by default and 8 at most: iris-pgwire works on ten statements at a time.
	MaxConns int
	// MinConns is how many connections are kept open when there is nothing to do.
	MinConns int
	// MaxConnLifetime is how old a connection may become. Defaults to an hour,
	// and over IRIS to years: some of its servers lose something with each client
	// that leaves.
	MaxConnLifetime time.Duration
	// ConnectTimeout bounds connecting. Defaults to 10 seconds.
	ConnectTimeout time.Duration
	// StatementTimeout bounds each statement, on the server, except those that
	// build an index. Defaults to the server's setting. PgBouncer refuses it
	// unless it is told to ignore the parameter statement_timeout. Over IRIS it
	// is kept by the client, for statements whose context has no deadline, and
	// defaults to 30 seconds.
	StatementTimeout time.Duration
	// ExecMode says how statements are sent. The default prepares and caches
	// them. PgBouncer in transaction mode needs pgx.QueryExecModeExec, which
	// sends vectors as text and is slower for that. IRIS has one mode of its own.
	ExecMode pgx.QueryExecMode
	// Tracer is told about everything that is sent.
	Tracer pgx.QueryTracer
}

// OpenPool opens a PostgreSQL database with pgvector over a pool that the caller
// has already. The pool stays the caller's: Close does not close it. Types that
// the caller registered on its connections go on working as before.
func OpenPool(ctx context.Context, pool *pgxpool.Pool) (*DB, error) {
	return Config{}.OpenPool(ctx, pool)
}

// OpenPool opens a database over a pool, as the function [OpenPool] does. Of
// the Config only the Logger is used.
func (cfg Config) OpenPool(ctx context.Context, pool *pgxpool.Pool) (*DB, error) {
	log := cfg.Logger
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	e, err := wire.UsePostgres(ctx, pool, wire.Options{Logger: log})
	if err != nil {
		return nil, wrap("open", "", err)
	}
	return &DB{engine: e, log: log}, nil
}

// options returns what package wire needs to open a URL.
func (s ServerConfig) options(url string, log *slog.Logger) wire.Options {
	return wire.Options{
		URL: url, MaxConns: s.MaxConns, MinConns: s.MinConns, MaxConnLifetime: s.MaxConnLifetime,
		ConnectTimeout: s.ConnectTimeout, StatementTimeout: s.StatementTimeout, ExecMode: s.ExecMode, Tracer: s.Tracer, Logger: log,
	}
}
