package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/internal/testenv"
)

func verbsOf(t *testing.T) *cobra.Command {
	a := &app{}
	return a.root()
}

func TestManualIsUpToDate(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, manual(&b, verbsOf(t)))
	there, err := os.ReadFile("../../docs/cli.md")
	require.NoError(t, err)
	require.Equal(t, b.String(), string(there), "run in cmd/vecwire: go run . docs > ../../docs/cli.md")
}

// Every verb says what it is for, has an example, and help that fits a screen.
func TestHelp(t *testing.T) {
	var walk func(*cobra.Command)
	walk = func(verb *cobra.Command) {
		for _, sub := range verb.Commands() {
			if sub.Hidden || sub.Name() == "completion" || sub.Name() == "help" {
				continue
			}
			require.NotEmpty(t, sub.Short, sub.CommandPath())
			require.NotEmpty(t, sub.Long, sub.CommandPath())
			require.NotEmpty(t, sub.Example, sub.CommandPath())
			require.LessOrEqual(t, strings.Count(sub.Long+"\n\n"+sub.UsageString(), "\n"), 42, sub.CommandPath())
			for _, line := range strings.Split(sub.Long+"\n"+sub.Example, "\n") {
				require.LessOrEqual(t, len(line), 130, sub.CommandPath())
			}
			walk(sub)
		}
	}
	walk(verbsOf(t))
}

// fixture is a folder like the one that the examples are about.
func fixture(t *testing.T) string {
	dir := t.TempDir()
	write(t, dir, "docs/guide.md", "# Sailing\n\nA sail catches the wind and moves the boat.\n")
	write(t, dir, "docs/planes.md", "# Planes\n\nWings lift the plane.\n")
	write(t, dir, "questions.txt", "what moves a boat?\nwhat lifts a plane?\n")
	write(t, dir, "tokens.txt", "reader read 0123456789abcdef docs\n")
	write(t, dir, "articles.jsonl", `{"_id": 1, "body": "A text.", "meta": {"lang": "en"}, "year": 2026}`+"\n")
	write(t, dir, "papers.csv", "doc_id,embedding,title,tags\n1,\"[0.5, 1]\",A paper,\"[\"\"go\"\"]\"\n")
	for _, args := range []string{"add docs", "export backup.jsonl", "index"} {
		text, err := command(dir, strings.Fields(args)...).CombinedOutput()
		require.NoError(t, err, "%s: %s", args, text)
	}
	return dir
}

// TestExamples plays every example of every verb, as help and docs/cli.md show it.
func TestExamples(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("examples are for a shell of Unix")
	}
	model := embeddings(t, 768, func(int) {})
	original := fixture(t)
	var walk func(*cobra.Command)
	walk = func(verb *cobra.Command) {
		for _, example := range strings.Split(verb.Example, "\n") {
			if example != "" {
				t.Run(example, func(t *testing.T) { play(t, original, model.URL, example) })
			}
		}
		for _, sub := range verb.Commands() {
			if sub.Name() != "completion" {
				walk(sub)
			}
		}
	}
	walk(verbsOf(t))
}

func play(t *testing.T, original, model, example string) {
	dir := t.TempDir()
	require.NoError(t, os.CopyFS(dir, os.DirFS(original)))
	script := strings.ReplaceAll(example, "http://localhost:11434/v1", model)
	if strings.Contains(script, "postgres://user@localhost/app") {
		url := testenv.Postgres(t)
		script = strings.ReplaceAll(script, "postgres://user@localhost/app", "'"+url+"'")
		if strings.HasPrefix(script, "vecwire index") {
			text, err := command(dir, "copy", "vecwire.db", url).CombinedOutput()
			require.NoError(t, err, string(text))
		}
	}
	if strings.HasPrefix(script, "vecwire tune") { // two records need no index
		manyPoints(t, dir)
	}
	switch args := strings.Fields(script); {
	case strings.HasPrefix(script, "vecwire watch"):
		p := start(t, dir, args[1:]...)
		require.Contains(t, line(t, p.stdout), "unchanged")
		require.Zero(t, p.interrupt(t))
	case strings.Contains(script, "127.0.0.1:7333"): // the port of the example may be taken
		p := start(t, dir, strings.Fields(strings.ReplaceAll(script, ":7333", ":0"))[1:]...)
		require.Contains(t, line(t, p.stderr), "listening at http://127.0.0.1:")
		require.Zero(t, p.interrupt(t))
	default:
		cmd := command(dir)
		cmd.Path, cmd.Err = "/bin/sh", nil
		cmd.Args = []string{"sh", "-c", script}
		text, err := cmd.CombinedOutput()
		require.NoError(t, err, string(text))
	}
}

