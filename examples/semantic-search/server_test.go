package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/internal/testenv"
)

func TestRunPostgres(t *testing.T) { runOn(t, testenv.Postgres(t)) }

func TestRunIRIS(t *testing.T) { runOn(t, testenv.IRIS(t, testenv.IRISOptions{}).URL()) }

// runOn indexes into a server's database, and finds it there the second time.
func runOn(t *testing.T, url string) {
	alone(t)
	for _, state := range []string{"0 removed in", "up to date"} {
		var stdout, stderr bytes.Buffer
		require.NoError(t, run(t.Context(), []string{"-db", url, "-k", "1", "reading", "the", "pages"}, strings.NewReader(""), &stdout, &stderr))
		require.Contains(t, stdout.String(), "home/shelf.Book.Read")
		require.Contains(t, stdout.String(), state)
	}
}
