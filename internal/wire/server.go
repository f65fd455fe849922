package wire

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"math"
	"strings"
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
	Params           map[string]string // settings in small letters that each connection begins with, whatever the URL says
	Tracer           pgx.QueryTracer
	Notice           pgconn.NoticeHandler
	Logger           *slog.Logger
}

// A Dialect is what one kind of server says and understands, as far as the
// shared code has to know it.
type Dialect interface {
	// Again says whether a statement that failed with err may be run once more.
	Again(err error) Again
	// Explain turns a server's error into one of the engine's, or returns it as it is.
	Explain(err error) error
	// Remedy says what a user can do about a server that cannot be used, or "".
	Remedy(err error) string
	// Prepare readies a connection that was taken from the pool. It sends nothing.
	Prepare(conn *pgx.Conn)
}

// defaultConnectTimeout bounds connecting where neither the URL nor Options do.
const defaultConnectTimeout = 10 * time.Second

// Server is a pool of connections to one server.
type Server struct {
	Dialect
	Pool   *pgxpool.Pool
	Owned  bool // the pool is closed with the server
	Target string
	Log    *slog.Logger
	writes chan struct{} // one place for each operation that may write at the same time
	fanout int           // how many connections one call may use at the same time
}

// Apply sets what every server's pool takes in the same way.
func (o Options) Apply(cfg *pgxpool.Config) {
	if o.MaxConns > 0 {
		cfg.MaxConns = int32(min(o.MaxConns, math.MaxInt32))
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
		cfg.ConnConfig.Tracer = newTracer(o.Tracer)
	}
}

// Dial makes a pool. It connects to nothing yet.
func Dial(ctx context.Context, o Options, d Dialect) (*Server, error) {
	cfg, err := pgxpool.ParseConfig(o.URL)
	if err != nil {
		return nil, &engine.ConnectError{
			Target: DescribeURL(o.URL), Err: ParseError(o.URL, err),
			Remedy: "write postgres://user:password@host:5432/database and percent-encode special characters",
		}
	}
	o.Apply(cfg)
	cfg.ConnConfig.OnNotice = o.Notice
	if o.MinConns > 0 {
		cfg.MinConns = int32(min(o.MinConns, math.MaxInt32))
	}
	cfg.MinConns = min(cfg.MinConns, cfg.MaxConns)
	params := cfg.ConnConfig.RuntimeParams
	for name := range params {
		if _, ours := o.Params[strings.ToLower(name)]; ours {
			delete(params, name)
		}
	}
	maps.Copy(params, o.Params)
	if o.StatementTimeout > 0 {
		params["statement_timeout"] = fmt.Sprint(min(max(1, o.StatementTimeout.Milliseconds()), math.MaxInt32))
	}
	if o.ExecMode != 0 {
		cfg.ConnConfig.DefaultQueryExecMode = o.ExecMode
	}
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return nil, &engine.ConnectError{Target: DescribeURL(o.URL), Err: err}
	}
	s := NewServer(pool, o.Logger, d)
	s.Owned = true
	return s, nil
}

// NewServer returns a server over a pool, which stays its owner's.
func NewServer(pool *pgxpool.Pool, log *slog.Logger, d Dialect) *Server {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	cfg := pool.Config()
	conns := int(cfg.MaxConns)
	c := cfg.ConnConfig
	return &Server{
		Dialect: d, Pool: pool, Log: log,
		Target: fmt.Sprintf("postgres://%s@%s:%d/%s", c.User, c.Host, c.Port, c.Database),
		writes: make(chan struct{}, max(1, conns-1)),
		fanout: max(1, conns/2),
	}
}

// Close closes the pool if the server owns it.
func (s *Server) Close() {
	if s.Owned {
		s.Pool.Close()
	}
}

// Changes implements engine.Engine: nothing tells when others have changed something.
func (s *Server) Changes(context.Context) (uint64, error) { return 0, nil }

// Width says how many operations may usefully be run at the same time.
func (s *Server) Width() int { return s.fanout }

// Read runs an operation that changes nothing, and that may be run several times.
func (s *Server) Read(ctx context.Context, op func(*pgx.Conn) error) error {
	return s.Retry(ctx, 0, func() error { return s.With(ctx, op) })
}

// Write runs an operation that is a statement or transaction which leaves no trace
// if it fails, or comes to the same when it is run again.
func (s *Server) Write(ctx context.Context, op func(*pgx.Conn) error) error {
	leave, err := s.EnterWriters(ctx)
	if err != nil {
		return err
	}
	defer leave()
	return s.Retry(ctx, 0, func() error { return s.With(ctx, op) })
}

// EnterWriters waits for a writer's place. There is one place fewer than there
// are connections, so that writers never hold up queries altogether.
func (s *Server) EnterWriters(ctx context.Context) (leave func(), err error) {
	select {
	case s.writes <- struct{}{}:
		return func() { <-s.writes }, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("%d others write already: %w", cap(s.writes), context.Cause(ctx))
	}
}

// With runs op on a connection of the pool.
func (s *Server) With(ctx context.Context, op func(*pgx.Conn) error) error {
	conn, err := s.Pool.Acquire(ctx)
	if err != nil {
		if ctx.Err() != nil && s.Pool.Stat().AcquiredConns() >= s.Pool.Stat().MaxConns() {
			return fmt.Errorf("all %d connections of the pool are in use: %w", s.Pool.Stat().MaxConns(), err)
		}
		return err
	}
	defer conn.Release()
	s.Prepare(conn.Conn())
	err = op(conn.Conn())
	if err != nil && conn.Conn().IsClosed() {
		err = LostError{err}
	}
	return err
}
