package main

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// shelf is a package in which everything that has a doc occurs, as files by name.
var shelf = map[string]string{
	"doc.go": "// Package shelf keeps books.\n//\n// It is small.\npackage shelf\n",
	"shelf.go": `package shelf

// Limits of a shelf.
const (
	MaxBooks = 10 // how many fit
	maxPages = 1000
)

const (
	// Red is a color.
	Red = iota
	Blue // the color of the sky
	Green
)

// ErrFull says that nothing fits any more.
var ErrFull error

// A Book is what is read.
type Book struct {
	Title string // what is on the cover
	// Pages counts the pages.
	Pages int
	isbn  string // hidden
}

// Open returns a book by its title. It is slow.
func Open(title string) (*Book, error) { return nil, nil }

// Read reads one page.
func (b *Book) Read() string { return "" }

func (b *Book) Undocumented() {}

// hidden is not exported.
func hidden() {}

// A Sorter puts things in order.
type Sorter interface {
	// Sort does it.
	Sort(what []string) error
}

// A Pile has items of one type.
type Pile[T any] struct{}

// Len counts the items.
func (p *Pile[T]) Len() int { return 0 }
`,
	"shelf_linux.go":   "package shelf\n\n// Weight is in kilograms.\nfunc Weight() int { return 1 }\n",
	"shelf_windows.go": "package shelf\n\n// Weight is in kilograms.\nfunc Weight() int { return 2 }\n",
	"shelf_darwin.go":  "package shelf\n\n// Weight is in kilograms.\nfunc Weight() int { return 3 }\n",
	"cgo.go":           "package shelf\n\nimport \"C\"\n\n// FromC needs cgo.\nfunc FromC() {}\n",
	"shelf_test.go":    "package shelf\n\n// Help is for tests.\nfunc Help() {}\n",
	"gen.go":           "//go:build ignore\n\n// Gen makes files.\npackage main\n",
}

// newToolchain makes a Go installation of a few packages.
func newToolchain(t testing.TB) Toolchain {
	tool := Toolchain{Root: t.TempDir(), Version: "go1.99"}
	write(t, tool, "../VERSION", "go1.99\ntime 2026-11-23T00:00:00Z\n")
	write(t, tool, "fmt/fmt.go", "// Package fmt prints.\npackage fmt\n")
	for name, text := range shelf {
		write(t, tool, "home/shelf/"+name, text)
	}
	for _, dir := range []string{"internal/a", "net/internal/b", "vendor/c", "cmd/d", "fmt/testdata", "_e", ".f"} {
		write(t, tool, dir+"/x.go", "// Package x is for nobody.\npackage x\n")
	}
	write(t, tool, "onlytests/a_test.go", "package onlytests\n")
	write(t, tool, "empty/README", "nothing")
	return tool
}

func write(t testing.TB, tool Toolchain, name, text string) {
	path := filepath.Join(tool.Root, "src", filepath.FromSlash(name))
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
}

func quiet(string, int, int) {}

func read(t testing.TB, tool Toolchain) []Doc {
	docs, err := tool.Docs(t.Context(), func(int, int) {})
	require.NoError(t, err)
	return docs
}

func TestDocs(t *testing.T) {
	type row struct{ ID, Kind, Signature, Synopsis string }
	want := []row{
		{"fmt", "package", "package fmt", "Package fmt prints."},
		{"home/shelf", "package", "package shelf", "Package shelf keeps books."},
		{"home/shelf.Blue", "const", "const Blue", "the color of the sky"},
		{"home/shelf.Book", "type", "type Book struct", "A Book is what is read."},
		{"home/shelf.Book.Pages", "field", "Pages int", "Pages counts the pages."},
		{"home/shelf.Book.Read", "method", "func (b *Book) Read() string", "Read reads one page."},
		{"home/shelf.Book.Title", "field", "Title string", "what is on the cover"},
		{"home/shelf.ErrFull", "var", "var ErrFull", "ErrFull says that nothing fits any more."},
		{"home/shelf.MaxBooks", "const", "const MaxBooks", "Limits of a shelf."},
		{"home/shelf.Open", "func", "func Open(title string) (*Book, error)", "Open returns a book by its title."},
		{"home/shelf.Pile", "type", "type Pile[T any] struct{}", "A Pile has items of one type."},
		{"home/shelf.Pile.Len", "method", "func (p *Pile[T]) Len() int", "Len counts the items."},
		{"home/shelf.Red", "const", "const Red", "Red is a color."},
		{"home/shelf.Sorter", "type", "type Sorter interface", "A Sorter puts things in order."},
		{"home/shelf.Sorter.Sort", "method", "Sort(what []string) error", "Sort does it."},
	}
	if strings.Contains("linux windows darwin", runtime.GOOS) {
		want = append(want, row{"home/shelf.Weight", "func", "func Weight() int", "Weight is in kilograms."})
	}
	var got []row
	byID := map[string]Doc{}
	for _, d := range read(t, newToolchain(t)) {
		got = append(got, row{d.ID, d.Kind, d.Signature, d.Synopsis})
		byID[d.ID] = d
	}
	require.Equal(t, want, got)
	require.Equal(t, Doc{
		ID: "home/shelf.Open", Package: "home/shelf", Kind: "func", Symbol: "Open",
		Signature: "func Open(title string) (*Book, error)", Synopsis: "Open returns a book by its title.",
		Text: "home shelf Open: Open returns a book by its title. It is slow.\n",
		File: "home/shelf/shelf.go", Line: 28,
	}, byID["home/shelf.Open"])
	require.Equal(t, "home/shelf/doc.go", byID["home/shelf"].File)
	require.Equal(t, 4, byID["home/shelf"].Line)
	require.Contains(t, byID["home/shelf.MaxBooks"].Text, "how many fit")
}

func TestDocsSaysWhichPackageIsBroken(t *testing.T) {
	tool := newToolchain(t)
	write(t, tool, "broken/broken.go", "package broken\n\nfunc {")
	_, err := tool.Docs(t.Context(), func(int, int) {})
	require.ErrorContains(t, err, "package broken: ")
}

func TestFindToolchain(t *testing.T) {
	tool := newToolchain(t)
	t.Setenv("PATH", t.TempDir())
	t.Setenv("GOROOT", tool.Root)
	got, err := FindToolchain(t.Context())
	require.NoError(t, err)
	require.Equal(t, tool, got)

	require.NoError(t, os.RemoveAll(filepath.Join(tool.Root, "src")))
	_, err = FindToolchain(t.Context())
	require.ErrorContains(t, err, "has no source code")

	t.Setenv("GOROOT", t.TempDir())
	_, err = FindToolchain(t.Context())
	require.ErrorContains(t, err, "set GOROOT to a Go installation")

	t.Setenv("GOROOT", "")
	_, err = FindToolchain(t.Context())
	require.ErrorContains(t, err, "put the go command on PATH")
}
