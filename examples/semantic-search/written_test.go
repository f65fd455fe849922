package main

import (
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

var (
	// what begins the comment of an example, and says nothing of its subject
	opening = regexp.MustCompile(`^(This example|The following example|Example\w*)\s*(demonstrates|shows|uses|illustrates|passes|computes|prints)?( an example of| how to| the use of| how)?`)
	// a name as it is written in Go
	goName = regexp.MustCompile(`[a-z\])][A-Z]|\w\.\w`)
)

// writtenQuestions makes questions of the comments that the authors of Go wrote over
// their examples: the first sentence, without the names that it has. The answer is
// the symbol that the example is for, or its type. There are 77 of them in Go 1.26.
func writtenQuestions(src string) (list []question, err error) {
	err = filepath.WalkDir(src, func(file string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir():
			switch entry.Name() {
			case "internal", "vendor", "cmd", "testdata":
				return filepath.SkipDir
			}
			return nil
		case !strings.HasSuffix(file, "_test.go"):
			return nil
		}
		text, err := os.ReadFile(file)
		if err != nil || !strings.Contains(string(text), "func Example") {
			return err
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, text, parser.ParseComments)
		if err != nil {
			return err
		}
		folder, err := filepath.Rel(src, filepath.Dir(file))
		for _, e := range doc.Examples([]*ast.File{parsed}...) {
			if q, ok := written(filepath.ToSlash(folder), e); ok {
				list = append(list, q)
			}
		}
		return err
	})
	return list, err
}

// written makes a question of an example, if it is one for a symbol and its comment
// says enough.
func written(folder string, e *doc.Example) (question, bool) {
	parts := strings.Split(e.Name, "_") // Type_Method_how
	if parts[0] == "" || e.Doc == "" {
		return question{}, false
	}
	answers := folder + "." + parts[0]
	if len(parts) > 1 {
		if first, _ := utf8.DecodeRuneInString(parts[1]); unicode.IsUpper(first) {
			answers = folder + "." + parts[0] + "." + parts[1] + " " + answers
		}
	}
	var p doc.Package
	var words []string
	for word := range strings.FieldsSeq(opening.ReplaceAllString(p.Synopsis(e.Doc), "")) {
		if !goName.MatchString(word) && !strings.EqualFold(strings.Trim(word, `.,[]"s`), parts[0]) {
			words = append(words, word)
		}
	}
	return question{strings.Join(words, " "), answers}, len(words) >= 4
}
