package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/testenv"
)

// TestMain lets the test kill this binary as if it were the program.
func TestMain(m *testing.M) {
	if os.Getenv("BATCH_INGEST_TEST") != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

func write(t *testing.T, dir, name, text string) {
	path := filepath.Join(dir, name)
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
}

func ingest(t *testing.T, args ...string) (string, error) {
	var out, log bytes.Buffer
	err := run(t.Context(), args, &out, &log)
	require.NotContains(t, log.String(), "\x1b", "the output is no terminal")
	return regexp.MustCompile(` in \S+\n`).ReplaceAllString(out.String(), ""), err
}

func TestFolder(t *testing.T) {
	for name, url := range map[string]string{"embedded": filepath.Join(t.TempDir(), "test.db"), "postgres": testenv.Postgres(t)} {
		t.Run(name, func(t *testing.T) {
			dir, words := t.TempDir(), filepath.Join(t.TempDir(), "words")
			write(t, dir, "guide.md", "# Boats\n\nA boat floats on water.\n\n# Planes\n\nA plane flies through air.\n")
			write(t, dir, "notes/short.txt", "Trains roll on rails.")
			write(t, dir, "more.jsonl", `{"id": "a", "text": "Bicycles have two wheels."}`+"\nno JSON\n")
			write(t, dir, ".hidden/secret.md", "nothing to see")
			out, err := ingest(t, "-db", url, "-words", words, dir)
			var bad *vecwire.RecordError
			require.ErrorAs(t, err, &bad)
			require.Equal(t, "more.jsonl line 2", bad.ID)
			require.Equal(t, "4 inserted, 0 updated, 0 unchanged, 0 deleted, 1 failed; 4 texts embedded", out)

			write(t, dir, "more.jsonl", `{"id": "a", "text": "Bicycles have two wheels."}`+"\n")
			out, err = ingest(t, "-db", url, "-words", words, dir)
			require.NoError(t, err)
			require.Equal(t, "0 inserted, 0 updated, 4 unchanged, 0 deleted, 0 failed; 0 texts embedded", out)

			write(t, dir, "guide.md", "# Boats\n\nA boat sinks in water.\n")
			require.NoError(t, os.Remove(filepath.Join(dir, "notes/short.txt")))
			out, err = ingest(t, "-db", url, "-words", words, dir)
			require.NoError(t, err)
			require.Equal(t, "0 inserted, 1 updated, 1 unchanged, 2 deleted, 0 failed; 1 texts embedded", out)
		})
	}
}

// TestKilled kills the program while it ingests, and runs it again.
func TestKilled(t *testing.T) {
	dir, home := t.TempDir(), t.TempDir()
	const files = 300
	for i := range files {
		write(t, dir, strings.Repeat("x", i+1)[:1+i%7]+string(rune('a'+i%26))+"/"+strings.Repeat("y", 1+i/7)[:1+i/7]+".md", strings.Repeat("Words of a page. ", 400+i))
	}
	start := func() *exec.Cmd {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-db", filepath.Join(home, "test.db"), "-words", filepath.Join(home, "words"), dir)
		cmd.Env = append(os.Environ(), "BATCH_INGEST_TEST=1")
		return cmd
	}
	cmd := start()
	progress, err := cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	_, err = progress.Read(make([]byte, 1)) // the first line of progress
	require.NoError(t, err)
	require.NoError(t, cmd.Process.Kill())
	require.Error(t, cmd.Wait())

	out, err := start().CombinedOutput()
	require.NoError(t, err, "%s", out)
	again, err := start().Output()
	require.NoError(t, err)
	require.Contains(t, string(again), "0 inserted, 0 updated")
	require.Contains(t, string(again), "0 texts embedded")

	db, err := vecwire.Open(t.Context(), filepath.Join(home, "test.db"))
	require.NoError(t, err)
	defer db.Close()
	c, err := db.OpenCollection(t.Context(), "chunks")
	require.NoError(t, err)
	n, err := c.Count(context.Background(), filter.Filter{})
	require.NoError(t, err)
	require.Contains(t, string(again), regexp.MustCompile(`\d+ unchanged`).FindString(string(again)))
	require.Greater(t, n, files)
}

func TestUsage(t *testing.T) {
	_, err := ingest(t)
	require.ErrorContains(t, err, "one folder")
	_, err = ingest(t, "-words", filepath.Join(t.TempDir(), "w"), filepath.Join(t.TempDir(), "missing"))
	require.ErrorIs(t, err, os.ErrNotExist)
}
