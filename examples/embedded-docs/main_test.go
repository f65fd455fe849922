package main

import (
	"bytes"
	"io"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSearch(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), []string{"what does each process see that another process has committed?"}, &out, io.Discard))
	require.Contains(t, out.String(), "embedded.md")
}

func TestBuild(t *testing.T) {
	to := filepath.Join(t.TempDir(), "docs.db")
	require.NoError(t, run(t.Context(), []string{"-build", "../../docs", "-to", to}, io.Discard, io.Discard))
	require.FileExists(t, to)
	require.NoFileExists(t, to+"-wal")
}
