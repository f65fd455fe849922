package folder

import (
	"bufio"
	"bytes"
	"os"
	"path/filepath"
	"strings"

	"github.com/go-git/go-git/v5/plumbing/format/gitignore"
)

// ignored answers which files git would leave out.
type ignored struct {
	above    []string // the folders from the top of the repository down to the one that is read
	patterns []gitignore.Pattern
	matcher  gitignore.Matcher
}

// newIgnored reads the .gitignore files above dir, up to the folder that has a .git.
// Outside of a repository only those below dir count.
func newIgnored(dir string) (*ignored, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	top := dir
	for at := dir; ; at = filepath.Dir(at) {
		if _, err := os.Stat(filepath.Join(at, ".git")); err == nil {
			top = at
			break
		}
		if at == filepath.Dir(at) {
			break
		}
	}
	g := &ignored{}
	if below, err := filepath.Rel(top, dir); err == nil && below != "." {
		g.above = strings.Split(filepath.ToSlash(below), "/")
	}
	for n := range g.above {
		folder := filepath.Join(append([]string{top}, g.above[:n]...)...)
		if text, err := os.ReadFile(filepath.Join(folder, ".gitignore")); err == nil {
			g.add(g.above[:n:n], text)
		}
	}
	return g, nil
}

// enter takes the .gitignore of a folder below the one that is read into account.
func (g *ignored) enter(path string, text []byte) { g.add(g.domain(path), text) }

func (g *ignored) add(domain []string, text []byte) {
	lines := bufio.NewScanner(bytes.NewReader(text))
	for lines.Scan() {
		line := strings.TrimRight(lines.Text(), "\r")
		if strings.TrimSpace(line) != "" && !strings.HasPrefix(line, "#") {
			g.patterns = append(g.patterns, gitignore.ParsePattern(line, domain))
		}
	}
	g.matcher = gitignore.NewMatcher(g.patterns)
}

// match reports whether git would leave the file or folder out.
func (g *ignored) match(path string, isDir bool) bool {
	return g.matcher != nil && g.matcher.Match(g.domain(path), isDir)
}

func (g *ignored) domain(path string) []string {
	domain := append([]string{}, g.above...)
	if path != "." {
		domain = append(domain, strings.Split(path, "/")...)
	}
	return domain
}
