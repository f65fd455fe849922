package main

import (
	"bytes"
	"context"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
)

// uses has, for each exported symbol and each package by its ID, the folders of Go's
// source code that use it: the standard library, its tests and its commands. Methods
// and fields are not in it: without their types one cannot tell whose they are.
type uses struct {
	by map[string]map[string]bool
}

// A maker is a function that returns a type of its package. Both are IDs.
type maker struct{ function, typ string }

func newUses() *uses { return &uses{by: map[string]map[string]bool{}} }

// readAll reads all Go files below src until ctx ends. A file that it cannot read, or
// that is not Go, uses nothing: the number is only a hint.
func (u *uses) readAll(ctx context.Context, src string) {
	_ = filepath.WalkDir(src, func(file string, entry fs.DirEntry, err error) error {
		switch {
		case ctx.Err() != nil:
			return fs.SkipAll
		case err != nil || entry.IsDir() && entry.Name() == "testdata":
			return fs.SkipDir
		case entry.IsDir() || !strings.HasSuffix(file, ".go"):
			return nil
		}
		if text, err := os.ReadFile(file); err == nil {
			u.read(filepath.Dir(file), text)
		}
		return nil
	})
}

// read notes which symbols of other packages a file in a folder names. It looks for
// names with a dot between them, which is faster than to parse them.
func (u *uses) read(folder string, text []byte) {
	file, err := parser.ParseFile(token.NewFileSet(), "", text, parser.ImportsOnly)
	if err != nil {
		return
	}
	imports := map[string]string{} // by the name that the file has for it
	for _, spec := range file.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			continue
		}
		name := path.Base(imported)
		if name == "v2" {
			name = path.Base(path.Dir(imported))
		}
		if spec.Name != nil {
			name = spec.Name.Name
		}
		imports[name] = imported
		u.use(imported, folder)
	}
	for {
		dot := bytes.IndexByte(text, '.')
		if dot < 0 {
			return
		}
		begin, end := dot, dot+1
		for begin > 0 && inName(text[begin-1]) {
			begin--
		}
		for end < len(text) && inName(text[end]) {
			end++
		}
		if imported := imports[string(text[begin:dot])]; imported != "" && end > dot+1 {
			u.use(imported+"."+string(text[dot+1:end]), folder)
		}
		text = text[dot+1:]
	}
}

func inName(c byte) bool {
	return c == '_' || '0' <= c && c <= '9' || 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z'
}

func (u *uses) use(id, folder string) {
	if u.by[id] == nil {
		u.by[id] = map[string]bool{}
	}
	u.by[id][folder] = true
}

// count sets Uses of each symbol; a method and a field have that of their type.
func (u *uses) count(docs []Doc, makers []maker) {
	for _, m := range makers { // to make one is to use it
		for folder := range u.by[m.function] {
			u.use(m.typ, folder)
		}
	}
	for i, d := range docs {
		symbol, _, _ := strings.Cut(d.Symbol, ".")
		id := d.Package
		if symbol != "" {
			id += "." + symbol
		}
		docs[i].Uses = len(u.by[id])
	}
}
