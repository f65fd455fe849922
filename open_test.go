package vecwire

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/internal/local"
)

func TestLocalOptions(t *testing.T) {
	tests := []struct {
		target string
		want   local.Options
	}{
		{"vectors.db", local.Options{Path: "vectors.db"}},
		{"./a b/vectors.db", local.Options{Path: "./a b/vectors.db"}},
		{"/var/lib/v.db", local.Options{Path: "/var/lib/v.db"}},
		{`C:\data\v.db`, local.Options{Path: `C:\data\v.db`}},
		{"C:/data/v.db", local.Options{Path: "C:/data/v.db"}},
		{"dir.d/a:b", local.Options{Path: "dir.d/a:b"}},
		{"100%.db", local.Options{Path: "100%.db"}},
		{"what?.db", local.Options{Path: "what?.db"}},
		{"file:vectors.db", local.Options{Path: "vectors.db"}},
		{"FILE:vectors.db", local.Options{Path: "vectors.db"}},
		{"file:/var/lib/v.db", local.Options{Path: "/var/lib/v.db"}},
		{"file:///var/lib/v.db", local.Options{Path: "/var/lib/v.db"}},
		{"file://localhost/v.db", local.Options{Path: "/v.db"}},
		{"file:a%20b%3F.db", local.Options{Path: "a b?.db"}},
		{"file:v.db?sync=full", local.Options{Path: "v.db"}},
		{"file:v.db?sync=normal", local.Options{Path: "v.db", SyncNormal: true}},
		{"mem:", local.Options{}},
	}
	for _, tt := range tests {
		t.Run(tt.target, func(t *testing.T) {
			got, err := localOptions(schemeOf(tt.target), tt.target)
			require.NoError(t, err)
			require.Equal(t, tt.want, got)
		})
	}
}

func TestSchemeOf(t *testing.T) {
	for target, want := range map[string]string{
		"v.db": "", "": "", "C:/v.db": "", "./a:b": "", "dir/a:b": "", "mem:": "mem", "File:v.db": "file",
		"postgres://db/app": "postgres", "POSTGRESQL://db/app": "postgresql", "iris://db/USER": "iris", "git+ssh://x": "git+ssh",
		"host=db password=x": "postgres", " user = app": "postgres", "dbname=app": "postgres", "hostile.db": "",
	} {
		require.Equal(t, want, schemeOf(target), "%q", target)
	}
}

func TestOpenRefuses(t *testing.T) {
	tests := []struct{ target, says string }{
		{"", "no database given"},
		{"http://example.com", `unknown scheme "http"`},
		{"sqlite:v.db", `unknown scheme "sqlite"`},
		{"file:", "no path"},
		{"file:?sync=full", "no path"},
		{"file://", "names a host"},
		{"file://server/v.db", "names a host"},
		{"file://localhostile/v.db", "names a host"},
		{"file:%zz.db", "no path"},
		{"file:v.db?sync=maybe", "sync"},
		{"file:v.db?mode=ro", "mode"},
		{"mem:x", "mem: takes no path"},
		{"mem:?sync=full", "no parameters"},
		{"file:v.db?sync=%zz", "cannot be read"},
	}
	for _, tt := range tests {
		t.Run(tt.target, func(t *testing.T) {
			_, err := Open(t.Context(), tt.target)
			var e *ConnectError
			require.ErrorAs(t, err, &e)
			require.ErrorContains(t, err, tt.says)
			require.True(t, strings.HasPrefix(err.Error(), "vecwire: open: "), "%v", err)
			require.NotEmpty(t, e.Remedy, "an error says what can be done")
		})
	}
	require.NoFileExists(t, "v.db")
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
	_, err = Open(t.Context(), path)
	var e *ConnectError
	require.ErrorAs(t, err, &e, "one process at a time, and one DB in it")
	require.NoError(t, db.Close())
	db, err = Open(t.Context(), path)
	require.NoError(t, err, "closing frees the file")
	require.NoError(t, db.Close())
}
