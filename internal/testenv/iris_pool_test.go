package testenv

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

// irisConnections opens n connections, runs three statements on each, and
// returns what the first failure was, or "". keep leaves them open.
func irisConnections(t testing.TB, s *IRISServer, n int, keep bool) string {
	t.Helper()
	for i := range n {
		conn := dialIRIS(t, s)
		for range 3 {
			ctx, cancel := context.WithTimeout(t.Context(), 8*time.Second)
			_, err := rowsAsText(ctx, conn, "SELECT 1 AS x WHERE 1 = $1", pgx.QueryExecModeExec, 1)
			cancel()
			if err != nil {
				return fmt.Sprintf("connection %d: %s", i+1, outcome(err))
			}
		}
		if !keep {
			require.NoError(t, conn.Close(t.Context()))
		}
	}
	return ""
}

// The executor of 1.7.3 in external mode loses one of its PGWIRE_POOL_SIZE (10)
// engine connections for every client connection that comes and goes, until it
// has none left and answers nobody. A pool over it must never recycle.
func TestIRISConnectionsThatComeAndGo(t *testing.T) {
	for _, kind := range someKinds() {
		t.Run(kind.Version+"/"+string(kind.Mode), func(t *testing.T) {
			t.Parallel()
			s := IRIS(t, kind)
			failure := irisConnections(t, s, 12, false)
			switch {
			case s.Real:
				t.Logf("12 connections one after the other: %q", failure)
			case kind.Version == IRISLatest && kind.Mode == IRISExternal:
				require.Contains(t, failure, "Connection pool timeout")
			default:
				require.Empty(t, failure)
			}
		})
	}
}

func TestIRISConnectionsAtOnce(t *testing.T) {
	for _, kind := range someKinds() {
		t.Run(kind.Version+"/"+string(kind.Mode), func(t *testing.T) {
			t.Parallel()
			s := IRIS(t, kind)
			failure := irisConnections(t, s, 12, true)
			switch {
			case s.Real:
				t.Logf("12 connections at once: %q", failure)
			case kind.Version == IRISLatest && kind.Mode == IRISExternal:
				require.NotEmpty(t, failure)
			default:
				require.Empty(t, failure)
			}
		})
	}
}
