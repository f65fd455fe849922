package folder

import (
	"bytes"
	"path"
	"strings"
	"unicode/utf8"
)

// Kinds that are read in a way of their own. All others, such as "go", are plain
// text to the chunker, and say in which language a file is written.
const (
	Markdown = "markdown"
	HTML     = "html"
	CSV      = "csv"
	TSV      = "tsv"
	JSONL    = "jsonl"
	PDF      = "pdf"
	Text     = "text"
)

// kinds are those of the extensions in common use.
var kinds = func() map[string]string {
	all := map[string]string{}
	for kind, extensions := range map[string]string{
		Markdown: "md markdown mdx", HTML: "html htm xhtml", CSV: "csv", TSV: "tsv", JSONL: "jsonl ndjson", PDF: "pdf", Text: "txt text log",
		"asciidoc": "adoc asciidoc", "rst": "rst", "org": "org", "tex": "tex",
		"c": "c h", "cpp": "cc cpp cxx hh hpp hxx", "csharp": "cs", "clojure": "clj cljs", "css": "css scss less", "dart": "dart",
		"elixir": "ex exs", "erlang": "erl", "go": "go", "haskell": "hs", "java": "java", "javascript": "js jsx mjs cjs", "json": "json",
		"julia": "jl", "kotlin": "kt kts", "lua": "lua", "objectscript": "cls mac", "ocaml": "ml mli", "perl": "pl pm", "php": "php",
		"protobuf": "proto", "python": "py pyi", "r": "r", "ruby": "rb", "rust": "rs", "scala": "scala", "shell": "sh bash zsh fish",
		"sql": "sql", "swift": "swift", "terraform": "tf", "toml": "toml", "typescript": "ts tsx", "vue": "vue", "xml": "xml",
		"yaml": "yaml yml", "zig": "zig",
	} {
		for _, extension := range strings.Fields(extensions) {
			all["."+extension] = kind
		}
	}
	return all
}()

// KindOf returns the kind of a file by its name, [Text] if the name does not say.
func KindOf(name string) string {
	if kind, known := kinds[strings.ToLower(path.Ext(name))]; known {
		return kind
	}
	return Text
}

// IsKind reports whether there is a kind of this name.
func IsKind(name string) bool {
	for _, kind := range kinds {
		if kind == name {
			return true
		}
	}
	return false
}

// isRows reports whether a file of this kind is read a row at a time, whatever its size.
func isRows(kind string) bool { return kind == CSV || kind == TSV || kind == JSONL }

// isPicture reports whether a file is a picture that is written as text: numbers, of
// which every question would find some.
func isPicture(name string) bool { return strings.ToLower(path.Ext(name)) == ".svg" }

// isBinary reports whether the beginning of a file is not text in UTF-8. The beginning
// may end within a character.
func isBinary(head []byte) bool {
	if bytes.IndexByte(head, 0) >= 0 {
		return true
	}
	for n := 0; n < utf8.UTFMax && n < len(head); n++ {
		if utf8.Valid(head[:len(head)-n]) {
			return false
		}
	}
	return !utf8.Valid(head)
}
