package pgvector

import (
	"bytes"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/internal/engine"
	"github.com/vecwire/vecwire/internal/testenv"
	"github.com/vecwire/vecwire/internal/wire"
	"github.com/vecwire/vecwire/internal/wire/wiretest"
)

// TestIndexNotices has a trigger that says something of its own during a build.
func TestIndexNotices(t *testing.T) {
	var log bytes.Buffer
	url := testenv.Postgres(t)
	e := openDatabase(t, wire.Options{URL: url, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	c := create(t, e, engine.Schema{Name: "noted", Dim: 16, Fields: wiretest.Buckets})
	require.NoError(t, c.Insert(t.Context(), wiretest.Records("r", 5_000, 16, codec.FLOAT)))
	execute(t, url, `CREATE FUNCTION says() RETURNS event_trigger LANGUAGE plpgsql AS
		$$BEGIN RAISE NOTICE 'an index is made' USING HINT = 'none'; RAISE WARNING 'beware'; END$$`,
		`CREATE EVENT TRIGGER says ON ddl_command_start WHEN TAG IN ('CREATE INDEX') EXECUTE FUNCTION says()`)

	require.NoError(t, c.BuildIndex(t.Context(), engine.IndexPlan{MemoryBytes: 64 << 20}))
	require.Contains(t, log.String(), `level=INFO msg="building an index: an index is made" collection=noted hint=none`+"\n")
	require.Contains(t, log.String(), `level=WARN msg="building an index: beware" collection=noted`+"\n")
	require.NotContains(t, log.String(), "MemoryBytes")

	require.NoError(t, c.BuildIndex(t.Context(), engine.IndexPlan{M: 8, MemoryBytes: 1 << 20}))
	require.Regexp(t, `level=WARN msg="building an index: [^\n]*maintenance_work_mem[^\n]*MemoryBytes`, log.String())
}
