package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/build"
	"go/doc"
	"go/format"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

// A Doc is one documented thing of Go's standard library.
type Doc struct {
	ID        string // the package and the symbol: net/http.Client.Do
	Package   string // its import path
	Kind      string // package, func, type, method, field, const or var
	Symbol    string // Client.Do; "" for a package
	Signature string // the first line of its declaration
	Synopsis  string // the first sentence
	Text      string // what is searched: the words of the ID, and the comment
	File      string // below GOROOT/src, with slashes
	Line      int
	Uses      int // how many folders of Go's source code use it, or its type
}

// Docs reads the documentation of every package that a program can import, as it
// is for this system and processor, sorted by ID. It calls progress after each
// package.
func (t Toolchain) Docs(ctx context.Context, progress func(done, total int)) ([]Doc, error) {
	src := filepath.Join(t.Root, "src")
	paths, err := packages(src)
	if err != nil {
		return nil, err
	}
	users := newUses()
	var counting sync.WaitGroup
	counting.Go(func() { users.readAll(ctx, src) })
	defer counting.Wait()
	var docs []Doc
	var makers []maker
	for i, path := range paths {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		more, made, err := packageDocs(src, path)
		if err != nil {
			return nil, fmt.Errorf("package %s: %w", path, err)
		}
		docs, makers = append(docs, more...), append(makers, made...)
		progress(i+1, len(paths))
	}
	counting.Wait()
	users.count(docs, makers)
	slices.SortFunc(docs, func(a, b Doc) int { return cmp.Compare(a.ID, b.ID) })
	return docs, nil
}

// packages lists the folders below src that may hold a package for everyone.
func packages(src string) (paths []string, err error) {
	err = filepath.WalkDir(src, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.IsDir() || path == src {
			return err
		}
		switch name := entry.Name(); {
		case name == "internal", name == "vendor", name == "cmd", name == "testdata", strings.IndexAny(name, "._") == 0:
			return filepath.SkipDir
		}
		rel, err := filepath.Rel(src, path)
		paths = append(paths, filepath.ToSlash(rel))
		return err
	})
	return paths, err
}

// packageDocs reads one package, and finds the functions that make its types. A folder
// without one, or with none for this system, has no docs.
func packageDocs(src, path string) ([]Doc, []maker, error) {
	env := build.Default
	env.CgoEnabled = false // every symbol has a declaration in Go, too
	dir := filepath.Join(src, filepath.FromSlash(path))
	info, err := env.ImportDir(dir, 0)
	if _, none := errors.AsType[*build.NoGoError](err); none {
		return nil, nil, nil
	}
	if err != nil || len(info.GoFiles) == 0 { // there may be tests only
		return nil, nil, err
	}
	fset := token.NewFileSet()
	var files []*ast.File
	for _, name := range info.GoFiles {
		file, err := parser.ParseFile(fset, filepath.Join(dir, name), nil, parser.ParseComments)
		if err != nil {
			return nil, nil, err
		}
		files = append(files, file)
	}
	clause := files[0].Package
	for _, file := range slices.Backward(files) {
		if file.Doc != nil {
			clause = file.Package
		}
	}
	var mode doc.Mode
	if path == "builtin" {
		mode = doc.AllDecls // append, string and the like are not exported
	}
	pkg, err := doc.NewFromFiles(fset, files, path, mode)
	if err != nil {
		return nil, nil, err
	}
	var makers []maker
	r := reader{src: src, fset: fset, pkg: pkg}
	r.add("package", "", "package "+pkg.Name, pkg.Doc, clause)
	r.values("const", pkg.Consts)
	r.values("var", pkg.Vars)
	r.funcs("func", pkg.Funcs)
	for _, typ := range pkg.Types {
		r.add("type", typ.Name, r.line(typ.Decl), typ.Doc, typ.Decl.Pos())
		r.members(typ)
		r.values("const", typ.Consts)
		r.values("var", typ.Vars)
		r.funcs("func", typ.Funcs)
		r.funcs("method", typ.Methods)
		for _, f := range typ.Funcs {
			makers = append(makers, maker{path + "." + f.Name, path + "." + typ.Name})
		}
	}
	return r.docs, makers, nil
}

