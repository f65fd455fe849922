package local

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/vecwire/vecwire/internal/engine"
)

// copyHeld is copyPages for a store in memory, with the vectors that SQLite does not have. The
// turn keeps writers out meanwhile.
func (s *store) copyHeld(job *copying, to string) (err error) {
	if err := s.takeTurn(job.ctx, call{verb: "Backup"}); err != nil {
		return err
	}
	defer s.endTurn()
	if err := s.copyPages(job, to); err != nil {
		return err
	}
	// What is left of this when it is interrupted is written again, so that it needs no
	// journal, which would be taken for one of the pages that are there then.
	db, err := openPool(fileURI(to) + "?_pragma=journal_mode(OFF)&_pragma=synchronous(OFF)")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	db.SetMaxOpenConns(1)
	schemas, ids, err := readSchemas(job.ctx, db, "ORDER BY id")
	if err != nil {
		return err
	}
	total := int64(0)
	counts := make([]int64, len(schemas))
	for i, schema := range schemas {
		if err := db.QueryRowContext(job.ctx, "SELECT count(*) FROM "+dataTable(schema.Name)).Scan(&counts[i]); err != nil {
			return err
		}
		total += counts[i] * int64(schema.Dim*schema.Element.Size())
	}
	job.begin("vectors", total)
	tx, err := db.BeginTx(job.ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // does nothing after a commit
	for i, schema := range schemas {
		if err := job.putVectors(tx, schema, counts[i], s.heldIn(ids[i])); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// putVectors writes the vectors of a collection into a copy that lacks them. In the order of
// the rows: SQLite fills pages then as if they were new.
func (j *copying) putVectors(tx *sql.Tx, s engine.Schema, count int64, held vectorSource) error {
	if count == 0 {
		return nil
	}
	ctx := context.WithoutCancel(j.ctx) // done looks at it
	rows := make([]int32, 0, count)
	err := eachRow(ctx, tx, fmt.Sprintf("SELECT %s FROM %s ORDER BY 1", rowColumn, dataTable(s.Name)), nil, func(v []any) {
		if row, ok := v[0].(int64); ok {
			rows = append(rows, int32(row))
		}
	})
	if err != nil {
		return err
	}
	put, err := tx.PrepareContext(ctx, fmt.Sprintf("UPDATE %s SET vector = ? WHERE %s = ?", dataTable(s.Name), rowColumn))
	if err != nil {
		return err
	}
	defer put.Close()
	var blob []byte
	for _, row := range rows {
		v, ok := held(row)
		if !ok {
			return fmt.Errorf("%w: row %d of %q has no vector", errDamaged, row, s.Name)
		}
		blob = appendVector(blob[:0], v)
		if _, err := put.ExecContext(ctx, blob, row); err != nil {
			return err
		}
		if err := j.done(len(blob)); err != nil {
			return err
		}
	}
	return nil
}
