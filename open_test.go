package vecwire

import (
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// What is no address makes no file, and the error says what can be done.
func TestOpenRefuses(t *testing.T) {
	t.Chdir(t.TempDir())
	for target, says := range map[string]string{
		"": "no database given", "http://example.com": `unknown scheme "http"`, "mem": "not a file's name",
		"v.db?sync=normal": "no parameters", "file:v.db?sync=maybe": "sync", "DB=postgres://a@b": "variable",
	} {
		_, err := Open(t.Context(), target)
		var e *ConnectError
		require.ErrorAs(t, err, &e)
		require.ErrorContains(t, err, says)
		require.True(t, strings.HasPrefix(err.Error(), "vecwire: open: "), "%v", err)
		require.NotEmpty(t, e.Remedy)
	}
	files, err := os.ReadDir(".")
	require.NoError(t, err)
	require.Empty(t, files)
}

// The servers of these URLs are not there: 127.0.0.1:1 refuses connections.
func TestOpenNeverShowsAPassword(t *testing.T) {
	const secret = "s3cr3t"
	for _, target := range []string{
		"postgres://app:s3cr3t@127.0.0.1:1/app",
		"postgres://app:s3cr3t@127.0.0.1:1/app?sslmode=nonsense",
		"postgres://app:s3cr3t%zz@127.0.0.1:1/app",
		"postgres://app:s3cr3t/x@127.0.0.1:1/app",
		"postgres://app:12#s3cr3t@127.0.0.1:1/app",
		"postgres://app:s3cr3t@127.0.0.1:1,127.0.0.1:2/app",
		"postgres://127.0.0.1:1/app?user=app&password=s3cr3t",
		"host=127.0.0.1 port=1 user=app password=s3cr3t",
		"host=127.0.0.1 port=x password=s3cr3t",
		"host=127.0.0.1 port=1 password='s3cr3t",
		"mysql://app:s3cr3t@db/app",
		"mysql://app:s3cr3t#x@db/app",
		"mysql://app:12/s3cr3t@db/app",
		"mysql://app:12#s3cr3t@db/app",
		"mysql://app@db/app?password=s3cr3t",
		"app:s3cr3t@db/app",
		"file://app:s3cr3t@host/x",
		"file:v.db?password=s3cr3t",
	} {
		t.Run(target, func(t *testing.T) {
			_, err := Open(t.Context(), target)
			require.Error(t, err)
			require.NotContains(t, err.Error(), secret)
			var e *ConnectError
			require.ErrorAs(t, err, &e)
			require.NotContains(t, e.Target+e.Remedy, secret)
		})
	}
}

// TestConfigRanges gives each number of a Config a negative value.
func TestConfigRanges(t *testing.T) {
	for field, cfg := range map[string]Config{
		"Config.LockTimeout": {LockTimeout: -1}, "Config.Memory": {Memory: math.MinInt64}, "ServerConfig.MaxConns": {Server: ServerConfig{MaxConns: -1}},
		"ServerConfig.MinConns": {Server: ServerConfig{MinConns: -1}}, "ServerConfig.MaxConnLifetime": {Server: ServerConfig{MaxConnLifetime: -1}},
		"ServerConfig.ConnectTimeout": {Server: ServerConfig{ConnectTimeout: -time.Second}}, "ServerConfig.StatementTimeout": {Server: ServerConfig{StatementTimeout: -1}},
	} {
		_, err := cfg.Open(t.Context(), "mem:")
		var value *ValueError
		require.ErrorAs(t, err, &value, field)
		require.Equal(t, field, value.Field)
		require.ErrorContains(t, err, "vecwire: open: "+field+" is -")
	}
}

func TestConfigLogger(t *testing.T) {
	var log strings.Builder
	logger := slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	db, err := Config{Logger: logger}.Open(t.Context(), "mem:")
	require.NoError(t, err)
	defer db.Close()
	_, err = db.CreateCollection(t.Context(), Schema{Name: "docs", Dim: 2})
	require.NoError(t, err)
	require.Contains(t, log.String(), "docs")
}

func TestOpenKeepsFilesThatAreNotItsOwn(t *testing.T) {
	for what, content := range map[string]string{
		"text": "not a database, but somebody's notes\n", "cut short": "SQLite format 3\x00\x10\x00", "zeros": strings.Repeat("\x00", 8192),
	} {
		t.Run(what, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "notes")
			require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
			_, err := Open(t.Context(), path)
			var e *ConnectError
			require.ErrorAs(t, err, &e)
			require.Contains(t, err.Error(), path)
			kept, err := os.ReadFile(path)
			require.NoError(t, err)
			require.Equal(t, content, string(kept), "the file was changed")
		})
	}
}

func TestOpenTwice(t *testing.T) {
	path := filepath.Join(t.TempDir(), "v.db")
	db, err := Open(t.Context(), path)
	require.NoError(t, err)
	again, err := Open(t.Context(), path)
	require.NoError(t, err)
	_, err = db.CreateCollection(t.Context(), Schema{Name: "docs", Dim: 2})
	require.NoError(t, err)
	docs, err := again.OpenCollection(t.Context(), "docs")
	require.NoError(t, err)
	require.NoError(t, db.DropCollection(t.Context(), "docs"))
	_, err = docs.Delete(t.Context(), "a")
	require.ErrorIs(t, err, ErrNotFound)
	require.NoError(t, db.Close())
	require.NoError(t, again.Close())
}
