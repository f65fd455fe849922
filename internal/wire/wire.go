// Package wire holds the engines that talk to a server over a pgx pool.
//
// What all servers share is in server: the pool, running a statement again when
// the server says that it may be, leaving queries a connection while writers
// are busy, and telling users what to do about a server that cannot be reached.
// Everything that one kind of server understands (its SQL, the forms of
// arguments and results, its error codes) is in the files that bear its name,
// such as pgvector.go. The package knows nothing of the root package.
package wire

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/vecwire/vecwire/internal/engine"
)

// Options says how a server is opened. Zero values leave a setting to the URL,
// and what the URL does not set to pgx.
type Options struct {
	URL              string
	MaxConns         int
	MinConns         int
	MaxConnLifetime  time.Duration
	ConnectTimeout   time.Duration
	StatementTimeout time.Duration
	ExecMode         pgx.QueryExecMode
	Tracer           pgx.QueryTracer
	Logger           *slog.Logger
}

// A dialect is what one kind of server says and understands, as far as the
// shared code has to know it.
type dialect interface {
	// again reports whether a statement that failed with err left no trace, so
	// that it may be run once more.
	again(err error) bool
	// explain turns a server's error into one of the engine's, or returns it as it is.
	explain(err error) error
	// remedy says what a user can do about a server that cannot be used, or "".
	remedy(err error) string
	// prepare readies a connection that was taken from the pool. It sends nothing.
	prepare(conn *pgx.Conn)
}

// defaultConnectTimeout bounds connecting where neither the URL nor Options do.
const defaultConnectTimeout = 10 * time.Second

// A failed operation is run again for so long, which a server needs to restart,
// with pauses that grow from the first to the last of these.
const (
	retryFor   = 30 * time.Second
	firstPause = 10 * time.Millisecond
	lastPause  = time.Second
)

// server is a pool of connections to one server.
type server struct {
	dialect
	pool   *pgxpool.Pool
	owned  bool // the pool is closed with the server
	target string
	log    *slog.Logger
	writes chan struct{} // one place for each operation that may write at the same time
	fanout int           // how many connections one call may use at the same time
}

// apply sets what every server's pool takes in the same way.
func (o Options) apply(cfg *pgxpool.Config) {
	if o.MaxConns > 0 {
		cfg.MaxConns = int32(o.MaxConns)
	}
	if o.MaxConnLifetime > 0 {
		cfg.MaxConnLifetime = o.MaxConnLifetime
	}
	switch {
	case o.ConnectTimeout > 0:
		cfg.ConnConfig.ConnectTimeout = o.ConnectTimeout
	case cfg.ConnConfig.ConnectTimeout == 0:
		cfg.ConnConfig.ConnectTimeout = defaultConnectTimeout
	}
	if o.Tracer != nil {
		cfg.ConnConfig.Tracer = o.Tracer
	}
}

// dial makes a pool. It connects to nothing yet.
func dial(ctx context.Context, o Options, d dialect) (*server, error) {
	cfg, err := pgxpool.ParseConfig(o.URL)
	if err != nil {
		return nil, &engine.ConnectError{
			Target: describeURL(o.URL), Err: parseError(o.URL, err),
			Remedy: "write postgres://user:password@host:5432/database and percent-encode special characters",
		}
	}
	o.apply(cfg)
	if o.MinConns > 0 {
		cfg.MinConns = int32(o.MinConns)
	}
	cfg.MinConns = min(cfg.MinConns, cfg.MaxConns)
	if o.StatementTimeout > 0 {
		cfg.ConnConfig.RuntimeParams["statement_timeout"] = fmt.Sprint(max(1, o.StatementTimeout.Milliseconds()))
	}
	if o.ExecMode != 0 {
		cfg.ConnConfig.DefaultQueryExecMode = o.ExecMode
	}
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return nil, &engine.ConnectError{Target: describeURL(o.URL), Err: err}
	}
	s := newServer(pool, o.Logger, d)
	s.owned = true
	return s, nil
}

func newServer(pool *pgxpool.Pool, log *slog.Logger, d dialect) *server {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	cfg := pool.Config()
	conns := int(cfg.MaxConns)
	c := cfg.ConnConfig
	return &server{
		dialect: d, pool: pool, log: log,
		target: fmt.Sprintf("postgres://%s@%s:%d/%s", c.User, c.Host, c.Port, c.Database),
		writes: make(chan struct{}, max(1, conns-1)),
		fanout: max(1, conns/2),
	}
}

