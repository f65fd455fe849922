package peer

import (
	"context"
	"fmt"
	"strconv"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/pgvector/pgvector-go"
	pgxvec "github.com/pgvector/pgvector-go/pgx"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/bench/contest"
	"github.com/vecwire/vecwire/codec"
)

// Bare is the same search without Collection: through pgx alone, or of the index.
const Bare = "bare"

// server is what the engines behind a server have in common.
type server struct {
	loaded
	db   *vecwire.DB
	docs *vecwire.Collection
}

func (s *server) open(ctx context.Context, metric vecwire.Metric) (err error) {
	if s.build.URL == "" {
		return &contest.SkipError{Reason: "there is no server"}
	}
	if s.db, err = (vecwire.Config{Server: vecwire.ServerConfig{MaxConns: 1}}).Open(ctx, s.build.URL); err != nil {
		return err
	}
	s.docs, err = s.db.CreateCollection(ctx, schema(metric))
	return err
}

func (s *server) Close() error {
	if s.db == nil {
		return nil
	}
	return s.db.Close()
}

// postgres is our engine over pgvector and, beside it, the same SQL through pgx.
type postgres struct {
	server
	pool *pgxpool.Pool
}

func (e *postgres) Version() string {
	var server, vector string
	err := e.pool.QueryRow(context.Background(), "SELECT current_setting('server_version'), extversion FROM pg_extension WHERE extname = 'vector'").Scan(&server, &vector)
	if err != nil {
		return ""
	}
	return "PostgreSQL " + server + ", pgvector " + vector
}

func (e *postgres) Build(ctx context.Context) error {
	if err := e.open(ctx, vecwire.L2); err != nil {
		return err
	}
	if err := store(ctx, e.docs.Insert, e.base); err != nil {
		return err
	}
	e.base = nil
	options := vecwire.IndexOptions{M: graphM, EfConstruction: graphEfConstruction, MemoryBytes: 1 << 30, Workers: 1}
	if err := e.docs.BuildIndex(ctx, options); err != nil {
		return err
	}
	cfg, err := pgxpool.ParseConfig(e.build.URL)
	if err != nil {
		return err
	}
	cfg.MaxConns = 1
	cfg.AfterConnect = pgxvec.RegisterTypes
	e.pool, err = pgxpool.NewWithConfig(ctx, cfg)
	return err
}

func (e *postgres) Close() error {
	if e.pool != nil {
		e.pool.Close()
	}
	return e.server.Close()
}

func (e *postgres) Searcher(variant string) (contest.Searcher, error) {
	if variant == Bare {
		return &pgxSearcher{pool: e.pool}, nil
	}
	return newDocsSearcher(e.docs, variant, false)
}

// pgxSearcher runs the statements that our engine runs for IDs alone. Ours asks
// for eight rows more, so that ties come out in the order of their IDs.
type pgxSearcher struct {
	pool  *pgxpool.Pool
	found []string
}

const pgxSettings = "SELECT set_config('hnsw.ef_search', '100', true), set_config('hnsw.iterative_scan', 'relaxed_order', true)"

func (s *pgxSearcher) Search(ctx context.Context, q []float32, k, _ int) error {
	var batch pgx.Batch
	batch.Queue(pgxSettings)
	batch.Queue(`SELECT id, vector <-> $1 FROM docs ORDER BY vector <-> $1 LIMIT $2`, pgvector.NewVector(q), k+8)
	results := s.pool.SendBatch(ctx, &batch)
	defer func() { _ = results.Close() }()
	if _, err := results.Exec(); err != nil {
		return err
	}
	rows, err := results.Query()
	if err != nil {
		return err
	}
	s.found, err = scanIDs(s.found[:0], rows)
	s.found = s.found[:min(k, len(s.found))]
	return err
}

func (s *pgxSearcher) Answer(dst []int32) ([]int32, error) {
	return rowsOf(dst, s.found, func(id string) string { return id })
}

func scanIDs(dst []string, rows pgx.Rows) ([]string, error) {
	defer rows.Close()
	for rows.Next() {
		var id string
		var score float64
		if err := rows.Scan(&id, &score); err != nil {
			return dst, err
		}
		dst = append(dst, id)
	}
	return dst, rows.Err()
}

// iris is our engine over iris-pgwire and, beside it, the same SQL through pgx.
type iris struct {
	server
	conn *pgx.Conn
}

func (e *iris) Version() string { return "" }

func (e *iris) Build(ctx context.Context) error {
	if _, err := metricOf(e.build, codec.Cosine); err != nil {
		return err
	}
	if err := e.open(ctx, vecwire.Cosine); err != nil {
		return err
	}
	if err := store(ctx, e.docs.Upsert, e.base); err != nil {
		return err
	}
	e.base = nil
	var err error
	e.conn, err = pgx.Connect(ctx, "postgres"+e.build.URL[len("iris"):]+"?sslmode=disable")
	return err
}

func (e *iris) Close() error {
	if e.conn != nil {
		_ = e.conn.Close(context.Background())
	}
	return e.server.Close()
}

func (e *iris) Searcher(variant string) (contest.Searcher, error) {
	if variant == Bare {
		return &irisSearcher{conn: e.conn}, nil
	}
	return newDocsSearcher(e.docs, variant, false)
}

// irisSearcher uses the fastest of the forms that BenchmarkIRISSearch compares.
type irisSearcher struct {
	conn  *pgx.Conn
	found []string
}

func (s *irisSearcher) Search(ctx context.Context, q []float32, k, _ int) error {
	rows, err := s.conn.Query(ctx, "SELECT TOP "+strconv.Itoa(k)+" id, VECTOR_COSINE(vec, TO_VECTOR('"+string(codec.AppendText(nil, q))+"', FLOAT)) AS score FROM vw_docs ORDER BY 2 DESC",
		pgx.QueryExecModeSimpleProtocol)
	if err != nil {
		return err
	}
	if s.found, err = scanIDs(s.found[:0], rows); err != nil {
		return fmt.Errorf("through pgx: %w", err)
	}
	return nil
}

func (s *irisSearcher) Answer(dst []int32) ([]int32, error) {
	return rowsOf(dst, s.found, func(id string) string { return id })
}
