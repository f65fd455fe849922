package vecwire

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestSecretsInNoErrorOfTheChain opens addresses in every form that a password has, and
// looks at every error within the one that is returned, in each way that one is printed,
// at the log, and at the files that are there afterwards.
func TestSecretsInNoErrorOfTheChain(t *testing.T) {
	const plain = `s3 cr3t@/:%`
	encoded := url.QueryEscape(plain)
	path := url.PathEscape(plain)
	double := url.PathEscape(path)
	quoted := strings.ReplaceAll(plain, " ", `\ `)
	targets := []string{
		"postgres://app:" + path + "@127.0.0.1:1/app", "POSTGRES://app:" + path + "@127.0.0.1:1/app", "postgresql://:" + path + "@127.0.0.1:1/app",
		"postgres://app:" + double + "@127.0.0.1:1/app", "postgres://app:" + path + "@[::1]:1/app", "postgres://app:" + path + "@[::1/app",
		"postgres://app:" + path + "@127.0.0.1:99999/app", "postgres://app:" + path + "@127.0.0.1:x/app", "postgres://app:" + path + "@127.0.0.1:1/app?connect_timeout=x",
		"postgres://127.0.0.1:1/app?password=" + encoded, "postgres://127.0.0.1:1/app?user=a&password=x&password=" + encoded,
		"postgres://127.0.0.1:1/app?sslpassword=" + encoded, "postgres://127.0.0.1:1/app?sslmode=verify-full&sslkey=/none&sslcert=/none&sslpassword=" + encoded,
		"postgres://127.0.0.1:1/app?pool_max_conns=x&password=" + encoded, "postgres://127.0.0.1:1/app?PASSWORD=" + encoded,
		"postgres:/app:" + path + "@127.0.0.1:1/app", "postgres:app:" + path + "@127.0.0.1:1/app", "postgres//app:" + path + "@127.0.0.1:1/app",
		"postgresql+psycopg://app:" + path + "@127.0.0.1:1/app", "jdbc:postgresql://127.0.0.1:1/app?user=app&password=" + encoded,
		"host=127.0.0.1 port=1 password='" + plain + "'", "host=127.0.0.1 port=1 password=" + quoted, "host=127.0.0.1 port=1 password = '" + plain + "'",
		"host=127.0.0.1\tport=1\npassword='" + plain + "'", "host=127.0.0.1 port=1 sslpassword='" + plain + "'", "password='" + plain + "' host=127.0.0.1 port=1 sslmode=no",
		"host=127.0.0.1 port=1 options='-c x=" + plain + "' password='" + plain + "' target_session_attrs=no", "PASSWORD='" + plain + "' host=127.0.0.1 port=1",
		"iris://app:" + path + "@127.0.0.1:1/USER", "iris://app:" + path + "@127.0.0.1:x/USER", "iris://127.0.0.1:1/USER?password=" + encoded, "iris:app:" + path + "@127.0.0.1:1/USER",
		"\ufeffpostgres://app:" + path + "@127.0.0.1:1/app", "export DATABASE_URL=postgres://app:" + path + "@127.0.0.1:1/app", "\"postgres://app:" + path + "@127.0.0.1:1/app\"",
		"psql 'postgres://app:" + path + "@127.0.0.1:1/app'", "redis://:" + path + "@127.0.0.1:1/0", "sqlite:///v.db?key=" + encoded, "app:" + path + "@tcp(127.0.0.1:1)/app",
	}
	dir := t.TempDir()
	t.Chdir(dir)
	secrets := []string{plain, encoded, path, double, quoted, "cr3t", "CR3T"}
	clean := func(t *testing.T, where, text string) {
		t.Helper()
		for _, s := range secrets {
			require.NotContains(t, text, s, where)
		}
	}
	for _, target := range targets {
		t.Run(fmt.Sprintf("%.24q", target), func(t *testing.T) {
			var log strings.Builder
			cfg := Config{Logger: slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))}
			ctx, cancel := context.WithTimeout(t.Context(), time.Second) // a server that is away is waited for
			defer cancel()
			db, err := cfg.Open(ctx, target)
			if err == nil {
				require.NoError(t, db.Close())
			}
			require.Error(t, err, target)
			clean(t, "the log", log.String())
			var walk func(err error)
			walk = func(err error) {
				where := fmt.Sprintf("%T of %s", err, target)
				clean(t, where, err.Error())
				clean(t, where, fmt.Sprintf("%+v %#v %q", err, err, err))
				if body, failed := json.Marshal(err); failed == nil {
					clean(t, "JSON of "+where, string(body))
				}
				if inner := errors.Unwrap(err); inner != nil {
					walk(inner)
				}
				if many, ok := err.(interface{ Unwrap() []error }); ok {
					for _, inner := range many.Unwrap() {
						walk(inner)
					}
				}
			}
			walk(err)
		})
	}
	require.NoError(t, filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		clean(t, "a file's name", path)
		return err
	}))
}
