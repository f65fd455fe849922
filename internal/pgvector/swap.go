package pgvector

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/vecwire/vecwire/internal/engine"
	"github.com/vecwire/vecwire/internal/wire"
)

// Swap implements engine.Engine. The registry says which table a collection
// has, and that is all that changes: tables keep their names, so a statement
// that another process has prepared means the table that it meant before, or
// none. A writer who waits for the lock finds his table gone.
func (e *database) Swap(ctx context.Context, w engine.Swap) error {
	var old, next *collection
	err := e.change(ctx, nil, func(conn *pgx.Conn) (err error) {
		if old, err = e.entry(ctx, conn, w.Name); err != nil {
			return err
		}
		if next, err = e.entry(ctx, conn, w.Next); err != nil {
			return err
		}
		if _, err := conn.Exec(ctx, "LOCK TABLE "+old.name+", "+next.name+" IN SHARE ROW EXCLUSIVE MODE"); err != nil {
			return err
		}
		if err := e.settle(ctx, conn, w, old, next); err != nil {
			return err
		}
		if w.Drop {
			if _, err := e.drop(ctx, conn, w.Name); err != nil {
				return err
			}
		} else if err := e.rename(ctx, conn, w.Name, w.Old); err != nil {
			return err
		}
		return e.rename(ctx, conn, w.Next, old.schema.Name)
	})
	if err == nil {
		e.renew(old.name)
		e.renew(next.name)
	}
	return err
}

// entry reads and locks what the registry says about a collection.
func (e *database) entry(ctx context.Context, conn *pgx.Conn, name string) (*collection, error) {
	var relation string
	var found wire.Spec
	err := conn.QueryRow(ctx, `SELECT table_name, spec FROM `+e.registry()+` WHERE name = $1::text FOR UPDATE`, strings.ToLower(name)).Scan(&relation, &found)
	if errors.Is(err, pgx.ErrNoRows) {
		err = engine.ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	schema, err := found.Schema()
	if err != nil {
		return nil, err
	}
	t := newTable(e.schema, relation, schema, e.extension())
	if err := e.placed(ctx, conn, t); err != nil {
		return nil, err
	}
	return e.open(t, &tableState{}), nil
}

// settle lets the caller settle inside the transaction.
func (e *database) settle(ctx context.Context, conn *pgx.Conn, w engine.Swap, old, next *collection) error {
	t := &tx{db: e, conn: conn}
	defer func() { _ = t.End() }() // also after a panic
	if err := w.Settle(engine.WithTx(ctx, e, t), old, next); err != nil {
		return err
	}
	return t.End()
}

// rename gives an entry of the registry another name.
func (e *database) rename(ctx context.Context, conn *pgx.Conn, from, to string) error {
	_, err := conn.Exec(ctx, `UPDATE `+e.registry()+` SET name = $2::text, spec = jsonb_set(spec, '{name}', to_jsonb($3::text)) WHERE name = $1::text`,
		strings.ToLower(from), strings.ToLower(to), to)
	if isCode(err, "23505") {
		return fmt.Errorf("the collection %s %w", to, engine.ErrExists)
	}
	return err
}
