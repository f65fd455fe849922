package peer

import (
	"context"
	"database/sql"

	_ "modernc.org/sqlite"     // the driver
	_ "modernc.org/sqlite/vec" // sqlite-vec, in Go

	"github.com/vecwire/vecwire/bench/contest"
	"github.com/vecwire/vecwire/codec"
)

// sqliteVec is sqlite-vec, translated into Go by modernc.org/sqlite: exact, and
// without SIMD.
type sqliteVec struct {
	loaded
	db    *sql.DB
	query *sql.Stmt
}

func (e *sqliteVec) Version() (v string) {
	_ = e.db.QueryRow("SELECT vec_version()").Scan(&v) // then "" is what is known
	return v
}

func (e *sqliteVec) Build(ctx context.Context) error {
	metric, err := metricOf(e.build, codec.L2, codec.Cosine)
	if err != nil {
		return err
	}
	if e.db, err = sql.Open("sqlite", ":memory:"); err != nil {
		return err
	}
	e.db.SetMaxOpenConns(1) // each connection would have a database of its own
	distance := map[codec.Metric]string{codec.L2: "l2", codec.Cosine: "cosine"}[metric]
	if _, err := e.db.ExecContext(ctx, "CREATE VIRTUAL TABLE docs USING vec0(vector float[128] distance_metric="+distance+")"); err != nil {
		return err
	}
	tx, err := e.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	insert, err := tx.PrepareContext(ctx, "INSERT INTO docs (rowid, vector) VALUES (?, ?)")
	if err != nil {
		return err
	}
	var blob []byte
	for row := range e.base.Rows() {
		blob = codec.AppendBlob(blob[:0], e.base.Row(row))
		if _, err := insert.ExecContext(ctx, row, blob); err != nil {
			return err
		}
	}
	e.base = nil
	if err := tx.Commit(); err != nil {
		return err
	}
	e.query, err = e.db.PrepareContext(ctx, "SELECT rowid FROM docs WHERE vector MATCH ? AND k = ? ORDER BY distance")
	return err
}

func (e *sqliteVec) Close() error {
	if e.db == nil {
		return nil
	}
	return e.db.Close()
}

func (e *sqliteVec) Searcher(string) (contest.Searcher, error) {
	return &sqliteSearcher{query: e.query}, nil
}

type sqliteSearcher struct {
	query *sql.Stmt
	blob  []byte
	found []int32
}

func (s *sqliteSearcher) Search(ctx context.Context, q []float32, k, _ int) error {
	s.blob, s.found = codec.AppendBlob(s.blob[:0], q), s.found[:0]
	rows, err := s.query.QueryContext(ctx, s.blob, k)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var row int32
		if err := rows.Scan(&row); err != nil {
			return err
		}
		s.found = append(s.found, row)
	}
	return rows.Err()
}

func (s *sqliteSearcher) Answer(dst []int32) ([]int32, error) { return append(dst, s.found...), nil }