func (s *server) close() {
	if s.owned {
		s.pool.Close()
	}
}

// A runner runs operations on a connection: a server's pool, or a transaction.
// An operation may be run more than once and must give the same result then.
type runner interface {
	// read runs an operation that changes nothing.
	read(ctx context.Context, op func(*pgx.Conn) error) error
	// write runs an operation that is one statement, or fails without a trace.
	write(ctx context.Context, op func(*pgx.Conn) error) error
	// begin runs f inside a transaction on a connection that write gave.
	begin(ctx context.Context, conn *pgx.Conn, f func() error) error
	// width says how many operations may usefully be run at the same time.
	width() int
}

func (s *server) width() int { return s.fanout }

func (s *server) read(ctx context.Context, op func(*pgx.Conn) error) error {
	return s.retry(ctx, func() error { return s.with(ctx, op) })
}

func (s *server) write(ctx context.Context, op func(*pgx.Conn) error) error {
	leave, err := s.enterWriters(ctx)
	if err != nil {
		return err
	}
	defer leave()
	return s.retry(ctx, func() error { return s.with(ctx, op) })
}

func (s *server) begin(ctx context.Context, conn *pgx.Conn, f func() error) error {
	return pgx.BeginFunc(ctx, conn, func(pgx.Tx) error { return f() })
}

// inTx runs an operation as one transaction.
func inTx(ctx context.Context, r runner, op func(*pgx.Conn) error) error {
	return r.write(ctx, func(conn *pgx.Conn) error {
		return r.begin(ctx, conn, func() error { return op(conn) })
	})
}

// enterWriters waits for a writer's place. There is one place fewer than there
// are connections, so that writers never hold up queries altogether.
func (s *server) enterWriters(ctx context.Context) (leave func(), err error) {
	select {
	case s.writes <- struct{}{}:
		return func() { <-s.writes }, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("%d others write already: %w", cap(s.writes), context.Cause(ctx))
	}
}

// lostError is the error of an operation whose connection broke under it.
type lostError struct{ error }

func (e lostError) Unwrap() error { return e.error }

// with runs op on a connection of the pool.
func (s *server) with(ctx context.Context, op func(*pgx.Conn) error) error {
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		if ctx.Err() != nil && s.pool.Stat().AcquiredConns() >= s.pool.Stat().MaxConns() {
			return fmt.Errorf("all %d connections of the pool are in use: %w", s.pool.Stat().MaxConns(), err)
		}
		return err
	}
	defer conn.Release()
	s.prepare(conn.Conn())
	err = op(conn.Conn())
	if err != nil && conn.Conn().IsClosed() {
		err = lostError{err}
	}
	return err
}

// retry runs op until it succeeds, fails for good, or has failed for too long.
// The error it returns is explained.
func (s *server) retry(ctx context.Context, op func() error) error {
	begin, pause := time.Now(), firstPause
	for {
		err := op()
		if err == nil {
			return nil
		}
		if ctx.Err() != nil || !s.transient(err) || time.Since(begin)+pause > retryFor {
			return s.failure(err)
		}
		s.log.DebugContext(ctx, "running an operation again", "server", s.target, "after", pause, "err", err)
		select {
		case <-ctx.Done():
			return s.failure(err)
		case <-time.After(pause/2 + rand.N(pause)):
		}
		pause = min(2*pause, lastPause)
	}
}

// transient reports whether an operation that failed with err is worth another try.
func (s *server) transient(err error) bool {
	if s.again(err) {
		return true
	}
	if _, answered := errors.AsType[*pgconn.PgError](err); answered {
		return false
	}
	if lost, ok := errors.AsType[lostError](err); ok {
		return !errors.Is(lost, context.DeadlineExceeded) // of a statement: its server may be working on it still
	}
	_, ok := errors.AsType[*pgconn.ConnectError](err)
	return ok && !permanent(err)
}

// failure returns err as users know it.
func (s *server) failure(err error) error {
	if remedy := s.remedy(err); remedy != "" {
		return &engine.ConnectError{Target: s.target, Err: err, Remedy: remedy}
	}
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return &engine.ConnectError{Target: s.target, Err: err, Remedy: connectRemedy(err)}
	}
	return s.explain(err)
}
