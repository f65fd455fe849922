//go:build !vecwire_noservers

package vecwire

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/vecwire/vecwire/internal/address"
	"github.com/vecwire/vecwire/internal/engine"
	"github.com/vecwire/vecwire/internal/fault"
	"github.com/vecwire/vecwire/internal/iris"
	"github.com/vecwire/vecwire/internal/pgvector"
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
	// Tracer is told about everything that is sent. What it panics over is lost.
	Tracer pgx.QueryTracer
}

// options returns what package wire needs to open a URL.
func (s ServerConfig) options(url string, log *slog.Logger) wire.Options {
	return wire.Options{
		URL: url, MaxConns: s.MaxConns, MinConns: s.MinConns, MaxConnLifetime: s.MaxConnLifetime,
		ConnectTimeout: s.ConnectTimeout, StatementTimeout: s.StatementTimeout, ExecMode: s.ExecMode, Tracer: s.Tracer, Logger: log,
	}
}

// openServer opens the server of an address.
func (cfg Config) openServer(ctx context.Context, a address.Address, log *slog.Logger) (engine.Engine, error) {
	server := cfg.Server.options(a.URL, log)
	if a.Kind == address.IRIS {
		return iris.Open(ctx, server)
	}
	e, err := pgvector.Open(ctx, server)
	if errors.Is(err, wire.ErrIsIRIS) {
		return iris.Open(ctx, server)
	}
	return e, err
}

// OpenPool opens a PostgreSQL database with pgvector over a pool that the caller
// has already. The pool stays the caller's: Close does not close it. Types that
// the caller registered on its connections go on working as before.
func OpenPool(ctx context.Context, pool *pgxpool.Pool) (*DB, error) {
	return Config{}.OpenPool(ctx, pool)
}

// OpenPool opens a database over a pool, as the function [OpenPool] does. The
// Config's Logger and Observer are used; Server is the pool's own matter.
func (cfg Config) OpenPool(ctx context.Context, pool *pgxpool.Pool) (*DB, error) {
	log := fault.Log(cfg.Logger)
	e, err := pgvector.Use(ctx, pool, wire.Options{Logger: log})
	if err != nil {
		return nil, wrap(OpOpen, "", err)
	}
	return cfg.over(e, log), nil
}

// WithPgxTx returns a context whose verbs take part in a transaction that the
// caller began with pgx, such as that of a job which stores rows of its own:
//
//	tx, err := pool.Begin(ctx)
//	…
//	_, err = tx.Exec(ctx, "INSERT INTO articles …")
//	err = docs.Upsert(vecwire.WithPgxTx(ctx, tx), records...)
//	err = tx.Commit(ctx)
//
// It is for collections of a PostgreSQL database, also attached ones, and the
// transaction must be of the same database of the same server, on whatever pool or
// connection. With any other the verb returns [ErrUnsupported] and does nothing; so
// do those of other engines, see [Capabilities]. The verbs of a collection can take
// part, but for Ingest, jobs, indexes and mirrors. Collections are opened, made and
// dropped outside.
//
// The transaction is the caller's: verbs see what it has done, others see what the
// verbs did once it is committed, and nothing if it is rolled back. Its isolation
// and its role apply. Nothing is run again: after a conflict, which is an error with
// a [*pgconn.PgError] in it, roll back and begin anew.
//
// A verb that fails is undone, by a savepoint, and leaves the rest of the
// transaction as it was: it can go on, and can be committed. If ctx ends while the
// server works on a verb, pgx closes the connection, and the transaction is lost.
//
// [DB.Tx] with such a context is a part of the transaction, with its isolation: what
// f did is undone if f fails, and stored with the rest otherwise. f runs again only
// for texts that are to be embedded.
//
// A verb embeds texts before its first statement, and the caller's locks are held
// meanwhile. It is better to embed before the transaction begins, with the Embedder
// itself, and to give records their vectors.
//
// One goroutine at a time can use a transaction, as in pgx. A verb that is called
// while another one, or an open query of the caller's, works on the connection is
// refused. After the transaction has ended every verb is.
func WithPgxTx(ctx context.Context, tx pgx.Tx) context.Context {
	return engine.WithCaller(ctx, &engine.Caller{Tx: tx})
}
