package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// alone makes the program see one toolchain and an empty cache directory.
func alone(t *testing.T) Toolchain {
	tool := newToolchain(t)
	cache := t.TempDir()
	for name, value := range map[string]string{
		"PATH": t.TempDir(), "GOROOT": tool.Root,
		"XDG_CACHE_HOME": cache, "HOME": cache, "LocalAppData": cache, // what os.UserCacheDir asks for
	} {
		t.Setenv(name, value)
	}
	return tool
}

func TestRun(t *testing.T) {
	tool := alone(t)
	stdin := ""
	exec := func(args ...string) (stdout, stderr string, err error) {
		var out, log bytes.Buffer
		err = run(t.Context(), args, strings.NewReader(stdin), &out, &log)
		answer := regexp.MustCompile(`[0-9.]+(ns|µs|ms|s)\b`).ReplaceAllString(out.String(), "TIME")
		return strings.ReplaceAll(answer, filepath.Join(tool.Root, "src"), "SRC"), log.String(), err
	}

	stdout, stderr, err := exec("-k", "2", "reading", "the", "pages")
	require.NoError(t, err)
	hit := ` 1  home/shelf.Book.Read
    func (b *Book) Read() string
    Read reads one page.
    SRC/home/shelf/shelf.go:31

`
	words, both, found := strings.Cut(filepath.ToSlash(stdout), "by words alone; searched in TIME\n")
	require.True(t, found, stdout)
	require.Regexp(t, `^By words, while the vectors of \d+ symbols are computed:\n`, words)
	require.Contains(t, words, hit)
	require.True(t, strings.HasPrefix(both, hit), both)
	require.Regexp(t, `go1\.99: \d+ symbols, \d+ stored, 0 removed in TIME; searched in TIME\n$`, both)
	require.Equal(t, 2, strings.Count(both, "SRC"))
	require.Contains(t, stderr, "reading packages: ")
	require.Contains(t, stderr, "finding meanings: ")
	require.NotContains(t, stdout+stderr, "\x1b", "the output is no terminal")

	stdout, stderr, err = exec("-k", "1", "an excellent novel")
	require.NoError(t, err)
	require.Contains(t, stdout, " 1  home/shelf.Book", "no word is the same")
	require.Contains(t, stdout, "symbols, up to date; searched in TIME")
	require.Empty(t, stderr)

	stdout, _, err = exec("-package", "fmt", "pages prints")
	require.NoError(t, err)
	require.NotContains(t, stdout, "shelf")
	_, _, err = exec("-package", "nowhere", "pages")
	require.ErrorContains(t, err, `no package "nowhere"`)

	stdin = "reading the pages\nprint\n"
	stdout, _, err = exec("-k", "1", "-json")
	require.NoError(t, err)
	var answers []map[string]any
	for line := range strings.Lines(stdout) {
		var answer map[string]any
		require.NoError(t, json.Unmarshal([]byte(line), &answer))
		answers = append(answers, answer)
	}
	require.Len(t, answers, 2)
	require.Equal(t, "print", answers[1]["question"])
	require.Equal(t, true, answers[1]["meaning"])
	require.Equal(t, "fmt", answers[1]["hits"].([]any)[0].(map[string]any)["id"])

	stdin = "pages\n"
	stdout, _, err = exec("-db", "mem:")
	require.NoError(t, err)
	require.Contains(t, stdout, "home/shelf", "another database is filled while it answers")
	stdout, _, err = exec("pages")
	require.NoError(t, err)
	require.Contains(t, stdout, "up to date", "the first database is as it was")
}

func TestRunUsage(t *testing.T) {
	alone(t)
	for _, args := range [][]string{{"-k", "0", "x"}, {"-x"}, {"-h"}} {
		var stderr bytes.Buffer
		err := run(t.Context(), args, strings.NewReader(""), &stderr, &stderr)
		require.ErrorIs(t, err, errUsage)
		require.Equal(t, slices.Equal(args, []string{"-h"}), errors.Is(err, flag.ErrHelp))
		require.Contains(t, stderr.String(), "usage: semantic-search")
	}
}

func TestParagraph(t *testing.T) {
	var b bytes.Buffer
	p := &printer{w: &b, color: true, width: 24}
	p.paragraph("Compact removes duplicated (equal) elements.", newMatcher("remove the duplicates"))
	p.note("end")
	require.Equal(t, "    Compact \x1b[4mremoves\x1b[0m\n    \x1b[4mduplicated\x1b[0m (equal)\n    elements.\n\x1b[2mend\x1b[0m\n", b.String())
}

func TestLink(t *testing.T) {
	p := &printer{}
	require.Equal(t, "/a b.go:3", p.link("/a b.go", "/a b.go:3"))
	p.color = true
	require.Equal(t, "\x1b]8;;file:///a%20b.go\x1b\\\x1b[2m/a b.go:3\x1b[0m\x1b]8;;\x1b\\", p.link("/a b.go", "/a b.go:3"))
}
