package pgvector

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/vecwire/vecwire/internal/engine"
	"github.com/vecwire/vecwire/internal/wire"
)

// extension says where pgvector is in a database.
type extension struct {
	schema  string
	version string
	vector  uint32 // the OID of the type vector, 0 if the extension is missing
	vectors uint32 // the OID of vector[]
}

// dialect implements wire.Dialect for PostgreSQL.
type dialect struct {
	ext   atomic.Pointer[extension]
	citus atomic.Bool // whether the database has Citus
}

func (d *dialect) setExtension(x extension) { d.ext.Store(&x) }

func (d *dialect) extension() extension {
	if x := d.ext.Load(); x != nil {
		return *x
	}
	return extension{}
}

// Prepare registers the types that vectors travel as, if this connection does
// not have them yet. Types that the pool's owner registered keep working.
func (d *dialect) Prepare(conn *pgx.Conn) {
	x, m := d.extension(), conn.TypeMap()
	if x.vector == 0 {
		return
	}
	if t, ok := m.TypeForOID(x.vector); ok {
		if _, ours := t.Codec.(vectorCodec); ours {
			return
		}
	}
	register := func(oid uint32, name string) {
		c := vectorCodec{vector: x.vector}
		if t, ok := m.TypeForOID(oid); ok {
			c.other, name = t.Codec, t.Name
		}
		m.RegisterType(&pgtype.Type{Name: name, OID: oid, Codec: c})
	}
	register(x.vector, "vector")
	register(x.vectors, "_vector")
	register(pgtype.Float8ArrayOID, "_float8")
}

// Again implements wire.Dialect: a deadlock, a failed serialization, and a plan
// that a schema change made unusable leave no trace, nor does what a server that
// stops or starts refuses.
func (d *dialect) Again(err error) wire.Again {
	pg, ok := errors.AsType[*pgconn.PgError](err)
	if !ok {
		return wire.Never
	}
	switch pg.Code {
	case "40001", "40P01":
		return wire.Conflict
	case "57P01", "57P02", "57P03", "53300":
		return wire.Later
	case "0A000":
		if pg.Routine == "RevalidateCachedQuery" {
			return wire.Conflict
		}
	}
	if d.citus.Load() && workerAway(pg) {
		return wire.Later
	}
	return wire.Never
}

// Explain implements wire.Dialect.
func (d *dialect) Explain(err error) error {
	pg, ok := errors.AsType[*pgconn.PgError](err)
	if !ok {
		return err
	}
	switch pg.Code {
	case "42P01", "3F000": // undefined_table, invalid_schema_name
		return fmt.Errorf("%w: %w", engine.ErrNotFound, err)
	case "42703": // undefined_column
		return fmt.Errorf("%w: open it again: %w", engine.ErrAltered, err)
	case "25006":
		return fmt.Errorf("nothing can be written here: the server is a standby, or default_transaction_read_only is on: %w", err)
	case "40001", "40P01":
		return fmt.Errorf("other transactions write the same again and again: %w", err)
	case "23505":
		return engine.Refused(fmt.Errorf("%w: %w", engine.ErrExists, err))
	case "54000": // program_limit_exceeded
		return engine.Refused(fmt.Errorf("a value is too long for the index over its field, which takes about 2,700 bytes: %w", err))
	case "57014":
		if !errors.Is(err, context.Canceled) {
			return fmt.Errorf("%w: %w", context.DeadlineExceeded, err)
		}
	}
	if d.citus.Load() && without(pg, elsewhereReports) && !errors.Is(err, engine.ErrUnsupported) {
		return fmt.Errorf("%w: this by a worker of Citus: open the database at the coordinator's address, "+
			"which is that of group 0 in pg_dist_node: %w", engine.ErrUnsupported, err)
	}
	switch pg.Code[:min(2, len(pg.Code))] {
	case "22", "23", "P0": // data exception, integrity constraint violation, an exception that a trigger raised
		return engine.Refused(err)
	}
	return err
}

// Remedy implements wire.Dialect.
func (d *dialect) Remedy(err error) string {
	pg, ok := errors.AsType[*pgconn.PgError](err)
	if !ok {
		return ""
	}
	switch pg.Code {
	case "28P01", "28000":
		return "check the URL's user and password, and the server's pg_hba.conf"
	case "3D000":
		return "check the URL's database, or make it: CREATE DATABASE"
	case "53300":
		return "the server takes no more connections: lower the pool's maximum, or raise max_connections"
	case "57P01", "57P02", "57P03":
		return "the server is starting, stopping or recovering: try again later"
	case "08P01":
		return "a connection pooler may refuse settings: leave Config.Server.StatementTimeout and the URL's parameters to the server"
	case "26000", "42P05":
		return "a connection pooler in transaction mode knows no prepared statements: " +
			"set Config.Server.ExecMode to pgx.QueryExecModeExec, or default_query_exec_mode=exec in the URL"
	}
	if d.citus.Load() && workerAway(pg) {
		return workerRemedy(pg)
	}
	return ""
}

func isCode(err error, codes ...string) bool {
	pg, ok := errors.AsType[*pgconn.PgError](err)
	return ok && slices.Contains(codes, pg.Code)
}
