package pgvector

import (
	"os"
	"os/exec"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
	"github.com/vecwire/vecwire/internal/testenv"
	"github.com/vecwire/vecwire/internal/wire"
	"github.com/vecwire/vecwire/internal/wire/wiretest"
)

// TestFailureDiskFull fills a small file system that holds the table.
func TestFailureDiskFull(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root, to mount a small file system")
	}
	server := testenv.StartPostgres(t, nil)
	dir, err := os.MkdirTemp("", "vecwire-full")
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=6m"); err != nil {
		t.Skipf("a file system cannot be mounted here: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	require.NoError(t, exec.Command("chown", "nobody", dir).Run())
	target := server.CreateDatabase(t)
	e := openDatabase(t, wire.Options{URL: target})
	c := create(t, e, engine.Schema{Name: "full", Dim: 64, Fields: wiretest.Buckets})
	require.NoError(t, e.With(t.Context(), func(conn *pgx.Conn) error {
		if _, err := conn.Exec(t.Context(), "CREATE TABLESPACE small LOCATION '"+dir+"'"); err != nil {
			return err
		}
		_, err := conn.Exec(t.Context(), "ALTER TABLE "+c.name+" SET TABLESPACE small")
		return err
	}))
	t.Cleanup(func() { _ = e.Drop(t.Context(), "full") })

	require.NoError(t, c.Upsert(t.Context(), wiretest.Records("a", 1_000, 64, codec.FLOAT)))
	for _, store := range []func() error{
		func() error { return c.Upsert(t.Context(), wiretest.Records("b", 20_000, 64, codec.FLOAT)) },
		func() error { return c.Insert(t.Context(), wiretest.Records("c", 20_000, 64, codec.FLOAT)) },
	} {
		err := store()
		require.ErrorContains(t, err, "No space left on device")
		require.True(t, isCode(err, "53100"))
		n, err := c.Count(t.Context(), filter.Filter{})
		require.NoError(t, err)
		require.Equal(t, 1_000, n, "of a call that failed nothing is stored")
	}
}
