package pgvector

import "github.com/jackc/pgx/v5"

// searchBatch is a search with what comes before it.
type searchBatch struct {
	pgx.Batch
	before int  // statements before the search
	begins bool // it is a transaction of its own
}

// searchBatch makes the statements of a search one transaction, with which the settings
// end. Here they are one because nothing separates them (PostgreSQL, "Pipelining").
// Citus sends a setting to its workers if it is made by SET LOCAL, and not by a
// function, and between BEGIN and COMMIT.
func (c *collection) searchBatch(conn *pgx.Conn, settings []setting, sql string, args []any) (b searchBatch) {
	if !c.place.remote() {
		b.Queue(setSQL(settings))
		b.Queue(sql, args...)
		b.before = 1
		return b
	}
	if b.begins = conn.PgConn().TxStatus() == 'I'; b.begins {
		b.Queue("BEGIN")
	}
	b.Queue("SET LOCAL citus.propagate_set_commands = 'local'")
	for _, s := range settings {
		b.Queue("SET LOCAL " + s.name + " = '" + s.value + "'")
	}
	b.before = b.Len()
	b.Queue(sql, args...)
	if b.begins {
		b.Queue("COMMIT")
	}
	return b
}
