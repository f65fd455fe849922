package pgvector

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/vecwire/vecwire/internal/engine"
)

// A fork is a server that speaks PostgreSQL's protocol and is another program, of which
// so much differs that answers would be wrong without an error.
type fork struct {
	name  string
	mark  string // what its version() has in it
	lacks string // what does not hold there
}

var forks = []fork{
	{
		name: "CockroachDB", mark: "CockroachDB",
		lacks: "no search would run there (it has neither OPERATOR(schema.name) nor arrays of vectors), " +
			"a filter over an indexed String would leave out records without an error, and hnsw is another kind of index",
	},
	{
		name: "YugabyteDB", mark: "-YB-",
		lacks: "Ingest fails there (it has neither xmin nor xmax), and an index that BuildIndex makes would never be found, " +
			"so that each search compared every record without saying so",
	},
}

// refuseForks refuses a server that is one of forks, by what version() says.
func (e *database) refuseForks(ctx context.Context, conn *pgx.Conn) error {
	var version string
	if err := conn.QueryRow(ctx, "SELECT version()").Scan(&version); err != nil {
		return err
	}
	for _, f := range forks {
		if strings.Contains(version, f.mark) {
			return &engine.ConnectError{
				Target: e.Target,
				Err:    fmt.Errorf("%w: %s (%q): %s", engine.ErrUnsupported, f.name, version, f.lacks),
				Remedy: "use PostgreSQL with pgvector and, for more than one machine, Citus",
			}
		}
	}
	return nil
}
