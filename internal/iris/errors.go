package iris

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/vecwire/vecwire/internal/engine"
	"github.com/vecwire/vecwire/internal/wire"
)

// dialect implements wire.Dialect for iris-pgwire.
type dialect struct{}

func (dialect) Prepare(*pgx.Conn) {}

var sqlcodeRE = regexp.MustCompile(`SQLCODE:\s*<?(-?\d{1,5})>?`)

// sqlcode returns the number that IRIS gives an error (InterSystems, "SQL Error
// Messages"), 0 if there is none. SQLSTATEs differ between versions of the server
// and say nothing: 08000 is no lost connection.
func sqlcode(err error) int {
	pg, ok := errors.AsType[*pgconn.PgError](err)
	if !ok {
		return 0
	}
	found := sqlcodeRE.FindStringSubmatch(pg.Message)
	if found == nil {
		return 0
	}
	code, _ := strconv.Atoi(found[1])
	return code
}

func isSQLCode(err error, codes ...int) bool {
	return err != nil && slices.Contains(codes, sqlcode(err))
}

// Again implements wire.Dialect: a row that another holds locked, and a server that
// takes no TLS, as most do not, and then failed without it.
func (dialect) Again(err error) wire.Again {
	if isSQLCode(err, -110, -111, -114) {
		return wire.Conflict
	}
	const noTLS = "server refused TLS connection"
	connect, ok := errors.AsType[*pgconn.ConnectError](err)
	if ok && strings.Contains(connect.Error(), noTLS) && !strings.HasSuffix(connect.Error(), noTLS) {
		return wire.Later
	}
	return wire.Never
}

// Explain implements wire.Dialect.
func (dialect) Explain(err error) error {
	switch sqlcode(err) {
	case -30:
		return fmt.Errorf("%w: %w", engine.ErrNotFound, err)
	case -119, -120:
		return fmt.Errorf("%w: %w", engine.ErrExists, err)
	case -99:
		return fmt.Errorf("the server's user lacks a privilege: %w", err)
	}
	return err
}

// Remedy implements wire.Dialect.
func (dialect) Remedy(err error) string {
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		switch {
		case strings.Contains(pg.Message, "onnection pool timeout"):
			return "the server has no connection to IRIS left: raise PGWIRE_POOL_SIZE or run it with PGWIRE_BACKEND_TYPE=dbapi, and restart it"
		case pg.Code == "28000":
			return "the server asks for SCRAM, in a form that no correct client can answer: switch it off, and let the network protect the server"
		}
		return ""
	}
	if _, lost := errors.AsType[wire.LostError](err); lost && !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, context.Canceled) {
		return "the connection was lost or garbled again and again: check the server's log"
	}
	return ""
}

// refused reports whether the engine refused what a write would store, and would
// refuse it again. All else may be the server's trouble, not the record's.
func refused(err error) bool {
	return isSQLCode(err,
		-104,             // a value failed its validation
		-108,             // a value is missing
		-105,             // the same, for an UPDATE
		-119, -120, -121, // not unique, in a column other than the key
		-122, -123, -124, -127, // referential integrity
		-257, -258, -259, // a vector of another length, or element type
		-306, -400, // a value that cannot be converted; any other error at run time
	)
}
