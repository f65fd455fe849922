package testenv

import (
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

func TestIRISKeepsItsDataOverStopAndKill(t *testing.T) {
	s := IRIS(t, IRISOptions{})
	if s.Real {
		t.Skip("needs a server of its own")
	}
	ctx := t.Context()
	run := func(sql string) string {
		t.Helper()
		conn, err := pgx.Connect(ctx, s.PostgresURL())
		require.NoError(t, err)
		defer conn.Close(ctx)
		rows, err := conn.Query(ctx, sql, pgx.QueryExecModeSimpleProtocol)
		require.NoError(t, err)
		defer rows.Close()
		var out string
		for rows.Next() {
			out += string(rows.RawValues()[0])
		}
		require.NoError(t, rows.Err())
		return out
	}
	run("CREATE TABLE keep (id VARCHAR(10) PRIMARY KEY)")
	run("INSERT INTO keep (id) VALUES ('a')")
	s.Stop(t)
	_, err := pgx.Connect(ctx, s.PostgresURL())
	require.Error(t, err)
	s.Start(t)
	require.Equal(t, "a", run("SELECT id FROM keep"))
	run("INSERT INTO keep (id) VALUES ('b')")
	s.Kill(t)
	s.Start(t)
	require.Equal(t, "ab", run("SELECT id FROM keep ORDER BY 1"))
	require.NotEmpty(t, s.EngineLog(t, "insert into "))
}

func TestIRISSwitches(t *testing.T) {
	for _, tc := range []struct {
		hnsw     string
		accepted []bool // the full, the distance and the bare form
	}{
		{"full", []bool{true, true, true}},
		{"distance", []bool{false, true, true}},
		{"bare", []bool{false, false, true}},
		{"none", []bool{false, false, false}},
	} {
		t.Run(tc.hnsw, func(t *testing.T) {
			s := IRIS(t, IRISOptions{Version: IRISOldest, Switches: map[string]string{"HNSW": tc.hnsw, "VECTOR_TEXT": "canonical"}})
			if s.Real {
				t.Skip("needs the stand-in")
			}
			c := connectIRIS(t, s)
			tb := c.table(vectorTable)
			for i, form := range []string{"HNSW(Distance='Cosine', M=16, efConstruction=64)", "HNSW(Distance='Cosine')", "HNSW"} {
				got := c.exec(fmt.Sprintf("CREATE INDEX h%d ON %s (vec) AS %s", i, tb, form))
				require.Equal(t, tc.accepted[i], got == "ok", got)
			}
			require.Equal(t, "ok", c.exec("/*w*/ "+unionUpsert(tb, 1), "~a", 1, "[-0.5,1e-7,2]"))
			require.Equal(t, "-.5,1E-07,2", c.query("SELECT vec FROM "+tb))
		})
	}
}

func TestIRISPrefersTheGivenServer(t *testing.T) {
	t.Setenv("VECWIRE_TEST_IRIS", "postgres://u:p@db.example:5432/USER")
	s := IRIS(t, IRISOptions{Version: IRISOldest, Mode: IRISEmbedded})
	require.True(t, s.Real)
	require.Equal(t, "iris://u:p@db.example:5432/USER", s.URL())
	require.Equal(t, "postgres://u:p@db.example:5432/USER?sslmode=disable", s.PostgresURL())
	require.Empty(t, s.EngineLog(t, ""))
}
