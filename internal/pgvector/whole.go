package pgvector

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// freeTries is how often an operation of whole is tried before it keeps other writers
// from its table: each try fails only because another one was faster.
const freeTries = 3

// whole implements runner. At READ COMMITTED a statement that waits for another
// transaction sees what that changed in the record it waited for, and nothing else of
// it: a DeleteWhere beside one that exchanges two records' values would meet neither, and
// a Delete beside one that stores a record again would leave it. A serializable
// statement fails instead, and is run again. After some tries it locks the table, which
// waits for the writers that are there, so that an operation of any length ends.
func (e *database) whole(ctx context.Context, table string, op func(*pgx.Conn) error) error {
	if e.citus.Load() { // has no such transactions
		return e.change(ctx, nil, op)
	}
	tries, lock := 0, true
	begin := func(ctx context.Context, conn *pgx.Conn) (commit, error) {
		if tries++; tries > freeTries && lock {
			c, err := e.begin(ctx, conn, serializable, "LOCK TABLE "+table+" IN SHARE ROW EXCLUSIVE MODE")
			// 42501: who may change some of the columns alone; 42809: not a table, or view.
			if lock = !isCode(err, "42501", "42809"); lock {
				return c, err
			}
			undo(ctx, conn)
		}
		return e.begin(ctx, conn, serializable)
	}
	return e.commit(ctx, nil, begin, ending(ctx, op))
}