// manyPoints puts enough records into the collection that its index pays.
func manyPoints(t *testing.T, dir string) {
	if testing.Short() {
		t.Skip("builds an index over thousands of records")
	}
	require.NoError(t, os.Remove(filepath.Join(dir, "vecwire.db")))
	var b strings.Builder
	random := rand.New(rand.NewPCG(1, 2))
	for i := range 20_000 {
		vector := make([]float32, 32)
		for j := range vector {
			vector[j] = float32(random.NormFloat64())
		}
		fmt.Fprintf(&b, `{"id":"%d","vector":%s}`+"\n", i, jsonText(vector))
	}
	write(t, dir, "points.jsonl", b.String())
	for _, args := range []string{"import points.jsonl", "index"} {
		text, err := command(dir, strings.Fields(args)...).CombinedOutput()
		require.NoError(t, err, string(text))
	}
}

// TestIndexOfPostgres builds what only PostgreSQL has, and is told what is not there.
func TestIndexOfPostgres(t *testing.T) {
	url, dir := testenv.Postgres(t), fixture(t)
	run := func(args ...string) (string, error) {
		text, err := command(dir, append([]string{"--db", url}, args...)...).CombinedOutput()
		return string(text), err
	}
	text, err := command(dir, "copy", "vecwire.db", url).CombinedOutput()
	require.NoError(t, err, string(text))
	for _, args := range [][]string{{"index", "--where", `kind == "markdown"`}, {"index", "--dims", "64", "--method", "hnsw"}} {
		text, err := run(args...)
		require.NoError(t, err, text)
	}
	list, err := run("index", "--list", "--json")
	require.NoError(t, err, list)
	require.Contains(t, list, `"where":"kind == \"markdown\""`)
	require.Contains(t, list, `"dims":64`)
	table, err := run("index", "--list")
	require.NoError(t, err, table)
	require.Regexp(t, `DIMS +WHERE`, table)
	found, err := run("search", "-k", "1", "--filter", `kind == "markdown"`, "what moves a boat?")
	require.NoError(t, err, found)
	require.Contains(t, found, "docs/guide.md")

	for want, args := range map[string][]string{
		"CREATE EXTENSION vchord":      {"index", "--method", "vchordrq"},
		"CREATE EXTENSION vectorscale": {"index", "--method", "diskann"},
		`"hnsw", "diskann" or`:         {"index", "--method", "ivfflat"},
		"--where: ":                    {"index", "--where", "kind =="},
		"the vectors' dimension, or 0": {"index", "--dims", "-1"},
	} {
		text, err := run(args...)
		require.ErrorAs(t, err, new(*exec.ExitError), text)
		require.Contains(t, text, want)
	}
	for _, args := range [][]string{{"--where", `kind == "markdown"`}, {"--dims", "64"}, {"--method", "diskann"}} {
		text, err := command(dir, append([]string{"index"}, args...)...).CombinedOutput()
		require.ErrorAs(t, err, new(*exec.ExitError))
		require.Contains(t, string(text), "not supported")
	}
}

// Doctor says what is wrong with a server, what to do about it, and no password.
func TestDoctorOfPostgres(t *testing.T) {
	url := testenv.Postgres(t)
	dir := t.TempDir()
	text, err := command(dir, "doctor", "--write", url).CombinedOutput()
	require.NoError(t, err, string(text))
	require.Regexp(t, `ok +the server is PostgreSQL \d+`, string(text))
	require.Contains(t, string(text), "pgvector is ")
	require.Contains(t, string(text), "records can be stored, found and deleted")

	cmd := command(dir, "doctor", "postgres://me:secret@127.0.0.1:1/app")
	text, err = cmd.CombinedOutput()
	require.ErrorAs(t, err, new(*exec.ExitError))
	require.Equal(t, exitFailed, cmd.ProcessState.ExitCode())
	require.Regexp(t, `problem +.*cannot be opened`, string(text))
	require.Contains(t, string(text), "→")
	require.NotContains(t, string(text), "secret")
}

func TestDoctorOfIRIS(t *testing.T) {
	if testing.Short() {
		t.Skip("starts an IRIS wire")
	}
	url := testenv.IRIS(t, testenv.IRISOptions{}).URL()
	text, err := command(t.TempDir(), "doctor", "--write", url).CombinedOutput()
	require.NoError(t, err, string(text))
	require.Contains(t, string(text), "the engine is iris")
	require.Regexp(t, `warning +it lacks .*full text`, string(text))
	require.Contains(t, string(text), "records can be stored, found and deleted")
}

func TestCopyToPostgresAndBack(t *testing.T) {
	url, dir := testenv.Postgres(t), fixture(t)
	for _, args := range [][]string{
		{"copy", "vecwire.db", url},
		{"copy", url, "back.db"},
		{"export", "--db", "back.db", "back.jsonl"},
	} {
		text, err := command(dir, args...).CombinedOutput()
		require.NoError(t, err, string(text))
	}
	want, err := os.ReadFile(filepath.Join(dir, "backup.jsonl"))
	require.NoError(t, err)
	got, err := os.ReadFile(filepath.Join(dir, "back.jsonl"))
	require.NoError(t, err)
	require.Equal(t, string(want), string(got))
	text, err := command(dir, "search", "--db", url, "-k", "1", "what moves a boat?").Output()
	require.NoError(t, err)
	require.Contains(t, string(text), "docs/guide.md")
}
