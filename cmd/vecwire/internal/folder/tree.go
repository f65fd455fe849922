package folder

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/vecwire/vecwire/cmd/vecwire/internal/pdf"
)

// DefaultMaxBytes is how large a file of text may be by default: 4 MiB. Tables and
// JSONL are read a row at a time and may be of any size.
const DefaultMaxBytes = 4 << 20

// Tree is a folder, or a single file, and says how its files are read.
type Tree struct {
	// Path is the folder or the file.
	Path string
	// Name stands for Path in sources. Defaults to Path as it is written.
	Name string
	// Kind is that of all files; see [KindOf]. Defaults to what their names say.
	Kind string
	// MaxBytes is how large a file of text may be. Defaults to [DefaultMaxBytes]. A PDF,
	// of which text is a small part, may have [pdf.MaxBytes].
	MaxBytes int64
	// Hidden reads files and folders whose names begin with a dot, too; never .git.
	Hidden bool
	// NoIgnore reads what .gitignore files leave out, too.
	NoIgnore bool
	// Store is the file of the database, if it is one. It is left out, with those whose
	// names begin with its name, and origins are relative to its folder, so that both
	// may move together.
	Store string
	// Chunk says how large chunks are.
	Chunk Chunking
}

// File is one file of a tree.
type File struct {
	Source string // its name in records, with slashes
	Kind   string
	Open   func() (io.ReadCloser, error)

	kept *keptPages // nil to take a PDF apart at every reading
}

// A Skip is a file that is left out.
type Skip struct {
	Source string
	Reason Reason
	Err    error // of [Unreadable]
}

func (s *Skip) Error() string {
	if s.Err != nil {
		return fmt.Sprintf("%s is %s: %v", s.Source, s.Reason, s.Err)
	}
	return fmt.Sprintf("%s is %s", s.Source, s.Reason)
}

func (s *Skip) Unwrap() error { return s.Err }

// Reason says why a file is left out.
type Reason string

// The reasons.
const (
	Binary     Reason = "binary"
	Picture    Reason = "a picture"
	TooLarge   Reason = "too large"
	Scanned    Reason = "a PDF without text"
	Outside    Reason = "a link out of the folder, or to nothing"
	ToFolder   Reason = "a link to a folder"
	Irregular  Reason = "neither a file nor a folder"
	Unreadable Reason = "unreadable"
)

// prefix is what the sources of all files begin with, "" for those of ".".
func (t Tree) prefix() string {
	name := t.Name
	if name == "" {
		name = path.Clean(filepath.ToSlash(t.Path))
	}
	if name == "." {
		return ""
	}
	return name
}

func (t Tree) source(below string) string {
	if below == "." { // the tree is one file
		return t.prefix()
	}
	return path.Join(t.prefix(), below)
}

// Origin tells two trees apart whose sources have the same names. It is a hash of the
// folder to which sources are relative, because collections are shared and a path may
// say more than its owner wants known.
func (t Tree) Origin() (string, error) {
	abs, err := filepath.Abs(t.Path)
	if err != nil {
		return "", err
	}
	base, kind := abs, "as "
	if t.Name == "" {
		kind = ""
		if filepath.IsAbs(t.Path) {
			base = filepath.VolumeName(abs) + string(filepath.Separator)
		} else if base, err = os.Getwd(); err != nil {
			return "", err
		}
	}
	if store, err := filepath.Abs(t.Store); err == nil && t.Store != "" && (t.Name != "" || !filepath.IsAbs(t.Path)) {
		if below, err := filepath.Rel(filepath.Dir(store), base); err == nil {
			base = filepath.ToSlash(below)
		}
	}
	return fmt.Sprintf("%x", sha256.Sum256([]byte(kind+base)))[:12], nil
}

// Files yields the files in the order of their names. One that is left out is yielded
// as a [*Skip], unless .gitignore or its name says so. Any other error ends the files.
func (t Tree) Files() iter.Seq2[File, error] {
	return func(yield func(File, error) bool) {
		info, err := os.Stat(t.Path)
		if err != nil {
			yield(File{}, err)
			return
		}
		if !info.IsDir() {
			named, err := filepath.EvalSymlinks(t.Path) // a file that was named is read wherever it is
			if err != nil {
				yield(File{}, err)
				return
			}
			root, err := os.OpenRoot(filepath.Dir(named))
			if err != nil {
				yield(File{}, err)
				return
			}
			defer func() { _ = root.Close() }()
			yield(t.file(root, filepath.Base(named), "."))
			return
		}
		root, err := os.OpenRoot(t.Path)
		if err != nil {
			yield(File{}, err)
			return
		}
		defer func() { _ = root.Close() }()
		if err := t.walk(root, yield); err != nil && !errors.Is(err, fs.SkipAll) {
			yield(File{}, err)
		}
	}
}