// A reader collects the docs of one package.
type reader struct {
	src  string
	fset *token.FileSet
	pkg  *doc.Package
	docs []Doc
}

// add adds a symbol, if it has a comment.
func (r *reader) add(kind, symbol, signature, comment string, pos token.Pos) {
	if strings.TrimSpace(comment) == "" {
		return
	}
	at := r.fset.Position(pos)
	d := Doc{
		ID:        r.pkg.ImportPath,
		Package:   r.pkg.ImportPath,
		Kind:      kind,
		Symbol:    symbol,
		Signature: signature,
		Synopsis:  r.pkg.Synopsis(comment),
		File:      strings.TrimPrefix(filepath.ToSlash(at.Filename), filepath.ToSlash(r.src)+"/"),
		Line:      at.Line,
	}
	if symbol != "" {
		d.ID += "." + symbol
	}
	d.Text = words(d.ID) + ": " + string(r.pkg.Text(comment))
	r.docs = append(r.docs, d)
}

func (r *reader) funcs(kind string, funcs []*doc.Func) {
	for _, f := range funcs {
		symbol := f.Name
		if recv, _, _ := strings.Cut(strings.TrimPrefix(f.Recv, "*"), "["); recv != "" {
			symbol = recv + "." + symbol
		}
		r.add(kind, symbol, r.line(f.Decl), f.Doc, f.Decl.Pos())
	}
}

// members adds the fields of a struct or the methods of an interface.
func (r *reader) members(typ *doc.Type) {
	for _, spec := range typ.Decl.Specs {
		switch t := spec.(*ast.TypeSpec).Type.(type) {
		case *ast.StructType:
			r.fields("field", typ.Name, t.Fields)
		case *ast.InterfaceType:
			r.fields("method", typ.Name, t.Methods)
		}
	}
}

func (r *reader) fields(kind, of string, list *ast.FieldList) {
	for _, field := range list.List {
		for _, name := range field.Names {
			signature := name.Name + " " + r.line(field.Type)
			if kind == "method" {
				signature = name.Name + strings.TrimPrefix(r.line(field.Type), "func")
			}
			r.add(kind, of+"."+name.Name, signature, field.Doc.Text()+field.Comment.Text(), name.Pos())
		}
	}
}

// values adds constants or variables: a group with a comment as one thing, known
// by its first name, those of another one by one.
func (r *reader) values(kind string, groups []*doc.Value) {
	for _, group := range groups {
		all := group.Doc
		for _, spec := range group.Decl.Specs {
			spec := spec.(*ast.ValueSpec)
			comment := spec.Doc.Text() + spec.Comment.Text()
			for _, name := range spec.Names {
				all += "\n" + name.Name + ": " + comment
				if group.Doc == "" && name.IsExported() {
					r.add(kind, name.Name, kind+" "+name.Name, comment, name.Pos())
				}
			}
		}
		if group.Doc != "" && len(group.Names) > 0 {
			r.add(kind, group.Names[0], kind+" "+strings.Join(group.Names, ", "), all, group.Decl.Pos())
		}
	}
}

// line returns the first line of a declaration or a type, without comments and
// bodies.
func (r *reader) line(node ast.Node) string {
	switch decl := node.(type) {
	case *ast.FuncDecl:
		without := *decl
		without.Doc, without.Body = nil, nil
		node = &without
	case *ast.GenDecl:
		without := *decl
		without.Doc = nil
		node = &without
	}
	var b strings.Builder
	if err := format.Node(&b, r.fset, node); err != nil {
		return "" // it is for show only
	}
	first, _, _ := strings.Cut(b.String(), "\n")
	return strings.TrimSuffix(first, " {")
}
