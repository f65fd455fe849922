// Platforms type-checks the root module, its tests and all that they import for
// every platform on which SQLite's port runs. It takes seconds for each where
// compiling SQLite takes minutes, and finds what compilers find in Go code: names
// that a platform lacks, constants that overflow an int of 32 bits. Bodies of
// functions of the standard library and of SQLite's port are taken as good.
//
//	go run .ci/platforms.go                  all platforms, two at a time
//	go run .ci/platforms.go linux/s390x …    some
//	go run .ci/platforms.go -list            print their names, and end
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// platforms are what modernc.org/sqlite and modernc.org/libc have files for, of
// the systems that this project is built for.
var platforms = []string{
	"linux/amd64", "linux/arm64", "linux/386", "linux/arm", "linux/riscv64", "linux/loong64", "linux/ppc64le", "linux/s390x",
	"windows/amd64", "windows/arm64", "windows/386",
	"darwin/amd64", "darwin/arm64",
	"freebsd/amd64", "freebsd/arm64", "freebsd/386", "freebsd/arm",
}

func main() {
	if len(os.Args) == 2 && os.Args[1] == "-list" {
		fmt.Println(strings.Join(platforms, "\n"))
		return
	}
	if len(os.Args) > 1 {
		platforms = os.Args[1:]
	}
	var failed bool
	var printing sync.Mutex
	var all sync.WaitGroup
	turn := make(chan struct{}, 2)
	for _, platform := range platforms {
		all.Go(func() {
			turn <- struct{}{}
			defer func() { <-turn }()
			begin := time.Now()
			faults := check(platform)
			printing.Lock()
			defer printing.Unlock()
			fmt.Printf("%-14s %2d faults, %4.1f s\n", platform, len(faults), time.Since(begin).Seconds())
			for _, fault := range faults[:min(10, len(faults))] {
				fmt.Println("   ", fault)
			}
			failed = failed || len(faults) > 0
		})
	}
	all.Wait()
	if failed {
		os.Exit(1)
	}
}

// pkg is what is read of a package that go list prints.
type pkg struct {
	ImportPath, Dir string
	GoFiles         []string
	Standard        bool
	ImportMap       map[string]string
	Module          *struct{ Path, GoVersion string }
	Error           *struct{ Err string }
}

// check returns what is wrong on a platform.
func check(platform string) (faults []error) {
	system, arch, _ := strings.Cut(platform, "/")
	cmd := exec.Command("go", "list", "-e", "-deps", "-test", "-json=ImportPath,Dir,GoFiles,Standard,ImportMap,Module,Error", "./...")
	cmd.Env = append(os.Environ(), "GOOS="+system, "GOARCH="+arch, "CGO_ENABLED=0")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return []error{err}
	}
	checked := map[string]*types.Package{"unsafe": types.Unsafe}
	for d := json.NewDecoder(bytes.NewReader(out)); ; { // what is imported comes first
		var p pkg
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return faults
		} else if err != nil {
			return append(faults, err)
		}
		if p.Error != nil {
			faults = append(faults, errors.New(p.ImportPath+": "+p.Error.Err))
		}
		if strings.HasSuffix(p.ImportPath, ".test") || p.ImportPath == "unsafe" {
			continue // the main program of tests is made when they are compiled
		}
		result, wrong := p.check(arch, checked)
		checked[p.ImportPath] = result
		faults = append(faults, wrong...)
	}
}

// check type-checks one package over those that were checked before.
func (p pkg) check(arch string, checked map[string]*types.Package) (result *types.Package, faults []error) {
	var files []*ast.File
	for _, name := range p.GoFiles {
		f, err := p.parse(filepath.Join(p.Dir, name))
		if err != nil {
			return nil, []error{err}
		}
		files = append(files, f)
	}
	conf := types.Config{
		Importer: importer(func(path string) (*types.Package, error) {
			if mapped, ok := p.ImportMap[path]; ok {
				path = mapped
			}
			if imported := checked[path]; imported != nil {
				return imported, nil
			}
			return nil, errors.New("no package " + path)
		}),
		Sizes:            types.SizesFor("gc", arch),
		IgnoreFuncBodies: p.isTaken(),
		Error: func(err error) {
			if e, ok := errors.AsType[types.Error](err); !ok || !e.Soft {
				faults = append(faults, err)
			}
		},
	}
	if p.Module != nil && p.Module.GoVersion != "" {
		conf.GoVersion = "go" + p.Module.GoVersion
	}
	path, _, _ := strings.Cut(p.ImportPath, " ")
	result, _ = conf.Check(path, fset, files, nil) // told to Error
	return result, faults
}

// isTaken reports whether the bodies of the package's functions are taken as good.
func (p pkg) isTaken() bool {
	return p.Standard || p.Module != nil && strings.HasPrefix(p.Module.Path, "modernc.org/")
}

// Most files are those of many platforms, and are parsed once. Checking changes none.
var (
	fset   = token.NewFileSet()
	mu     sync.Mutex
	parsed = map[string]func() (*ast.File, error){}
)

// parse parses a file, without the bodies of functions that are taken as good.
func (p pkg) parse(path string) (*ast.File, error) {
	mu.Lock()
	once := parsed[path]
	if once == nil {
		once = sync.OnceValues(func() (*ast.File, error) {
			f, err := parser.ParseFile(fset, path, nil, parser.SkipObjectResolution)
			if err != nil || !p.isTaken() {
				return f, err
			}
			for _, d := range f.Decls {
				if d, ok := d.(*ast.FuncDecl); ok && d.Body != nil {
					d.Body.List = nil
				}
			}
			return f, nil
		})
		parsed[path] = once
	}
	mu.Unlock()
	return once()
}

// importer is a function that finds a package which was checked.
type importer func(path string) (*types.Package, error)

func (find importer) Import(path string) (*types.Package, error) { return find(path) }