// Folders returns the folders that [Tree.Files] reads, the tree's own first.
func (t Tree) Folders() ([]string, error) {
	info, err := os.Stat(t.Path)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return []string{filepath.Dir(t.Path)}, nil
	}
	root, err := os.OpenRoot(t.Path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = root.Close() }()
	var folders []string
	err = t.entries(root, func(name string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() {
			folders = append(folders, filepath.Join(t.Path, filepath.FromSlash(name)))
		}
		return nil
	})
	return folders, err
}

func (t Tree) walk(root *os.Root, yield func(File, error) bool) error {
	return t.entries(root, func(name string, entry fs.DirEntry, err error) error {
		goOn := true
		switch {
		case err != nil:
			goOn = yield(File{}, &Skip{t.source(name), Unreadable, err})
		case !entry.IsDir():
			goOn = yield(t.file(root, name, name))
		}
		if !goOn {
			return fs.SkipAll
		}
		return nil
	})
}

// entries calls f for the folders and files that are not left out by their names, and
// with an error for those that cannot be read.
func (t Tree) entries(root *os.Root, f fs.WalkDirFunc) error {
	ignored, err := newIgnored(t.Path)
	if err != nil {
		return err
	}
	except := ""
	if t.Store != "" {
		abs, absErr := filepath.Abs(t.Path)
		file, fileErr := filepath.Abs(t.Store)
		if below, err := filepath.Rel(abs, file); err == nil && absErr == nil && fileErr == nil {
			except = filepath.ToSlash(below)
		}
	}
	return fs.WalkDir(root.FS(), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			if name == "." {
				return err
			}
			return f(name, entry, err)
		}
		if name != "." && t.leaves(name, entry, ignored, except) {
			if entry.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if entry.IsDir() {
			if text, err := root.ReadFile(path.Join(name, ".gitignore")); err == nil {
				ignored.enter(name, text)
			}
		}
		return f(name, entry, nil)
	})
}

// leaves reports whether a file or folder is left out by its name.
func (t Tree) leaves(name string, entry fs.DirEntry, ignored *ignored, except string) bool {
	return entry.Name() == ".git" ||
		!t.Hidden && strings.HasPrefix(entry.Name(), ".") ||
		!t.NoIgnore && ignored.match(name, entry.IsDir()) ||
		except != "" && strings.HasPrefix(name, except)
}

// file looks at one file before it is read. A link is followed within the folder only,
// and never to a folder, where it could lead in a circle.
func (t Tree) file(root *os.Root, name, below string) (File, error) {
	f := File{Source: t.source(below), Kind: t.Kind, Open: func() (io.ReadCloser, error) { return root.Open(name) }}
	if f.Kind == "" {
		f.Kind = KindOf(name)
	}
	skip := func(reason Reason, err error) (File, error) { return File{}, &Skip{f.Source, reason, err} }
	info, err := root.Stat(name)
	if err != nil {
		if link, linkErr := root.Lstat(name); linkErr == nil && link.Mode()&fs.ModeSymlink != 0 {
			return skip(Outside, nil)
		}
		return skip(Unreadable, err)
	}
	limit := t.MaxBytes
	if limit == 0 {
		limit = DefaultMaxBytes
	}
	if f.Kind == PDF {
		limit = pdf.MaxBytes
	}
	switch {
	case info.IsDir():
		return skip(ToFolder, nil)
	case !info.Mode().IsRegular():
		return skip(Irregular, nil)
	case t.Kind == "" && isPicture(name):
		return skip(Picture, nil)
	case info.Size() > limit && !isRows(f.Kind):
		return skip(TooLarge, nil)
	}
	file, err := root.Open(name)
	if err != nil {
		return skip(Unreadable, err)
	}
	defer file.Close()
	head := make([]byte, 8<<10)
	n, err := io.ReadFull(file, head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return skip(Unreadable, err)
	}
	if f.Kind != PDF && isBinary(head[:n]) {
		return skip(Binary, nil)
	}
	return f, nil
}
