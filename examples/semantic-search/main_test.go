package main

import (
	"bytes"
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
	exec := func(args ...string) (stdout, stderr string, err error) {
		var out, log bytes.Buffer
		err = run(t.Context(), args, &out, &log)
		answer := regexp.MustCompile(`[0-9.]+(ns|µs|ms|s)\b`).ReplaceAllString(out.String(), "TIME")
		return strings.ReplaceAll(answer, filepath.Join(tool.Root, "src"), "SRC"), log.String(), err
	}

	stdout, stderr, err := exec("-k", "2", "reading", "the", "pages")
	require.NoError(t, err)
	require.Equal(t, `  5.9  home/shelf.Book.Read
       func (b *Book) Read() string
       Read reads one page.
       SRC/home/shelf/shelf.go:31

`, filepath.ToSlash(stdout[:strings.Index(stdout, "\n\n")+2]))
	require.Regexp(t, `go1\.99: \d+ records, \d+ stored, 0 removed in TIME; searched in TIME\n$`, stdout)
	require.Equal(t, 2, strings.Count(stdout, "SRC"))
	require.Contains(t, stderr, "reading packages: ")
	require.NotContains(t, stderr, "\x1b", "the output is no terminal")

	stdout, stderr, err = exec("print")
	require.NoError(t, err)
	require.Contains(t, stdout, "  fmt\n       Package fmt prints.\n")
	require.Contains(t, stdout, "records, up to date in TIME")
	require.Empty(t, stderr)

	stdout, _, err = exec("-package", "fmt", "pages prints")
	require.NoError(t, err)
	require.NotContains(t, stdout, "shelf")
	_, _, err = exec("-package", "nowhere", "pages")
	require.ErrorContains(t, err, `no package "nowhere"`)

	stdout, _, err = exec("zyzzyva")
	require.NoError(t, err)
	require.Contains(t, stdout, "Nothing found.")

	stdout, _, err = exec("-db", "mem:", "pages")
	require.NoError(t, err)
	require.Contains(t, stdout, "0 removed", "a database of its own is filled")
	stdout, _, err = exec("pages")
	require.NoError(t, err)
	require.Contains(t, stdout, "up to date", "the other database is as it was")
}

func TestRunUsage(t *testing.T) {
	alone(t)
	for _, args := range [][]string{{}, {"-k", "0", "x"}, {"-x"}, {"-h"}} {
		var stderr bytes.Buffer
		err := run(t.Context(), args, &stderr, &stderr)
		require.ErrorIs(t, err, errUsage)
		require.Equal(t, slices.Equal(args, []string{"-h"}), errors.Is(err, flag.ErrHelp))
		require.Contains(t, stderr.String(), "usage: semantic-search")
	}
}

func TestParagraph(t *testing.T) {
	var b bytes.Buffer
	p := printer{w: &b, color: true}
	p.text(strings.Repeat("word ", 20))
	p.note("end")
	require.Equal(t, "       "+strings.Repeat("word ", 15)+"word\n       word word word word\n\x1b[2mend\x1b[0m\n", b.String())
}
